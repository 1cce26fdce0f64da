//! `minion sandbox down`
use super::context::Context;
use aws_core::Result;
use clap::Args;
use docker::Engine;
use sandbox::control;
use terminal::Exit;

/// Arguments of `sandbox down`.
#[derive(Debug, Args)]
pub(super) struct DownArgs {}

/// Removes the sandbox.
pub(super) async fn run(context: &Context, _: &DownArgs) -> Result<Exit> {
    let lock = control::lock(&context.place)?;
    let profile = context.own_profile()?;
    remove(context, true).await?;
    if profile.is_some() {
        context.set_profile(None)?;
    }
    drop(lock);
    let directory = context.place.directory();
    std::fs::remove_dir_all(directory).map_err(|e| {
        aws_core::Error::failed(format!("the sandbox's directory {} cannot be removed: {e}", directory.display()))
    })?;
    Ok(Exit::Done)
}

/// Ends the processes, and removes what has the sandbox's label; with `told`, a line says what that was.
pub(super) async fn remove(context: &Context, told: bool) -> Result<()> {
    context.terminal.during("Stopping the sandbox", control::stop(&context.place)).await?;
    let (label, id) = context.place.label();
    let removing = async { Engine::connect().await?.remove_labelled(&format!("{label}={id}")).await };
    let removed = context.terminal.during("Removing its containers and networks", removing).await?;
    if told && !removed.is_empty() {
        context.terminal.say(&format!("Removed {removed}."));
    }
    Ok(())
}
