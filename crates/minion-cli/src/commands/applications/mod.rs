//! `minion applications`
mod create;
mod delete;
mod list;
mod show;

pub(crate) use delete::application_keys;

use crate::site::Session;
use aws_core::Result;
use clap::{Args, Subcommand};
use terminal::{Exit, flags::Output};

/// Arguments of `applications`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ApplicationsArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the applications (what `minion applications` alone does)
    List(Output),
    /// Create the application of a manifest, or complete it
    Create(create::CreateArgs),
    /// Change an application to what its manifest says
    Update(create::CreateArgs),
    /// Show an application: its manifest, its versions, its traffic
    Show(show::ShowArgs),
    /// Delete an application that has no versions, or with --cascade those too
    Delete(delete::DeleteArgs),
}

/// Runs the command.
pub async fn run(session: &Session, args: ApplicationsArgs) -> Result<Exit> {
    match args.command {
        None => list::run(session, args.output).await,
        Some(Command::List(output)) => list::run(session, output).await,
        Some(Command::Create(args)) => create::run(session, args, false).await,
        Some(Command::Update(args)) => create::run(session, args, true).await,
        Some(Command::Show(args)) => show::run(session, args).await,
        Some(Command::Delete(args)) => delete::run(session, args).await,
    }
}
