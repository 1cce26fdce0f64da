//! A wire between the binary and the emulator that can be made slow, held up, or cut.
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// So long a test waits for a request to be held, and a request for the test to let it go on.
const PATIENCE: Duration = Duration::from_secs(120);

/// Listens on loopback and passes everything on.
pub(crate) struct Wire {
    /// `http://127.0.0.1:PORT`.
    pub(crate) endpoint: String,
    state: Arc<State>,
}

struct State {
    delay: Duration,
    cut_after: usize,
    chunks: AtomicUsize,
    closed: AtomicBool,
    gate: Mutex<Gate>,
    moved: Condvar,
}

/// Where requests are held up.
#[derive(Default)]
struct Gate {
    /// It shuts behind the next request that has all of these words.
    behind: Option<&'static [&'static str]>,
    shut: bool,
    /// Whether that request was answered.
    answered: bool,
}

impl Wire {
    /// A wire to `endpoint` on which each piece of a request takes this long.
    pub(crate) fn slow(endpoint: &str, delay: Duration) -> Self {
        Self::new(endpoint, delay, usize::MAX)
    }

    /// A wire to `endpoint` that is as quick as none: see [`Self::hold_behind`].
    pub(crate) fn straight(endpoint: &str) -> Self {
        Self::new(endpoint, Duration::ZERO, usize::MAX)
    }

    /// A wire to `endpoint` that is cut after so many pieces of requests (a small call is one piece).
    pub(crate) fn cut_after(endpoint: &str, pieces: usize) -> Self {
        Self::new(endpoint, Duration::ZERO, pieces)
    }

    /// Holds up what comes after the next request that has all of these words in it, until [`Self::go_on`].
    pub(crate) fn hold_behind(&self, words: &'static [&'static str]) {
        *self.state.gate() = Gate { behind: Some(words), ..Gate::default() };
    }

    /// Waits until the request with the words was answered.
    pub(crate) fn wait_held(&self) {
        let gate = self.state.gate();
        let waited = self.state.moved.wait_timeout_while(gate, PATIENCE, |gate| !gate.answered);
        assert!(!waited.unwrap().1.timed_out(), "nothing came that was to be held up within {PATIENCE:?}");
    }

    /// Lets pass what is held up, and all that comes.
    pub(crate) fn go_on(&self) {
        *self.state.gate() = Gate::default();
        self.state.moved.notify_all();
    }

    /// Somebody who answers every call with "the token is expired".
    pub(crate) fn expired_token() -> Self {
        let (listener, wire) = Self::listen();
        let state = Arc::clone(&wire.state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if state.closed.load(Ordering::Relaxed) {
                    break;
                }
                thread::spawn(move || refuse(client));
            }
        });
        wire
    }

    /// A wire that nobody answers at yet.
    pub(super) fn listen() -> (TcpListener, Self) {
        Self::listen_with(Duration::ZERO, usize::MAX)
    }

    /// Whether the wire was dropped.
    pub(super) fn closed(&self) -> impl Fn() -> bool + Send + 'static {
        let state = Arc::clone(&self.state);
        move || state.closed.load(Ordering::Relaxed)
    }

    fn listen_with(delay: Duration, cut_after: usize) -> (TcpListener, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            delay,
            cut_after,
            chunks: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            gate: Mutex::default(),
            moved: Condvar::new(),
        };
        (listener, Self { endpoint, state: Arc::new(state) })
    }

    fn new(endpoint: &str, delay: Duration, cut_after: usize) -> Self {
        let to = endpoint.strip_prefix("http://").unwrap().to_owned();
        let (listener, wire) = Self::listen_with(delay, cut_after);
        let shared = Arc::clone(&wire.state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.closed.load(Ordering::Relaxed) {
                    break;
                }
                connect(client, &to, &shared);
            }
        });
        wire
    }

    /// How many pieces of requests have passed.
    pub(crate) fn pieces(&self) -> usize {
        self.state.chunks.load(Ordering::Relaxed)
    }
}

