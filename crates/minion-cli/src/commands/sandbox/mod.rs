//! `minion sandbox`: AWS on this computer, whose instances are containers.
mod context;
mod down;
mod env;
mod logs;
mod overlord;
mod serve;
mod status;
mod up;

use crate::settings::PlaceArgs;
use aws_core::{Result, engine::Cancel, error::Kind};
use clap::{Args, Subcommand};
use context::Context;
use std::path::PathBuf;
use terminal::{Exit, Terminal};

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where the sandbox keeps its files; one sandbox for each directory [default: minion/sandbox in the user's state
    /// directory]
    #[arg(long, global = true, env = "MINION_SANDBOX", hide_env = true, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Start the sandbox: an AWS emulator, a team's network in it, and the profile `sandbox`
    Up(up::UpArgs),
    /// Show applications, versions, instances, health, and the addresses to open
    Status(status::StatusArgs),
    /// Stop the sandbox, and remove every container, network, volume and file of it
    Down(down::DownArgs),
    /// Print the settings with which other tools, e.g. `aws`, use the sandbox
    Env(env::EnvArgs),
    /// Show what applications print, or an instance's console
    Logs(logs::LogsArgs),
    /// Run the sandbox; `up` starts this in the background
    #[command(hide = true)]
    Serve,
}

/// Runs the command.
///
/// # Errors
/// What the engine, the emulator or the file system say.
pub async fn run(terminal: &Terminal, cancel: Cancel, place: &PlaceArgs, args: SandboxArgs) -> Result<Exit> {
    let make = matches!(args.command, SandboxCommand::Up(_));
    let context = match Context::new(terminal, cancel, place, args.directory.as_deref(), make) {
        // That is what was wanted.
        Err(error) if matches!(args.command, SandboxCommand::Down(_)) && error.kind() == Kind::NotFound => {
            terminal.say(&format!("Nothing to remove: {error}."));
            return Ok(Exit::Done);
        }
        context => context?,
    };
    match args.command {
        SandboxCommand::Up(args) => up::run(&context, args).await,
        SandboxCommand::Status(args) => status::run(&context, &args).await,
        SandboxCommand::Down(args) => down::run(&context, &args).await,
        SandboxCommand::Env(args) => env::run(&context, &args).await,
        SandboxCommand::Logs(args) => logs::run(&context, args).await,
        SandboxCommand::Serve => serve::run(&context).await,
    }
}
