//! `minion traffic`
use crate::{
    commands::undertaking::{Change as Task, on_application},
    deployed::{self, Deployed},
    dns::{Names, names_of, read_early},
    gate,
    site::{Session, Site},
    traffic::{Resharing, Share, Weights, in_sync, in_turn, reshare, write, written},
};
use aws_core::{
    Error, Result,
    engine::{Action, Change, NodeReport, Outcome, Report, World as _},
    model::{ApplicationName, VersionName, names::AppVersion},
};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use terminal::{
    Cell, Column, Exit, Listing, Terminal, Undertaking,
    flags::{Lock, Output, Writes},
};

/// Arguments of `traffic`.
#[derive(Debug, Args)]
pub struct TrafficArgs {
    /// The application
    application: ApplicationName,
    /// The version that gets the share; without it the shares are shown
    #[arg(requires = "percent")]
    version: Option<VersionName>,
    /// Its share of the traffic, in steps of 0.5; the others keep their proportions
    #[arg(allow_negative_numbers = true)]
    percent: Option<Share>,
    /// Send traffic to a version without a healthy target, or take it from the last one
    #[arg(long)]
    force: bool,
    /// Do not wait until all name servers know the change
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Row {
    application_name: String,
    version: String,
    image: String,
    weight: f64,
    dns_name: String,
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("Application Name"),
            Column::left("Ver."),
            Column::right("Weight"),
            Column::left("Docker Image"),
            Column::left("DNS Name"),
        ];
        COLUMNS
    }
    fn cells(&self, _: jiff::Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(&self.application_name),
            Cell::new(&self.version),
            Cell::new(format!("{}%", self.weight)),
            Cell::new(&self.image),
            Cell::new(&self.dns_name),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["application_name", "version", "image", "weight", "dns_name"]
    }
}

/// Runs the command.
///
/// # Errors
/// What keeps the traffic from being read or moved.
pub async fn run(session: &Session, args: TrafficArgs) -> Result<Exit> {
    let site = session.site().await?;
    if args.percent.is_none() {
        let (versions, names) = look(&site, &args.application).await?;
        return show(session, &site, &names, &versions, &args).await;
    }
    let work = async |under: &Undertaking| shared(session, &site, &args, under).await;
    on_application(session, &site, &args.application, (&args.writes, &args.lock), Task::default(), work).await
}

/// Shares the traffic out anew.
async fn shared(session: &Session, site: &Site, args: &TrafficArgs, under: &Undertaking) -> Result<Exit> {
    let (Some(version), Some(share)) = (&args.version, args.percent) else { return Ok(Exit::Done) };
    let id = AppVersion::new(args.application.clone(), version.clone())?;
    let what = format!("the traffic of {}", args.application);
    let mut tried = None;
    let (exit, change) = in_turn(&site.cloud, &session.cancel, &what, async || {
        let (versions, names) = look(site, &args.application).await?;
        set(session, site, &names, &versions, &id, share, (args, under, &mut tried)).await
    })
    .await?;
    if let (Some(change), false) = (change, args.no_wait) {
        // The next one may change it: name servers take the changes one after another.
        under.let_go().await;
        in_sync(session, site, &change).await?;
    }
    Ok(exit)
}

/// The application's versions, and the records of their domains.
async fn look(site: &Site, application: &ApplicationName) -> Result<(Vec<Deployed>, Vec<Names>)> {
    let versions = deployed::versions(&site.cloud, &site.vpc, Some(application), None);
    let (versions, ()) = tokio::join!(versions, read_early(site));
    let versions = versions?;
    let names = names_of(site, &versions, None).await?;
    Ok((versions, names))
}

