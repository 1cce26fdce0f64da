//! `minion versions delete`, and removing several versions at once for `applications delete --cascade`.
use crate::{
    commands::converge::destroy,
    deployed::{self, Deployed},
    dns::Names,
    graph::version,
    manifest::{self, Manifest},
    site::{Session, Site},
    traffic::{Share, reshare, write},
};
use aws_core::{
    Error, Result,
    engine::{Graph, Report, World as _},
    model::{ApplicationName, Owner, VersionName, names::AppVersion},
    resources::leftover,
};
use clap::Args;
use std::collections::BTreeMap;
use terminal::{Exit, flags::Writes};

/// Arguments of `versions delete`.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The application
    application: ApplicationName,
    /// The version
    version: VersionName,
    /// Delete it although it has traffic; the other versions get its share
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    writes: Writes,
}

/// The command line that deletes a version.
pub(super) fn delete_command(id: &AppVersion) -> String {
    format!("minion versions delete {} {}", id.application, id.version)
}

pub(super) async fn run(session: &Session, args: DeleteArgs) -> Result<Exit> {
    let terminal = &session.terminal;
    let id = AppVersion::new(args.application.clone(), args.version.clone())?;
    let site = session.site().await?;
    let (start, versions) = tokio::try_join!(
        site.start(Some(&id.application)),
        deployed::versions(&site.cloud, &site.vpc, Some(&id.application), None)
    )?;
    let manifest = start.manifest.as_deref().and_then(|text| manifest::parse(text, "stored manifest").ok());
    let manifest = manifest.unwrap_or_else(|| Manifest::bare(&id.application));
    let names = match site.domain(&start.settings) {
        Ok(domain) => Some(Names::load(&site, domain).await?),
        Err(_) => None,
    };
    let share = names.as_ref().and_then(|n| n.percents(&id.application).get(&id.version).copied());
    if let (Some(share), false) = (share, args.force) {
        return Err(Error::refused(format!("{id} has {share}% of the traffic"))
            .hint(format!("Move it first: minion traffic {} OTHER_VERSION 100. Or use --force.", id.application)));
    }
    if !args.writes.dry_run {
        let found = versions.iter().find(|d| d.id == id);
        let size = found.map_or_else(String::new, |d| format!(" with {} instances", d.group.members.len()));
        if !terminal.confirm(&format!("Delete {id}{size}?"), "--yes")? {
            return Ok(Exit::Failed);
        }
    }
    let exists = versions.iter().any(|d| d.id == id);
    remove_one(session, &site, &manifest, &id, names.as_ref(), &args.writes, exists, &versions).await
}

#[expect(clippy::too_many_arguments, reason = "private; all that was read before the question was asked")]
async fn remove_one(
    session: &Session,
    site: &Site,
    manifest: &Manifest,
    id: &AppVersion,
    names: Option<&Names>,
    writes: &Writes,
    exists: bool,
    versions: &[Deployed],
) -> Result<Exit> {
    let (exit, found) = remove_all(session, site, manifest, std::slice::from_ref(id), names, writes).await?;
    if found == 0 && !exists && exit == Exit::Done {
        let known: Vec<_> = versions.iter().map(|d| d.id.version.to_string()).collect();
        let hint = if known.is_empty() {
            format!("{} has no versions.", id.application)
        } else {
            format!("{} has: {}.", id.application, known.join(", "))
        };
        return Err(Error::not_found(format!("{id} does not exist")).hint(hint));
    }
    Ok(exit)
}

/// Removes these versions of one application: their traffic first, then all that belongs to them.
///
/// # Errors
/// When something cannot be read, or the traffic cannot be moved.
pub async fn remove(
    session: &Session,
    site: &Site,
    manifest: &Manifest,
    ids: &[AppVersion],
    names: Option<&Names>,
    writes: &Writes,
) -> Result<Exit> {
    Ok(remove_all(session, site, manifest, ids, names, writes).await?.0)
}

async fn remove_all(
    session: &Session,
    site: &Site,
    manifest: &Manifest,
    ids: &[AppVersion],
    names: Option<&Names>,
    writes: &Writes,
) -> Result<(Exit, usize)> {
    let mut found = 0;
    if let Some(names) = names {
        found += take_traffic(session, site, ids, names, writes).await?;
    }
    let mut graph = Graph::default();
    let what = match ids {
        [one] => one.to_string(),
        several => format!("{} versions", several.len()),
    };
    let mut owners = Vec::new();
    for id in ids {
        let owner = site.owner(&id.application, None);
        let home = names.map(|n| n.home_of(id)).transpose()?.flatten().map(|z| z.id.as_str());
        let dns_name = names.map(|n| id.dns_name(&n.domain)).unwrap_or_default();
        version::deletion(&mut graph, id, manifest, &owner, site.cloud.region(), home, dns_name);
        owners.push(version::version_owner(&owner, id));
    }
    let (mut exit, report) = destroy(session, &site.cloud, &graph, writes, &what).await?;
    found += report.changes();
    for owner in &owners {
        exit = exit.and(leftovers(session, site, owner, &report, writes).await?);
    }
    Ok((exit, found))
}

/// Gives the versions' traffic to the others, or removes the records when there are no others.
async fn take_traffic(
    session: &Session,
    site: &Site,
    ids: &[AppVersion],
    names: &Names,
    writes: &Writes,
) -> Result<usize> {
    let mut written = 0;
    let Some(application) = ids.first().map(|id| &id.application) else { return Ok(0) };
    for weights in names.weights(application)? {
        let mut raw = weights.raw();
        let mut shares: Option<BTreeMap<_, _>> = None;
        for id in ids.iter().filter(|id| weights.raw().contains_key(&id.version)) {
            let done = reshare(&raw, &id.version, Share::NONE)?.shares;
            raw = done.iter().map(|(v, s)| (v.clone(), u64::from(s.units()))).collect();
            shares = Some(done);
        }
        let Some(shares) = shares else { continue };
        let changes = weights.changes(&shares, &names.domain)?;
        written += changes.len();
        if writes.dry_run {
            session.terminal.line(&format!("~ change traffic of {}: {} records", weights.name(), changes.len()))?;
        } else {
            session
                .terminal
                .during(&format!("Taking traffic away at {}", weights.name()), write(&site.cloud, &weights, changes))
                .await?;
        }
    }
    Ok(written)
}

/// Removes what carries the ownership tags beyond the graph, and lists what may not be touched.
///
/// # Errors
/// When the account cannot be searched.
pub async fn leftovers(
    session: &Session,
    site: &Site,
    owner: &Owner,
    report: &Report,
    writes: &Writes,
) -> Result<Exit> {
    // What was read before the deletion is no longer true.
    if !writes.dry_run {
        site.cloud.forget();
    }
    let known = report.nodes.iter().map(|n| (n.kind, n.name.as_str())).collect();
    let found = leftover::search(&site.cloud, owner, &known).await?;
    for foreign in &found.foreign {
        session.terminal.warn(&format!(
            "{foreign} carries the tags of {}, but minion did not make it; it is left alone",
            owner.application
        ));
    }
    if found.ours.is_empty() {
        return Ok(Exit::Done);
    }
    let mut graph = Graph::default();
    leftover::add(&mut graph, owner, found.ours);
    Ok(destroy(session, &site.cloud, &graph, writes, "What else carried its tags").await?.0)
}
