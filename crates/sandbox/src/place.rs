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
    /// What that image was built from, where it was named.
    #[serde(default)]
    pub base: Option<String>,
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
    /// The sandbox that was made in this directory.
    ///
    /// # Errors
    /// When there is none, which changes nothing there.
    pub fn existing(directory: &Path) -> Result<Self> {
        match directory.join(MARKER).try_exists() {
            Ok(true) => {}
            Ok(false) => {
                return Err(Error::not_found(format!("there is no sandbox in {}", directory.display())).hint(
                    "`minion sandbox up` makes one there; --directory (or MINION_SANDBOX) names another place.",
                ));
            }
            Err(e) => return Err(unusable(directory, &e)),
        }
        Ok(Self { directory: directory.canonicalize().map_err(|e| unusable(directory, &e))? })
    }

    /// The sandbox of this directory, which is made a sandbox's when it is new or empty.
    ///
    /// # Errors
    /// When somebody else's files are there, or it cannot be made or written.
    pub fn make(directory: &Path) -> Result<Self> {
        let cannot = |e: std::io::Error| unusable(directory, &e);
        // What is written here concerns nobody else: a token, what applications print.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(cannot)?;
        let place = Self { directory: directory.canonicalize().map_err(cannot)? };
        if !place.file(MARKER).try_exists().map_err(cannot)? {
            if fs::read_dir(directory).map_err(cannot)?.next().is_some() {
                return Err(Error::refused(format!(
                    "{} holds files, and no sandbox was made there",
                    directory.display()
                ))
                .hint("Name a new or an empty directory with --directory (or MINION_SANDBOX); nothing was changed."));
            }
            place.write_text(MARKER, "The directory of a sandbox: `minion sandbox down` removes it.\n", false)?;
        }
        Ok(place)
    }

    /// Removes the sandbox's files, and the directory where nothing else is in it; what else was there.
    ///
    /// # Errors
    /// When one of them cannot be removed.
    pub fn remove(&self) -> Result<Vec<PathBuf>> {
        let cannot = |path: &Path, e: &std::io::Error| {
            Error::failed(format!("{} of the sandbox cannot be removed: {e}", path.display()))
        };
        let gone = |path: &Path, done: std::io::Result<()>| match done {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(cannot(path, &e)),
            _ => Ok(()),
        };
        for name in DIRECTORIES {
            let path = self.file(name);
            gone(&path, fs::remove_dir_all(&path))?;
        }
        // The marker last: what is cut off here can be done again.
        for name in FILES {
            for path in [self.file(&format!("{name}.new")), self.file(name)] {
                gone(&path, fs::remove_file(&path))?;
            }
        }
        let read = |e: std::io::Error| cannot(&self.directory, &e);
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(read)? {
            left.push(entry.map_err(read)?.path());
        }
        if left.is_empty() {
            gone(&self.directory, fs::remove_dir(&self.directory))?;
        }
        left.sort();
        Ok(left)
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

fn unusable(directory: &Path, why: &std::io::Error) -> Error {
    Error::failed(format!("the sandbox's directory {} cannot be used: {why}", directory.display()))
        .hint("Name another one with --directory (or MINION_SANDBOX).")
}

/// The label's name.
pub const LABEL: &str = "minion-sandbox";
/// fakecloud's own label on the container that is an instance, with the instance's id.
pub const MACHINE_LABEL: &str = "fakecloud-ec2";
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

/// What tells a sandbox's directory from all others.
pub const MARKER: &str = "minion-sandbox";
/// Held by the command that is at work.
pub const LOCK: &str = "lock";
/// The organization that `overlord` made the network for.
pub const ORGANIZATION: &str = "organization";
/// All files that a sandbox writes, in the order in which they are removed.
const FILES: [&str; 8] = [WANTED, RUNNING, crate::control::PROCESSES, LOG, EMULATOR_LOG, CONTAINER_CLI, LOCK, MARKER];
/// All directories; the script in the place of `docker` makes one to wait for its turn.
const DIRECTORIES: [&str; 2] = [ORGANIZATION, "docker.network"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_an_id_of_its_own() {
        let temporary = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| Place::make(&temporary.path().join(name)).unwrap());
        assert_eq!(one.id().len(), 8);
        assert_ne!(one.id(), two.id());
        assert_eq!(two.id(), Place::existing(two.directory()).unwrap().id());
    }

    #[test]
    fn nobody_elses_directory_is_touched() {
        let temporary = tempfile::tempdir().unwrap();
        let theirs = temporary.path().join("theirs");
        assert!(Place::existing(&theirs).is_err());
        assert!(!theirs.exists(), "asking makes nothing");
        fs::create_dir(&theirs).unwrap();
        assert!(Place::existing(&theirs).is_err());
        fs::write(theirs.join("thesis.txt"), "years of work").unwrap();
        assert_eq!(Place::make(&theirs).unwrap_err().kind(), aws_core::error::Kind::Refused);
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1);
    }

    #[test]
    fn only_its_own_files_are_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let fill = || {
            let place = Place::make(&temporary.path().join("new/place")).unwrap();
            place.write_text(CONTAINER_CLI, "", true).unwrap();
            fs::write(place.file("wanted.json.new"), "").unwrap();
            fs::create_dir_all(place.file(ORGANIZATION).join("more")).unwrap();
            Place::make(place.directory()).unwrap()
        };
        let place = fill();
        assert!(place.remove().unwrap().is_empty());
        assert!(!place.directory().exists());
        let place = fill();
        fs::write(place.file("notes"), "mine").unwrap();
        assert_eq!(place.remove().unwrap(), [place.file("notes")]);
        assert_eq!(fs::read_to_string(place.file("notes")).unwrap(), "mine");
        assert!(Place::existing(place.directory()).is_err());
    }
}
