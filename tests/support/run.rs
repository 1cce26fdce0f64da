//! One run of a binary, within a bound of time.
use serde_json::Value;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// No command of a test takes longer, unless it hangs.
const BOUND: Duration = Duration::from_secs(60);

/// A binary that runs.
pub(crate) struct Running {
    child: Child,
    line: String,
    began: Instant,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote to stdout.
    pub(crate) stdout: String,
    /// What it wrote to stderr.
    pub(crate) stderr: String,
    /// How long it took.
    pub(crate) took: Duration,
    line: String,
}

fn drain(mut from: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

impl Running {
    /// Starts a command with nothing on stdin.
    pub(crate) fn start(mut command: Command) -> Self {
        let program = Path::new(command.get_program()).file_name().unwrap_or_default();
        let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
        let line = words.collect::<Vec<_>>().join(" ");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().expect("the binary starts");
        let (stdout, stderr) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
        Self { child, line, began, stdout, stderr }
    }

    /// Sends what Ctrl-C sends.
    pub(crate) fn interrupt(&self) {
        // A process that has ended meanwhile is fine.
        let _ = Command::new("/bin/sh").arg("-c").arg(format!("kill -INT {} 2>&-", self.child.id())).status();
    }

    /// Whether it has come to its end.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends it by force: it hears nothing of it.
    pub(crate) fn kill(&self) {
        let _ = Command::new("/bin/sh").arg("-c").arg(format!("kill -KILL {} 2>&-", self.child.id())).status();
    }

    /// Waits until it ends; after a minute it is killed and the test fails.
    pub(crate) fn wait(self) -> Run {
        self.within(BOUND)
    }

    /// The same, with another bound.
    pub(crate) fn within(mut self, bound: Duration) -> Run {
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status.code());
            }
            if self.began.elapsed() > bound {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_millis(2));
        };
        let run = Run {
            took: self.began.elapsed(),
            code: code.flatten(),
            stdout: self.stdout.join().unwrap(),
            stderr: self.stderr.join().unwrap(),
            line: self.line,
        };
        assert!(code.is_some(), "does not end within {bound:?}: {}", run.told());
        run
    }
}

impl Run {
    fn told(&self) -> String {
        let Self { code, stdout, stderr, line, took } = self;
        format!("{line}\nexit code {code:?} after {took:.1?}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }

    /// Fails unless the exit code is 0.
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// Fails unless the exit code is this one.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.told());
        self
    }

    /// Fails unless it failed with this exit code and a clear error: a message on stderr, nothing on
    /// stdout, no panic, no Rust in it.
    pub(crate) fn fails(self, code: i32) -> Self {
        let this = self.exits(code);
        assert!(!this.stderr.trim().is_empty(), "no message: {}", this.told());
        assert!(this.stdout.is_empty(), "an error has no data on stdout: {}", this.told());
        for rust in ["panicked", "RUST_BACKTRACE", "Some(", "Err(", "SdkError", "DispatchFailure("] {
            assert!(!this.stderr.contains(rust), "`{rust}` is no word for a user: {}", this.told());
        }
        this
    }

    /// The same, where the exit code may be 1 or 2.
    pub(crate) fn fails_somehow(self) -> Self {
        let code = if self.code == Some(2) { 2 } else { 1 };
        self.fails(code)
    }

    /// Fails unless it says each of these, whatever the case.
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let said = (self.stdout.clone() + &self.stderr).to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "it does not say `{word}`: {}", self.told());
        }
        self
    }

    /// Fails when stdout or stderr contains one of these.
    pub(crate) fn hides(self, words: &[&str]) -> Self {
        for word in words {
            assert!(!self.stderr.contains(word) && !self.stdout.contains(word), "`{word}` is shown: {}", self.told());
        }
        self
    }

    /// Stdout as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.told()))
    }
}
