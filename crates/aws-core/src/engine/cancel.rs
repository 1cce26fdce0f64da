//! Ctrl-C, in two steps: first start nothing new, then stop at once.
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
pub struct Cancel(watch::Sender<Stop>);

impl Default for Cancel {
    fn default() -> Self {
        Self(watch::channel(Stop::No).0)
    }
}

impl Cancel {
    /// Asks for one step more: [`Stop::Soon`], then [`Stop::Now`].
    pub fn advance(&self) -> Stop {
        self.0.send_modify(|s| *s = if *s == Stop::No { Stop::Soon } else { Stop::Now });
        self.state()
    }
    /// What has been asked for so far.
    pub fn state(&self) -> Stop {
        *self.0.borrow()
    }
    /// Resolves once at least `level` has been asked for.
    pub async fn reached(&self, level: Stop) {
        let mut rx = self.0.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = rx.wait_for(|s| *s >= level).await;
    }
}
