//! `overlord check`: what differs from the files, for all teams at once.
use crate::{
    commands::team::plan,
    organization::LoadedTeam,
    session::Session,
    survey::{Purpose, Survey},
};
use aws_core::{
    Error, Result,
    engine::{Action, Outcome, Quiet, Report},
    error::Kind,
    model::TeamName,
    registry::teams::{self, TeamRecord},
    resources::network::flow_log,
};
use clap::Args;
use futures::{StreamExt as _, stream};
use serde::Serialize;
use std::{collections::BTreeSet, fmt};
use terminal::{Cell, Column, Exit, Listing, flags::Output, look};

/// Teams that are looked at at the same time: each makes some thirty calls, mostly to an account of its own.
const PARALLEL: usize = 8;

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is as the files say, 5 something differs, 4 some teams could not be looked at, 1 none could."
)]
pub struct CheckArgs {
    /// The teams; all of them without any
    names: Vec<TeamName>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Row {
    team: String,
    account: Option<String>,
    state: State,
    changes: Vec<String>,
    errors: Vec<String>,
}

/// A team, compared with its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Differs,
    /// It has a file alone.
    #[serde(rename = "not made")]
    NotMade,
    /// It could not be looked at.
    Failed,
}

impl fmt::Display for State {
    /// The same word in the table as in JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] =
            &[Column::left("Team"), Column::left("Account"), Column::left("State"), Column::right("Changes")];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        let style = match self.state {
            State::Ok => look::GOOD,
            State::Failed => look::BAD,
            State::Differs | State::NotMade => look::WARN,
        };
        let changes = (!self.changes.is_empty()).then_some(self.changes.len());
        vec![
            Cell::new(&self.team),
            Cell::maybe(self.account.as_ref()),
            Cell::styled(self.state, Some(style)),
            Cell::maybe(changes),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["team", "account", "state", "changes", "errors"]
    }
}

/// Runs the command.
///
/// # Errors
/// When the records or the files cannot be read.
pub async fn run(session: &Session, args: CheckArgs) -> Result<Exit> {
    let home = session.home().await?;
    let records = teams::list(&home, session.organization()).await?;
    let files = session.each_file()?;
    let named = files.iter().map(|(name, _)| name);
    let known: BTreeSet<&TeamName> = records.iter().map(|r| &r.team).chain(named).collect();
    if let Some(strange) = args.names.iter().find(|n| !known.contains(n)) {
        return Err(Error::not_found(format!("team {strange} has neither a place nor a file"))
            .hint("`overlord team` lists those there are."));
    }
    let names: Vec<&TeamName> = known.into_iter().filter(|n| args.names.is_empty() || args.names.contains(n)).collect();
    let teams = if names.len() == 1 { "team with its file" } else { "teams with their files" };
    let step = session.terminal.step(&format!("Comparing {} {teams}", names.len()));
    let rows: Vec<Row> = stream::iter(names.iter().map(|name| {
        let stored = records.iter().find(|r| r.team == **name);
        one(session, name, files.iter().find(|(n, _)| n == *name).map(|(_, f)| f), stored)
    }))
    .buffered(PARALLEL)
    .collect()
    .await;
    let rows = step.end(Ok(rows))?;
    for row in &rows {
        for change in &row.changes {
            session.terminal.say(&format!("{}: {change}", row.team));
        }
        for error in &row.errors {
            session.terminal.warn(&format!("{}: {error}", row.team));
        }
    }
    if rows.is_empty() {
        session
            .terminal
            .warn("there are no teams: nothing was compared (`accounts.home` says where their records are)");
    }
    session.terminal.listing(args.output, &rows)?;
    Ok(exit(session, &rows))
}

fn exit(session: &Session, rows: &[Row]) -> Exit {
    let failed = rows.iter().filter(|r| r.state == State::Failed).count();
    if session.cancel.state() != aws_core::engine::Stop::No {
        Exit::Interrupted
    } else if failed > 0 {
        if failed == rows.len() { Exit::Failed } else { Exit::Partly }
    } else if rows.iter().any(|r| r.state != State::Ok) {
        Exit::Changes
    } else {
        Exit::Done
    }
}

/// Looks at one team; what goes wrong is its row's.
async fn one(
    session: &Session,
    name: &TeamName,
    file: Option<&Result<LoadedTeam>>,
    stored: Option<&TeamRecord>,
) -> Row {
    let account = stored.map(|r| r.account.clone());
    let row = |state, changes, errors| Row { team: name.to_string(), account: account.clone(), state, changes, errors };
    if stored.is_none() {
        return row(State::NotMade, vec!["the team has a file and no place".into()], Vec::new());
    }
    let file = match file {
        Some(Err(e)) => return row(State::Failed, Vec::new(), vec![e.to_string()]),
        Some(Ok(file)) => Some(file),
        None => None,
    };
    match compare(session, name, file, stored).await {
        Ok((report, notes)) => {
            let (mut changes, errors) = told(&report);
            changes.extend(notes);
            let state = match (errors.is_empty(), changes.is_empty()) {
                (false, _) => State::Failed,
                (true, false) => State::Differs,
                (true, true) => State::Ok,
            };
            row(state, changes, errors)
        }
        Err(e) => {
            let hints: Vec<&str> = e.hints().iter().map(String::as_str).collect();
            row(State::Failed, Vec::new(), vec![format!("{e}. {}", hints.join(" ")).trim_end().to_owned()])
        }
    }
}

async fn compare(
    session: &Session,
    name: &TeamName,
    file: Option<&LoadedTeam>,
    stored: Option<&TeamRecord>,
) -> Result<(Report, Vec<String>)> {
    session.same_file(stored, file.map(|_| ""))?;
    let team = session.resolve(name, file)?;
    let survey = Survey::make(session, team, stored.cloned(), None, Purpose::Converge).await?;
    let survey = survey.ok_or_else(|| Error::failed(format!("the account of team {name} is not known")))?;
    let report = plan(session, &survey, &Quiet).await?;
    let mut notes = Vec::new();
    for (_, spot) in &survey.places.team {
        // What no plan shows: the flow log is as it should be, and AWS cannot deliver.
        notes.extend(flow_log::notes(survey.places.clouds.at(*spot), survey.owner()).await?);
    }
    Ok((report, notes))
}

/// A report's differences and failures, a line each.
fn told(report: &Report) -> (Vec<String>, Vec<String>) {
    let (mut changes, mut errors) = (Vec::new(), Vec::new());
    for node in &report.nodes {
        match &node.outcome {
            Outcome::Done(Action::Keep | Action::Leave(_))
            | Outcome::Left(_)
            | Outcome::Tolerated(_)
            | Outcome::Skipped(_)
            | Outcome::Cancelled => {}
            Outcome::Done(Action::Create) => changes.push(format!("{node} is missing")),
            Outcome::Done(Action::Delete) => changes.push(format!("{node} is not wanted any more")),
            Outcome::Done(Action::Update(all)) => changes.extend(all.iter().map(|c| format!("{node}: {c}"))),
            Outcome::Failed(e) if e.kind() == Kind::Refused => changes.push(format!("{node}: {e}")),
            Outcome::Failed(e) => errors.push(format!("{node}: {e}")),
        }
    }
    (changes, errors)
}
