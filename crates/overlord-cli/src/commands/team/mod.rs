//! `overlord team`
mod converge;
mod create;
mod delete;
mod import;
mod list;
mod show;

use crate::session::Session;
use aws_core::Result;
use clap::{Args, Subcommand};
use terminal::{Exit, flags::Output};

pub(crate) use converge::plan;

/// Arguments of `team`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TeamArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the teams (what `overlord team` alone does)
    List(Output),
    /// Create the place of a team, or complete it
    Create(create::CreateArgs),
    /// Change a team's place to what its file says, and repair it
    Update(create::CreateArgs),
    /// Show what `create` or `update` would do
    Plan(create::PlanArgs),
    /// Show a team's place
    Show(show::ShowArgs),
    /// Take over a network that exists
    Import(import::ImportArgs),
    /// Delete a team's place
    Delete(delete::DeleteArgs),
}

/// Runs the command.
pub async fn run(session: &Session, args: TeamArgs) -> Result<Exit> {
    match args.command {
        None => Box::pin(list::run(session, args.output)).await,
        Some(Command::List(output)) => Box::pin(list::run(session, output)).await,
        Some(Command::Create(args)) => Box::pin(create::run(session, args, false)).await,
        Some(Command::Update(args)) => Box::pin(create::run(session, args, true)).await,
        Some(Command::Plan(args)) => create::plan(session, args).await,
        Some(Command::Show(args)) => Box::pin(show::run(session, &args)).await,
        Some(Command::Import(args)) => Box::pin(import::run(session, args)).await,
        Some(Command::Delete(args)) => Box::pin(delete::run(session, args)).await,
    }
}
