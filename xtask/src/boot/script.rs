//! The boot script, unchanged: what `minion versions create` puts into the launch template.
use super::scenario::Scenario;
use crate::emulator::{Emulator, environment, text};
use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The registry of the emulator's account; the virtual machine has a registry of this name.
const REGISTRY: &str = "100000000001.dkr.ecr.eu-west-1.amazonaws.com";

/// Creates the scenario's application and version on an emulator of their own; the user data of its instances.
pub(crate) fn user_data(binaries: &Path, scenario: &Scenario, digest: &str) -> Result<Vec<u8>> {
    let home = tempfile::tempdir()?;
    let mut emulator = Emulator::start()?;
    let place = emulator.seed()?;
    let mut variables = environment(&place, &emulator.endpoint, home.path())?;
    for (variable, word) in [("MINION_REGION", "region"), ("MINION_VPC", "vpc"), ("MINION_DOMAIN", "domain")] {
        variables.push((variable.to_owned(), text(&place, word)?));
    }
    let minion = |arguments: &[&str]| -> Result<()> {
        let done = Command::new(binaries.join("minion"))
            .args(arguments)
            .env_clear()
            .envs(variables.iter().cloned())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .output()
            .context("cannot start minion")?;
        if !done.status.success() {
            bail!("`minion {}` failed:\n{}", arguments.join(" "), String::from_utf8_lossy(&done.stderr).trim());
        }
        Ok(())
    };
    let manifest = scenario.manifest.display().to_string();
    minion(&["app", "create", &manifest])?;
    let image = format!("{REGISTRY}/{}@{digest}", scenario.plan.image);
    // The registry is in the virtual machine.
    minion(&["ver", "create", "hello", "1.0", &image, "--no-image-check", "--no-wait"])?;

    let found = emulator.call("ec2", "describe_launch_templates", json!({}))?;
    let templates = found["LaunchTemplates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [template] = templates else { bail!("{} launch templates, not the version's one", templates.len()) };
    let which = json!({ "LaunchTemplateName": template["LaunchTemplateName"] });
    let versions = emulator.call("ec2", "describe_launch_template_versions", which)?;
    let data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"].as_str();
    let script = STANDARD.decode(data.context("the launch template has no user data")?)?;
    ensure!(script.starts_with(b"#!/bin/sh\n"), "user data is not a script");
    Ok(script)
}
