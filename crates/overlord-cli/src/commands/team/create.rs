//! `overlord team create`, `update` and `plan`: the same convergence.
use super::converge::{self, Wish};
use crate::{
    commands::undertaking::{Change, on_team},
    organization::Team,
    session::Session,
};
use aws_core::{Error, Result, model::TeamName, registry::teams};
use clap::Args;
use std::path::PathBuf;
use terminal::{
    Exit, Undertaking,
    flags::{Lock, Writes},
};

/// Arguments of `team create` and `team update`.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The team
    name: TeamName,
    /// The team's file [default: the one in `teams` beside the organization's file, if there is one]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

/// Arguments of `team plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The team
    name: TeamName,
    /// The team's file [default: the one in `teams` beside the organization's file, if there is one]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Exit with code 5 when the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) async fn run(session: &Session, args: CreateArgs, update: bool) -> Result<Exit> {
    let (team, file) = session.team(&args.name, args.file.as_deref())?;
    let change = Change { dry_run: args.writes.dry_run, file: Some(args.file.as_deref()), ..Change::default() };
    let work = async |under: &Undertaking| converged(session, (team, file), &args, update, under).await;
    on_team(session, &args.name, &args.lock, change, work).await
}

async fn converged(
    session: &Session,
    (team, file): (Team, Option<String>),
    args: &CreateArgs,
    update: bool,
    under: &Undertaking,
) -> Result<Exit> {
    let home = session.home().await?;
    let stored = teams::read(&home, session.organization(), &team.name);
    let (stored, _) = futures::try_join!(stored, session.accounts.own())?;
    if update && stored.is_none() {
        return Err(Error::not_found(format!("team {} does not exist", team.name))
            .hint(format!("`overlord team create {}` creates it.", team.name)));
    }
    if !update && stored.is_some() && !args.writes.dry_run {
        session.terminal.say(&format!("Team {} exists already: making its place what the files say.", team.name));
    }
    converge::run(session, Wish { team, file, stored }, &args.writes, under).await
}

pub(super) async fn plan(session: &Session, args: PlanArgs) -> Result<Exit> {
    let writes = Writes { dry_run: true, detailed_exitcode: args.detailed_exitcode };
    run(session, CreateArgs { name: args.name, file: args.file, writes, lock: Lock::default() }, false).await
}
