//! The command line.
use aws_core::Error;
use clap::{Parser, Subcommand};
use terminal::{Exit, Terminal, flags::Globals};

/// Gives each of a company's teams its place on AWS: network, DNS, roles with guard rails.
#[derive(Debug, Parser)]
#[command(
    name = "overlord",
    version,
    infer_subcommands = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Flags of the terminal.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create, change, list or delete the place of a team
    #[command(subcommand)]
    Team(Team),
}

/// What to do with a team's place.
#[derive(Debug, Subcommand)]
pub enum Team {
    /// Create the place of a team
    Create {
        /// The team
        name: String,
    },
}

/// Runs the command. The first release of `overlord` is still to come: it says so, and changes nothing.
pub fn run(cli: &Cli) -> Exit {
    let Command::Team(Team::Create { name }) = &cli.command;
    let error = Error::failed(format!(
        "the place of team {name} cannot be created: this release of overlord has no commands yet"
    ))
    .hint("See CHANGELOG.md. `minion` works in any VPC that meets docs/network.md.");
    Terminal::new(&cli.globals).error(&error);
    Exit::of(&error)
}
