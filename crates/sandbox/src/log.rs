//! What the sandbox process says: lines with a time, in a file that `minion sandbox logs --process` shows.
use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The log of a sandbox process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<Mutex<File>>);

impl Log {
    /// Opens a log; what it holds stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?))))
    }

    /// Writes a line. A disk that is full must not end the sandbox.
    pub(crate) fn say(&self, text: &str) {
        let now = jiff::Timestamp::now();
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(file, "{now:.3} {text}");
    }
}
