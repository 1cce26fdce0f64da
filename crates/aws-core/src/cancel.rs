//! Ctrl-C, in two steps: first start nothing new, then stop at once; and what is to be finished before the first one ends
//! the work.
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// How far the operator wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Carry on.
    No,
    /// Finish what is in flight, start nothing new.
    Soon,
    /// Drop everything.
    Now,
}

/// A cheap handle that everything which waits looks at.
#[derive(Debug, Clone)]
pub struct Cancel {
    stop: watch::Sender<Stop>,
    in_flight: InFlight,
    undertakings: InFlight,
}

impl Default for Cancel {
    fn default() -> Self {
        let stop = watch::channel(Stop::No).0;
        Self { stop, in_flight: InFlight::default(), undertakings: InFlight::default() }
    }
}

impl Cancel {
    /// Asks for one step more: [`Stop::Soon`], then [`Stop::Now`].
    pub fn advance(&self) -> Stop {
        self.stop.send_modify(|s| *s = if *s == Stop::No { Stop::Soon } else { Stop::Now });
        self.state()
    }
    /// What has been asked for so far.
    pub fn state(&self) -> Stop {
        *self.stop.borrow()
    }
    /// Resolves once at least `level` has been asked for.
    pub async fn reached(&self, level: Stop) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = self.stop.subscribe().wait_for(|s| *s >= level).await;
    }
    /// What must be finished after the first interrupt: calls that write, and runs of the engine.
    pub fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }
    /// Work that ends itself after the first interrupt, and has to do something at its end.
    pub fn undertakings(&self) -> &InFlight {
        &self.undertakings
    }
}

/// What is being done at this moment, by name.
#[derive(Debug, Clone, Default)]
pub struct InFlight {
    names: Arc<watch::Sender<BTreeMap<u64, String>>>,
    next: Arc<AtomicU64>,
}

impl InFlight {
    /// Something begins; it ends when the guard is dropped.
    pub fn hold(&self, name: impl Into<String>) -> Held {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.names.send_modify(|names| drop(names.insert(id, name.into())));
        Held { of: self.clone(), id }
    }
    /// What is under way, in the order in which it began.
    pub fn names(&self) -> Vec<String> {
        self.names.borrow().values().cloned().collect()
    }
    /// Resolves when nothing is under way.
    pub async fn idle(&self) {
        // The sender lives in `self`.
        let _ = self.names.subscribe().wait_for(BTreeMap::is_empty).await;
    }
}

/// Something is under way, as long as this lives.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub struct Held {
    of: InFlight,
    id: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.names.send_modify(|names| drop(names.remove(&self.id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[test]
    fn what_is_under_way_is_known_by_name() {
        let flight = Cancel::default().in_flight().clone();
        assert!(flight.idle().now_or_never().is_some());
        let (one, two) = (flight.hold("one"), flight.clone().hold("two"));
        assert_eq!(flight.names(), ["one", "two"]);
        drop(one);
        assert!(flight.idle().now_or_never().is_none());
        drop(two);
        assert!(flight.idle().now_or_never().is_some());
    }
}
