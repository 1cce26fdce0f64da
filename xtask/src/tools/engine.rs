//! The Docker engine, which is nobody's to install here: `.ci/engine` starts one.
use anyhow::{Context as _, Result, ensure};
use std::process::{Command, Stdio};

/// The version of the engine that `docker` reaches, which the emulator of the sandbox calls too.
pub(crate) fn engine() -> Result<String> {
    let asked = Command::new("docker")
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdin(Stdio::null())
        .output()
        .context("there is no command docker")?;
    let said = String::from_utf8_lossy(&asked.stderr);
    ensure!(asked.status.success(), "no Docker engine answers ({})", said.lines().next().unwrap_or_default().trim());
    Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned())
}
