//! A proxy in front of the emulator: each call takes 50 ms more, and is written down.
use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, HeaderMap},
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// A round trip to AWS from somewhere else.
pub(crate) const DELAY: Duration = Duration::from_millis(50);

/// One call, as it was seen on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `ec2:DescribeVpcs`
    pub(crate) operation: String,
    /// When the request was there, and when the answer was.
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

/// The proxy; it ends with the runtime in it.
pub(crate) struct Proxy {
    /// `http://127.0.0.1:PORT`
    pub(crate) endpoint: String,
    calls: Arc<Mutex<Vec<Call>>>,
    _runtime: tokio::runtime::Runtime,
}

struct Upstream {
    authority: String,
    client: Client<HttpConnector, Full<Bytes>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Proxy {
    /// Listens on a free loopback port and passes calls on to `endpoint`.
    pub(crate) fn start(endpoint: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let own = format!("http://{}", listener.local_addr()?);
        let calls = Arc::new(Mutex::new(Vec::new()));
        let upstream = Arc::new(Upstream {
            authority: endpoint.strip_prefix("http://").context("the emulator speaks plain HTTP")?.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            calls: Arc::clone(&calls),
        });
        runtime.spawn(accept(listener, upstream));
        Ok(Self { endpoint: own, calls, _runtime: runtime })
    }

    /// The calls since the last time this was asked, in the order in which they began.
    pub(crate) fn take(&self) -> Vec<Call> {
        let mut calls = std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner));
        calls.sort_by_key(|call| call.began);
        calls
    }
}

async fn accept(listener: TcpListener, upstream: Arc<Upstream>) {
    while let Ok((stream, _)) = listener.accept().await {
        let upstream = Arc::clone(&upstream);
        let service = service_fn(move |request| {
            let upstream = Arc::clone(&upstream);
            async move { Ok::<_, Infallible>(upstream.pass(request).await) }
        });
        // Without it an answer in two pieces waits 40 ms for an acknowledgement.
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            // A client that hangs up is no matter.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Upstream {
    async fn pass(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let began = Instant::now();
        let (operation, answer) = match self.forward(request).await {
            Ok(done) => done,
            Err(error) => {
                let mut answer = Response::new(Full::from(format!("{error:#}")));
                *answer.status_mut() = StatusCode::BAD_GATEWAY;
                ("error".to_owned(), answer)
            }
        };
        let call = Call { operation, began, ended: Instant::now() };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        answer
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<(String, Response<Full<Bytes>>)> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let operation = operation(&parts.headers, parts.method.as_str(), parts.uri.path(), &body);
        tokio::time::sleep(DELAY).await;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.authority).parse()?;
        let answer = self.client.request(Request::from_parts(parts, Full::new(body))).await?;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        // moto closes each connection; ours to the client stays.
        parts.headers.remove("connection");
        Ok((operation, Response::from_parts(parts, Full::new(body))))
    }
}

/// `service:Operation`: the service from the signature's scope, the operation from where its protocol
/// has it.
fn operation(headers: &HeaderMap, method: &str, path: &str, body: &[u8]) -> String {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ..
    let scope = header(AUTHORIZATION.as_str()).and_then(|value| value.split("Credential=").nth(1));
    let service = scope.and_then(|scope| scope.split('/').nth(3)).unwrap_or("?");
    let target = header("x-amz-target").and_then(|target| target.rsplit('.').next());
    let action = || {
        let body = std::str::from_utf8(body).ok()?;
        body.split('&').find_map(|pair| pair.strip_prefix("Action="))
    };
    match target.or_else(action) {
        Some(operation) => format!("{service}:{operation}"),
        None => format!("{service}:{method} {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    /// Answers one request with what it got.
    fn echo(listener: &std::net::TcpListener) {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        while !request.ends_with("Version=1") {
            let mut piece = [0; 1024];
            let length = stream.read(&mut piece).unwrap();
            request.push_str(std::str::from_utf8(&piece[..length]).unwrap());
        }
        let head = format!("HTTP/1.1 418 Teapot\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", request.len());
        stream.write_all((head + &request).as_bytes()).unwrap();
    }

    #[test]
    fn calls_pass_through_slowly_and_are_written_down() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy::start(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let upstream = std::thread::spawn(move || echo(&listener));
        let mut client = std::net::TcpStream::connect(proxy.endpoint.trim_start_matches("http://")).unwrap();
        let body = "Action=DescribeVpcs&Version=1";
        let head =
            format!("POST /?x=1 HTTP/1.1\r\nHost: ec2\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        let scope = "Authorization: AWS4-HMAC-SHA256 Credential=A/1/r/ec2/aws4_request, Signature=0\r\n\r\n";
        client.write_all((head + scope + body).as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        upstream.join().unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 418") && answer.contains("POST /?x=1") && answer.ends_with(body),
            "{answer}"
        );
        let calls = proxy.take();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].operation, "ec2:DescribeVpcs");
        assert!(calls[0].ended - calls[0].began >= DELAY);
        assert!(proxy.take().is_empty());
    }

    fn signed(service: &str) -> HeaderMap {
        let value = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/{service}/aws4_request, Signature=0");
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&value).unwrap())])
    }

    #[test]
    fn every_protocol_tells_its_operation() {
        let query = operation(&signed("ec2"), "POST", "/", b"Action=DescribeVpcs&Version=2016-11-15");
        assert_eq!(query, "ec2:DescribeVpcs");
        let mut headers = signed("ssm");
        headers.insert("x-amz-target", HeaderValue::from_static("AmazonSSM.GetParameters"));
        assert_eq!(operation(&headers, "POST", "/", b"{}"), "ssm:GetParameters");
        let rest = operation(&signed("route53"), "GET", "/2013-04-01/hostedzone/Z1/rrset", b"");
        assert_eq!(rest, "route53:GET /2013-04-01/hostedzone/Z1/rrset");
        assert_eq!(operation(&HeaderMap::new(), "GET", "/", b"\xff"), "?:GET /");
    }
}
