//! A container registry that wants a login: it passes on to the tests' registry what comes with its token.
use super::{
    emulator::registry,
    refusals::read,
    wire::{Wire, body_length},
};
use std::{
    io::{Read as _, Result, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// The registry. It ends with this value.
pub(crate) struct Guarded {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<String>>>,
    _wire: Wire,
}

impl Guarded {
    /// A registry that gives `token` to whoever shows `login`: the password of `me`, or an identity token.
    pub(crate) fn new(login: &str, token: &str) -> Self {
        let (listener, wire) = Wire::listen();
        let host = wire.endpoint.trim_start_matches("http://").to_owned();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let door =
            Arc::new(Door { host: host.clone(), login: login.into(), token: token.into(), asked: Arc::clone(&asked) });
        let closed = wire.closed();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if closed() {
                    break;
                }
                let door = Arc::clone(&door);
                // A client that hangs up is no matter.
                thread::spawn(move || door.serve(client).ok());
            }
        });
        Self { host, asked, _wire: wire }
    }

    /// All requests.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Door {
    host: String,
    login: String,
    token: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Door {
    fn serve(&self, mut client: TcpStream) -> Result<()> {
        let request = String::from_utf8_lossy(&read(&mut client)?).into_owned();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let authorization =
            request.lines().find_map(|l| l.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("authorization")));
        let shown = authorization.map(|(_, value)| value.trim()).unwrap_or_default();
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        let answer = if path.starts_with("/token") {
            let form = request.ends_with(&self.login) || request.contains(&format!("refresh_token={}", self.login));
            if form || decoded(shown.trim_start_matches("Basic ")) == format!("me:{}", self.login) {
                json("200 OK", "", &format!(r#"{{"token":"{}"}}"#, self.token))
            } else {
                json("401 Unauthorized", "", r#"{"errors":[{"code":"UNAUTHORIZED","message":"wrong"}]}"#)
            }
        } else if shown != format!("Bearer {}", self.token) {
            let challenge =
                format!("WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"test\"\r\n", self.host);
            json("401 Unauthorized", &challenge, r#"{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}"#)
        } else {
            return pass(client, &request);
        };
        client.write_all(answer.as_bytes())
    }
}

/// Passes a request on to the tests' registry.
pub(super) fn pass(mut client: TcpStream, request: &str) -> Result<()> {
    let mut server = TcpStream::connect(registry())?;
    let closing = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(closing.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 65536];
    // To its end, or as long as it says; a HEAD request is answered without a body.
    while let length @ 1.. = server.read(&mut piece)? {
        answer.extend_from_slice(&piece[..length]);
        if let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n")
            && let head = String::from_utf8_lossy(&answer[..end])
            && head.to_lowercase().contains("content-length:")
            && (request.starts_with("HEAD ") || answer.len() >= end + 4 + body_length(&head))
        {
            break;
        }
    }
    client.write_all(&answer)
}

fn json(status: &str, header: &str, body: &str) -> String {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    format!("{head}{header}Connection: close\r\n\r\n{body}")
}

/// Base64 of ASCII, undone.
fn decoded(text: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut told) = (0_u32, 0, String::new());
    for value in text.trim_end_matches('=').chars().filter_map(|c| LETTERS.find(c)) {
        (bits, held) = ((bits << 6 | u32::try_from(value).unwrap()) & 0xffff, held + 6);
        if held >= 8 {
            held -= 8;
            told.push(char::from(u8::try_from(bits >> held & 0xff).unwrap()));
        }
    }
    told
}
