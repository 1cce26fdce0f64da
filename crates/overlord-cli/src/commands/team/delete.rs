//! `overlord team delete`
use super::show::not_there;
use crate::{
    commands::undertaking::{Change, on_team},
    organization::{Team, types::TeamAccount},
    session::Session,
    survey::{Purpose, Survey},
};
use aws_core::{
    Error, Result,
    cloud::lookups,
    engine::{Mode, run as engine},
    model::TeamName,
    registry::teams::{self, TeamRecord},
    resources::network::{kinds::KindId, vpc::Vpc},
};
use clap::Args;
use std::collections::BTreeSet;
use terminal::{
    Exit, Undertaking,
    flags::{Lock, Writes},
};

/// Arguments of `team delete`.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The team
    name: TeamName,
    /// Delete the audit trail's log files too; without this, a bucket that holds some stays
    #[arg(long)]
    delete_audit_logs: bool,
    #[command(flatten)]
    writes: Writes,
    #[command(flatten)]
    lock: Lock,
}

pub(super) async fn run(session: &Session, args: DeleteArgs) -> Result<Exit> {
    let change = Change { dry_run: args.writes.dry_run, ends: true, ..Change::default() };
    let work = async |under: &Undertaking| deleted(session, &args, under).await;
    on_team(session, &args.name, &args.lock, change, work).await
}

async fn deleted(session: &Session, args: &DeleteArgs, under: &Undertaking) -> Result<Exit> {
    let (terminal, name) = (&session.terminal, &args.name);
    let home = session.home().await?;
    let stored = teams::read(&home, session.organization(), name).await?.ok_or_else(|| not_there(name))?;
    let team = as_made(session, name, &stored)?;
    let looking = format!("Looking at the place of team {name}");
    let made =
        terminal.during(&looking, Survey::make(session, team, Some(stored.clone()), None, Purpose::Delete)).await?;
    let survey = made.ok_or_else(|| not_there(name))?;
    occupied(session, &survey).await?;
    let graph = survey.deletion(!args.delete_audit_logs);
    let clouds = &survey.places.clouds;
    if args.writes.dry_run {
        let report = engine(&graph, clouds, Mode::Plan, &session.options(), terminal).await;
        terminal.plan(&report, true)?;
        return Ok(args.writes.exit(&report));
    }
    let networks: Vec<String> = stored.regions.iter().map(|r| format!("{} in {}", r.cidr, r.region)).collect();
    terminal.say(&format!(
        "Team {name} in account {}: networks {}; roles, domains and guard rails.",
        stored.account,
        networks.join(", ")
    ));
    let question = "This deletes all of it. Type the team's name to go on";
    if !terminal.confirmed_name(question, name.as_str(), "--yes").await? {
        terminal.say("Nothing was deleted.");
        return Ok(Exit::Failed);
    }
    // After an interrupt, too: the record goes with the last of it.
    let _held = session.cancel.in_flight().hold("the team's record");
    let report = engine(&graph, clouds, Mode::Apply, &session.options(), terminal).await;
    under.changed(&report);
    let exit = terminal.summary(&report, &format!("the place of team {name}"));
    if exit == Exit::Done {
        // The addresses last but one: while the record is there, the same command goes on. All of the team's, those of a run
        // that was cut off too.
        let claims = teams::claims(&home, session.organization()).await?;
        for claim in claims.iter().filter(|c| c.team == *name) {
            under.check()?;
            teams::release(&home, session.organization(), claim).await?;
        }
        under.check()?;
        teams::delete(&home, session.organization(), name).await?;
        terminal.say(&format!("Team {name} is gone."));
    }
    Ok(exit)
}

/// What was made, going by the record; the files fill in the rest. A file that is gone or wrong keeps nobody from deleting.
fn as_made(session: &Session, name: &TeamName, stored: &TeamRecord) -> Result<Team> {
    let mut team = match session.team(name, None) {
        Ok((team, _)) => team,
        Err(e) => {
            session
                .terminal
                .warn(&format!("team {name}'s file cannot be read ({e}): deleting what the record and the tags say"));
            session.resolve(name, None)?
        }
    };
    team.account = TeamAccount::Current;
    team.regions = stored.regions.iter().map(|r| r.region.clone()).collect();
    team.account_wide = stored.account_wide;
    team.interconnect = stored.interconnect;
    if team.regions.is_empty() {
        return Err(Error::failed(format!("the record of team {name} names no region")));
    }
    Ok(team)
}

/// Refuses while somebody else's things are in the networks or zones, or while other teams need the account's own; lists them.
async fn occupied(session: &Session, survey: &Survey) -> Result<()> {
    let team = &survey.team.name;
    let beside: Vec<String> =
        survey.others.iter().filter(|o| o.account == survey.record.account).map(|o| o.team.to_string()).collect();
    if survey.record.account_wide && !beside.is_empty() {
        return Err(Error::refused(format!(
            "team {team} has the roles and guard rails of account {}, which is also the place of: {}",
            survey.record.account,
            beside.join(", ")
        ))
        .hint("Delete those first."));
    }
    let peers: Vec<&String> = survey.others.iter().flat_map(|o| &o.regions).filter_map(|r| r.vpc.as_ref()).collect();
    // The connections with other teams are ours, also when the other one asked for them.
    let ours =
        |o: &lookups::Occupant| o.kind == lookups::PEERING && o.of.as_ref().is_some_and(|of| peers.contains(&of));
    let mut found = Vec::new();
    for (region, spot) in &survey.places.team {
        // By the tags, too: a run that was cut off may not have written down the VPC's id.
        let tagged = survey.strays.get(region).into_iter().flatten().filter(|s| s.kind == KindId::of::<Vpc>());
        let recorded = survey.record.regions.iter().filter(|r| r.region == *region).filter_map(|r| r.vpc.clone());
        let vpcs: BTreeSet<String> = tagged.map(|s| s.id.clone()).chain(recorded).collect();
        for vpc in vpcs {
            let cloud = survey.places.clouds.at(*spot);
            let looking = format!("Checking that {vpc} is empty");
            let all = session.terminal.during(&looking, lookups::occupants(cloud, &vpc, survey.owner())).await?;
            found.extend(all.iter().filter(|o| !ours(o)).map(ToString::to_string));
        }
    }
    if !found.is_empty() {
        return Err(Error::refused(format!("the networks of team {team} are not empty:\n  {}", found.join("\n  ")))
            .hint("Delete applications with `minion applications delete NAME --cascade`, and the rest where it was made; then run the same command again."));
    }
    let domains = survey.record.domains.iter();
    let domains: Vec<_> = domains.filter_map(|d| Some((d.clone(), *survey.places.parents.get(&d.name)?))).collect();
    survey.free(&domains, false).await
}