impl State {
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the gate is shut; shuts it behind this piece when it has the words, which is the answer. Nothing from
    /// who hung up meanwhile, or was held up for too long.
    fn pass_gate(&self, client: &TcpStream, piece: &[u8]) -> Option<bool> {
        let gate = self.gate();
        let held = gate.shut;
        let (mut gate, waited) = self.moved.wait_timeout_while(gate, PATIENCE, |gate| gate.shut).unwrap();
        if waited.timed_out() || (held && hung_up(client)) {
            return None;
        }
        let has = |word: &&str| piece.windows(word.len()).any(|part| part == word.as_bytes());
        let marked = gate.behind.is_some_and(|words| words.iter().all(has));
        if marked {
            (gate.behind, gate.shut) = (None, true);
        }
        Some(marked)
    }

    /// The request that the gate shut behind was answered.
    fn answered(&self) {
        self.gate().answered = true;
        self.moved.notify_all();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.go_on();
        self.state.closed.store(true, Ordering::Relaxed);
        // Wakes up the thread that accepts.
        let _ = TcpStream::connect(self.endpoint.trim_start_matches("http://"));
    }
}

/// Answers one request with "the token is expired", and hangs up.
fn refuse(mut client: TcpStream) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let text = loop {
        match client.read(&mut piece) {
            Ok(length @ 1..) => request.extend_from_slice(&piece[..length]),
            _ => return,
        }
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= body_length(head)
        {
            break text.into_owned();
        }
    };
    // The JSON protocols have it under another name.
    let json = text.to_lowercase().contains("application/x-amz-json");
    let code = if json { "ExpiredTokenException" } else { "ExpiredToken" };
    let answer = error_answer(&text, code, "The security token included in the request is expired");
    let _ = client.write_all(answer.as_bytes());
}

/// The length of the body that a request's head announces.
pub(super) fn body_length(head: &str) -> usize {
    let head = head.to_lowercase();
    head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0)
}

/// An error of AWS, in the protocol that the request came in.
pub(super) fn error_answer(request: &str, code: &str, message: &str) -> String {
    let text = request.to_lowercase();
    let (kind, body) = if text.contains("application/x-amz-json") {
        ("application/x-amz-json-1.1", format!(r#"{{"__type":"{code}","message":"{message}"}}"#))
    } else if text.contains("content-type: application/json") {
        ("application/json", format!(r#"{{"message":"{message}"}}"#))
    } else {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        let body = match text.split("/aws4_request").next().and_then(|scope| scope.rsplit('/').next()) {
            Some("ec2") => format!("<Response><Errors>{error}</Errors></Response>"),
            Some("s3") => error,
            _ => format!("<ErrorResponse>{error}</ErrorResponse>"),
        };
        ("text/xml", body)
    };
    let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
    format!("{head}X-Amzn-ErrorType: {code}\r\nConnection: close\r\n\r\n{body}")
}

fn connect(client: TcpStream, to: &str, state: &Arc<State>) {
    let Ok(server) = TcpStream::connect(to) else { return };
    let (from_client, to_client) = (client.try_clone().unwrap(), client);
    let (from_server, to_server) = (server.try_clone().unwrap(), server);
    let requests = Arc::clone(state);
    let marked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&marked);
    thread::spawn(move || {
        let client = from_client.try_clone().unwrap();
        pass(from_client, to_server, |piece| {
            match requests.pass_gate(&client, piece) {
                Some(true) => asked.store(true, Ordering::SeqCst),
                Some(false) => {}
                None => return false,
            }
            if requests.chunks.fetch_add(1, Ordering::Relaxed) >= requests.cut_after {
                return false;
            }
            thread::sleep(requests.delay);
            true
        });
    });
    let answers = Arc::clone(state);
    thread::spawn(move || {
        pass(from_server, to_client, |_| {
            if marked.swap(false, Ordering::SeqCst) {
                answers.answered();
            }
            true
        });
    });
}

/// Whether a client has closed its end.
fn hung_up(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let end = match client.peek(&mut [0]) {
        Ok(length) => length == 0,
        // Whoever is killed leaves a reset.
        Err(e) => e.kind() != io::ErrorKind::WouldBlock,
    };
    client.set_nonblocking(false).unwrap();
    end
}

/// Passes pieces on until the end, or until `go_on` says no.
fn pass(mut from: TcpStream, mut to: TcpStream, go_on: impl Fn(&[u8]) -> bool) {
    let mut piece = vec![0; 65536];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !go_on(&piece[..length]) || to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
