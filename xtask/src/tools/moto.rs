//! The pinned AWS emulator, and shellcheck for the scripts that instances boot, in a Python environment of
//! their own.
use super::directory::{self, Locked};
use crate::cargo::workspace;
use anyhow::{Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Every package of the environment with its version (`pip freeze`).
const REQUIREMENTS: &str = include_str!("../../moto-requirements.txt");
const VERSION: &str = "5.2.5";
/// What those packages need.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// The path of `moto_server`: the one in MINION_MOTO, else ours, set up when it is not there yet.
pub(crate) fn moto_server() -> Result<PathBuf> {
    if let Some(given) = directory::given("MINION_MOTO")? {
        return Ok(given);
    }
    let tools = Locked::wait()?;
    let place = tools.path().join(format!("moto-{VERSION}"));
    let program = place.join("bin/moto_server");
    // Written last, so an environment with it is whole.
    let mark = place.join("installed.txt");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == REQUIREMENTS) && program.is_file() {
        return Ok(program);
    }
    install(&place)?;
    if !program.is_file() {
        bail!("pip installed the packages, but there is no {}", program.display());
    }
    fs::write(&mark, REQUIREMENTS)?;
    Ok(program)
}

fn install(place: &Path) -> Result<()> {
    let python = python()?;
    eprintln!("Installing moto {VERSION} (the AWS emulator) into {}; this takes about half a minute.", place.display());
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
    let requirements = workspace().join("xtask/moto-requirements.txt");
    let installed = Command::new(place.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"])
        .arg(&requirements)
        .status()?;
    if !installed.success() {
        bail!(
            "pip could not install the packages of {}: what it says is above.\n\
             It needs a package index (PIP_INDEX_URL, or pip's own settings). An existing moto[server]=={VERSION} \
             is used when MINION_MOTO names its program moto_server.",
            requirements.display()
        );
    }
    Ok(())
}

/// The name of a Python that is new enough.
fn python() -> Result<String> {
    let mut seen = Vec::new();
    for name in ["python3", "python3.13", "python3.12", "python3.11"] {
        let asked = Command::new(name).args(["-c", "import sys; print(*sys.version_info[:2])"]).output();
        let Ok(answer) = asked else { continue };
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        let version = text.split_once(' ').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        match version {
            Some(version) if version >= OLDEST_PYTHON => return Ok(name.to_owned()),
            Some((major, minor)) => seen.push(format!("{name} is {major}.{minor}")),
            None => {}
        }
    }
    let (major, minor) = OLDEST_PYTHON;
    let seen = if seen.is_empty() { "there is none on the PATH".to_owned() } else { seen.join(", ") };
    bail!(
        "the AWS emulator needs Python {major}.{minor} or newer ({seen}). \
         On Debian and Ubuntu: `apt-get install python3 python3-venv`."
    )
}
