//! Packages of the Python Package Index, pinned, each set in an environment of its own.
use anyhow::{Result, bail};
use std::{fs, path::Path, process::Command};

/// What the pinned packages need.
const OLDEST: (u32, u32) = (3, 11);

/// A set of packages.
pub(super) struct Packages {
    /// For people: `moto 5.2.5 (the AWS emulator)`.
    pub(super) name: &'static str,
    /// The requirements file that lists all of them with their versions.
    pub(super) requirements: &'static str,
    /// What to do where no package index can be reached.
    pub(super) otherwise: &'static str,
}

impl Packages {
    /// Installs them into `place`, from nothing.
    pub(super) fn install(&self, place: &Path) -> Result<()> {
        let python = python(self.name)?;
        eprintln!("Installing {} into {}; this takes about half a minute.", self.name, place.display());
        if place.exists() {
            fs::remove_dir_all(place)?;
        }
        let made = Command::new(&python).args(["-m", "venv"]).arg(place).output()?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stdout) + String::from_utf8_lossy(&made.stderr);
            bail!(
                "`{python} -m venv` failed; on Debian and Ubuntu install it with `apt-get install python3-venv`.\n{}",
                said.trim()
            );
        }
        let list = place.join("requirements.txt");
        fs::write(&list, self.requirements)?;
        let installed = Command::new(place.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"])
            .arg(&list)
            .status()?;
        if !installed.success() {
            bail!(
                "pip could not install {}: what it says is above.\n\
                 It needs a package index (PIP_INDEX_URL, or pip's own settings). {}",
                self.name,
                self.otherwise
            );
        }
        Ok(())
    }
}

/// The name of a Python that is new enough.
fn python(what: &str) -> Result<String> {
    let mut seen = Vec::new();
    for name in ["python3", "python3.13", "python3.12", "python3.11"] {
        let asked = Command::new(name).args(["-c", "import sys; print(*sys.version_info[:2])"]).output();
        let Ok(answer) = asked else { continue };
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        let version = text.split_once(' ').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        match version {
            Some(version) if version >= OLDEST => return Ok(name.to_owned()),
            Some((major, minor)) => seen.push(format!("{name} is {major}.{minor}")),
            None => {}
        }
    }
    let (major, minor) = OLDEST;
    let seen = if seen.is_empty() { "there is none on the PATH".to_owned() } else { seen.join(", ") };
    bail!(
        "{what} needs Python {major}.{minor} or newer ({seen}). \
         On Debian and Ubuntu: `apt-get install python3 python3-venv`."
    )
}
