//! A sandbox: `minion sandbox up` in a home directory of its own, on ports that are free, and what a user does in it.
use super::{
    docker,
    moto::moto_server,
    registry_server::{By, RegistryServer},
    run::{Run, Running},
    shell::program,
    stage::workspace,
    traffic::Address,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// No command in a sandbox takes longer: instances boot, and all of it shares a few processors with the other tests.
const BOUND: Duration = Duration::from_secs(240);
/// What is true at last is true by then.
const PATIENCE: Duration = Duration::from_secs(150);

/// A home directory, a registry with the tests' images, and the sandbox's ports once it is up.
pub(crate) struct Sandbox {
    home: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    registry: RegistryServer,
    before: BTreeSet<String>,
    ports: OnceLock<Ports>,
    id: OnceLock<String>,
}

/// Where a sandbox answers.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    /// What AWS_ENDPOINT_URL is.
    pub(crate) endpoint: String,
    /// Where applications answer by their host names.
    pub(crate) front: SocketAddr,
    /// The domain of the applications' names.
    pub(crate) domain: String,
    /// What `minion sandbox env` exports.
    pub(crate) exports: BTreeMap<String, String>,
}

impl Sandbox {
    /// A home for a sandbox, which is not up yet; none where no engine or emulator is.
    pub(crate) fn prepare() -> Option<Self> {
        if env::var_os("MINION_TEST_SANDBOX").is_none() {
            let must = |name: &str| env::var(name).is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
            assert!(!must("CI") && !must("MINION_REQUIRE_ENGINE"), "no sandbox: run this with `cargo xtask test`");
            eprintln!("skipped: `cargo xtask test` runs it where a Docker engine answers");
            return None;
        }
        let before = docker::belongings();
        let home = tempfile::tempdir().unwrap();
        let mut environment = BTreeMap::from([
            ("HOME".to_owned(), home.path().to_str().unwrap().to_owned()),
            ("TERM".to_owned(), "dumb".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]);
        for name in ["PATH", "DOCKER_HOST", "MINION_FAKECLOUD"] {
            environment.extend(env::var(name).ok().map(|value| (name.to_owned(), value)));
        }
        Some(Self { home, environment, registry: registry(), before, ports: OnceLock::new(), id: OnceLock::new() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("minion"));
        command.args(arguments).env_clear().envs(&self.environment).current_dir(self.home.path());
        command
    }

    /// Runs `minion` with these arguments.
    pub(crate) fn plain(&self, arguments: &[&str]) -> Run {
        Running::start(self.command(arguments)).within(BOUND)
    }

    /// Runs `minion --profile sandbox` with these arguments.
    pub(crate) fn minion(&self, arguments: &[&str]) -> Run {
        self.plain(&[&["--profile", "sandbox"], arguments].concat())
    }

    /// `minion sandbox up`.
    pub(crate) fn up(&self) -> Run {
        self.plain(&["sandbox", "up", "--port", "0", "--front-port", "0"])
    }

    /// Where it answers, asked once.
    pub(crate) fn ports(&self) -> &Ports {
        self.ports.get_or_init(|| self.ports_now())
    }

    /// Asks where it answers.
    pub(crate) fn ports_now(&self) -> Ports {
        let env = self.plain(&["sandbox", "env"]).ok().stdout;
        let exports = env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let exports: BTreeMap<_, _> =
            exports.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect();
        let status = self.status();
        let word = |name: &str| status[name].as_str().unwrap_or_else(|| panic!("no {name}: {status}")).to_owned();
        let (endpoint, domain) = (word("endpoint"), word("domain"));
        assert_eq!(exports.get("AWS_ENDPOINT_URL"), Some(&endpoint), "{env}");
        assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint} is not on this computer: refusing to go on");
        let front = word("front").trim_start_matches("http://").parse().unwrap();
        Ports { endpoint, front, domain, exports }
    }

    /// What `minion sandbox status -o json` says.
    pub(crate) fn status(&self) -> Value {
        self.plain(&["sandbox", "status", "-o", "json"]).ok().json()
    }

    /// The address of a path of an application (`shop`), or of one of its versions (`shop-1-0`).
    pub(crate) fn address(&self, name: &str, path: &str) -> Address {
        let ports = self.ports();
        Address { front: ports.front, host: format!("{name}.{}", ports.domain), path: path.to_owned() }
    }

    /// Writes a manifest with quick health checks and these lines, and makes its application.
    pub(crate) fn application(&self, name: &str, more: &str) {
        let text = format!("application_name: {name}\nteam_name: red\nssh_key: false\n{more}");
        let file = self.home.path().join(format!("{name}.yaml"));
        fs::write(&file, text).unwrap();
        self.minion(&["app", "create", file.to_str().unwrap()]).ok();
    }

    /// Makes the application of a manifest of the workspace.
    pub(crate) fn example(&self, manifest: &str) {
        self.minion(&["app", "create", workspace().join(manifest).to_str().unwrap()]).ok();
    }

    /// Builds the image of a directory of the workspace as this version and pushes it; its name.
    pub(crate) fn image(&self, source: &str, version: &str) -> String {
        let context = self.context(source);
        let repository = context.file_name().unwrap().to_str().unwrap();
        let image = format!("{}/tests/{repository}:{version}", self.registry.host);
        let argument = format!("VERSION={version}");
        self.plain(&["image", "build", "--tag", &image, "--build-arg", &argument, context.to_str().unwrap()]).ok();
        self.plain(&["image", "push", &image]).ok().says(&["sha256:"]);
        image
    }

    /// A copy of a directory with a Dockerfile, with the machine's static busybox in it.
    fn context(&self, source: &str) -> PathBuf {
        let source = workspace().join(source);
        let context = self.home.path().join(source.file_name().unwrap());
        if !context.exists() {
            let copied = Command::new("cp").arg("-R").arg(source).arg(&context).status().unwrap();
            assert!(copied.success());
            let path = env::var_os("PATH").unwrap_or_default();
            let busybox =
                env::split_paths(&path).map(|directory| directory.join("busybox")).find(|path| path.is_file());
            fs::copy(busybox.expect("these tests need busybox-static"), context.join("busybox")).unwrap();
        }
        context
    }

    /// Any AWS call, in boto3's spelling, with the credentials that `minion sandbox env` exports or with these.
    pub(crate) fn call(&self, service: &str, operation: &str, arguments: &Value, more: &[(&str, &str)]) -> Value {
        let python = moto_server().with_file_name("python");
        let ports = self.ports();
        let mut child = Command::new(python)
            .args(["-B", workspace().join("tests/support/sandbox.py").to_str().unwrap()])
            .args([&ports.endpoint, service, operation])
            .env_clear()
            .envs(&self.environment)
            .envs(&ports.exports)
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(arguments.to_string().as_bytes()).unwrap();
        let run = child.wait_with_output().unwrap();
        assert!(run.status.success(), "{service}:{operation} {arguments}");
        serde_json::from_slice(&run.stdout).unwrap()
    }

    /// What `versions show -o json` says.
    pub(crate) fn version(&self, application: &str, version: &str) -> Value {
        self.minion(&["ver", "show", application, version, "-o", "json"]).ok().json()
    }

    /// The ids of a version's instances.
    pub(crate) fn instances(&self, application: &str, version: &str) -> BTreeSet<String> {
        let shown = self.version(application, version);
        let instances = shown["instances"].as_array().unwrap().iter();
        instances.map(|instance| instance["instance_id"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until exactly these many instances are there and healthy.
    pub(crate) fn settles(&self, application: &str, version: &str, instances: usize) {
        eventually(&format!("{instances} healthy instances of {application} {version}"), || {
            let shown = self.version(application, version);
            let there = shown["instances"].as_array().map_or(0, Vec::len);
            if shown["healthy_targets"] == instances && there == instances { Ok(()) } else { Err(shown.to_string()) }
        });
    }

    /// What is in the engine and was not before; images are left out, and what is another sandbox's.
    pub(crate) fn added(&self) -> BTreeSet<String> {
        let id = self.id();
        let others = |line: &str| line.rsplit(' ').next().is_some_and(|label| !label.is_empty() && label != id);
        let now = docker::belongings();
        now.into_iter().filter(|line| !self.before.contains(line) && !others(line)).collect()
    }

    /// The label of this sandbox in the engine.
    fn id(&self) -> String {
        // `make` makes the directory where there is none.
        let place = |directory: &Path| ::sandbox::Place::make(directory).unwrap().id();
        self.id.get_or_init(|| place(&self.directory())).clone()
    }

    /// Where `minion sandbox` keeps its files.
    fn directory(&self) -> PathBuf {
        self.home.path().join(".local/state/minion/sandbox")
    }

    /// Fails when there are containers, networks or volumes of instances.
    pub(crate) fn assert_idle(&self) {
        let left = eventually_empty(|| self.added().into_iter().filter(|line| !line.starts_with("network ")).collect());
        assert!(left.is_empty(), "there are no instances any more, but {left:#?}");
    }

    /// Ends a process of the sandbox as a crash does: `pid` is its own, `emulator_pid` that of the emulator.
    pub(crate) fn kill(&self, process: &str) {
        let file = self.directory().join("running.json");
        let running: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let pid = running[process].as_u64().unwrap_or_else(|| panic!("no {process}: {running}")).to_string();
        assert!(Command::new("/bin/sh").args(["-c", "kill -9 \"$0\"", &pid]).status().unwrap().success());
    }

    /// Files below the home directory's hidden directories: what `minion` has written, and not the test.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        let hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
        let entries = |directory: &Path| fs::read_dir(directory).unwrap().map(Result::unwrap);
        let mut rest: Vec<_> = entries(self.home.path()).filter(hidden).map(|entry| entry.path()).collect();
        let mut files = BTreeSet::new();
        while let Some(path) = rest.pop() {
            if path.is_dir() {
                rest.extend(entries(&path).map(|entry| entry.path()));
            } else {
                files.insert(path.display().to_string());
            }
        }
        files
    }

    /// `minion sandbox down`, after which nothing is left of it in the engine.
    pub(crate) fn down(&self) -> Run {
        let label = format!("label=minion-sandbox={}", self.id());
        let run = self.plain(&["sandbox", "down"]).ok();
        let left = self.added();
        assert!(left.is_empty(), "left in the engine: {left:#?}");
        let images = docker::docker(&["images", "--all", "--quiet", "--filter", &label]);
        assert!(images.is_empty(), "left in the engine: images {images:?}");
        run
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if thread::panicking() {
            let logs = |of| ["sandbox", "logs", "--tail", "60", of];
            for words in [["sandbox", "status"].as_slice(), &logs("--process"), &logs("--console"), &logs("")] {
                // Nothing that fails here may hide what failed first.
                let words = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>();
                let Ok(run) = self.command(&words).stdin(Stdio::null()).output() else { continue };
                let said = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
                eprintln!("--- minion {}\n{}---", words.join(" "), said.concat());
            }
        }
        // Harmless when it is down.
        let _ = self.command(&["sandbox", "down"]).output();
        docker::remove_images(&self.registry.host);
    }
}

/// The one that `cargo xtask test` has found.
fn registry() -> RegistryServer {
    let program = env::var_os("MINION_TEST_REGISTRY").map(PathBuf::from);
    let image = env::var("MINION_TEST_REGISTRY_IMAGE").unwrap_or_default();
    let by = program.as_deref().map_or(By::Image(&image), By::Program);
    RegistryServer::start(by, "minion-test=registry").expect("a registry")
}

/// Looks until it is so; the last reason why not is told.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}\n{why}"),
        }
        thread::sleep(Duration::from_millis(500));
    }
}

/// Looks until there is nothing, or patience ends: what was seen last.
fn eventually_empty(mut look: impl FnMut() -> BTreeSet<String>) -> BTreeSet<String> {
    let began = Instant::now();
    loop {
        let seen = look();
        if seen.is_empty() || began.elapsed() > PATIENCE {
            return seen;
        }
        thread::sleep(Duration::from_millis(500));
    }
}
