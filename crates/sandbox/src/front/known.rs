//! What is known at the moment, shared by all who serve.
use super::resolve::Snapshot;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// How long somebody waits for a newer snapshot at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// A loopback port for one listener port of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// On 127.0.0.1; none when none could be opened.
    pub(super) port: Option<u16>,
    /// Why connections do not come through, as far as the last one showed.
    pub(super) problem: Option<String>,
}

/// The newest snapshot, and what is served.
pub(super) struct Known {
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// Somebody needs a newer one.
    pub(super) wanted: Notify,
    problem: Mutex<Option<String>>,
    http_port: AtomicU16,
    opened: Mutex<BTreeMap<(String, u16), Opened>>,
}

impl Known {
    pub(super) fn new() -> Self {
        Self {
            snapshot: watch::Sender::default(),
            wanted: Notify::new(),
            problem: Mutex::default(),
            http_port: AtomicU16::default(),
            opened: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// A newer snapshot, or the reason why there is none: then the last one stays.
    pub(super) fn put(&self, look: Result<Snapshot, String>) {
        let (snapshot, problem) = match look {
            Ok(snapshot) => (Some(Arc::new(snapshot)), None),
            Err(problem) => (None, Some(problem)),
        };
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
        // Who waits is told of a failure too.
        self.snapshot.send_modify(|now| {
            if let Some(snapshot) = snapshot {
                *now = snapshot;
            }
        });
    }

    /// Asks for a newer snapshot than the one that did not do, and waits for it a little.
    pub(super) async fn newer(&self) {
        let mut seen = self.snapshot.subscribe();
        self.wanted.notify_one();
        let _ = tokio::time::timeout(PATIENCE, seen.changed()).await;
    }

    /// Why the last look failed, if it did.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The port of the HTTP door; 0 before it is open.
    pub(super) fn http_port(&self) -> u16 {
        self.http_port.load(Ordering::Relaxed)
    }

    pub(super) fn serves_http_on(&self, port: u16) {
        self.http_port.store(port, Ordering::Relaxed);
    }

    /// The loopback ports of this name, by listener port.
    pub(super) fn opened(&self, name: &str) -> Vec<(u16, Opened)> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let of = opened.iter().filter(|((of, _), _)| of == name);
        of.map(|((_, port), opened)| (*port, opened.clone())).collect()
    }

    /// Changes the list of loopback ports.
    pub(super) fn with_opened<T>(&self, change: impl FnOnce(&mut BTreeMap<(String, u16), Opened>) -> T) -> T {
        change(&mut self.opened.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Resolves when `stop` says so, or when who could say so is gone.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
