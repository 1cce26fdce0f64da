//! The Docker engine as its command line tells of it, and a real registry beside it.
use std::{
    collections::BTreeSet,
    env, fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What everything that the tests make in the engine themselves is labelled with.
pub(super) const LABEL: &str = "minion-test";

/// Runs `docker` with these arguments; its output, line by line.
pub(crate) fn docker(arguments: &[&str]) -> Vec<String> {
    let run = Command::new("docker").args(arguments).stdin(Stdio::null()).output().expect("docker starts");
    assert!(run.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Every container, network and volume in the engine, one line each: kind, name, label of the sandbox that made it.
pub(super) fn belongings() -> BTreeSet<String> {
    const SANDBOX: &str = r#"{{.Label "minion-sandbox"}}"#;
    let listed = |kind: &str, arguments: &[&str], name: &str| {
        let format = format!("{kind} {name} {SANDBOX}");
        docker(&[arguments, &["--format", &format]].concat())
    };
    let mut all = BTreeSet::new();
    all.extend(listed("container", &["ps", "--all"], "{{.Names}}"));
    all.extend(listed("network", &["network", "ls"], "{{.Name}}"));
    all.extend(listed("volume", &["volume", "ls"], "{{.Name}}"));
    all
}

/// Removes the images that the tests have built.
pub(super) fn remove_images() {
    let ours = format!("label={LABEL}");
    let images: BTreeSet<_> = docker(&["images", "--all", "--quiet", "--filter", &ours]).into_iter().collect();
    // One that another needs goes with that.
    let _ = Command::new("docker").args(["rmi", "--force"]).args(images).stdout(Stdio::null()).status();
}

/// A registry v2 server on loopback, by plain HTTP, empty at the beginning. It ends with this value.
pub(crate) struct RegistryServer {
    /// `127.0.0.1:PORT`
    pub(crate) host: String,
    server: Server,
    _directory: tempfile::TempDir,
}

enum Server {
    Process(Child),
    Container(String),
}

impl RegistryServer {
    /// Starts the one that `cargo xtask test` has found.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (server, host) = if let Some(program) = env::var_os("MINION_TEST_REGISTRY") {
            let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
            let config = directory.path().join("config.yml");
            let text = format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n",
                directory.path().join("data").display()
            );
            fs::write(&config, text).unwrap();
            let mut command = Command::new(program);
            command.arg("serve").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            (Server::Process(command.spawn().expect("the registry starts")), host)
        } else {
            let image = env::var("MINION_TEST_REGISTRY_IMAGE").expect("cargo xtask test names a registry");
            let label = format!("{LABEL}=registry");
            let publish = "127.0.0.1::5000";
            let id = docker(&["run", "--detach", "--rm", "--label", &label, "--publish", publish, &image]).remove(0);
            let host = docker(&["port", &id, "5000/tcp"]).remove(0);
            (Server::Container(id), host)
        };
        let began = Instant::now();
        while TcpStream::connect(&host).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "the registry at {host} does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        Self { host, server, _directory: directory }
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        match &mut self.server {
            Server::Process(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Server::Container(id) => {
                let _ = Command::new("docker").args(["rm", "--force", "--volumes", id]).output();
            }
        }
    }
}
