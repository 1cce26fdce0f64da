//! `minion sandbox env`
use super::context::Context;
use crate::user_data::quote;
use aws_core::Result;
use clap::Args;
use sandbox::place::Running;
use std::{collections::BTreeSet, ffi::OsString};
use terminal::Exit;

/// Arguments of `sandbox env`.
#[derive(Debug, Args)]
#[command(after_help = "In a shell: eval \"$(minion sandbox env)\"; aws ec2 describe-instances")]
pub(super) struct EnvArgs {}

/// Prints the exports.
pub(super) async fn run(context: &Context, _: &EnvArgs) -> Result<Exit> {
    let (running, _) = context.up().await?;
    let config = context.config_given.then(|| {
        let path = std::path::absolute(&context.config).unwrap_or_else(|_| context.config.clone());
        path.display().to_string()
    });
    for line in lines(&running, &context.profile, config.as_deref(), std::env::vars_os().map(|(name, _)| name)) {
        context.terminal.line(&line)?;
    }
    Ok(Exit::Done)
}

/// What a shell is to evaluate.
fn lines(
    running: &Running,
    profile: &str,
    config: Option<&str>,
    environment: impl Iterator<Item = OsString>,
) -> Vec<String> {
    let (id, secret) = sandbox::KEY;
    let mut settings = vec![
        ("AWS_ENDPOINT_URL", running.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", &running.region),
        ("AWS_DEFAULT_REGION", &running.region),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_PROXY", "127.0.0.1,localhost"),
        ("no_proxy", "127.0.0.1,localhost"),
        ("MINION_PROFILE", profile),
    ];
    settings.extend(config.map(|config| ("MINION_CONFIG", config)));
    let mut lines: Vec<String> =
        settings.iter().map(|(name, value)| format!("export {name}={}", quote(value))).collect();
    // A session of somewhere else would go along with the key, and some services to addresses of their own.
    let mut unset: BTreeSet<String> =
        ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"].map(str::to_owned).into();
    unset.extend(environment.filter_map(|name| name.into_string().ok()).filter(|name| {
        // Anything else would be no variable of a shell, but words of its own.
        name.starts_with("AWS_ENDPOINT_URL_") && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }));
    lines.push(format!("unset {}", Vec::from_iter(unset).join(" ")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sandbox::context::some_sandbox;

    #[test]
    fn a_shell_gets_what_is_meant() {
        let running = some_sandbox();
        let environment = ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_X; rm -rf /", "PATH"].map(OsString::from);
        let text = lines(&running, "it's mine", Some("/my files/config.yaml"), environment.into_iter()).join("\n");
        for line in [
            "export AWS_ENDPOINT_URL='http://127.0.0.1:4566'",
            "export NO_PROXY='127.0.0.1,localhost'",
            r"export MINION_PROFILE='it'\''s mine'",
            "export MINION_CONFIG='/my files/config.yaml'",
            "unset AWS_ENDPOINT_URL_EC2 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_PROFILE AWS_SESSION_TOKEN",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in {text}");
        }
        assert!(!lines(&running, "p", None, std::iter::empty()).join("\n").contains("MINION_CONFIG"));
    }
}
