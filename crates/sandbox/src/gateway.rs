//! The address of AWS's services in a sandbox: passes calls on to the emulator, and answers what it lacks.
use crate::{Answer, http, key_pairs, parameters, serve::Parts, status};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, Uri, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

/// How long a status waits for the emulator.
const FRESH: std::time::Duration = std::time::Duration::from_secs(2);

/// The gateway of a sandbox. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gateway {
    parts: Arc<Parts>,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: watch::Sender<bool>,
}

impl Gateway {
    /// Makes a gateway; what is sent through `stop` ends the sandbox.
    pub(crate) fn new(parts: Arc<Parts>, stop: watch::Sender<bool>) -> Self {
        Self { parts, client: Client::builder(TokioExecutor::new()).build_http(), stop }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, mut whole: http::Whole) -> Response<Full<Bytes>> {
        if !from_here(&whole.head) {
            return http::plain(403, "only for programs of this computer, by its loopback address\n");
        }
        let path = whole.head.uri.path();
        if let Some(word) = path.strip_prefix("/_minion/") {
            return self.control(&whole.head.method, word).await;
        }
        let service = service(&whole.head).map(str::to_owned);
        if service.as_deref() == Some("autoscaling") {
            let form: BTreeMap<String, String> = url::form_urlencoded::parse(&whole.body).into_owned().collect();
            return http::response(self.parts.groups.answer(&form).await);
        }
        if service.as_deref() == Some("ssm")
            && let Some(answer) = parameters::one(&whole, &self.parts.parameters)
        {
            return http::response(answer);
        }
        if service.as_deref() == Some("ssm")
            && let Some((mut body, found)) = parameters::split(&whole, &self.parts.parameters)
        {
            std::mem::swap(&mut body, &mut whole.body);
            let answer = self.pass_on(whole).await;
            return parameters::join(answer, found).await;
        }
        if key_pairs::asked(service.as_deref(), &whole) {
            let answer = self.pass_on(whole).await;
            return match key_pairs::tagged(&self.parts.cloud, answer).await {
                Ok(answer) => answer,
                Err(error) => http::plain(502, &format!("{error}\n")),
            };
        }
        let moves = moves_traffic(service.as_deref(), &whole);
        let answer = self.pass_on(whole).await;
        // What was changed is so at once: a resolver that is asked next knows it.
        if moves
            && answer.status().is_success()
            && let Err(error) = self.parts.front.refresh().await
        {
            self.parts.log.say(&format!("the front door could not look: {error}"));
        }
        answer
    }

    async fn pass_on(&self, whole: http::Whole) -> Response<Full<Bytes>> {
        let http::Whole { mut head, body, .. } = whole;
        let path = head.uri.path_and_query().map_or("/", |p| p.as_str());
        let authority = self.parts.emulator.authority().to_owned();
        let Ok(uri) = Uri::builder().scheme("http").authority(authority).path_and_query(path).build() else {
            return http::plain(400, "no such path\n");
        };
        head.uri = uri;
        // The body was read whole: its length is known, whatever way it came.
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.remove(header::CONNECTION);
        head.headers.remove(header::EXPECT);
        let sent = self.client.request(Request::from_parts(head, Full::new(body))).await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(e) => return http::plain(502, &format!("the emulator does not answer: {e}\n")),
        };
        let (head, body) = answer.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(head, Full::new(body.to_bytes())),
            Err(e) => http::plain(502, &format!("the emulator's answer broke off: {e}\n")),
        }
    }

    async fn control(&self, method: &Method, word: &str) -> Response<Full<Bytes>> {
        match (method, word) {
            (&Method::GET, "status") => {
                // What was just made is in it, unless the emulator is slow: then what is known.
                let fresh = tokio::time::timeout(FRESH, self.parts.front.refresh()).await;
                if let Ok(Err(error)) = fresh {
                    self.parts.log.say(&format!("the front door could not look: {error}"));
                }
                let body = serde_json::to_string(&status::of(&self.parts)).unwrap_or_default();
                http::response(Answer { status: 200, content_type: "application/json", body })
            }
            (&Method::POST, "stop") => {
                let _ = self.stop.send(true);
                http::plain(200, "stopping\n")
            }
            _ => http::plain(404, "no such path\n"),
        }
    }
}

/// Whether a program of this computer asks, and no page in a browser: those have an origin, and may have made a name of
/// theirs lead here.
fn from_here(head: &hyper::http::request::Parts) -> bool {
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let loopback = name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    !head.headers.contains_key(header::ORIGIN) && (loopback || name == "localhost" || name.ends_with(".localhost"))
}

/// The service that a request is signed for.
fn service(head: &hyper::http::request::Parts) -> Option<&str> {
    let authorization = head.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, scope) = authorization.split_once("Credential=")?;
    scope.split(',').next()?.split('/').nth(3)
}

/// Whether a call changes where requests go.
fn moves_traffic(service: Option<&str>, whole: &http::Whole) -> bool {
    match service {
        Some("route53") => whole.head.method != Method::GET,
        Some("elasticloadbalancing") => {
            let mut form = url::form_urlencoded::parse(&whole.body);
            form.any(|(name, value)| name == "Action" && !value.starts_with("Describe"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(method: Method, authorization: &str, body: &str) -> http::Whole {
        let request = Request::builder().method(method).header(header::AUTHORIZATION, authorization);
        let (head, body) = request.body(Bytes::from(body.to_owned())).unwrap().into_parts();
        http::Whole { head, body, peer: std::net::SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    #[test]
    fn the_service_is_in_the_signature() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/autoscaling/aws4_request, SignedHeaders=host";
        assert_eq!(service(&whole(Method::POST, signed, "").head), Some("autoscaling"));
        assert_eq!(service(&whole(Method::POST, "Basic x", "").head), None);
    }

    #[test]
    fn pages_in_browsers_are_refused() {
        let asks = |host: &str, origin: Option<&str>| {
            let mut request = Request::builder().header(header::HOST, host);
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            from_here(&request.body(()).unwrap().into_parts().0)
        };
        assert!(asks("127.0.0.1:4566", None) && asks("localhost:4566", None));
        assert!(!asks("127.0.0.1:4566", Some("https://example.org")));
        assert!(!asks("example.org:4566", None));
    }

    #[test]
    fn calls_that_move_traffic() {
        let moves = |service, method, body: &str| moves_traffic(Some(service), &whole(method, "", body));
        assert!(moves("route53", Method::POST, ""));
        assert!(!moves("route53", Method::GET, ""));
        assert!(moves("elasticloadbalancing", Method::POST, "Action=DeleteLoadBalancer&Version=1"));
        assert!(!moves("elasticloadbalancing", Method::POST, "Action=DescribeLoadBalancers"));
        assert!(!moves("ec2", Method::POST, "Action=RunInstances"));
    }
}