async fn show(
    session: &Session,
    site: &Site,
    names: &[Names],
    versions: &[Deployed],
    args: &TrafficArgs,
) -> Result<Exit> {
    if versions.is_empty() {
        site.stored_manifest(&args.application, site.start(Some(&args.application)).await?.manifest.as_deref())?;
    }
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for names in names {
        all.extend(names.weights(&args.application)?);
    }
    for weights in all {
        for (version, weight) in weights.percents() {
            let found = versions.iter().find(|d| d.id.version == version);
            rows.push(Row {
                application_name: args.application.to_string(),
                image: found.map_or("", |d| d.image()).to_owned(),
                version: version.to_string(),
                weight,
                dns_name: weights.name().to_owned(),
            });
            if found.is_none() {
                session.terminal.warn(&format!("{version} has {weight}% of the traffic but no auto scaling group"));
            }
        }
    }
    session.terminal.listing(args.output, &rows)?;
    Ok(Exit::Done)
}

/// What was written last. Until its answer comes, nobody knows whether it is done.
struct Tried {
    report: Report,
    name: String,
    shares: BTreeMap<VersionName, Share>,
}

/// Once: what was read may have changed when it is written. The id of the change that was written, if there was one.
async fn set(
    session: &Session,
    site: &Site,
    names: &[Names],
    versions: &[Deployed],
    id: &AppVersion,
    share: Share,
    (args, under, tried): (&TrafficArgs, &Undertaking, &mut Option<Tried>),
) -> Result<(Exit, Option<String>)> {
    let terminal = &session.terminal;
    let deployed = versions.iter().any(|d| d.id == *id);
    let mut home = None;
    for names in names {
        if let Some(zone) = names.home_of(id)? {
            home = Some((names.weights_in(zone, &id.application)?, &names.domain));
        }
        // A version that is gone may still have a share to take away.
        let stray = names.weights(&id.application)?.into_iter().find(|w| w.raw().contains_key(&id.version));
        if let (None, Some(stray), Share::NONE) = (&home, stray, share) {
            home = Some((stray, &names.domain));
        }
    }
    let Some((weights, domain)) = home else {
        // The last that was left of a version that is gone: it is not there any more, so it was taken away.
        if let (Some(done), Share::NONE) = (tried.take(), share) {
            under.changed(&done.report);
            tell(terminal, &done.name, &done.shares);
            return Ok((Exit::Done, None));
        }
        return Err(no_such_version(versions, id, deployed));
    };
    let done = reshare(&weights.raw(), &id.version, share)?;
    gate(site, &weights, &done, versions, id, args.force).await?;
    let changes = weights.changes(&done.shares, domain)?;
    let report = plan(&weights, &done);
    if args.writes.dry_run {
        terminal.plan(&report, false)?;
        return Ok((args.writes.exit(&report), None));
    }
    if let Some(note) = &done.note {
        terminal.warn(note);
    }
    // It is done, and the answer was lost: the answer to this one says when all name servers know.
    let done_before = tried.take_if(|t| changes.is_empty() && t.name == weights.name() && t.shares == done.shares);
    let (report, changes) = match done_before {
        Some(before) => (before.report, weights.once_more()),
        None if changes.is_empty() => {
            let text = format!("The traffic of {} is shared out that way already; nothing to change.", id.application);
            terminal.say(&text);
            return Ok((Exit::Done, None));
        }
        None => (report, changes),
    };
    let trying = tried.insert(Tried { report, name: weights.name().to_owned(), shares: done.shares.clone() });
    let step = format!("Setting weights of {}", weights.name());
    // An interrupt waits for the look after it, and what it says.
    let _held = session.cancel.in_flight().hold(format!("the traffic of {}", id.application));
    let change = written(terminal, &step, write(&site.cloud, &weights, changes)).await?;
    under.changed(&trying.report);
    if weights.is_empty() {
        // Nothing that the batch could have been refused for: another one's may have come at the same time.
        site.cloud.forget();
        let (_, names) = look(site, &id.application).await?;
        let now: Vec<_> = names.iter().map(|n| n.weights(&id.application)).collect::<Result<Vec<_>>>()?.concat();
        let wanted = done.shares.iter().map(|(v, s)| (v.clone(), u64::from(s.units()))).collect();
        if now.iter().any(|w| w.name() == weights.name() && w.raw() != wanted) {
            return Err(Error::failed(format!("{} was changed by others at the same time", weights.name())).retryable());
        }
    }
    tell(terminal, weights.name(), &done.shares);
    Ok((Exit::Done, change))
}

