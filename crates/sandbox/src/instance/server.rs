//! The port of the instances.
use super::{Reply, Request, aws, engine, metadata};
use crate::{
    http::{self, Whole},
    serve::Parts,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// User and password, by instance and registry.
type Logins = BTreeMap<(String, String), (String, String)>;

/// Serves the instances of a sandbox.
#[derive(Clone)]
pub(crate) struct Instances {
    pub(super) parts: Arc<Parts>,
    /// In front of every path: nobody else on the bridge knows it.
    token: String,
    /// Registry logins.
    pub(super) logins: Arc<Mutex<Logins>>,
}

impl Instances {
    /// Makes a server; instances show this token.
    pub(crate) fn new(parts: Arc<Parts>, token: String) -> Self {
        Self { parts, token, logins: Arc::default() }
    }

    /// Answers `POST /TOKEN/INSTANCE/PROGRAM`, and requests to the metadata service.
    pub(crate) async fn answer(&self, whole: Whole) -> Response<Full<Bytes>> {
        let path = whole.head.uri.path().to_owned();
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let [token, instance, program] = words[..] else { return metadata::answer(self, whole).await };
        if token != self.token || whole.head.method != Method::POST {
            return metadata::answer(self, whole).await;
        }
        let Some(request) = Request::parse(&String::from_utf8_lossy(&whole.body)) else {
            return http::plain(400, "not a request\n");
        };
        let reply = match program {
            "docker" => engine::run(self, instance, &request).await,
            "aws-call" => aws::run(&self.parts, &request).await,
            _ => Reply::failed(127, format!("{program}: not found\n")),
        };
        http::plain(200, &reply.text())
    }

    pub(super) fn login(&self, instance: &str, registry: &str) -> Option<(String, String)> {
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.get(&(instance.to_owned(), registry.to_owned())).cloned()
    }
}
