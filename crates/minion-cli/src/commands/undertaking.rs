//! The one way to change an application: under its lease, and written into its history. Every mutating command's `run` is a
//! call of [`on_application`], with all that it does in the closure.
use crate::site::{Session, Site};
use aws_core::{
    Result,
    model::ApplicationName,
    registry::{history::Book, lease::Place},
};
use std::collections::BTreeMap;
use terminal::{
    Exit, Task, Undertaking,
    flags::{Lock, Writes},
    undertake,
};

/// What a change is about, beside the application.
#[derive(Default)]
pub(super) struct Change<'a> {
    /// The manifest's text, for a command that stores it.
    pub(super) manifest: Option<&'a str>,
    /// Whether the application is gone afterwards.
    pub(super) ends: bool,
}

/// Does `work` under the application's lease, and writes it down. A dry run needs neither. `work` is where looking begins:
/// what was looked at before may have been changed by whoever had the lease.
pub(super) async fn on_application(
    session: &Session,
    site: &Site,
    name: &ApplicationName,
    (writes, lock): (&Writes, &Lock),
    change: Change<'_>,
    work: impl AsyncFnOnce(&Undertaking) -> Result<Exit>,
) -> Result<Exit> {
    if writes.dry_run {
        return work(&Undertaking::default()).await;
    }
    let owner = site.owner(name, None);
    let manifest = change.manifest.map(|text| ("manifest".to_owned(), text.to_owned()));
    let task = Task {
        cloud: &site.cloud,
        caller: &site.cloud,
        place: Place::application(&owner),
        book: Book::application(&owner),
        tool: concat!("minion ", env!("CARGO_PKG_VERSION")).into(),
        documents: manifest.into_iter().collect::<BTreeMap<_, _>>(),
        wait: lock.wait_lock,
        ends: change.ends,
    };
    undertake(&session.terminal, &session.cancel, task, work).await
}
