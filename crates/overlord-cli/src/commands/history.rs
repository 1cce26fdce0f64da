//! `overlord history`
use crate::session::Session;
use aws_core::{
    Error, Result,
    model::TeamName,
    registry::history::{self, Book},
};
use clap::Args;
use terminal::{Exit, HistoryFlags};

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(after_help = "The newest run is the first. Also of teams that were deleted. \
AWS shows what was written a few seconds later.")]
pub struct HistoryArgs {
    /// The team
    team: TeamName,
    #[command(flatten)]
    flags: HistoryFlags,
}

/// Runs the command.
///
/// # Errors
/// When the history cannot be read, or nothing was ever written.
pub async fn run(session: &Session, args: HistoryArgs) -> Result<Exit> {
    let home = session.home().await?;
    let (name, flags) = (&args.team, &args.flags);
    let book = Book::team(session.organization(), name);
    let runs = history::read(&home, &book, flags.number.into(), flags.diff).await?;
    if runs.is_empty() {
        return Err(Error::not_found(format!("nothing was ever done to a team {name}")).hint(
            "`overlord team` lists those there are; what was done before overlord kept a history is not in it.",
        ));
    }
    session.terminal.history(flags, &runs)?;
    Ok(Exit::Done)
}
