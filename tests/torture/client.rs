//! One run of a binary, within a bound of time.
use crate::proxy::Proxy;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::Command,
};

/// Longer takes no command, unless it hangs.
pub(crate) const BOUND: Duration = Duration::from_secs(150);

/// What a command says at once when it hears of Ctrl-C.
pub(crate) const HEARD: &str = "Interrupted: finishing what is in flight";

/// How the name of a home directory begins, and how many letters follow that are others each time.
pub(crate) const HOME: &str = "torture-home-";
pub(crate) const RANDOM: usize = 6;

/// Where a command runs: a home directory and an environment, and nothing of ours.
pub(crate) struct Shell {
    home: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The command line.
    pub(crate) line: String,
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Whether it was still running after [`BOUND`].
    pub(crate) hung: bool,
    /// What it wrote to stdout and stderr.
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How long it took.
    pub(crate) took: Duration,
    /// When.
    pub(crate) at: Instant,
    /// When it said that it had heard of Ctrl-C.
    pub(crate) heard: Option<Instant>,
}

impl Shell {
    /// With these variables and these files in its home.
    pub(crate) fn new(environment: &BTreeMap<String, String>, files: &[(String, String)]) -> Self {
        let home = tempfile::Builder::new().prefix(HOME).rand_bytes(RANDOM).tempdir().unwrap();
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { home, environment: environment.clone() }
    }

    /// Runs a binary to its end, with nothing on stdin. `words` begin with its name.
    pub(crate) async fn run(&self, words: &[String], proxy: &Proxy) -> Ended {
        let mut command = Command::new(program(&words[0]));
        command.args(&words[1..]).env_clear().envs(&self.environment).current_dir(self.home.path());
        command.env("HOME", self.home.path()).env("AWS_ENDPOINT_URL", &proxy.endpoint);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let began = Instant::now();
        let mut child = command.spawn().expect("the binary starts");
        proxy.client(child.id());
        let (mut out, mut err) = (child.stdout.take().unwrap(), BufReader::new(child.stderr.take().unwrap()));
        let (mut stdout, mut stderr, mut heard) = (Vec::new(), Vec::new(), None);
        let told = async {
            let mut from = 0;
            while err.read_until(b'\n', &mut stderr).await.is_ok_and(|length| length > 0) {
                if heard.is_none() && contains(&stderr[from..], HEARD) {
                    heard = Some(Instant::now());
                }
                from = stderr.len();
            }
        };
        let all = async { tokio::join!(out.read_to_end(&mut stdout), told, child.wait()).2 };
        let ended = tokio::time::timeout(BOUND, all).await;
        let hung = ended.is_err();
        let status = match ended {
            Ok(status) => status.unwrap(),
            Err(_) => {
                child.kill().await.unwrap();
                child.wait().await.unwrap()
            }
        };
        proxy.client(None);
        Ended {
            line: words.join(" "),
            code: status.code(),
            signal: status.signal(),
            hung,
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            took: began.elapsed(),
            at: Instant::now(),
            heard,
        }
    }
}

impl Ended {
    /// Whether the exit code is 0.
    pub(crate) fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// In a few words.
    pub(crate) fn told(&self) -> String {
        match (self.hung, self.code, self.signal) {
            (true, ..) => format!("still running after {BOUND:?}"),
            (_, Some(code), _) => format!("exit code {code}"),
            (_, _, signal) => format!("ended by signal {}", signal.unwrap_or_default()),
        }
    }

    /// All of it, for a file.
    pub(crate) fn transcript(&self) -> String {
        let Self { line, stdout, stderr, took, .. } = self;
        format!("$ {line}\n{} after {took:.1?}\n--- stdout\n{stdout}--- stderr\n{stderr}", self.told())
    }

    /// Stdout and stderr.
    pub(crate) fn said(&self) -> String {
        self.stdout.clone() + &self.stderr
    }
}

fn contains(line: &[u8], words: &str) -> bool {
    line.windows(words.len()).any(|part| part == words.as_bytes())
}

/// The path of `minion` or `overlord`: Cargo names the one for these tests, and puts the other beside it. With
/// MINION_TORTURE_BINARIES, those of that directory.
fn program(binary: &str) -> PathBuf {
    let given = std::env::var_os("MINION_TORTURE_BINARIES").map(|directory| Path::new(&directory).join(binary));
    let path = given.unwrap_or_else(|| Path::new(env!("CARGO_BIN_EXE_minion")).with_file_name(binary));
    assert!(path.is_file(), "there is no {}: `cargo xtask torture` makes it", path.display());
    path
}