fn no_such_version(versions: &[Deployed], id: &AppVersion, deployed: bool) -> Error {
    if deployed {
        return Error::refused(format!("{id} has no DNS name yet")).hint(format!(
            "Run `minion versions create {} {} IMAGE` again to complete it.",
            id.application, id.version
        ));
    }
    deployed::missing(id, versions)
}

/// Refuses to send more traffic where nothing answers, and to take it from the last version that has some.
async fn gate(
    site: &Site,
    weights: &Weights,
    done: &Resharing,
    versions: &[Deployed],
    id: &AppVersion,
    force: bool,
) -> Result<()> {
    if force {
        return Ok(());
    }
    if done.shares.is_empty() && !weights.raw().is_empty() {
        return Err(Error::refused(format!("{id} is the last version of {} with traffic", id.application)).hint(
            "Without it the application's name would no longer resolve. Give another version traffic first, or use --force.",
        ));
    }
    // Not the named version alone: when one gets less, the others get more.
    let now = weights.percents();
    let grows = |v: &VersionName, s: &Share| s.percent() > now.get(v).copied().unwrap_or_default();
    let growing = done.shares.iter().filter(|(v, s)| grows(v, s)).map(|(v, _)| v);
    let checks = growing.map(|version| answers(site, versions, &id.application, version)).collect::<Vec<_>>();
    futures::future::try_join_all(checks).await.map(drop)
}

/// Refuses a version that has no healthy target.
async fn answers(
    site: &Site,
    versions: &[Deployed],
    application: &ApplicationName,
    version: &VersionName,
) -> Result<()> {
    let Some(deployed) = versions.iter().find(|d| d.id.version == *version) else {
        return Err(Error::refused(format!(
            "{application} version {version} has no auto scaling group, so nothing would answer"
        ))
        .hint("Use --force to send traffic all the same."));
    };
    let health = gate::health(&site.cloud, &deployed.group.target_groups).await?;
    if health.healthy() > 0 {
        return Ok(());
    }
    let reasons = health.reasons();
    let why = if reasons.is_empty() { "no target is registered".to_owned() } else { reasons.join(", ") };
    Err(Error::refused(format!("{} has no healthy target: {why}", deployed.id))
        .hint(format!("See `minion versions show {application} {version}`. Use --force to send traffic all the same.")))
}

/// The shares that change, as a report of the engine's kind, so that every plan looks the same.
fn plan(weights: &Weights, done: &Resharing) -> Report {
    let now: BTreeMap<_, _> = weights.percents();
    let mut changes = Vec::new();
    let versions: std::collections::BTreeSet<_> = now.keys().chain(done.shares.keys()).collect();
    for version in versions {
        let percent = |p: Option<f64>| p.map_or_else(|| "0%".to_owned(), |p| format!("{p}%"));
        let to = done.shares.get(version).map(|s| s.percent());
        Change::compare(
            &mut changes,
            &format!("traffic of {version}"),
            &percent(now.get(version).copied()),
            &percent(to),
        );
    }
    let action = if changes.is_empty() { Action::Keep } else { Action::Update(changes) };
    Report::from(vec![NodeReport::new("DNS name", weights.name(), Outcome::Done(action))])
}

fn tell(terminal: &Terminal, name: &str, shares: &BTreeMap<VersionName, Share>) {
    let list: Vec<_> = shares.iter().map(|(v, s)| format!("{v} {s}")).collect();
    let list = if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
    terminal.say(&format!("Traffic of {name}: {list}"));
}
