//! `minion sandbox env`
use super::context::Context;
use aws_core::Result;
use clap::Args;
use terminal::Exit;

/// Arguments of `sandbox env`.
#[derive(Debug, Args)]
#[command(after_help = "In a shell: eval \"$(minion sandbox env)\"; aws ec2 describe-instances")]
pub(super) struct EnvArgs {}

/// Prints the exports.
pub(super) async fn run(context: &Context, _: &EnvArgs) -> Result<Exit> {
    let (running, _) = context.up().await?;
    let (id, secret) = sandbox::KEY;
    let settings = [
        ("AWS_ENDPOINT_URL", running.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", &running.region),
        ("AWS_DEFAULT_REGION", &running.region),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("MINION_PROFILE", &context.profile),
    ];
    for (name, value) in settings {
        context.terminal.line(&format!("export {name}={value}"))?;
    }
    // A session of somewhere else would go along with the key.
    context.terminal.line("unset AWS_SESSION_TOKEN AWS_PROFILE")?;
    Ok(Exit::Done)
}
