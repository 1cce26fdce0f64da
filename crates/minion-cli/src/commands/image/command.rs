//! Which of the commands of `minion image` it is.
use super::{build, push, run as try_out};
use crate::settings::Settings;
use aws_core::{Result, engine::Cancel};
use clap::{Args, Subcommand};
use terminal::{Exit, Terminal};

/// Arguments of `image`.
#[derive(Debug, Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build an image from a Dockerfile, for the processor of the manifest's instance type
    Build(build::BuildArgs),
    /// Push an image to its registry, and print its digest
    Push(push::PushArgs),
    /// Run an image here as an instance would, and say whether it becomes healthy
    Run(try_out::RunArgs),
}

/// Runs the command. `settings` is asked only where AWS is.
///
/// # Errors
/// Those of the command.
pub async fn run(
    terminal: &Terminal,
    cancel: &Cancel,
    args: ImageArgs,
    settings: impl FnOnce() -> Result<Settings>,
) -> Result<Exit> {
    match args.command {
        Command::Build(args) => build::run(terminal, cancel, args).await,
        Command::Push(args) => push::run(terminal, cancel, args, settings).await,
        Command::Run(args) => try_out::run(terminal, cancel, args, settings).await,
    }
}
