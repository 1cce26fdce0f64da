//! `minion versions delete`, and removing several versions at once for `applications delete --cascade`.
use crate::{
    commands::{
        converge::{destroy, tell},
        undertaking::{Change as Task, on_application},
    },
    deployed,
    dns::{Names, names_of, share_of},
    graph::version,
    manifest::{self, Manifest},
    site::{Session, Site},
    traffic::{Share, Weights, in_sync, in_turn, reshare, write, written},
};
use aws_core::{
    Error, Result,
    engine::{Action, Change, Graph, NodeReport, Outcome, Report, Stop, World as _},
    model::{ApplicationName, Owner, VersionName, names::AppVersion},
    resources::leftover,
};
use clap::Args;
use std::{collections::BTreeMap, time::Duration};
use terminal::{
    Exit, Undertaking,
    flags::{Lock, Writes},
};

/// How long resolvers may go on answering with a load balancer's addresses (the TTL of Route 53's aliases to
/// load balancers).
const RESOLVERS: Duration = Duration::from_secs(60);

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
    /// Do not wait until resolvers have forgotten a version that had traffic
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

/// The command line that deletes a version.
pub(super) fn delete_command(id: &AppVersion) -> String {
    format!("minion versions delete {} {}", id.application, id.version)
}

pub(super) async fn run(session: &Session, args: DeleteArgs) -> Result<Exit> {
    let id = AppVersion::new(args.application.clone(), args.version.clone())?;
    let site = session.site().await?;
    let work = async |under: &Undertaking| deleted(session, &site, &args, &id, under).await;
    on_application(session, &site, &id.application, (&args.writes, &args.lock), Task::default(), work).await
}

async fn deleted(
    session: &Session,
    site: &Site,
    args: &DeleteArgs,
    id: &AppVersion,
    under: &Undertaking,
) -> Result<Exit> {
    let terminal = &session.terminal;
    let (start, versions) = tokio::try_join!(
        site.start(Some(&id.application)),
        deployed::versions(&site.cloud, &site.vpc, Some(&id.application), None)
    )?;
    let manifest = start.manifest.as_deref().and_then(|text| manifest::parse(text, "stored manifest").ok());
    let manifest = manifest.unwrap_or_else(|| Manifest::bare(&id.application));
    let names = names_of(site, &versions, Some(&start.settings)).await?;
    let share = share_of(&names, id)?;
    if let (Some(share), false) = (share, args.force) {
        return Err(Error::refused(format!("{id} has {share}% of the traffic"))
            .hint(format!("Move it first: minion traffic {} OTHER_VERSION 100. Or use --force.", id.application)));
    }
    let found = versions.iter().find(|d| d.id == *id);
    if !args.writes.dry_run {
        let size = found.map_or_else(String::new, |d| format!(" with {} instances", d.group.members.len()));
        let traffic = share.map_or_else(String::new, |s| format!(" and {s}% of the traffic"));
        if !terminal.confirmed(&format!("Delete {id}{size}{traffic}?"), "--yes").await? {
            return Ok(Exit::Failed);
        }
    }
    let removal =
        Removal { session, site, manifest: &manifest, names: &names, writes: &args.writes, wait: !args.no_wait };
    let mut removed = removal.versions(std::slice::from_ref(id)).await?;
    under.changed(&removed);
    if removed.changes() == 0 && removed.complete() && found.is_none() {
        return Err(deployed::missing(id, &versions));
    }
    let owner = version::version_owner(&site.owner(&id.application, None), id);
    removal.leftovers(&owner, &mut removed).await?;
    tell(session, &removed, &args.writes, &id.to_string(), true)
}

/// Removing versions of one application, or what is left of them.
pub struct Removal<'a> {
    /// Terminal and Ctrl-C.
    pub session: &'a Session,
    /// Where.
    pub site: &'a Site,
    /// The stored manifest.
    pub manifest: &'a Manifest,
    /// The records of the versions' domains.
    pub names: &'a [Names],
    /// Dry run or not.
    pub writes: &'a Writes,
    /// Whether to wait until resolvers have forgotten versions that had traffic.
    pub wait: bool,
}

