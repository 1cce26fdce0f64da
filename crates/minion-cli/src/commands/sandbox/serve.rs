//! `minion sandbox serve`: the sandbox process.
use super::context::Context;
use aws_core::Result;
use terminal::Exit;

/// Runs the sandbox until it is told to stop.
pub(super) async fn run(context: &Context) -> Result<Exit> {
    sandbox::serve(&context.place).await?;
    Ok(Exit::Done)
}
