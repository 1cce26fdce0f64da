//! `minion history`
use crate::site::Session;
use aws_core::{
    Error, Result,
    model::ApplicationName,
    registry::history::{self, Book},
};
use clap::Args;
use terminal::{Exit, HistoryFlags};

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(after_help = "The newest run is the first. Also of applications that were deleted. \
AWS shows what was written a few seconds later.")]
pub struct HistoryArgs {
    /// The application
    application: ApplicationName,
    #[command(flatten)]
    flags: HistoryFlags,
}

/// Runs the command.
///
/// # Errors
/// When the history cannot be read, or nothing was ever written.
pub async fn run(session: &Session, args: HistoryArgs) -> Result<Exit> {
    let site = session.site().await?;
    let (name, flags) = (&args.application, &args.flags);
    let book = Book::application(&site.owner(name, None));
    let runs = history::read(&site.cloud, &book, flags.number.into(), flags.diff).await?;
    if runs.is_empty() {
        return Err(Error::not_found(format!(
            "nothing was ever done to an application {name} in {} ({})",
            site.vpc,
            site.cloud.region()
        ))
        .hint(
            "`minion applications` lists those there are; what was done before minion kept a history is not in it.",
        ));
    }
    session.terminal.history(flags, &runs)?;
    Ok(Exit::Done)
}
