//! A wire between the binary and the emulator that can be made slow, or cut.
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

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
}

impl Wire {
    /// A wire to `endpoint` on which each piece of a request takes this long.
    pub(crate) fn slow(endpoint: &str, delay: Duration) -> Self {
        Self::new(endpoint, delay, usize::MAX)
    }

    /// A wire to `endpoint` that is cut after so many pieces of requests (a small call is one piece).
    pub(crate) fn cut_after(endpoint: &str, pieces: usize) -> Self {
        Self::new(endpoint, Duration::ZERO, pieces)
    }

    fn new(endpoint: &str, delay: Duration, cut_after: usize) -> Self {
        let to = endpoint.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state =
            Arc::new(State { delay, cut_after, chunks: AtomicUsize::new(0), closed: AtomicBool::new(false) });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.closed.load(Ordering::Relaxed) {
                    break;
                }
                connect(client, &to, &shared);
            }
        });
        Self { endpoint, state }
    }

    /// How many pieces of requests have passed.
    pub(crate) fn pieces(&self) -> usize {
        self.state.chunks.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::Relaxed);
        // Wakes up the thread that accepts.
        let _ = TcpStream::connect(self.endpoint.trim_start_matches("http://"));
    }
}

fn connect(client: TcpStream, to: &str, state: &Arc<State>) {
    let Ok(server) = TcpStream::connect(to) else { return };
    let (from_client, to_client) = (client.try_clone().unwrap(), client);
    let (from_server, to_server) = (server.try_clone().unwrap(), server);
    let requests = Arc::clone(state);
    thread::spawn(move || {
        pass(from_client, to_server, || {
            if requests.chunks.fetch_add(1, Ordering::Relaxed) >= requests.cut_after {
                return false;
            }
            thread::sleep(requests.delay);
            true
        });
    });
    thread::spawn(move || pass(from_server, to_client, || true));
}

/// Passes pieces on until the end, or until `go_on` says no.
fn pass(mut from: TcpStream, mut to: TcpStream, go_on: impl Fn() -> bool) {
    let mut piece = vec![0; 65536];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if !go_on() || to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
