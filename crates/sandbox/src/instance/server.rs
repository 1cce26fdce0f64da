//! The port of the instances.
use super::{Reply, Request, aws, engine};
use crate::{Answer, serve::Parts};
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

    /// Answers `POST /TOKEN/INSTANCE/PROGRAM`.
    pub(crate) async fn answer(&self, path: &str, body: &str) -> Answer {
        let answer = |status, body| Answer { status, content_type: "text/plain", body };
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let [token, instance, program] = words[..] else { return answer(404, "no such path\n".into()) };
        if token != self.token {
            return answer(403, "not an instance of this sandbox\n".into());
        }
        let Some(request) = Request::parse(body) else { return answer(400, "not a request\n".into()) };
        let reply = match program {
            "docker" => engine::run(self, instance, &request).await,
            "aws" => aws::run(&self.parts, &request).await,
            _ => Reply::failed(127, format!("{program}: not found\n")),
        };
        answer(200, reply.text())
    }

    pub(super) fn login(&self, instance: &str, registry: &str) -> Option<(String, String)> {
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.get(&(instance.to_owned(), registry.to_owned())).cloned()
    }
}
