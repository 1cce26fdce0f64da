//! The emulator whose state is copied: `tests/support/forking.py`, and its copies.
use crate::moto;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, body::Bytes, header::CONTENT_TYPE};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    process::Child,
    time::Duration,
};

/// Speaks HTTP to any of the copies.
pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

/// One copy takes some milliseconds, a dump a tenth of a second; a busy computer takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first of them. All end with this value: when its end of the pipe closes.
pub(crate) struct Emulator {
    child: Child,
    /// Where all begins: nothing in it.
    pub(crate) first: Server,
    /// `127.0.0.1:PORT` of a container registry.
    pub(crate) registry: String,
}

/// One state of some accounts.
#[derive(Clone)]
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`
    pub(crate) endpoint: String,
    /// For whoever talks to it.
    pub(crate) http: Http,
}

impl Emulator {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let mut child = moto::start("forking.py");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the emulator says where it is");
        let http = Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(20)).build_http();
        let first = Server::at(told["endpoint"].as_str().unwrap(), http);
        Self { child, first, registry: told["registry"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Server {
    fn at(endpoint: &str, http: Http) -> Self {
        Self { endpoint: moto::on_this_computer(endpoint).to_owned(), http }
    }

    /// A copy of it, as it is now.
    pub(crate) async fn fork(&self) -> Self {
        let made = self.ask("fork", &json!({})).await;
        Self::at(made["endpoint"].as_str().unwrap(), self.http.clone())
    }

    /// Ends it.
    pub(crate) async fn end(&self) {
        self.ask("end", &json!({})).await;
    }

    /// Everything that stands in these accounts; `anew`, nothing is believed that was read before.
    pub(crate) async fn dump(&self, accounts: &Value, regions: &[&str], anew: bool) -> Value {
        self.ask("dump", &json!({ "accounts": accounts, "regions": regions, "fresh": anew })).await
    }

    /// What `forking.py` answers on one of its paths; it must work.
    pub(crate) async fn ask(&self, what: &str, request: &Value) -> Value {
        let uri = format!("{}/_torture/{what}", self.endpoint);
        let message = Request::builder().method(Method::POST).uri(uri).header(CONTENT_TYPE, "application/json");
        let message = message.body(Full::from(request.to_string())).unwrap();
        let asked = async {
            let (head, body) =
                self.http.request(message).await.unwrap_or_else(|e| panic!("{what}: {e:?}")).into_parts();
            let body = body.collect().await.unwrap_or_else(|e| panic!("{what}: {e:?}")).to_bytes();
            assert!(head.status.is_success(), "{what} {request}: {}", String::from_utf8_lossy(&body));
            serde_json::from_slice(&body).unwrap()
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{what}: no answer within {PATIENCE:?}"))
    }
}
