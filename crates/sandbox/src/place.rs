//! Where a sandbox keeps its files, and what it remembers there.
use aws_core::{Error, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// The directory of a sandbox. There is one sandbox for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    directory: PathBuf,
}

/// What a sandbox is to be: written by `up`, read by the sandbox process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The port of AWS's services on loopback; 0 for any.
    pub port: u16,
    /// The port of the front door on loopback; 0 for any.
    pub front_port: u16,
    /// The region.
    pub region: String,
    /// The domain of the applications' names.
    pub domain: String,
    /// How fakecloud is run.
    pub emulator: Emulator,
    /// The `docker` command that fakecloud calls (through a script of ours).
    pub docker: PathBuf,
    /// The image of instances, and of fakecloud's helpers.
    pub image: String,
}

/// How fakecloud is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emulator {
    /// A program on this computer.
    Program(PathBuf),
    /// A container image.
    Image(String),
}

/// A sandbox process that is ready, as it wrote itself down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The sandbox process.
    pub pid: u32,
    /// fakecloud's process, or that of the `docker` command that runs it.
    pub emulator_pid: Option<u32>,
    /// The address of AWS's services: `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// The address of the front door: `http://127.0.0.1:8080`.
    pub front: String,
    /// The region.
    pub region: String,
    /// The domain of the applications' names.
    pub domain: String,
    /// When it was ready.
    pub since: jiff::Timestamp,
}

impl Place {
    /// The sandbox of this directory, which need not exist yet.
    ///
    /// # Errors
    /// When the directory cannot be made, or its path cannot be told.
    pub fn at(directory: &Path) -> Result<Self> {
        let cannot = |e: std::io::Error| {
            Error::failed(format!("the sandbox's directory {} cannot be used: {e}", directory.display()))
                .hint("Name another one with --directory (or MINION_SANDBOX).")
        };
        // What is written here concerns nobody else: a token, what applications print.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(cannot)?;
        Ok(Self { directory: directory.canonicalize().map_err(cannot)? })
    }

    /// What tells this sandbox's containers, networks, volumes and images from all others: 8 hex digits.
    pub fn id(&self) -> String {
        let hash = Sha256::digest(self.directory.as_os_str().as_encoded_bytes());
        hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The label on everything that the sandbox makes in the engine: name and value.
    pub fn label(&self) -> (&'static str, String) {
        (LABEL, self.id())
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A file of the sandbox.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// What was written under this name.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.file(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::failed(format!("{} cannot be read: {e}", path.display()))),
        };
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(|e| {
            Error::failed(format!("{} is damaged: {e}", path.display()))
                .hint("`minion sandbox down` removes the sandbox, this file included.")
        })
    }

    /// Writes a file whole, or not at all; readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let path = self.file(name);
        let cannot = |e: &dyn std::fmt::Display| Error::failed(format!("{} cannot be written: {e}", path.display()));
        let text = serde_json::to_string_pretty(value).map_err(|e| cannot(&e))?;
        self.write_text(name, &text, false)
    }

    /// Writes a text whole, or not at all; for its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, name: &str, text: &str, executable: bool) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.file(name);
        let new = self.file(&format!("{name}.new"));
        let mode = if executable { 0o700 } else { 0o600 };
        let write = || {
            fs::write(&new, text)?;
            fs::set_permissions(&new, fs::Permissions::from_mode(mode))?;
            fs::rename(&new, &path)
        };
        write().map_err(|e| Error::failed(format!("{} cannot be written: {e}", path.display())))
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn forget(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                Err(Error::failed(format!("{} cannot be removed: {e}", self.file(name).display())))
            }
            _ => Ok(()),
        }
    }
}

/// The label's name.
pub const LABEL: &str = "minion-sandbox";
/// The label of what belongs to an instance: its application's container, its volumes.
pub const INSTANCE_LABEL: &str = "minion-sandbox-instance";
/// [`Wanted`].
pub const WANTED: &str = "wanted.json";
/// [`Running`]; there while the sandbox process is ready.
pub const RUNNING: &str = "running.json";
/// What the sandbox process says.
pub const LOG: &str = "sandbox.log";
/// What fakecloud says.
pub const EMULATOR_LOG: &str = "fakecloud.log";
/// The script that fakecloud calls in the place of `docker`.
pub const CONTAINER_CLI: &str = "docker";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_an_id_of_its_own() {
        let one = std::env::temp_dir();
        let two = one.join("minion-sandbox-test-of-ids");
        let (one, two) = (Place::at(&one).unwrap(), Place::at(&two).unwrap());
        assert_eq!(one.id().len(), 8);
        assert_ne!(one.id(), two.id());
        assert_eq!(two.id(), Place::at(two.directory()).unwrap().id());
        fs::remove_dir_all(two.directory()).unwrap();
    }
}
