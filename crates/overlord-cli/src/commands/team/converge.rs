//! Making a team's place what its files say: look, claim addresses, remember, write.
use crate::{
    accounts::Account,
    graph::{bucket_left, settings_found},
    new_account,
    organization::Team,
    policies,
    session::Session,
    survey::{Purpose, Survey},
};
use aws_core::{
    Error, Result,
    cloud::wait::{Look, Patience, poll_until},
    engine::{Action, Change, Event, Identity as _, Mode, NodeReport, Observer, Outcome, Report, World, run as engine},
    error::Kind as ErrorKind,
    registry::teams::{self, Feature, TeamRecord},
    resources::{
        domain::certificate,
        identity::managed_policy::ManagedPolicy,
        kind::Kind as _,
        network::{
            adopt, default_group::DefaultGroup, kinds::KindId, peering::PeeringConnection, transit::TransitAttachment,
            vpn::VpnConnection,
        },
    },
};
use std::time::Duration;
use terminal::{Exit, Terminal, Undertaking, checked, flags::Writes};

/// Time for a certificate: minutes as a rule, up to half an hour (ACM, "DNS validation").
const ISSUED: Duration = Duration::from_secs(600);
/// Time for a VPC that was just made to be listed (EC2, "Eventual consistency").
const LISTED: Duration = Duration::from_secs(60);
/// How often addresses are chosen again when another operator was faster.
const CHOICES: usize = 8;

/// What is to be made.
pub(crate) struct Wish {
    /// What the files say.
    pub(crate) team: Team,
    /// The name of the team's file.
    pub(crate) file: Option<String>,
    /// The team's record, if there is one.
    pub(crate) stored: Option<TeamRecord>,
}

/// Says what a plan warns of, and nothing of its steps. The run that follows does not say it again.
struct Warnings<'a>(&'a Terminal);
impl Observer for Warnings<'_> {
    fn event(&self, _: Event<'_>) {}
    fn warn(&self, text: &str) {
        Observer::warn(self.0, text);
    }
}

/// The plan: what is made or changed, and what goes.
///
/// `observer` hears what the operator should know of the plan.
///
/// # Errors
/// What could be known without AWS, and is wrong.
pub(crate) async fn plan(session: &Session, survey: &Survey, observer: &dyn Observer) -> Result<Report> {
    let clouds = &survey.places.clouds;
    checked(engine(&survey.graph().0, clouds, Mode::Plan, &session.options(), observer).await)
}

pub(super) async fn run(session: &Session, wish: Wish, writes: &Writes, under: &Undertaking) -> Result<Exit> {
    let terminal = &session.terminal;
    let Wish { team, file, stored } = wish;
    let mut made: Option<Account> = None;
    session.same_file(stored.as_ref(), file.as_deref())?;
    let what = format!("the place of team {}", team.name);
    for _ in 0..CHOICES {
        let looking = format!("Looking at {what}");
        let survey = Survey::make(session, team.clone(), stored.clone(), made.clone(), Purpose::Converge);
        let Some(mut survey) = terminal.during(&looking, survey).await? else {
            if writes.dry_run {
                new_account::check(session, &team).await?;
                terminal.data(&format!("+ create account for team {}\n", team.name))?;
                terminal.say("What is made in it can be planned once it is there.");
                return Ok(if writes.detailed_exitcode { Exit::Changes } else { Exit::Done });
            }
            made = Some(new_account::make(session, &team).await?);
            continue;
        };
        told(session, &survey);
        if writes.dry_run {
            let report = terminal.during("Comparing", plan(session, &survey, &Warnings(terminal))).await?;
            unrecorded(session, &survey, &report).await?;
            terminal.plan(&report, false)?;
            interruptions(session, &report);
            return Ok(writes.exit(&report));
        }
        survey.record.file.clone_from(&file);
        survey.free(&survey.gone, true).await?;
        let planned = plan(session, &survey, &Warnings(terminal)).await?;
        unrecorded(session, &survey, &planned).await?;
        let planned = match hindered(planned) {
            Ok(planned) => planned,
            Err(hindrances) => return Ok(terminal.summary(&hindrances, &what)),
        };
        interruptions(session, &planned);
        // Before the account is touched for the first time: what is right now is left on when the team goes.
        if survey.team.account_wide && !survey.stored.as_ref().is_some_and(|s| s.account_wide) {
            survey.record.found = settings_found(&planned);
        }
        // After an interrupt, too: what was made is written down.
        let _held = session.cancel.in_flight().hold("the team's record");
        if !remember(session, &mut survey, under).await? {
            terminal.say("Another operator took these addresses a moment ago: choosing others.");
            continue;
        }
        return apply(session, survey, &what, under).await;
    }
    Err(Error::failed("other operators keep taking the addresses that were chosen").hint("Run the same command again."))
}

/// Says which networks in which account this is about, before anything else.
fn told(session: &Session, survey: &Survey) {
    let networks: Vec<String> = survey.record.regions.iter().map(|r| format!("{} in {}", r.cidr, r.region)).collect();
    session.terminal.say(&format!(
        "Team {}: {}, account {} ({}).",
        survey.team.name,
        networks.join(", "),
        survey.places.account,
        Account::of(&survey.record).how()
    ));
    survey.notes.iter().for_each(|note| session.terminal.warn_once(note));
}

