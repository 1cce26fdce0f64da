//! fakecloud, the emulator of AWS: a program of its own, found, started, waited for and ended.
use crate::place::{CONTAINER_CLI, EMULATOR_LOG, Emulator, Place, Wanted};
use aws_core::{Error, Result};
use docker::Engine;
use std::{
    fs::OpenOptions,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// The version that the sandbox was tried with.
pub const VERSION: &str = "0.51.0";
/// The container image of that version.
pub const IMAGE: &str = "ghcr.io/faiscadev/fakecloud:0.51.0";
/// The emulator's account.
pub const ACCOUNT: &str = "123456789012";
/// Until it answers.
const START: Duration = Duration::from_secs(60);
/// For its containers, before it is killed.
const END: Duration = Duration::from_secs(20);

/// How to install it.
pub fn install_line() -> String {
    format!("cargo install fakecloud --version {VERSION} --locked")
}

/// What a program says its version is: `fakecloud 0.51.0`.
///
/// # Errors
/// When it cannot be run.
pub async fn version(program: &Path) -> Result<String> {
    let asked = Command::new(program).arg("--version").stdin(Stdio::null()).output().await;
    let asked = asked.map_err(|e| Error::failed(format!("{} cannot be run: {e}", program.display())))?;
    Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}

/// The fakecloud that was named, else the one on the PATH, if there is one.
///
/// # Errors
/// When the one that was named is not there.
pub fn on_path(named: Option<&Path>) -> Result<Option<PathBuf>> {
    match named {
        Some(path) if path.is_file() => Ok(Some(path.to_owned())),
        Some(path) => Err(Error::usage(format!("there is no fakecloud at {}", path.display()))
            .hint("Correct --fakecloud (or MINION_FAKECLOUD).")),
        None => Ok(crate::image::on_path("fakecloud")),
    }
}

/// Starts it at this address, for the engine of this computer.
///
/// # Errors
/// When it cannot be started.
pub fn start(place: &Place, wanted: &Wanted, engine: &Engine, address: SocketAddr) -> Result<Child> {
    let path = place.file(EMULATOR_LOG);
    let log = OpenOptions::new().create(true).append(true).open(&path);
    let log = log.map_err(|e| Error::failed(format!("{} cannot be written: {e}", path.display())))?;
    let cli = place.file(CONTAINER_CLI);
    let settings = [
        ("FAKECLOUD_ADDR", address.to_string()),
        ("FAKECLOUD_REGION", wanted.region.clone()),
        ("FAKECLOUD_ACCOUNT_ID", ACCOUNT.to_owned()),
        ("FAKECLOUD_LOG", "error".to_owned()),
        ("FAKECLOUD_CONTAINER_CLI", cli.display().to_string()),
        ("FAKECLOUD_EC2_DEFAULT_IMAGE", wanted.image.clone()),
        ("FAKECLOUD_EC2_HELPER_IMAGE", wanted.image.clone()),
    ];
    let mut command = match &wanted.emulator {
        Emulator::Program(program) => {
            let mut command = Command::new(program);
            command.envs(settings);
            command
        }
        Emulator::Image(image) => {
            let mut command = Command::new(&wanted.docker);
            command.args([
                "run",
                "--rm",
                "--network",
                "host",
                "--name",
                &format!("minion-sandbox-{}-fakecloud", place.id()),
            ]);
            command.args(["--label", &format!("{}={}", crate::place::LABEL, place.id())]);
            let directory = place.directory().display();
            let socket = engine.socket_path().unwrap_or("/var/run/docker.sock");
            command.args(["--volume", &format!("{directory}:{directory}"), "--volume", &format!("{socket}:{socket}")]);
            command.args(["--env", "FAKECLOUD_IN_CONTAINER=0", "--env", "NO_PROXY=*"]);
            for (name, value) in settings {
                command.args(["--env", &format!("{name}={value}")]);
            }
            command.arg(image);
            command
        }
    };
    // Nobody's real credentials, and nobody's Ctrl-C.
    for (name, _) in std::env::vars_os() {
        // What it says to instances is for no proxy.
        let foreign = |name: &str| name.starts_with("AWS_") || name.to_ascii_uppercase().ends_with("_PROXY");
        if name.to_str().is_none_or(foreign) {
            command.env_remove(name);
        }
    }
    // The engine that we use, and no other one that the command would choose.
    command.env("DOCKER_HOST", engine.socket());
    command.stdin(Stdio::null()).stdout(log.try_clone().map(Stdio::from).unwrap_or_else(|_| Stdio::null())).stderr(log);
    command.process_group(0).kill_on_drop(true);
    command.spawn().map_err(|e| Error::failed(format!("fakecloud cannot be started: {e}")))
}

/// Waits until it answers.
///
/// # Errors
/// When it ends, or does not answer in time.
pub async fn ready(place: &Place, child: &mut Child, http: &reqwest::Client, url: &url::Url) -> Result<()> {
    let health = url.join("_fakecloud/health").map_err(|e| Error::failed(e.to_string()))?;
    let until = Instant::now() + START;
    let log = place.file(EMULATOR_LOG);
    loop {
        if let Ok(answer) = http.get(health.clone()).timeout(Duration::from_secs(2)).send().await
            && answer.status().is_success()
        {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(
                Error::failed(format!("fakecloud ended: {status}")).hint(format!("It wrote {}.", log.display()))
            );
        }
        if Instant::now() > until {
            return Err(Error::failed(format!("fakecloud does not answer at {url} within {} s", START.as_secs()))
                .hint(format!("It wrote {}.", log.display())));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Ends it: it removes its containers first, if it can.
pub async fn end(mut child: Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
    if tokio::time::timeout(END, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

    /// The script that fakecloud calls, with a `docker` that says what it was called with.
    struct Cli(std::path::PathBuf);

    impl Cli {
        fn new(name: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("minion-sandbox-cli-{name}-{}", std::process::id()));
            fs::create_dir_all(&directory).unwrap();
            let docker = directory.join("real");
            let script = include_str!("container_cli.sh").replace("@docker@", &docker.display().to_string());
            let script = script.replace("@label@", "minion-sandbox=x").replace("@address@", "172.17.0.1");
            let script = script.replace("@port@", "8000").replace("@token@", "secret");
            // No network is known, so each is made.
            let real = "#!/bin/sh\n[ \"$2\" != inspect ] || exit 1\necho \"$@\"\necho \"env ${MINION_SANDBOX:-}\"\n";
            for (name, text) in [("real", real), ("docker", script.as_str())] {
                fs::write(directory.join(name), text).unwrap();
                fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o700)).unwrap();
            }
            Self(directory)
        }
        fn run(&self, arguments: &[&str]) -> String {
            let ran = Command::new(self.0.join("docker")).args(arguments).output().unwrap();
            String::from_utf8(ran.stdout).unwrap().lines().next().unwrap_or_default().to_owned()
        }
        fn lock(&self) -> std::path::PathBuf {
            self.0.join("docker.network")
        }
    }
    impl Drop for Cli {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(Path::new(&self.0));
        }
    }

    #[test]
    fn ports_are_for_this_computer_alone() {
        let cli = Cli::new("ports");
        let label = "run --label minion-sandbox=x";
        assert_eq!(cli.run(&["run", "--publish", "8080/tcp", "i"]), format!("{label} --publish 127.0.0.1::8080/tcp i"));
        assert_eq!(cli.run(&["run", "-p", "80:8080", "i"]), format!("{label} -p 127.0.0.1:80:8080 i"));
        assert_eq!(cli.run(&["run", "i", "a  b"]), format!("{label} i a  b"));
        assert_eq!(cli.run(&["ps", "-a"]), "ps -a");
    }

    #[test]
    fn an_instance_knows_the_sandbox_and_its_command_line_does_not_tell() {
        let cli = Cli::new("instance");
        let line = cli.run(&["run", "-d", "--label", "fakecloud-ec2=i-1", "image"]);
        assert!(line.contains("--hostname i-1 --add-host minion-sandbox:172.17.0.1 --env MINION_SANDBOX -d"), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }

    #[test]
    fn networks_have_a_way_out_and_are_made_one_by_one() {
        let cli = Cli::new("networks");
        let made = cli.run(&["network", "create", "--internal", "--label", "a=b", "n"]);
        assert_eq!(made, "network create --label minion-sandbox=x --label a=b n");
        assert!(!cli.lock().exists());
    }
}
