//! The state, shared, and kept in a file.
use super::state::State;
use aws_core::{Error, Result};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The state with its file; whoever waits is woken when it changes.
#[derive(Debug, Default)]
pub(super) struct Store {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    state: State,
    path: Option<PathBuf>,
    written: String,
}

impl Store {
    /// Goes on with what is in this file, if it is there, and writes changes to it.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub(super) fn keep(&self, path: &Path) -> Result<()> {
        let mut inner = self.lock();
        match fs::read_to_string(path) {
            Ok(text) => {
                inner.state = serde_json::from_str(&text).map_err(|e| {
                    Error::failed(format!("{} holds no state of Auto Scaling: {e}", path.display()))
                        .hint("Remove the file: instances that are left end with `minion sandbox down`.")
                })?;
                inner.written = text;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::failed(format!("cannot read {}", path.display())).caused_by(e)),
        }
        inner.path = Some(path.to_owned());
        Ok(())
    }

    /// Reads the state.
    pub(super) fn read<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        read(&self.lock().state)
    }

    /// Changes the state, and writes it down if it has changed. A file that cannot be written only costs what a
    /// restart would have gone on with.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut inner = self.lock();
        let result = change(&mut inner.state);
        if let (Some(path), Ok(text)) = (&inner.path, serde_json::to_string(&inner.state))
            && text != inner.written
            && write(path, &text).is_ok()
        {
            inner.written = text;
        }
        result
    }

    /// Tells whoever waits that there is something to do.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits for [`Store::wake`].
    pub(super) async fn woken(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file is whole at any time.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let next = path.with_extension("new");
    fs::write(&next, text)?;
    fs::rename(next, path)
}