impl Removal<'_> {
    /// Removes these versions: their traffic first, then all that belongs to them. What is somebody else's is
    /// found out before the traffic is touched.
    ///
    /// # Errors
    /// When something cannot be read, or the traffic cannot be moved.
    pub async fn versions(&self, ids: &[AppVersion]) -> Result<Report> {
        let cloud = &self.site.cloud;
        let mut graph = Graph::default();
        for id in ids {
            let mut home = None;
            for names in self.names {
                if let Some(zone) = names.home_of(id)? {
                    home = Some((zone.id.as_str(), id.dns_name(&names.domain)));
                }
            }
            let (zone, name) = home.map_or((None, String::new()), |(zone, name)| (Some(zone), name));
            let owner = self.site.owner(&id.application, None);
            version::deletion(&mut graph, id, self.manifest, &owner, cloud.region(), zone, name);
        }
        let plan = destroy(self.session, cloud, &graph, &Writes { dry_run: true, ..*self.writes }).await;
        if !plan.complete() {
            return Ok(plan);
        }
        let mut nodes = self.take_traffic(ids).await?;
        let mut report =
            if self.writes.dry_run { plan } else { destroy(self.session, cloud, &graph, self.writes).await };
        nodes.append(&mut report.nodes);
        // What is not the version's own was only looked at.
        nodes.retain(|n| !matches!(&n.outcome, Outcome::Done(Action::Keep)));
        Ok(Report { nodes })
    }

    /// Gives the versions' traffic to the others, or removes the records when there are no others.
    async fn take_traffic(&self, ids: &[AppVersion]) -> Result<Vec<NodeReport>> {
        let mut nodes = Vec::new();
        let Some(application) = ids.first().map(|id| &id.application) else { return Ok(nodes) };
        let what = format!("the traffic of {application}");
        for Names { domain, .. } in self.names {
            let mut pending = None;
            let (cloud, cancel) = (&self.site.cloud, &self.session.cancel);
            in_turn(cloud, cancel, &what, async || {
                // As it was read already, until others have changed it.
                let names = Names::load(self.site, domain.clone()).await?;
                for weights in names.weights(application)? {
                    let Some((node, change)) = self.take_from(&weights, ids, domain).await? else { continue };
                    nodes.push(node);
                    pending = change.or(pending.take());
                }
                Ok(())
            })
            .await?;
            if let (Some(change), true) = (pending, self.wait) {
                in_sync(self.session, self.site, &change).await?;
                self.let_resolvers_forget().await?;
            }
        }
        Ok(nodes)
    }

    /// Once: what was read may have changed when it is written. What was done, and the change that others wait for.
    async fn take_from(
        &self,
        weights: &Weights,
        ids: &[AppVersion],
        domain: &str,
    ) -> Result<Option<(NodeReport, Option<String>)>> {
        let mut raw = weights.raw();
        let mut shares: Option<BTreeMap<_, _>> = None;
        for id in ids.iter().filter(|id| weights.raw().contains_key(&id.version)) {
            let done = reshare(&raw, &id.version, Share::NONE)?.shares;
            raw = done.iter().map(|(v, s)| (v.clone(), u64::from(s.units()))).collect();
            shares = Some(done);
        }
        let Some(shares) = shares else { return Ok(None) };
        let changes = weights.changes(&shares, domain)?;
        let told: Vec<_> = shares.iter().map(|(v, s)| format!("{v} {s}")).collect();
        let to = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
        let mut change = None;
        if !self.writes.dry_run {
            let step = format!("Taking traffic away at {}", weights.name());
            change = written(&self.session.terminal, &step, write(&self.site.cloud, weights, changes)).await?;
        }
        let now: Vec<_> = weights.percents().iter().map(|(v, p)| format!("{v} {p}%")).collect();
        let node = NodeReport {
            kind: "traffic",
            name: weights.name().to_owned(),
            outcome: Outcome::Done(Action::Update(vec![Change::new("shares", now.join(", "), to)])),
        };
        Ok(Some((node, change.filter(|_| !shares.is_empty()))))
    }

    /// Clients that asked a moment ago still go to the old load balancer.
    async fn let_resolvers_forget(&self) -> Result<()> {
        let step = self.session.terminal.waiting("Waiting for resolvers to forget the old address", RESOLVERS);
        let waited = tokio::select! {
            () = tokio::time::sleep(RESOLVERS) => Ok(()),
            () = self.session.cancel.reached(Stop::Soon) => {
                Err(Error::interrupted("interrupted after the traffic was moved, before anything was deleted"))
            }
        };
        step.end(waited)
    }

    /// Removes what carries the owner's tags beyond what `report` names, adds it there, and lists what may not
    /// be touched.
    ///
    /// # Errors
    /// When the account cannot be searched.
    pub async fn leftovers(&self, owner: &Owner, report: &mut Report) -> Result<()> {
        if !self.writes.dry_run {
            // What was read before the deletion is no longer true.
            self.site.cloud.forget();
        }
        let known = report.nodes.iter().map(|n| (n.kind, n.name.as_str())).collect();
        let found = leftover::search(&self.site.cloud, owner, &known).await?;
        for foreign in &found.foreign {
            self.session.terminal.warn(&format!(
                "{foreign} carries the tags of {}, but minion did not make it; it is left alone",
                owner.application
            ));
        }
        if !found.ours.is_empty() {
            let mut graph = Graph::default();
            leftover::add(&mut graph, owner, found.ours);
            report.nodes.append(&mut destroy(self.session, &self.site.cloud, &graph, self.writes).await.nodes);
        }
        Ok(())
    }
}
