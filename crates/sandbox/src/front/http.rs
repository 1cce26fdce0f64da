//! The HTTP door: each request goes to the load balancer that its host name leads to this time. The answers are the
//! application's, unchanged. Nothing is said of where a request came from: the load balancer behind says that
//! (`X-Forwarded-For`), as it does behind a resolver.
use super::{
    known::{Known, stopped},
    proxied::{Handed, asks_for_upgrade, strip},
    resolve::{End, host, pick},
    routes::why_not,
};
use http_body_util::{Either, Full};
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use std::{convert::Infallible, fmt::Write as _, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};

/// What is open when the sandbox stops has this long to end.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// Unused connections to a load balancer are kept this long: shorter than a server keeps them, so that a request
/// seldom meets one that is being closed.
const IDLE: Duration = Duration::from_secs(2);
/// After an error of the listener (too many open files), the next try.
const BREATH: Duration = Duration::from_millis(100);

type Answered = Response<Either<Incoming, Full<Bytes>>>;

/// The door.
pub(super) struct Http {
    known: Arc<Known>,
    client: Client<HttpConnector, Handed>,
}

impl Http {
    pub(super) fn new(known: Arc<Known>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { known, client }
    }

    /// Serves until `stop`; what is open then has [`GRACE`] to end.
    pub(super) async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        if let Ok(address) = listener.local_addr() {
            self.known.serves_http_on(address.port());
        }
        let door = Arc::new(self);
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                Some(_) = open.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => { open.spawn(Arc::clone(&door).connection(stream, stop.clone())); }
                    Err(_) => time::sleep(BREATH).await,
                },
            }
        }
        drop(listener);
        let _ = time::timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        let until = stop.clone();
        let service = service_fn(move |request| {
            let (door, until) = (Arc::clone(&self), until.clone());
            async move { Ok::<_, Infallible>(door.answer(request, until).await) }
        });
        // Without it an answer in two pieces waits 40 ms for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let mut connection =
            pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades());
        tokio::select! {
            // A client that hangs up is no matter.
            _ = connection.as_mut() => {}
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    async fn answer(&self, mut request: Request<Incoming>, stop: watch::Receiver<bool>) -> Answered {
        let given = request.headers().get(HOST).and_then(|h| h.to_str().ok()).or(request.uri().host());
        let name = host(given.unwrap_or_default());
        let upgrade = asks_for_upgrade(request.headers());
        let taken_over = upgrade.then(|| hyper::upgrade::on(&mut request));
        let (parts, mut body) = request.into_parts();
        let mut tried = false;
        loop {
            let port = match self.way(&name).await {
                Ok(port) => port,
                Err(page) => return page,
            };
            let handed = Handed::new(body);
            let passed = match passed_on(&parts, port, upgrade, handed.clone()) {
                Ok(passed) => passed,
                Err(e) => return page(StatusCode::BAD_REQUEST, format!("This request cannot be passed on: {e}\n")),
            };
            match self.client.request(passed).await {
                Ok(answer) => return finished(answer, taken_over, stop),
                Err(e) => {
                    // A load balancer that has just gone: names lead elsewhere by now. A request that was on its way
                    // has failed, as it would have on AWS.
                    match handed.back().filter(|_| e.is_connect() && !tried) {
                        Some(whole) => body = whole,
                        None => return page(StatusCode::BAD_GATEWAY, broken(&name, &e)),
                    }
                    tried = true;
                    self.known.newer().await;
                }
            }
        }
    }

    /// The port of the load balancer that `name` leads to this time; else the page that says why there is none.
    async fn way(&self, name: &str) -> Result<u16, Answered> {
        for last in [false, true] {
            match (self.look_up(name), last) {
                (Ok(port), _) => return Ok(port),
                (Err(problem), true) => return Err(self.told(name, problem)),
                // It may have been made a moment ago.
                (Err(_), false) => self.known.newer().await,
            }
        }
        Err(self.told(name, None))
    }

    /// A problem without a reason: nobody knows the name.
    fn look_up(&self, name: &str) -> Result<u16, Option<String>> {
        let now = self.known.now();
        let leads = now.leads(name).ok_or(None)?;
        let lead = pick(&leads, fastrand::f64()).ok_or(None)?;
        match lead.end {
            // Without a healthy target the load balancer's own answer says so, as it would on AWS.
            End::Balancer(b) if !b.network && b.state.starts_with("active") => b.port.ok_or_else(|| why_not(&lead.end)),
            _ => Err(why_not(&lead.end)),
        }
    }

    fn told(&self, name: &str, problem: Option<String>) -> Answered {
        let Some(problem) = problem else { return page(StatusCode::NOT_FOUND, self.directory(name)) };
        let mut text = format!("{name} does not answer: {problem}.\n");
        for (port, opened) in self.known.opened(name) {
            if let Some(local) = opened.port {
                let _ = writeln!(text, "Its port {port} is at tcp://127.0.0.1:{local}");
            }
        }
        let mut page = page(StatusCode::SERVICE_UNAVAILABLE, text);
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        page
    }

    /// The page for a name that nobody knows: the names that there are.
    fn directory(&self, name: &str) -> String {
        let routes = self.known.routes();
        let mut text = match name {
            "" => "This request names no host.\n".to_owned(),
            name => format!("No record in the sandbox leads from {name} to a load balancer.\n"),
        };
        text.push_str(if routes.is_empty() {
            "There is none yet: `minion app create`, `minion ver create` and `minion traffic` make them.\n"
        } else {
            "There are:\n"
        });
        for route in routes {
            let _ = write!(text, "  {}", route.url);
            if route.url.starts_with("tcp:") {
                let _ = write!(text, "  {}", route.name);
            }
            for share in &route.versions {
                let _ = write!(text, "  {} {}%", share.version, share.percent);
            }
            let _ = writeln!(text);
        }
        if let Some(problem) = self.known.problem() {
            let _ = writeln!(text, "This may be out of date: {problem}.");
        }
        text
    }
}

fn passed_on(parts: &Parts, port: u16, upgrade: bool, body: Handed) -> Result<Request<Handed>, hyper::http::Error> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("http://127.0.0.1:{port}{}", if path.starts_with('/') { path } else { "/" });
    let mut request = Request::builder().method(parts.method.clone()).uri(uri).version(Version::HTTP_11).body(body)?;
    *request.headers_mut() = parts.headers.clone();
    if let (None, Some(authority)) = (parts.headers.get(HOST), parts.uri.authority()) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    }
    strip(request.headers_mut(), upgrade);
    Ok(request)
}

/// The answer for the client; a connection that changes its protocol is passed through from here on.
fn finished(
    mut answer: Response<Incoming>,
    taken_over: Option<hyper::upgrade::OnUpgrade>,
    mut stop: watch::Receiver<bool>,
) -> Answered {
    let upgraded = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    strip(answer.headers_mut(), upgraded);
    if let Some(client) = taken_over.filter(|_| upgraded) {
        let server = hyper::upgrade::on(&mut answer);
        tokio::spawn(async move {
            let Ok((client, server)) = futures::future::try_join(client, server).await else { return };
            let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                () = async { stopped(&mut stop).await; time::sleep(GRACE).await } => {}
            }
        });
    }
    answer.map(Either::Left)
}

fn broken(name: &str, error: &hyper_util::client::legacy::Error) -> String {
    let mut text = format!("The connection to the load balancer of {name} broke: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text + "\n"
}

fn page(status: StatusCode, text: String) -> Answered {
    let mut answer = Response::new(Either::Right(Full::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
