//! The pinned emulator that carries traffic. It is licensed under the AGPL: a program of its own, never linked.
use super::directory::{self, Locked};
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const VERSION: &str = "0.51.0";

/// Half an hour on two cores with these, twice that with Cargo's own settings.
const PROFILE: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// The path of `fakecloud`: the one in MINION_FAKECLOUD; else one of this version on the PATH; else ours, when it is
/// there.
pub(crate) fn fakecloud_there() -> Result<Option<PathBuf>> {
    if let Some(given) = directory::given("MINION_FAKECLOUD")? {
        ensure!(is_pinned(&given), "MINION_FAKECLOUD is {}, and that is not fakecloud {VERSION}", given.display());
        return Ok(Some(given));
    }
    let ours = place(&directory::path()).join("bin/fakecloud");
    Ok(directory::on_path("fakecloud").into_iter().chain([ours]).find(|program| is_pinned(program)))
}

/// The same, built when there is none.
pub(crate) fn fakecloud() -> Result<PathBuf> {
    if let Some(there) = fakecloud_there()? {
        return Ok(there);
    }
    let tools = Locked::wait()?;
    let place = place(tools.path());
    let program = place.join("bin/fakecloud");
    if !is_pinned(&program) {
        install(&place)?;
        ensure!(is_pinned(&program), "cargo installed it, but {} is not fakecloud {VERSION}", program.display());
    }
    Ok(program)
}

fn place(tools: &Path) -> PathBuf {
    tools.join(format!("fakecloud-{VERSION}"))
}

/// Whether the program is there and says this version.
fn is_pinned(program: &Path) -> bool {
    let Ok(asked) = Command::new(program).arg("--version").output() else { return false };
    asked.status.success() && String::from_utf8_lossy(&asked.stdout).split_whitespace().last() == Some(VERSION)
}

fn install(place: &Path) -> Result<()> {
    eprintln!(
        "Building fakecloud {VERSION} (the emulator of the sandbox) into {}; on two cores this takes about half an hour, \
         once.",
        place.display()
    );
    let began = Instant::now();
    // Of its own: what it is made of is not what the workspace is made of. It stays when the build is cut off, so that
    // the next one goes on.
    let target = place.join("build");
    fs::create_dir_all(&target).with_context(|| format!("cannot make the directory {}", target.display()))?;
    let installed = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["install", "fakecloud", "--version", VERSION, "--locked", "--root"])
        .arg(place)
        .current_dir(place)
        .env("CARGO_TARGET_DIR", &target)
        .envs(PROFILE)
        .status()
        .context("cannot start cargo")?;
    if !installed.success() {
        bail!(
            "cargo could not install fakecloud {VERSION}: what it says is above.\n\
             An existing fakecloud of this version is used when it is on the PATH, or MINION_FAKECLOUD names it."
        );
    }
    fs::remove_dir_all(&target).with_context(|| format!("cannot remove {}", target.display()))?;
    eprintln!("That took {} minutes.", began.elapsed().as_secs().div_ceil(60));
    Ok(())
}
