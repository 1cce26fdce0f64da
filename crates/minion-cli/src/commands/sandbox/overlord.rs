//! The sandbox's team: its network is made by `overlord`, as every team's is.
use super::context::Context;
use aws_core::{
    Error, Result,
    cloud::{Cloud, lookups},
};
use sandbox::{
    image::on_path,
    place::{ORGANIZATION, Running},
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// The name of the organization and of its team.
pub(super) const TEAM: &str = "sandbox";

/// For making the network; it takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// The program: beside this one, else on the PATH.
fn program() -> Result<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("overlord")));
    beside.filter(|path| path.is_file()).or_else(|| on_path("overlord")).ok_or_else(|| {
        Error::not_found("overlord, which makes the sandbox's network, is neither beside minion nor on the PATH")
            .hint("Install it: `cargo install --locked --path crates/overlord-cli`.")
    })
}

/// The organization's file. What costs time and shows nothing here is off.
fn file(region: &str) -> String {
    format!(
        "# Written by `minion sandbox up`.\norganization: {TEAM}\naddresses:\n  pool: [10.128.0.0/16]\n  network: 20\n\
         accounts:\n  home: {{region: {region}}}\nteams:\n  regions: [{region}]\n  zones: 2\n  nat: single\n  \
         interconnect: none\n  flow_logs_days: 0\n  account_wide: false\n"
    )
}

/// Makes the network, or finds it as it should be.
pub(super) async fn create(context: &Context, running: &Running) -> Result<()> {
    let directory = context.place.file(ORGANIZATION);
    let cannot = |e: std::io::Error| Error::failed(format!("{} cannot be written: {e}", directory.display()));
    std::fs::create_dir_all(&directory).map_err(cannot)?;
    let file_path = directory.join("overlord.yaml");
    std::fs::write(&file_path, file(&running.region)).map_err(cannot)?;
    let mut command = Command::new(program()?);
    command.args(["team", "create", TEAM, "--yes", "--color", "never", "--config"]).arg(&file_path);
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    environment(&mut command, names, running, &directory);
    let ran = tokio::time::timeout(PATIENCE, command.stdin(Stdio::null()).kill_on_drop(true).output()).await;
    let ran = ran.map_err(|_| {
        let what = format!("overlord did not make the sandbox's network within {} s", PATIENCE.as_secs());
        Error::failed(what).hint("`minion sandbox logs --process` shows what fakecloud said meanwhile.")
    })?;
    let ran = ran.map_err(|e| Error::failed(format!("overlord cannot be started: {e}")))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let said = said.trim().lines().map(|line| format!("\n  {line}")).collect::<String>();
    Err(Error::failed(format!("overlord could not make the sandbox's network ({}):{said}", ran.status)))
}

/// The sandbox and nothing else: no profile, role or proxy of this computer.
fn environment(command: &mut Command, names: impl Iterator<Item = String>, running: &Running, home: &Path) {
    let (id, secret) = sandbox::KEY;
    for name in names {
        let upper = name.to_ascii_uppercase();
        let elsewhere = upper.starts_with("AWS_") || upper.starts_with("OVERLORD_") || upper.starts_with("XDG_");
        if elsewhere || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command.env("NO_PROXY", "127.0.0.1");
    command.env("HOME", home).env("AWS_ENDPOINT_URL", &running.endpoint).env("AWS_REGION", &running.region);
    command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_EC2_METADATA_DISABLED", "true");
}

/// The team's VPC.
pub(super) async fn vpc(cloud: &Cloud) -> Result<String> {
    let found = lookups::vpcs(cloud).await?;
    let vpc = found.into_iter().find(|vpc| vpc.name.as_deref() == Some(TEAM)).map(|vpc| vpc.id);
    vpc.ok_or_else(|| Error::failed("overlord made no VPC for team sandbox"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sandbox::context::some_sandbox;

    #[test]
    fn nothing_of_this_computer_leads_elsewhere() {
        let running = some_sandbox();
        let mut command = Command::new("overlord");
        let theirs = ["AWS_PROFILE", "AWS_REGION", "OVERLORD_CONFIG", "HTTPS_PROXY", "http_proxy", "no_proxy", "PATH"];
        environment(&mut command, theirs.map(str::to_owned).into_iter(), &running, Path::new("/home"));
        let set: std::collections::BTreeMap<_, _> = command
            .as_std()
            .get_envs()
            .map(|(name, value)| (name.to_string_lossy(), value.map(|v| v.to_string_lossy())))
            .collect();
        for gone in ["AWS_PROFILE", "OVERLORD_CONFIG", "HTTPS_PROXY", "http_proxy", "no_proxy"] {
            assert_eq!(set[gone], None, "{gone}");
        }
        assert_eq!(set["AWS_REGION"].as_deref(), Some("eu-west-1"));
        assert_eq!(set["NO_PROXY"].as_deref(), Some("127.0.0.1"));
        assert!(!set.contains_key("PATH"));
    }
}
