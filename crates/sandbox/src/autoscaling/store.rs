//! The state, shared.
use super::state::State;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The state; whoever waits is woken when it changes. It lasts as long as the emulator's own, in memory.
#[derive(Debug, Default)]
pub(super) struct Store {
    state: Mutex<State>,
    changed: Notify,
}

impl Store {
    /// Reads the state.
    pub(super) fn read<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        read(&self.lock())
    }

    /// Changes the state.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.lock())
    }

    /// Tells whoever waits that there is something to do.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits for [`Store::wake`].
    pub(super) async fn woken(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