/// Refuses a team that has its roles and no record: with another `home` every team would seem to be new.
async fn unrecorded(session: &Session, survey: &Survey, plan: &Report) -> Result<()> {
    let there = |n: &NodeReport| {
        n.kind == ManagedPolicy::NAME && matches!(n.outcome, Outcome::Done(Action::Keep | Action::Update(_)))
    };
    if survey.stored.is_some() || !plan.nodes.iter().any(there) {
        return Ok(());
    }
    let what = format!("its roles in account {}", survey.places.account);
    Err(session.no_record(&survey.team.name, &what).await?)
}

/// The plan, unless it may not be carried out: then what stands in the way of it. An account that may not be looked at does
/// not, and keeps back what needs it; nor does what should go and cannot be looked at, and stays. Nothing has been written
/// yet, not even the record.
fn hindered(plan: Report) -> Result<Report, Report> {
    let stands = |n: &NodeReport| match &n.outcome {
        Outcome::Failed(e) if e.kind() == ErrorKind::Interrupted => true,
        Outcome::Failed(e) => !n.absent && e.kind() != ErrorKind::Access,
        Outcome::Done(action) => action.is_refused(),
        Outcome::Cancelled => true,
        Outcome::Left(_) | Outcome::Tolerated(_) | Outcome::Skipped(_) => false,
    };
    if !plan.nodes.iter().any(stands) {
        return Ok(plan);
    }
    let nodes = plan.nodes.into_iter().filter(|n| stands(n) || matches!(n.outcome, Outcome::Failed(_))).map(|mut n| {
        if let Outcome::Done(Action::Update(changes)) = &n.outcome
            && let Err(refusal) = Change::allowed(changes, &n)
        {
            n.outcome = Outcome::Failed(refusal);
        }
        n
    });
    Err(Report::from(nodes.collect::<Vec<_>>()))
}

/// Says which changes interrupt traffic before they are made.
fn interruptions(session: &Session, report: &Report) {
    let changes = |n: &NodeReport| match &n.outcome {
        Outcome::Done(Action::Update(changes)) => changes.clone(),
        _ => Vec::new(),
    };
    let moves = |c: &Change| c.field.starts_with("route to ") && c.from != "-";
    let moved: Vec<String> = report.nodes.iter().flat_map(changes).filter(moves).map(|c| c.to_string()).collect();
    if !moved.is_empty() {
        session.terminal.warn(&format!(
            "Open connections are cut where routes move or go: {} of them. Elastic IP addresses stay allocated.",
            moved.len()
        ));
    }
    if report.nodes.iter().any(|n| n.kind == DefaultGroup::KIND && !changes(n).is_empty()) {
        session
            .terminal
            .warn("What relies on the rules of the VPC's default security group is cut off: it is emptied.");
    }
    let leaves = |n: &&NodeReport| matches!(n.outcome, Outcome::Done(Action::Delete));
    let cut = [KindId::of::<VpnConnection>(), KindId::of::<TransitAttachment>(), KindId::of::<PeeringConnection>()];
    let cuts = |n: &&NodeReport| cut.iter().any(|k| n.kind == k.name() || n.name.starts_with(k.noun()));
    for node in report.nodes.iter().filter(leaves).filter(cuts) {
        session.terminal.warn(&format!("What goes through it is cut: {}", node.name));
    }
}

/// Claims the addresses and writes the record, before anything is made. `false`: somebody else has the addresses.
async fn remember(session: &Session, survey: &mut Survey, under: &Undertaking) -> Result<bool> {
    let home = session.home().await?;
    let organization = session.organization();
    let mut held = Vec::new();
    for claim in survey.new_claims() {
        under.check()?;
        if !teams::claim(&home, organization, &claim).await? {
            for claim in &held {
                teams::release(&home, organization, claim).await?;
            }
            return Ok(false);
        }
        held.push(claim);
    }
    // What goes is remembered until it is gone.
    let mut record = survey.record.clone();
    survey.still_there(&mut record);
    under.check()?;
    if let Some(stored) = &survey.stored {
        if record != *stored {
            teams::write(&home, organization, &record).await?;
        }
    } else {
        teams::create(&home, organization, &record).await?;
    }
    Ok(true)
}

