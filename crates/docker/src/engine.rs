//! The connection to the engine.
use crate::{
    errors,
    sockets::{self, Place},
};
use aws_core::{Error, Result};
use bollard::{API_DEFAULT_VERSION, Docker};
use std::{sync::Arc, time::Duration};

/// How long an engine may take to say that it is there.
const HELLO: Duration = Duration::from_secs(10);
/// How long the engine may take to begin an answer, in seconds. Building images sends the whole directory first.
const ANSWER: u64 = 600;

/// A connection to the local engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    place: Arc<str>,
}

impl Engine {
    /// Connects to the engine of `DOCKER_HOST`, else to that of Docker's context, else to the first that answers on one of
    /// the sockets where Docker, its desktop variants and Podman listen. Settles on a version of the interface that both
    /// sides speak.
    ///
    /// # Errors
    /// When none answers: what was tried, and how to start one.
    pub async fn connect() -> Result<Self> {
        Self::connect_by(&|name| std::env::var(name).ok().filter(|v| !v.is_empty())).await
    }

    async fn connect_by(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let (chosen, places) = sockets::places(variable)?;
        let mut tried: Vec<(Place, Error)> = Vec::new();
        for place in places {
            // Most of the usual places are not there: that is no news.
            if !chosen && place.is_absent() {
                continue;
            }
            match Self::at(&place).await {
                Ok(engine) => return Ok(engine),
                Err(error) => tried.push((place, error)),
            }
        }
        Err(errors::no_engine(chosen, tried))
    }

    async fn at(place: &Place) -> Result<Self> {
        let seconds = HELLO.as_secs();
        let docker = match place {
            Place::Socket(path) => Docker::connect_with_socket(path, seconds, API_DEFAULT_VERSION),
            Place::Http(host) => Docker::connect_with_http(host, seconds, API_DEFAULT_VERSION),
        };
        let docker = docker.map_err(|e| errors::connecting(place, e))?;
        let answer = tokio::time::timeout(HELLO, docker.negotiate_version()).await;
        let docker = answer
            .map_err(|_| Error::deadline(format!("{place} did not answer within {seconds} s")))?
            .map_err(|e| errors::connecting(place, e))?;
        Ok(Self { docker: docker.with_timeout(Duration::from_secs(ANSWER)), place: place.to_string().into() })
    }

    /// The client itself.
    pub fn client(&self) -> &Docker {
        &self.docker
    }
    /// Where the engine was reached, for messages: `unix:///var/run/docker.sock`.
    pub fn socket(&self) -> &str {
        &self.place
    }
    /// The path of the engine's socket on this computer; none when it was reached over TCP.
    pub fn socket_path(&self) -> Option<&str> {
        self.place.strip_prefix("unix://")
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::error::Kind;

    #[tokio::test]
    async fn an_engine_that_was_named_and_is_not_there() {
        let dir = std::env::temp_dir().join("no-such-engine.sock");
        let host = format!("unix://{}", dir.display());
        let e = Engine::connect_by(&|name| (name == "DOCKER_HOST").then(|| host.clone())).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Failed);
        assert!(e.to_string().contains(&host), "{e}");
        assert!(e.hints().iter().any(|h| h.contains("DOCKER_HOST")), "{:?}", e.hints());
    }

    #[tokio::test]
    async fn hosts_that_are_not_spoken() {
        for (host, wanted) in [("ssh://me@there", "ssh"), ("tcp://x:2376", "TLS"), ("nonsense", "nonsense")] {
            let variable = |name: &str| match name {
                "DOCKER_HOST" => Some(host.to_owned()),
                "DOCKER_TLS_VERIFY" => Some("1".to_owned()),
                _ => None,
            };
            let e = Engine::connect_by(&variable).await.unwrap_err();
            assert!(e.kind() == Kind::Usage && e.to_string().contains(wanted), "{e}");
        }
    }
}
