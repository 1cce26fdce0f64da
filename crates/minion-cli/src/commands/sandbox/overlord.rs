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
};
use tokio::process::Command;

/// The name of the organization and of its team.
pub(super) const TEAM: &str = "sandbox";

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
    environment(&mut command, running, &directory);
    let ran = command.stdin(Stdio::null()).output().await;
    let ran = ran.map_err(|e| Error::failed(format!("overlord cannot be started: {e}")))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let said = said.trim().lines().map(|line| format!("\n  {line}")).collect::<String>();
    Err(Error::failed(format!("overlord could not make the sandbox's network ({}):{said}", ran.status)))
}

/// The sandbox and nothing else: no profile, role or proxy of this computer.
fn environment(command: &mut Command, running: &Running, home: &Path) {
    let (id, secret) = sandbox::KEY;
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_none_or(|name| name.starts_with("AWS_") || name.starts_with("OVERLORD_")) {
            command.env_remove(name);
        }
    }
    command.env("HOME", home).env("AWS_ENDPOINT_URL", &running.endpoint).env("AWS_REGION", &running.region);
    command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).env("AWS_EC2_METADATA_DISABLED", "true");
}

/// The team's VPC.
pub(super) async fn vpc(cloud: &Cloud) -> Result<String> {
    let found = lookups::vpcs(cloud).await?;
    let vpc = found.into_iter().find(|vpc| vpc.name.as_deref() == Some(TEAM)).map(|vpc| vpc.id);
    vpc.ok_or_else(|| Error::failed("overlord made no VPC for team sandbox"))
}
