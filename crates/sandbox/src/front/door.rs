//! The front door as one thing.
use super::{
    http::Http,
    known::{Known, stopped},
    look::Look,
    reach::Reach,
    routes::Route,
    tcp::Tcp,
};
use aws_core::{Result, cloud::Cloud};
use std::{
    error::Error as _,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    time,
};
use url::Url;

/// How long a change that nobody told us of stays unseen.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two looks that requests asked for.
const BREATH: Duration = Duration::from_millis(100);

/// Answers for the applications' names, on this computer.
#[derive(Clone)]
pub struct Front(Arc<Parts>);

struct Parts {
    look: Look,
    known: Arc<Known>,
    tcp: Tcp,
    /// How many looks were asked for, and how many of them the newest one counts for.
    asked: AtomicU64,
    done: Mutex<u64>,
}

impl Front {
    /// A front door to what `cloud` and the emulator at `emulator` hold. It knows nothing before the first
    /// [`Front::refresh`].
    pub fn new(cloud: Arc<Cloud>, engine: docker::Engine, emulator: Url) -> Self {
        let known = Arc::new(Known::new());
        let look = Look::new(&cloud, emulator);
        let tcp = Tcp::new(Arc::clone(&known), Reach::Containers { cloud, engine });
        Self(Arc::new(Parts { look, known, tcp, asked: AtomicU64::default(), done: Mutex::default() }))
    }

    /// Looks again. When it returns, everything that was changed before it was called is seen by each new request
    /// and connection. Calls at the same time share one look.
    ///
    /// # Errors
    /// What AWS or the emulator answers; what was known before stays.
    pub async fn refresh(&self) -> Result<()> {
        let parts = &self.0;
        let mine = parts.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let mut done = parts.done.lock().await;
        // A look that began after this one was asked for has seen all of it.
        if *done >= mine {
            return Ok(());
        }
        let covered = parts.asked.load(Ordering::Acquire);
        match parts.look.look().await {
            Ok(snapshot) => {
                parts.known.put(Ok(snapshot));
                parts.tcp.fit().await;
                *done = covered;
                Ok(())
            }
            Err(e) => {
                let mut told = e.to_string();
                let mut cause = e.source();
                while let Some(inner) = cause {
                    let _ = write!(told, ": {inner}");
                    cause = inner.source();
                }
                parts.known.put(Err(told));
                Err(e)
            }
        }
    }

    /// What is served, sorted by name: for `minion sandbox status`.
    pub fn routes(&self) -> Vec<Route> {
        self.0.known.routes()
    }

    /// Why the last look failed, if it did: then [`Front::routes`] may be out of date.
    pub fn problem(&self) -> Option<String> {
        self.0.known.problem()
    }

    /// Serves HTTP until `stop` is true; requests that are open then have 5 seconds to end.
    pub async fn serve_http(self, listener: TcpListener, stop: watch::Receiver<bool>) {
        Http::new(Arc::clone(&self.0.known)).serve(listener, stop).await;
    }

    /// Keeps looking, and keeps the TCP ports open, until `stop` is true; connections that are open then have 5
    /// seconds to end.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let looking = async {
            loop {
                // A failure is remembered, and shown where it matters.
                let _ = self.refresh().await;
                time::sleep(BREATH).await;
                let _ = time::timeout(INTERVAL, self.0.known.wanted.notified()).await;
            }
        };
        tokio::select! {
            () = looking => {}
            () = stopped(&mut stop) => {}
        }
        self.0.tcp.close().await;
    }
}
