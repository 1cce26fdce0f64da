//! The proxy between a binary and the emulator: it numbers the calls, and lets one of them go wrong.
use crate::{
    answers,
    emulator::{Http, Server},
    faults::{Act, Armed, Call},
    operation::Operation,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, HeaderValue},
    http::request::Parts,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

/// Between two presses of Ctrl-C.
const PRESSES: Duration = Duration::from_millis(600);

/// The proxy of one case; it ends with this value.
pub(crate) struct Proxy {
    /// `http://127.0.0.1:PORT`
    pub(crate) endpoint: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// What a proxy does beside passing on.
pub(crate) enum Role {
    /// Writes down what is asked and answered; asks the other one too what it would have said.
    Record { before: Server },
    /// Lets one call go wrong. Stale reads are answered by the other one.
    Fault { armed: Armed, before: Option<Server> },
}

struct Shared {
    authority: String,
    http: Http,
    role: Role,
    counts: Mutex<BTreeMap<String, usize>>,
    calls: Mutex<Vec<Call>>,
    line: Mutex<Vec<String>>,
    /// Access keys of assumed roles, and their accounts: a copy made earlier does not know them.
    keys: Mutex<BTreeMap<String, String>>,
    client: AtomicI32,
    interrupted: Mutex<Option<Instant>>,
    stopped: Mutex<Option<Instant>>,
    /// The calls of the run that change something.
    changes: Mutex<Vec<Change>>,
    /// Why what the client saw was not the emulator's or the fault's doing.
    broken: Mutex<Option<String>>,
    began: Instant,
}

/// A call that changes something, when it came.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) at: Instant,
    /// `ec2:CreateVpc`
    pub(crate) operation: String,
    pub(crate) request: String,
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Closed;
impl fmt::Display for Closed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("closed")
    }
}
impl std::error::Error for Closed {}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Listens on a free port of loopback.
    pub(crate) async fn start(server: &Server, role: Role) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            authority: authority(server),
            http: server.http.clone(),
            role,
            counts: Mutex::default(),
            calls: Mutex::default(),
            line: Mutex::default(),
            keys: Mutex::default(),
            client: AtomicI32::new(0),
            interrupted: Mutex::default(),
            stopped: Mutex::default(),
            changes: Mutex::default(),
            broken: Mutex::default(),
            began: Instant::now(),
        });
        let serving = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { endpoint, shared, serving }
    }

    /// Who is to be killed or interrupted.
    pub(crate) fn client(&self, id: Option<u32>) {
        let id = id.map_or(0, |id| i32::try_from(id).unwrap());
        self.shared.client.store(id, Ordering::SeqCst);
    }

    /// The calls of a recorded run, in the order in which they were answered.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut locked(&self.shared.calls))
    }

    /// A line for each call.
    pub(crate) fn transcript(&self) -> String {
        locked(&self.shared.line).join("\n")
    }

    /// Whether the fault's call came.
    pub(crate) fn reached(&self) -> bool {
        matches!(&self.shared.role, Role::Fault { armed, .. } if armed.reached())
    }

    /// Nothing goes wrong any more; calls are counted anew.
    pub(crate) fn calm(&self) {
        if let Role::Fault { armed, .. } = &self.shared.role {
            armed.disarm();
        }
        locked(&self.shared.counts).clear();
        locked(&self.shared.line).push("---".to_owned());
    }

    /// The calls since it was last asked that change something.
    pub(crate) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut locked(&self.shared.changes))
    }

    /// Why what was seen is not to be believed.
    pub(crate) fn broken(&self) -> Option<String> {
        locked(&self.shared.broken).clone()
    }

    /// When Ctrl-C was pressed for the first time.
    pub(crate) fn interrupted(&self) -> Option<Instant> {
        *locked(&self.shared.interrupted)
    }

    /// When Ctrl-C was pressed for the last time.
    pub(crate) fn stopped(&self) -> Option<Instant> {
        *locked(&self.shared.stopped)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn authority(server: &Server) -> String {
    server.endpoint.trim_start_matches("http://").to_owned()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { shared.answer(request).await }
        });
        let _ = stream.set_nodelay(true);
        connections.spawn(async move {
            // A client that hangs up is no matter.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Closed> {
        let (head, body) = request.into_parts();
        // A client that is killed hangs up in the middle of it.
        let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let operation = Operation::of(&head.headers, head.method.as_str(), path, query, &body);
        let n = {
            let mut counts = locked(&self.counts);
            let count = counts.entry(operation.full()).or_default();
            *count += 1;
            *count
        };
        let text = format!("{query}{}", String::from_utf8_lossy(&body));
        if !operation.reads() {
            let change = Change { at: Instant::now(), operation: operation.full(), request: text.clone() };
            locked(&self.changes).push(change);
        }
        let began = self.began.elapsed();
        let (answer, what) = self.act(&operation, n, &text, head, body).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        let (full, ended) = (operation.full(), self.began.elapsed());
        let line = format!("{began:8.3?} {ended:8.3?} {status} {full}#{n} {what} {}", text.get(..300).unwrap_or(&text));
        locked(&self.line).push(line);
        answer
    }

    async fn act(
        &self,
        operation: &Operation,
        n: usize,
        text: &str,
        head: Parts,
        body: Bytes,
    ) -> (Result<Answer, Closed>, &'static str) {
        let (armed, before) = match &self.role {
            Role::Record { before } => return (self.record(operation, n, text, head, body, before).await, ""),
            Role::Fault { armed, before } => (armed, before),
        };
        let passed = self.pass(&self.authority, head.clone(), body.clone());
        // What AWS does although nobody hears of it.
        let unheard = |answer: Result<Answer, Closed>| {
            let status = answer?.status().as_u16();
            if !armed.acted(status) {
                self.broke(format!("{}#{n} was to work, and the emulator answered {status}", operation.full()));
            }
            Ok::<(), Closed>(())
        };
        match armed.decide(operation, n, text) {
            Act::Pass => (passed.await, ""),
            Act::Kill { after } => {
                if after && unheard(passed.await).is_err() {
                    return (Err(Closed), "BROKEN");
                }
                self.signal(Signal::SIGKILL).await;
                (Err(Closed), "KILLED")
            }
            Act::Interrupt { twice } => {
                *locked(&self.interrupted) = Some(Instant::now());
                self.signal(Signal::SIGINT).await;
                *locked(&self.stopped) = Some(Instant::now());
                tokio::time::sleep(PRESSES).await;
                let answer = passed.await;
                if twice {
                    self.signal(Signal::SIGINT).await;
                    *locked(&self.stopped) = Some(Instant::now());
                    return never().await;
                }
                (answer, "INTERRUPTED")
            }
            Act::Close { after } => {
                if after && unheard(passed.await).is_err() {
                    return (Err(Closed), "BROKEN");
                }
                (Err(Closed), "CLOSED")
            }
            Act::Answer { refusal, after } => {
                if after && unheard(passed.await).is_err() {
                    return (Err(Closed), "BROKEN");
                }
                (Ok(answers::answer(operation, refusal)), "REFUSED")
            }
            Act::Never => never().await,
            Act::Stale => {
                let before = before.as_ref().map_or_else(|| self.authority.clone(), authority);
                (self.pass(&before, head, body).await, "STALE")
            }
            Act::Edit { from, to } => {
                let (head, body) = match passed.await {
                    Ok(answer) => answer.into_parts(),
                    Err(closed) => return (Err(closed), "BROKEN"),
                };
                let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                let text = String::from_utf8_lossy(&body).replace(from, to);
                (Ok(answered(head.status, head.headers, text.into())), "EDITED")
            }
        }
    }

    async fn record(
        &self,
        operation: &Operation,
        n: usize,
        text: &str,
        head: Parts,
        body: Bytes,
        before: &Server,
    ) -> Result<Answer, Closed> {
        let again = head.clone();
        let (head, answer) = self.pass(&self.authority, head, body.clone()).await?.into_parts();
        let bytes = answer.collect().await.map(|answer| answer.to_bytes()).unwrap_or_default();
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        let stale_differs = operation.reads() && operation.service != "sts" && {
            let (other, old) = self.pass(&authority(before), again, body).await?.into_parts();
            let old = old.collect().await.map(|old| old.to_bytes()).unwrap_or_default();
            other.status != head.status || without_id(&String::from_utf8_lossy(&old)) != without_id(&answer)
        };
        let (operation, request, status) = (operation.full(), text.to_owned(), head.status.as_u16());
        locked(&self.calls).push(Call { operation, n, request, answer, status, stale_differs });
        Ok(answered(head.status, head.headers, bytes))
    }

    fn broke(&self, why: String) {
        locked(&self.broken).get_or_insert(why);
    }

    /// Passes a call on to one of the emulators. One that does not answer is our own mistake, and no fault of the case:
    /// the client would try again, and nobody would know.
    async fn pass(&self, authority: &str, mut head: Parts, body: Bytes) -> Result<Answer, Closed> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = format!("http://{authority}{path}").parse().unwrap();
        head.headers.remove("connection");
        if authority != self.authority
            && let Some(account) = self.account(&head)
        {
            head.headers.insert("x-moto-account-id", account);
        }
        let passed = async {
            let (head, body) = self.http.request(Request::from_parts(head, Full::new(body))).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            self.learn(&body);
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(answered(head.status, head.headers, body))
        };
        passed.await.map_err(|error| {
            self.broke(format!("the proxy cannot reach the emulator: {error:?}"));
            Closed
        })
    }

    /// Whose the credentials are that AssumeRole answers with.
    fn learn(&self, answer: &[u8]) {
        let Some(answer) = std::str::from_utf8(answer).ok().filter(|answer| answer.contains("<AssumeRoleResult>"))
        else {
            return;
        };
        let after = |word: &str| answer.split_once(word).map(|(_, rest)| rest);
        let key = after("<AccessKeyId>").and_then(|rest| rest.split('<').next());
        let account = after("<Arn>arn:aws:sts::").and_then(|rest| rest.split(':').next());
        if let (Some(key), Some(account)) = (key, account) {
            locked(&self.keys).insert(key.to_owned(), account.to_owned());
        }
    }

    fn account(&self, head: &Parts) -> Option<HeaderValue> {
        let signed = head.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let key = signed.split("Credential=").nth(1)?.split('/').next()?;
        locked(&self.keys).get(key)?.parse().ok()
    }

    async fn signal(&self, signal: Signal) {
        // It may call before whoever started it has said who it is.
        for _ in 0..200 {
            match self.client.load(Ordering::SeqCst) {
                0 => tokio::time::sleep(Duration::from_millis(5)).await,
                id => {
                    let _ = kill(Pid::from_raw(id), signal);
                    return;
                }
            }
        }
    }
}

async fn never<T>() -> T {
    std::future::pending().await
}

fn answered(status: StatusCode, headers: hyper::HeaderMap, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    for name in ["connection", "content-length", "transfer-encoding"] {
        answer.headers_mut().remove(name);
    }
    answer
}

/// An answer without its request id, and without what tells the time.
fn without_id(answer: &str) -> String {
    let mut text = answer.to_owned();
    for name in ["requestId", "RequestId", "RequestID"] {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        while let (Some(from), Some(to)) = (text.find(&open), text.find(&close)) {
            if to < from {
                break;
            }
            text.replace_range(from..to + close.len(), "");
        }
    }
    text
}
