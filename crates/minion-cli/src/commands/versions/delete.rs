//! `minion versions delete`, and removing several versions at once for `applications delete --cascade`.
use crate::{
    commands::{
        converge::{carry_out, tell},
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

/// The same command finds no traffic to take away, and nobody knows any more when it went.
const UNFORGOTTEN: &str =
    "Clients may go to the version for 60 s yet: the same command, run again, deletes it without waiting for them.";

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
    let wait = !args.no_wait;
    let removal = Removal { session, site, manifest: &manifest, names: &names, writes: &args.writes, wait, under };
    let mut removed = removal.versions(std::slice::from_ref(id)).await?;
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
    /// Where what was done is written down, step by step.
    pub under: &'a Undertaking,
}

/// Traffic that was tried to be taken away at a name: by hosted zone and name.
type Moves = BTreeMap<(String, String), Move>;

/// Until its answer comes, nobody knows whether it is done.
struct Move {
    shares: Change,
    done: bool,
    /// The change that name servers have to know of.
    pending: Option<String>,
}

impl Move {
    fn node(&self, name: &str) -> NodeReport {
        NodeReport::new("traffic", name, Outcome::Done(Action::Update(vec![self.shares.clone()])))
    }
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
            let home = home.as_ref().map(|(zone, name)| (*zone, name.as_str()));
            version::deletion(&mut graph, id, self.manifest, &self.site.owner(&id.application, None), home);
        }
        let plan = carry_out(self.session, cloud, &graph, &Writes { dry_run: true, ..*self.writes }).await;
        if !plan.complete() {
            self.under.hindered(&plan);
            return Ok(plan);
        }
        let mut nodes = self.take_traffic(ids).await?;
        let mut report = plan;
        if !self.writes.dry_run {
            report = carry_out(self.session, cloud, &graph, self.writes).await;
            self.under.changed(&report);
        }
        nodes.append(&mut report.nodes);
        // What is not the version's own was only looked at.
        nodes.retain(|n| !matches!(&n.outcome, Outcome::Done(Action::Keep)));
        Ok(Report::from(nodes))
    }

    /// Gives the versions' traffic to the others, or removes the records when there are no others.
    async fn take_traffic(&self, ids: &[AppVersion]) -> Result<Vec<NodeReport>> {
        let mut nodes = Vec::new();
        let Some(application) = ids.first().map(|id| &id.application) else { return Ok(nodes) };
        let what = format!("the traffic of {application}");
        for Names { domain, .. } in self.names {
            let mut moves = Moves::new();
            let (cloud, cancel) = (&self.site.cloud, &self.session.cancel);
            in_turn(cloud, cancel, &what, async || {
                // As it was read already, until others have changed it.
                let names = Names::load(self.site, domain.clone()).await?;
                for weights in names.weights(application)? {
                    self.take_from(&weights, ids, domain, &mut moves).await?;
                }
                Ok(())
            })
            .await?;
            for ((_, name), tried) in &mut moves {
                if !tried.done {
                    // No record is left at this name: it is done, although the answer was lost.
                    self.moved(name, tried, None);
                }
                nodes.push(tried.node(name));
            }
            let pending: Vec<_> = moves.into_values().filter_map(|m| m.pending).filter(|_| self.wait).collect();
            for change in &pending {
                let known = in_sync(self.session, self.site, change).await;
                known.map_err(|e| e.hint(UNFORGOTTEN))?;
            }
            if !pending.is_empty() {
                self.let_resolvers_forget().await?;
            }
        }
        Ok(nodes)
    }

    /// Writes down that it is done.
    fn moved(&self, name: &str, tried: &mut Move, pending: Option<String>) {
        tried.done = true;
        tried.pending = pending;
        self.under.changed(&Report::from(vec![tried.node(name)]));
    }

    /// Once: what was read may have changed when it is written.
    async fn take_from(&self, weights: &Weights, ids: &[AppVersion], domain: &str, moves: &mut Moves) -> Result<()> {
        let place = (weights.zone_id().to_owned(), weights.name().to_owned());
        let mut raw = weights.raw();
        let mut shares: Option<BTreeMap<_, _>> = None;
        for id in ids.iter().filter(|id| weights.raw().contains_key(&id.version)) {
            let done = reshare(&raw, &id.version, Share::NONE)?.shares;
            raw = done.iter().map(|(v, s)| (v.clone(), u64::from(s.units()))).collect();
            shares = Some(done);
        }
        let (changes, waits) = if let Some(shares) = shares {
            let now: Vec<_> = weights.percents().iter().map(|(v, p)| format!("{v} {p}%")).collect();
            let told: Vec<_> = shares.iter().map(|(v, s)| format!("{v} {s}")).collect();
            let to = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
            let changes = weights.changes(&shares, domain)?;
            let shares_change = Change::new("shares", now.join(", "), to);
            moves.insert(place.clone(), Move { shares: shares_change, done: false, pending: None });
            (changes, !shares.is_empty())
        } else if moves.get(&place).is_some_and(|m| !m.done) {
            // It is done, and the answer was lost: the answer to this one says when all name servers know.
            (weights.once_more(), true)
        } else {
            return Ok(());
        };
        let mut change = None;
        if !self.writes.dry_run {
            let step = format!("Taking traffic away at {}", weights.name());
            change = written(&self.session.terminal, &step, write(&self.site.cloud, weights, changes)).await?;
        }
        if let Some(tried) = moves.get_mut(&place) {
            self.moved(weights.name(), tried, change.filter(|_| waits));
        }
        Ok(())
    }

    /// Clients that asked a moment ago still go to the old load balancer.
    async fn let_resolvers_forget(&self) -> Result<()> {
        let step = self.session.terminal.waiting("Waiting for resolvers to forget the old address", RESOLVERS);
        let waited = tokio::select! {
            () = tokio::time::sleep(RESOLVERS) => Ok(()),
            () = self.session.cancel.reached(Stop::Soon) => {
                let told = "interrupted after the traffic was moved, before anything was deleted";
                Err(Error::interrupted(told).hint(UNFORGOTTEN))
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
            let mut gone = carry_out(self.session, &self.site.cloud, &graph, self.writes).await;
            self.under.changed(&gone);
            report.nodes.append(&mut gone.nodes);
        }
        Ok(())
    }
}
