//! A wire to the emulator on which one call of Systems Manager goes wrong.
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// AWS never hears of it.
    LostBefore,
    /// AWS acts, and nobody hears of it.
    LostAfter,
    /// AWS acts, and says that it failed.
    ErrorAfter,
    /// Too many calls.
    Throttled,
    /// Too many writes of one parameter.
    TooManyUpdates,
    /// For a read: what the one before it was answered; nothing, for the first one.
    Stale,
}

pub(crate) const FAULTS: [Fault; 6] =
    [Fault::LostBefore, Fault::LostAfter, Fault::ErrorAfter, Fault::Throttled, Fault::TooManyUpdates, Fault::Stale];

/// Passes everything on but the call with this number (from 0), once.
pub(crate) struct Faulty {
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
}

struct Shared {
    to: String,
    at: usize,
    fault: Fault,
    calls: AtomicUsize,
    read: Mutex<Option<Vec<u8>>>,
    closed: AtomicBool,
}

impl Faulty {
    pub(crate) fn new(endpoint: &str, at: usize, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            to: endpoint.trim_start_matches("http://").to_owned(),
            at,
            fault,
            calls: AtomicUsize::new(0),
            read: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let theirs = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if theirs.closed.load(Ordering::Relaxed) {
                    return;
                }
                let shared = theirs.clone();
                thread::spawn(move || drop(shared.serve(client)));
            }
        });
        Self { endpoint: format!("http://{address}"), shared }
    }

    /// How many calls of Systems Manager there were.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Relaxed)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.endpoint.trim_start_matches("http://"));
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let request = read(&mut client)?;
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let ours = text.contains("x-amz-target: amazonssm.");
        let reads = text.contains("amazonssm.getparameters");
        let hit = ours && self.calls.fetch_add(1, Ordering::Relaxed) == self.at;
        let fault = hit.then_some(self.fault);
        let refuse = |code: &str| {
            let body = format!("{{\"__type\":\"{code}\",\"message\":\"no\"}}");
            format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        match fault {
            Some(Fault::LostBefore) => return Ok(()),
            Some(Fault::Throttled) => return client.write_all(refuse("ThrottlingException").as_bytes()),
            Some(Fault::TooManyUpdates) if !reads => return client.write_all(refuse("TooManyUpdates").as_bytes()),
            Some(Fault::Stale) if reads => {
                let stale = self.read.lock().expect("no thread panics").clone();
                let none = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{\"Parameters\":[]}";
                return client.write_all(&stale.unwrap_or_else(|| none.into()));
            }
            _ => {}
        }
        let mut server = TcpStream::connect(&self.to)?;
        server.write_all(&request)?;
        let mut answer = Vec::new();
        // The emulator closes each connection after its answer.
        server.read_to_end(&mut answer)?;
        match fault {
            Some(Fault::LostAfter) => return Ok(()),
            Some(Fault::ErrorAfter) => {
                return client.write_all(
                    b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                );
            }
            _ => {}
        }
        if reads {
            *self.read.lock().expect("no thread panics") = Some(answer.clone());
        }
        client.write_all(&answer)
    }
}

/// Reads one request: its head, and as much of a body as it says.
fn read(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut request, mut piece) = (Vec::new(), [0; 65536]);
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if request.len() >= end + length.unwrap_or(0) {
                return Ok(request);
            }
        }
        match client.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => request.extend_from_slice(&piece[..length]),
        }
    }
}
