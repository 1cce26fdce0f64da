//! A wire on which somebody at AWS refuses some calls, and all others pass.
use super::wire::{Wire, body_length, error_answer};
use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// A request, as a rule looks at it.
pub(crate) struct Request<'a> {
    /// Number of the account that the credentials belong to, as far as they were got through this wire; else empty.
    pub(crate) account: &'a str,
    /// The service in the signature: `ec2`, `route53`.
    pub(crate) service: &'a str,
    /// Head and body.
    pub(crate) text: &'a str,
}

impl Request<'_> {
    /// Whether it is this operation: by its name in the body or the target, or for REST by method and a piece of the path.
    pub(crate) fn is(&self, operation: &str) -> bool {
        let action = self.text.split(['&', '\n']).any(|part| part.trim() == format!("Action={operation}"));
        action
            || self.text.lines().any(|line| {
                let (name, value) = line.split_once(':').unwrap_or_default();
                name.eq_ignore_ascii_case("x-amz-target") && value.trim().rsplit('.').next() == Some(operation)
            })
    }
}

/// What is answered instead: code and message.
pub(crate) type Refusal = (&'static str, &'static str);

struct State<R> {
    to: String,
    rule: R,
    /// Access key -> account.
    accounts: Mutex<BTreeMap<String, String>>,
}

/// A wire to `endpoint` on which `rule` answers what it wants to refuse. `known` are access keys and their accounts;
/// those that roles are assumed with are learned.
pub(crate) fn refusing(
    endpoint: &str,
    known: &[(&str, &str)],
    rule: impl Fn(&Request<'_>) -> Option<Refusal> + Send + Sync + 'static,
) -> Wire {
    let (listener, wire) = Wire::listen();
    let accounts = known.iter().map(|(key, account)| ((*key).to_owned(), (*account).to_owned())).collect();
    let to = endpoint.strip_prefix("http://").unwrap().to_owned();
    let state = Arc::new(State { to, rule, accounts: Mutex::new(accounts) });
    let closed = wire.closed();
    thread::spawn(move || accept(&listener, &closed, &state));
    wire
}

fn accept<R>(listener: &TcpListener, closed: &dyn Fn() -> bool, state: &Arc<State<R>>)
where
    R: Fn(&Request<'_>) -> Option<Refusal> + Send + Sync + 'static,
{
    for client in listener.incoming().map_while(Result::ok) {
        if closed() {
            break;
        }
        let state = Arc::clone(state);
        thread::spawn(move || {
            // A client or server that hangs up is no matter.
            let _ = state.serve(client);
        });
    }
}

impl<R: Fn(&Request<'_>) -> Option<Refusal>> State<R> {
    /// One request and its answer.
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let request = read(&mut client)?;
        let text = String::from_utf8_lossy(&request).into_owned();
        let scope = text.split("Credential=").nth(1).unwrap_or_default();
        let mut parts = scope.split('/');
        let (key, service) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
        let account = self.known().get(key).cloned().unwrap_or_default();
        if let Some((code, message)) = (self.rule)(&Request { account: &account, service, text: &text }) {
            return client.write_all(error_answer(&text, code, message).as_bytes());
        }
        let mut server = TcpStream::connect(&self.to)?;
        server.write_all(&request)?;
        let mut answer = Vec::new();
        // moto closes each connection after its answer.
        server.read_to_end(&mut answer)?;
        self.learn(&text, &String::from_utf8_lossy(&answer));
        client.write_all(&answer)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose the credentials are that AssumeRole answers with.
    fn learn(&self, request: &str, answer: &str) {
        let role = request.split("RoleArn=arn%3Aaws%3Aiam%3A%3A").nth(1);
        let key = answer.split("<AccessKeyId>").nth(1).and_then(|rest| rest.split('<').next());
        if let (Some(account), Some(key)) = (role.and_then(|role| role.get(..12)), key) {
            self.known().insert(key.to_owned(), account.to_owned());
        }
    }
}

/// Reads one request: its head, and as much of a body as it says.
pub(super) fn read(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut piece = [0; 65536];
    loop {
        let end = request.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]);
            if request.len() >= end + body_length(&head) {
                return Ok(request);
            }
        }
        match client.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => request.extend_from_slice(&piece[..length]),
        }
    }
}