async fn apply(session: &Session, mut survey: Survey, what: &str, under: &Undertaking) -> Result<Exit> {
    let terminal = &session.terminal;
    let (graph, domains) = survey.graph();
    let report = engine(&graph, &survey.places.clouds, Mode::Apply, &session.options(), terminal).await;
    under.changed(&report);
    let exit = terminal.summary(&report, what);
    let changes = report.changes();
    for domain in &mut survey.record.domains {
        if let Some(servers) = domains.get(&domain.name).and_then(|of| of.name_servers(&report, domain)) {
            domain.name_servers = servers;
        }
    }
    // It is the team's until it goes.
    if bucket_left(&report) {
        survey.record.made.push(Feature::AuditTrail);
    }
    let whole = exit == Exit::Done;
    settle(session, &survey, whole, changes > 0, under).await?;
    if !whole {
        return Ok(exit);
    }
    let team = &survey.team;
    if changes == 0 {
        terminal.say(&format!("The place of team {} is as the files say; nothing to change.", team.name));
        return Ok(exit);
    }
    // What follows only looks, for minutes perhaps.
    under.let_go().await;
    certificates(session, &survey).await?;
    let role = if team.account_wide {
        format!("with role {} of account {}", policies::DEPLOYER, survey.places.account)
    } else {
        "in that account".into()
    };
    terminal.say(&format!("Next, {role}: minion configure --region {}", team.regions[0]));
    Ok(exit)
}

/// Brings the record up to date: the VPCs' ids, which peers need; and, when all is done, without what is gone. Without the
/// lease the record is whoever's has it now.
async fn settle(session: &Session, survey: &Survey, whole: bool, changed: bool, under: &Undertaking) -> Result<()> {
    let home = session.home().await?;
    let mut record = survey.record.clone();
    if !whole {
        survey.still_there(&mut record);
    }
    let mut unlisted = Ok(());
    for region in &mut record.regions {
        if region.vpc.is_some() && !changed {
            continue;
        }
        let Some((_, spot)) = survey.places.team.iter().find(|(r, _)| *r == region.region) else { continue };
        let cloud = survey.places.clouds.at(*spot);
        let look = async || {
            World::forget(cloud.as_ref());
            adopt::vpc_of(cloud, survey.owner(), survey.team.name.as_str()).await
        };
        let found = match look().await? {
            None if whole => listed(session, &region.region, || async {
                Ok(look().await?.map_or_else(|| Look::NotYet("AWS does not list it yet".into()), Look::Done))
            })
            .await
            .map(Some),
            found => Ok(found),
        };
        match found {
            Ok(None) => {}
            Ok(found) => region.vpc = found,
            Err(e) => unlisted = Err(e.hint("All is made. Run the same command again: the record lacks the VPC's id.")),
        }
    }
    if survey.stored.as_ref() != Some(&record) {
        under.check()?;
        teams::write(&home, session.organization(), &record).await?;
    }
    unlisted
}

/// Waits until a VPC that was just made is listed.
async fn listed<F>(session: &Session, region: &str, look: impl FnMut() -> F) -> Result<String>
where
    F: Future<Output = Result<Look<String>>>,
{
    let what = format!("the team's VPC to be listed in {region}");
    let step = session.terminal.waiting(&format!("Waiting for {what}"), LISTED);
    let patience = Patience::new(LISTED, session.cancel.clone());
    let end = poll_until(&what, &patience, look, |note, _| step.tick(note)).await;
    step.end(end)
}

/// Waits until AWS has issued the certificates: `minion` takes no other. AWS does within minutes, once the domain can be
/// resolved; where that is not in our hands, it is said and not waited for.
async fn certificates(session: &Session, survey: &Survey) -> Result<()> {
    for (region, spot) in &survey.places.team {
        let cloud = survey.places.clouds.at(*spot);
        for domain in &survey.record.domains {
            let Some(arn) = certificate::of_domain(cloud, survey.owner(), &domain.name).await? else { continue };
            let what = format!("certificate of *.{} in {region}", domain.name);
            if certificate::issued(cloud, &arn).await? {
                continue;
            }
            if !domain.delegate {
                session.terminal.warn(&format!("{what}: AWS issues it once {} is delegated", domain.name));
                continue;
            }
            let look = || async {
                let issued = certificate::issued(cloud, &arn).await?;
                Ok(if issued { Look::Done(()) } else { Look::NotYet("AWS has not seen our record yet".into()) })
            };
            let patience = Patience::new(ISSUED, session.cancel.clone());
            let step = session.terminal.waiting(&format!("Waiting for the {what}"), ISSUED);
            let end = poll_until(&what, &patience, look, |note, _| step.tick(note)).await;
            match step.end(end) {
                Err(e) if e.kind() == ErrorKind::Deadline => session.terminal.warn(&format!(
                    "{e}. Check that {} can be resolved; `minion configure` finds the certificate once it is issued.",
                    domain.name
                )),
                other => other?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_plan_warned_of_is_not_said_again_by_the_run() {
        let (terminal, captured) = Terminal::captured(80, false);
        let plan = Warnings(&terminal);
        let step = Event::Begin { step: 0, text: "Creating VPC red", within: LISTED };
        plan.event(step);
        plan.warn("The quota is nearly reached.");
        assert_eq!(captured.err(), "Warning: The quota is nearly reached.\n");
        // Addresses are chosen again, then all is made.
        Warnings(&terminal).warn("The quota is nearly reached.");
        Observer::warn(&terminal, "The quota is nearly reached.");
        Observer::warn(&terminal, "Log files never expire.");
        assert_eq!(captured.err(), "Warning: The quota is nearly reached.\nWarning: Log files never expire.\n");
    }
}
