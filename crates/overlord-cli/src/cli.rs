//! The command line.
use crate::commands;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use terminal::flags::Globals;

/// Gives each of a company's teams its place on AWS: network, DNS, roles with guard rails.
///
/// The organization's file, overlord.yaml, says what holds for all teams; it is looked for in the working directory and
/// upwards. Commands may be shortened as long as they stay unambiguous: `overlord t c red`.
#[derive(Debug, Parser)]
#[command(
    name = "overlord",
    version,
    infer_subcommands = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "First steps:\n  overlord team plan red\n  overlord team create red\n  overlord check\n  minion configure"
)]
pub struct Cli {
    /// Flags of the terminal.
    #[command(flatten)]
    pub globals: Globals,
    /// The organization's file [default: overlord.yaml in the working directory or above it]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List, create, change, show, import or delete the place of a team
    Team(commands::team::TeamArgs),
    /// Show who did what to a team's place, when, from where, and how it ended
    History(commands::history::HistoryArgs),
    /// Compare all teams' places with their files
    Check(commands::check::CheckArgs),
    /// Show the address pool: who holds what, and what is free
    Addresses(commands::addresses::AddressesArgs),
    /// Draw a team's network
    Diagram(commands::diagram::DiagramArgs),
    /// Print the completion script of a shell
    Completions(commands::completions::CompletionsArgs),
}
