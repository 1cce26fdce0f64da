//! The health check of a load balancer, for one container on this computer.
use crate::manifest::{Manifest, codes};
use aws_core::{Error, Result};
use std::{net::SocketAddr, time::Duration};
use tokio::{io::AsyncReadExt as _, net::TcpStream, sync::mpsc};

/// How long a connection must stay open to count, where nothing is said on it: the engine's proxy accepts connections for
/// applications that do not listen, and closes them at once.
const OPEN: Duration = Duration::from_millis(400);
/// Between two checks until the application is well for the first time. The load balancer keeps to its interval.
const QUICK: Duration = Duration::from_secs(1);

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// Where the container's port is published.
    pub(super) address: SocketAddr,
    /// The port in the container.
    pub(super) port: u16,
    /// Path and codes; a TCP connection without.
    pub(super) http: Option<(String, String)>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) healthy: u32,
    pub(super) unhealthy: u32,
}

/// What became of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// A bad answer, in words.
    Bad(String),
    /// Well, after so many good answers in a row.
    Healthy,
    /// No longer, or never, well after so many bad answers in a row; the last one in words.
    Unhealthy(String),
}

impl Check {
    pub(super) fn of(manifest: &Manifest, port: u16, address: SocketAddr) -> Self {
        let check = &manifest.health_check;
        let seconds = |n: u32| Duration::from_secs(n.into());
        Self {
            address,
            port,
            http: manifest.health_check_path().map(str::to_owned).zip(manifest.health_check_codes().map(str::to_owned)),
            interval: seconds(check.interval),
            timeout: seconds(check.timeout),
            healthy: check.healthy_threshold,
            unhealthy: check.unhealthy_threshold,
        }
    }

    /// The port that is asked.
    pub(super) fn port_of(manifest: &Manifest) -> u16 {
        manifest.health_check.port.unwrap_or_else(|| manifest.traffic_port()).get()
    }

    /// What is asked, in words.
    pub(super) fn what(&self) -> String {
        match &self.http {
            Some((path, _)) => format!("GET {path} on port {}", self.port),
            None => format!("a connection to port {}", self.port),
        }
    }

    /// Checks for ever, and tells what changes; every bad answer until the application is well for the first time.
    pub(super) async fn watch(self, news: mpsc::Sender<News>) {
        let Ok(client) = client() else { return };
        let (mut good, mut bad, mut well) = (0, 0, None);
        loop {
            let answer = self.ask(&client).await;
            let told = match answer {
                Ok(()) => {
                    (good, bad) = (good + 1, 0);
                    (good >= self.healthy && well != Some(true)).then_some(News::Healthy)
                }
                Err(why) => {
                    (good, bad) = (0, bad + 1);
                    match well {
                        Some(true) if bad >= self.unhealthy => Some(News::Unhealthy(why)),
                        None => Some(News::Bad(why)),
                        _ => None,
                    }
                }
            };
            match &told {
                Some(News::Healthy) => well = Some(true),
                Some(News::Unhealthy(_)) => well = Some(false),
                _ => {}
            }
            if let Some(told) = told
                && news.send(told).await.is_err()
            {
                return;
            }
            tokio::time::sleep(if well.is_none() { QUICK } else { self.interval }).await;
        }
    }

    /// Asks once; what is wrong with the answer.
    async fn ask(&self, client: &reqwest::Client) -> Result<(), String> {
        let late = || format!("no answer within {} s", self.timeout.as_secs());
        match &self.http {
            Some((path, wanted)) => {
                let url = format!("http://{}{path}", self.address);
                let answer = client.get(url).timeout(self.timeout).send().await.map_err(|e| match e {
                    e if e.is_timeout() => late(),
                    e if e.is_connect() => "nothing listens there".to_owned(),
                    _ => "the connection is closed without an answer: nothing listens there, or only on 127.0.0.1"
                        .to_owned(),
                })?;
                let code = answer.status().as_u16();
                if codes::accepts(wanted, code) { Ok(()) } else { Err(format!("HTTP {code} instead of {wanted}")) }
            }
            None => match tokio::time::timeout(self.timeout, connect(self.address)).await {
                Ok(result) => result,
                Err(_) => Err(late()),
            },
        }
    }
}

async fn connect(address: SocketAddr) -> Result<(), String> {
    let mut stream = TcpStream::connect(address).await.map_err(|_| "nothing listens there".to_owned())?;
    let mut byte = [0];
    match tokio::time::timeout(OPEN, stream.read(&mut byte)).await {
        // Silence is what most protocols begin with.
        Err(_) => Ok(()),
        Ok(Ok(1..)) => Ok(()),
        Ok(_) => Err("the connection is closed at once: nothing listens there, or only on 127.0.0.1".to_owned()),
    }
}

/// As the load balancer asks: no redirects followed, no proxy, a connection for each.
fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent("ELB-HealthChecker/2.0")
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|e| Error::failed("no HTTP client can be made").caused_by(e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    /// A server that answers each connection with the next of these; one that is empty is closed at once.
    async fn server(answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for n in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let answer = answers[n.min(answers.len() - 1)];
                if !answer.is_empty() {
                    let mut buffer = [0; 1024];
                    let _ = stream.read(&mut buffer).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        address
    }

    fn check(address: SocketAddr, http: bool) -> Check {
        Check {
            address,
            port: 8080,
            http: http.then(|| ("/health".to_owned(), "200".to_owned())),
            interval: Duration::from_millis(20),
            timeout: Duration::from_secs(2),
            healthy: 2,
            unhealthy: 2,
        }
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const BROKEN: &str = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn up_and_down() {
        let address = server(&["", BROKEN, OK, OK, OK, BROKEN]).await;
        let (sender, mut news) = mpsc::channel(8);
        let watch = tokio::spawn(check(address, true).watch(sender));
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(news.recv().await.unwrap());
        }
        watch.abort();
        assert!(matches!(&seen[0], News::Bad(why) if why.contains("closed without an answer")), "{seen:?}");
        let oops = "HTTP 500 instead of 200".to_owned();
        assert_eq!(seen[1..], [News::Bad(oops.clone()), News::Healthy, News::Unhealthy(oops)]);
    }

    #[tokio::test]
    async fn codes_and_ranges_together() {
        let ask = async |codes: &str| {
            let address =
                server(&["HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]).await;
            let http = Some(("/".to_owned(), codes.to_owned()));
            Check { http, ..check(address, true) }.ask(&client().unwrap()).await
        };
        assert_eq!(ask("200-399,401").await, Ok(()));
        assert_eq!(ask("200-299,301-308").await.unwrap_err(), "HTTP 401 instead of 200-299,301-308");
    }

    #[tokio::test]
    async fn tcp() {
        let ask = async |address| check(address, false).ask(&client().unwrap()).await;
        assert!(ask(server(&[""]).await).await.unwrap_err().contains("closed at once"));
        assert_eq!(ask(server(&["hello"]).await).await, Ok(()), "a server that waits to be spoken to");
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask(nobody).await.unwrap_err(), "nothing listens there");
    }
}
