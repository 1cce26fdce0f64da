//! A shell: a home directory, an environment with credentials of one account, and the binaries.
use super::{
    emulator::Emulator,
    run::{Run, Running},
    wire::Wire,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Where somebody works. What runs in it sees nothing of our environment.
pub(crate) struct Shell {
    home: TempDir,
    environment: BTreeMap<String, String>,
}

impl Shell {
    /// A shell with these credentials, as `emulator.py` gives them.
    pub(crate) fn new(credentials: &Value) -> Self {
        let home = tempfile::tempdir().unwrap();
        let word = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let environment = BTreeMap::from([
            ("AWS_ACCESS_KEY_ID".to_owned(), word("access_key_id")),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), word("secret_access_key")),
            ("AWS_SESSION_TOKEN".to_owned(), word("session_token")),
            ("AWS_ENDPOINT_URL".to_owned(), Emulator::get().endpoint.clone()),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
            ("HOME".to_owned(), home.path().to_str().unwrap().to_owned()),
            ("TERM".to_owned(), "dumb".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]);
        Self { home, environment }
    }

    /// Sets a variable, or removes it.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.environment.insert(name.to_owned(), value.to_owned()),
            None => self.environment.remove(name),
        };
    }

    /// Removes the variables of `minion`.
    pub(crate) fn forget_settings(&mut self) {
        self.environment.retain(|name, _| !name.starts_with("MINION_"));
    }

    /// The access key of the credentials.
    pub(crate) fn access_key(&self) -> &str {
        &self.environment["AWS_ACCESS_KEY_ID"]
    }

    /// The home directory, and the working directory.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file below the home directory and returns its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A binary with these arguments, not started yet.
    pub(crate) fn command(&self, binary: &str, arguments: &[&str]) -> Command {
        let endpoint = &self.environment["AWS_ENDPOINT_URL"];
        let local = ["http://127.0.0.1:", "http://[::1]:"].iter().any(|local| endpoint.starts_with(local));
        assert!(local, "{endpoint} is not on this computer: refusing to go on");
        let mut command = Command::new(program(binary));
        command.args(arguments).env_clear().envs(&self.environment).current_dir(self.home());
        command
    }

    /// Starts a binary.
    pub(crate) fn start(&self, binary: &str, arguments: &[&str]) -> Running {
        Running::start(self.command(binary, arguments))
    }

    /// Starts a binary on a wire, and holds it up once a request with these words was answered: until the wire lets it go on.
    pub(crate) fn start_held(
        &self,
        binary: &str,
        arguments: &[&str],
        wire: &Wire,
        behind: &'static [&'static str],
    ) -> Running {
        wire.hold_behind(behind);
        let mut command = self.command(binary, arguments);
        command.env("AWS_ENDPOINT_URL", &wire.endpoint);
        let running = Running::start(command);
        wire.wait_held();
        running
    }

    /// Runs a binary to its end, with nothing on stdin.
    pub(crate) fn run(&self, binary: &str, arguments: &[&str]) -> Run {
        self.start(binary, arguments).wait()
    }
}

/// The path of `minion` or `overlord`: Cargo names the one for these tests, and puts the other beside it.
pub(super) fn program(binary: &str) -> PathBuf {
    let minion = PathBuf::from(env!("CARGO_BIN_EXE_minion"));
    let path = minion.with_file_name(format!("{binary}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "there is no {}: `cargo build --release --workspace --exclude xtask` makes it, and `cargo xtask test` does that",
        path.display()
    );
    path
}
