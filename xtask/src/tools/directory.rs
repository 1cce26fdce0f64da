//! Where the tools are.
use crate::cargo::workspace;
use anyhow::{Context as _, Result};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// MINION_TOOLS, else `.tools` in the workspace.
pub(super) fn path() -> PathBuf {
    env::var_os("MINION_TOOLS").map_or_else(|| workspace().join(".tools"), PathBuf::from)
}

/// The directory, for this process alone until the value is dropped: two checkouts may share it.
pub(crate) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for whoever else sets up something in it.
    pub(crate) fn wait() -> Result<Self> {
        let path = path();
        fs::create_dir_all(&path).with_context(|| format!("cannot make the directory {}", path.display()))?;
        let lock = File::create(path.join("lock"))?;
        lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The path of a program, by its name.
pub(super) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// The path that a variable names, which must be a file.
pub(super) fn given(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).map(PathBuf::from) else { return Ok(None) };
    anyhow::ensure!(path.is_file(), "{variable} is {}, and there is no such file", path.display());
    Ok(Some(path))
}
