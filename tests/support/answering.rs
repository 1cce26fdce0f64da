//! A container registry that answers some questions as a test wants, and passes all others on to the tests' registry.
use super::{guarded::pass, refusals::read, wire::Wire};
use std::{
    io::{Result, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Status, headers, body.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// The registry. It ends with this value.
pub(crate) struct Answering {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    asked: Arc<Mutex<Vec<String>>>,
    _wire: Wire,
}

impl Answering {
    /// A registry that answers by `rule`, which gets the path, what the header `Authorization` says, and the host.
    pub(crate) fn new(rule: impl Fn(&str, &str, &str) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let (listener, wire) = Wire::listen();
        let host = wire.endpoint.trim_start_matches("http://").to_owned();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (closed, name, noted, rule) = (wire.closed(), host.clone(), Arc::clone(&asked), Arc::new(rule));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if closed() {
                    break;
                }
                let (rule, name, noted) = (Arc::clone(&rule), name.clone(), Arc::clone(&noted));
                // A client that hangs up is no matter.
                thread::spawn(move || serve(client, &*rule, &name, &noted).ok());
            }
        });
        Self { host, asked, _wire: wire }
    }

    /// The first lines of all requests: `GET /v2/.. HTTP/1.1`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    mut client: TcpStream,
    rule: &(impl Fn(&str, &str, &str) -> Option<Answer> + ?Sized),
    host: &str,
    noted: &Mutex<Vec<String>>,
) -> Result<()> {
    let request = String::from_utf8_lossy(&read(&mut client)?).into_owned();
    noted.lock().unwrap_or_else(PoisonError::into_inner).push(request.lines().next().unwrap_or_default().to_owned());
    let header =
        request.lines().find_map(|l| l.split_once(':').filter(|(n, _)| n.eq_ignore_ascii_case("authorization")));
    let authorization = header.map(|(_, value)| value.trim()).unwrap_or_default();
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    let Some((status, headers, body)) = rule(path, authorization, host) else { return pass(client, &request) };
    let mut answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    client.write_all(format!("{answer}\r\n{body}").as_bytes())
}
