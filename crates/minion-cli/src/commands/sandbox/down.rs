//! `minion sandbox down`
use super::context::Context;
use crate::commands::applications::application_keys;
use aws_core::{Error, Result};
use clap::Args;
use docker::{Engine, Removed};
use sandbox::control;
use terminal::Exit;

/// Arguments of `sandbox down`.
#[derive(Debug, Args)]
pub(super) struct DownArgs {}

/// Removes the sandbox.
pub(super) async fn run(context: &Context, _: &DownArgs) -> Result<Exit> {
    let _lock = control::lock(&context.place)?;
    remove(context, true).await?;
    for profile in context.remove_profiles()? {
        // Keys to machines that are no more.
        for key in profile.vpc.iter().flat_map(|vpc| application_keys(vpc)) {
            let removed = std::fs::remove_file(&key);
            removed.map_err(|e| Error::failed(format!("{} cannot be removed: {e}", key.display())))?;
        }
    }
    let left = context.place.remove()?;
    if !left.is_empty() {
        let left: Vec<_> = left.iter().map(|path| path.display().to_string()).collect();
        context.terminal.warn(&format!("not made by the sandbox, and left where it is: {}", left.join(", ")));
    }
    Ok(Exit::Done)
}

/// Ends the processes, and removes what has the sandbox's label; with `told`, lines say so.
pub(super) async fn remove(context: &Context, told: bool) -> Result<()> {
    let terminal = &context.terminal;
    if !told && !control::was_started(&context.place)? {
        return removed(context).await.map(drop);
    }
    terminal.during("Stopping the sandbox", control::stop(&context.place)).await?;
    let removed = terminal.during("Removing its containers and networks", removed(context)).await?;
    if !removed.is_empty() {
        terminal.say(&format!("Removed {removed}."));
    }
    Ok(())
}

async fn removed(context: &Context) -> Result<Removed> {
    let (label, id) = context.place.label();
    Engine::connect().await?.remove_labelled(&format!("{label}={id}")).await
}
