//! The emulator: one moto server for all tests of this binary, reached through `emulator.py`.
use super::moto;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// moto, and the program that prepares accounts in it. Both end when our end of the pipe closes: with
/// this process, however it ends.
pub(crate) struct Emulator {
    /// `http://127.0.0.1:PORT`.
    pub(crate) endpoint: String,
    pipe: Mutex<Pipe>,
    accounts: AtomicU64,
}

struct Pipe {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Emulator {
    /// The emulator of this test binary, started by whoever asks first.
    pub(crate) fn get() -> &'static Self {
        static EMULATOR: OnceLock<Emulator> = OnceLock::new();
        EMULATOR.get_or_init(Self::start)
    }

    fn start() -> Self {
        let mut child = moto::start("emulator.py");
        let requests = child.stdin.take().unwrap();
        let mut pipe = Pipe { requests, answers: BufReader::new(child.stdout.take().unwrap()), _child: child };
        let endpoint = moto::on_this_computer(pipe.read()["endpoint"].as_str().unwrap()).to_owned();
        Self { endpoint, pipe: Mutex::new(pipe), accounts: AtomicU64::new(100_000_000_001) }
    }

    /// The number of an AWS account that no other test has.
    pub(crate) fn new_account(&self) -> String {
        self.accounts.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Sends one request to `emulator.py` and returns its answer, or what went wrong.
    pub(crate) fn try_ask(&self, request: &Value) -> Result<Value, String> {
        let answer = {
            // A test that failed in here has failed alone.
            let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(pipe.requests, "{request}").unwrap();
            pipe.read()
        };
        match answer.get("ok") {
            Some(ok) => Ok(ok.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    /// Sends one request to `emulator.py`, which must work.
    pub(crate) fn ask(&self, request: &Value) -> Value {
        self.try_ask(request).unwrap_or_else(|error| {
            let log = self.try_ask(&json!({ "do": "log" })).unwrap_or_default();
            panic!("{request}: {error}\nmoto says:\n{}", log.as_str().unwrap_or_default())
        })
    }

    /// `127.0.0.1:PORT` of a container registry, the same for all tests.
    pub(crate) fn registry(&self) -> &str {
        static REGISTRY: OnceLock<String> = OnceLock::new();
        REGISTRY.get_or_init(|| self.ask(&json!({ "do": "registry" }))["host"].as_str().unwrap().to_owned())
    }
}

impl Pipe {
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "emulator.py ended; what it said is above");
        serde_json::from_str(&line).unwrap()
    }
}

/// `http://127.0.0.1:PORT` of the emulator.
pub(crate) fn endpoint() -> &'static str {
    &Emulator::get().endpoint
}

/// Sends one request to `emulator.py`, which must work.
pub(crate) fn ask(request: &Value) -> Value {
    Emulator::get().ask(request)
}

/// `127.0.0.1:PORT` of the container registry.
pub(crate) fn registry() -> &'static str {
    Emulator::get().registry()
}
