//! `minion applications delete`
use super::create::key_directory;
use crate::{
    commands::{
        converge::{carry_out, tell},
        undertaking::{Change, on_application},
        versions::delete::Removal,
    },
    deployed::{self, Deployed},
    dns::names_of,
    graph::application,
    manifest::Manifest,
    site::{Session, Site},
};
use aws_core::{
    Error, Result,
    engine::Report,
    model::{ApplicationName, Owner, names::AppVersion},
    resources::leftover,
};
use clap::Args;
use std::path::PathBuf;
use terminal::{
    Exit, Undertaking,
    flags::{Lock, Writes},
};

/// Arguments of `applications delete`.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The application
    application: ApplicationName,
    /// Delete its versions too, those with traffic included
    #[arg(long)]
    cascade: bool,
    /// Keep the log group with what the containers wrote
    #[arg(long)]
    keep_logs: bool,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

pub(super) async fn run(session: &Session, args: DeleteArgs) -> Result<Exit> {
    let site = session.site().await?;
    let change = Change { ends: true, ..Change::default() };
    let work = async |under: &Undertaking| deleted(session, &site, &args, under).await;
    on_application(session, &site, &args.application, (&args.writes, &args.lock), change, work).await
}

async fn deleted(session: &Session, site: &Site, args: &DeleteArgs, under: &Undertaking) -> Result<Exit> {
    let (terminal, name) = (&session.terminal, &args.application);
    let (start, deployed) =
        tokio::try_join!(site.start(Some(name)), deployed::versions(&site.cloud, &site.vpc, Some(name), None))?;
    let owner = site.owner(name, None);
    let ids = all_versions(site, name, &owner, &deployed).await?;
    let list: Vec<_> = ids.iter().map(|id| id.version.to_string()).collect();
    if !ids.is_empty() && !args.cascade {
        return Err(Error::refused(format!("application {name} has versions: {}", list.join(", "))).hint(format!(
            "Delete them first (`minion versions delete {name} {}`), or all at once with --cascade.",
            list[0]
        )));
    }
    let manifest = start.manifest.as_deref().and_then(|text| crate::manifest::parse(text, "stored manifest").ok());
    let manifest = manifest.unwrap_or_else(|| Manifest::bare(name));
    // A version that is gone may have left its records: without a domain nobody could tell.
    let names = names_of(site, &deployed, Some(&start.settings)).await?;
    if !args.writes.dry_run {
        let versions = if list.is_empty() { String::new() } else { format!(" and its versions {}", list.join(", ")) };
        let mut traffic = false;
        for names in &names {
            traffic |= !names.percents(name)?.is_empty();
        }
        let traffic = if traffic { ", which have traffic," } else { "" };
        let question = format!("Delete application {name}{versions}{traffic} in {}?", site.vpc);
        if !terminal.confirmed(&question, "--yes").await? {
            return Ok(Exit::Failed);
        }
    }
    let removal =
        Removal { session, site, manifest: &manifest, names: &names, writes: &args.writes, wait: false, under };
    let what = format!("application {name}");
    let mut removed = Report::from(Vec::new());
    if !ids.is_empty() {
        removed = removal.versions(&ids).await?;
        if !removed.complete() {
            return tell(session, &removed, &args.writes, &what, true);
        }
    }
    let graph = application::deletion(name, &owner, site.cloud.region(), args.keep_logs);
    let mut own = carry_out(session, &site.cloud, &graph, &args.writes).await;
    under.changed(&own);
    if own.complete() && own.changes() == 0 && start.manifest.is_none() && ids.is_empty() {
        return Err(Error::not_found(format!(
            "application {name} does not exist in {} ({})",
            site.vpc,
            site.cloud.region()
        ))
        .hint("`minion applications` lists those there are."));
    }
    removed.nodes.append(&mut own.nodes);
    removal.leftovers(&owner, &mut removed).await?;
    let exit = tell(session, &removed, &args.writes, &what, true)?;
    if exit == Exit::Done && !args.writes.dry_run {
        name_key_files(session, &site.vpc, name);
    }
    Ok(exit)
}

/// The versions that have an Auto Scaling group, and those that were begun and never got one: load balancers,
/// target groups and launch templates carry the version's name too.
async fn all_versions(
    site: &Site,
    name: &ApplicationName,
    owner: &Owner,
    deployed: &[Deployed],
) -> Result<Vec<AppVersion>> {
    let found = leftover::search(&site.cloud, owner, &std::collections::BTreeSet::new()).await?;
    let begun = found.ours.iter().filter_map(|f| f.version.as_deref()?.parse().ok());
    let mut ids: Vec<_> = deployed.iter().map(|d| d.id.clone()).collect();
    for version in begun {
        let id = AppVersion::new(name.clone(), version)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The key files on this computer are the operator's: named, not deleted.
fn name_key_files(session: &Session, vpc: &str, name: &ApplicationName) {
    let stem = format!("{}-{vpc}", name.resource());
    for path in key_files(|file| file.starts_with(&stem)) {
        session.terminal.say(&format!("Its private key is still on this computer: {}", path.display()));
    }
}

/// The private keys of all applications in a VPC: `app-<name>-<vpc>.pem`.
pub(crate) fn application_keys(vpc: &str) -> Vec<PathBuf> {
    key_files(|file| file.starts_with("app-") && file.contains(&format!("-{vpc}")))
}

fn key_files(wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(directory) = key_directory() else { return Vec::new() };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let named =
        |path: &PathBuf| path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.ends_with(".pem") && wanted(n));
    entries.filter(named).collect()
}
