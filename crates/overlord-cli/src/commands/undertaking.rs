//! The one way to change a team's place: under its lease, and written into its history. Every mutating command's `run` is a
//! call of [`on_team`], with all that it does in the closure.
use crate::session::Session;
use aws_core::{
    Result,
    model::TeamName,
    registry::{history::Book, lease::Place},
};
use std::{collections::BTreeMap, path::Path};
use terminal::{Exit, Task, Undertaking, flags::Lock, undertake};

/// What a change is about, beside the team.
#[derive(Default)]
pub(super) struct Change<'a> {
    /// Whether nothing is written: that needs neither lease nor history.
    pub(super) dry_run: bool,
    /// The team's file, for a command that goes by it and by the organization's.
    pub(super) file: Option<Option<&'a Path>>,
    /// Whether the team is gone afterwards.
    pub(super) ends: bool,
}

/// Does `work` under the team's lease, and writes it down. `work` is where looking begins: what was looked at before may have
/// been changed by whoever had the lease.
pub(super) async fn on_team(
    session: &Session,
    name: &TeamName,
    lock: &Lock,
    change: Change<'_>,
    work: impl AsyncFnOnce(&Undertaking) -> Result<Exit>,
) -> Result<Exit> {
    if change.dry_run {
        return work(&Undertaking::default()).await;
    }
    let mut documents = BTreeMap::new();
    if let Some(file) = change.file {
        documents.insert("organization".to_owned(), session.loaded.text.clone());
        documents.extend(session.team_text(name, file)?.map(|text| ("team".to_owned(), text)));
    }
    let home = session.home().await?;
    let task = Task {
        cloud: &home,
        caller: session.accounts.operator(),
        place: Place::team(session.organization(), name),
        book: Book::team(session.organization(), name),
        tool: concat!("overlord ", env!("CARGO_PKG_VERSION")).into(),
        documents,
        wait: lock.wait_lock,
        ends: change.ends,
    };
    undertake(&session.terminal, &session.cancel, task, work).await
}
