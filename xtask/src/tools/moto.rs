//! The pinned AWS emulator, and shellcheck for the scripts that instances boot, in a Python environment of
//! their own.
use super::{
    directory::{self, Locked},
    python::Packages,
};
use anyhow::{Result, bail};
use std::{fs, path::PathBuf};

/// Every package of the environment with its version (`pip freeze`).
const REQUIREMENTS: &str = include_str!("../../moto-requirements.txt");
const VERSION: &str = "5.2.5";
const PACKAGES: Packages = Packages {
    name: "moto 5.2.5 (the AWS emulator)",
    requirements: REQUIREMENTS,
    otherwise: "An existing moto[server]==5.2.5 is used when MINION_MOTO names its program moto_server.",
};

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
    PACKAGES.install(&place)?;
    if !program.is_file() {
        bail!("pip installed the packages, but there is no {}", program.display());
    }
    fs::write(&mark, REQUIREMENTS)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_what_people_are_told() {
        assert!(REQUIREMENTS.lines().any(|line| line == format!("moto=={VERSION}")));
        assert!(PACKAGES.name.contains(VERSION) && PACKAGES.otherwise.contains(VERSION));
    }
}
