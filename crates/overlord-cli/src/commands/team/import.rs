//! `overlord team import`: a network that exists becomes a team's.
use crate::{
    accounts::Account,
    commands::undertaking::{Change, on_team},
    organization::{Team, types::Zones},
    policies,
    session::Session,
};
use aws_core::{
    Error, Result,
    cloud::Cloud,
    error::Kind,
    model::{TeamName, TeamOwner, names::partition},
    registry::teams::{self, Claim, Interconnect, RegionRecord, TeamRecord, ZoneRecord},
    resources::{
        domain::hosted_zone,
        identity,
        network::adopt::{self, Asked},
    },
};
use clap::Args;
use jiff::Timestamp;
use std::path::PathBuf;
use terminal::{Exit, Undertaking, flags::Lock};

/// Roles that a warning names at most.
const NAMED: usize = 8;

/// Arguments of `team import`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is there is recognized by layer and zone, tagged, and remembered; nothing is made or changed. \
`overlord team plan NAME` then shows what `overlord team update NAME` would add."
)]
pub(super) struct ImportArgs {
    /// The team
    name: TeamName,
    /// The VPC to take over
    #[arg(long, value_name = "VPC_ID")]
    vpc: String,
    /// Its region [default: the team's first one]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The team's file [default: the one in `teams` beside the organization's file, if there is one]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show what would be taken over, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    lock: Lock,
}

pub(super) async fn run(session: &Session, args: ImportArgs) -> Result<Exit> {
    let (team, file) = session.team(&args.name, args.file.as_deref())?;
    let region = args.region.clone().unwrap_or_else(|| team.regions[0].clone());
    if !team.regions.contains(&region) {
        return Err(Error::usage(format!("team {} has no network in {region}, going by its file", args.name))
            .hint("Add the region to `regions`, or give another --region."));
    }
    let change = Change { dry_run: args.dry_run, file: Some(args.file.as_deref()), ..Change::default() };
    let work = async |under: &Undertaking| imported(session, (team, file), region, &args, under).await;
    on_team(session, &args.name, &args.lock, change, work).await
}

async fn imported(
    session: &Session,
    (team, file): (Team, Option<String>),
    region: String,
    args: &ImportArgs,
    under: &Undertaking,
) -> Result<Exit> {
    let (terminal, name) = (&session.terminal, &args.name);
    let home = session.home().await?;
    let stored = teams::read(&home, session.organization(), name).await?;
    let known = stored.as_ref().map(Account::of);
    let account = session.accounts.of_team(&team.account, known.as_ref()).await?.ok_or_else(|| {
        Error::usage(format!("the account of team {name} is still to be made: it has no network to import"))
    })?;
    if let Some(there) = stored.iter().flat_map(|r| &r.regions).find(|r| r.region == region)
        && there.vpc.as_ref() != Some(&args.vpc)
    {
        let vpc = there.vpc.as_deref().unwrap_or("one that is being made");
        return Err(Error::refused(format!("team {name} has a network in {region} already: {} ({vpc})", there.cidr)));
    }
    let cloud = session.accounts.recorded(&account, &region).await?;
    let owner = session.owner(&team);
    let looking = format!("Looking at {}", args.vpc);
    let asked = Asked { pool: &session.loaded.organization.addresses.pool, vpn: team.vpn.is_some() };
    let adoption = terminal.during(&looking, adopt::look(&cloud, &owner, name.as_str(), &args.vpc, asked)).await?;
    adoption.notes.iter().for_each(|n| terminal.warn(n));
    let zones = zones(&cloud, &owner, &team).await?;
    if team.account_wide {
        unbounded(session, &cloud, &account).await?;
    }
    let parts: String =
        adoption.parts.iter().map(|p| format!("= take over {} {} as {}\n", p.kind, p.id, p.name)).collect();
    let mut lines = parts.clone();
    lines.extend(zones.iter().map(|(domain, id)| format!("= take over hosted zone {id} as {domain}\n")));
    terminal.data(&lines)?;
    if let Some(warning) = other_zones(&team.zones, &adoption.zones) {
        terminal.warn(&warning);
    }
    if args.dry_run {
        return Ok(Exit::Done);
    }
    let claim = Claim { cidr: adoption.cidr, team: name.clone(), region: region.clone() };
    let again = stored.iter().flat_map(|r| &r.regions).any(|r| r.region == region);
    if !again {
        under.check()?;
        hold(session, &claim).await?;
    }
    let made = RegionRecord { region, cidr: adoption.cidr, zones: adoption.zones.clone(), vpc: Some(args.vpc.clone()) };
    let fresh = stored.is_none();
    let mut record = stored.unwrap_or_else(|| TeamRecord {
        team: name.clone(),
        account: account.number.clone(),
        role: account.role.clone(),
        via: account.via,
        regions: Vec::new(),
        domains: Vec::new(),
        found: Vec::new(),
        interconnect: Interconnect::None,
        account_wide: false,
        made: Vec::new(),
        file,
        created: Timestamp::now(),
    });
    record.regions.retain(|r| r.region != made.region);
    record.regions.push(made);
    record.regions.sort_by_key(|r| team.regions.iter().position(|t| *t == r.region));
    under.check()?;
    if fresh {
        teams::create(&home, session.organization(), &record).await?;
    } else {
        teams::write(&home, session.organization(), &record).await?;
    }
    let tagging = format!("Tagging {} parts of {}", adoption.parts.len(), args.vpc);
    terminal.during(&tagging, adopt::take(&cloud, &owner, &adoption)).await?;
    under.note(parts.lines().map(|line| line.replacen('=', "~", 1)));
    for (domain, id) in &zones {
        let taking = format!("Taking over hosted zone {id} of {domain}");
        terminal.during(&taking, hosted_zone::adopt(&cloud, &owner, domain)).await?;
        under.note([format!("~ take over hosted zone {id} as {domain}")]);
    }
    terminal.say(&format!("From now on the network is the team's: `overlord team delete {name}` deletes it."));
    terminal.say(&format!("Next: overlord team plan {name}"));
    Ok(Exit::Done)
}

/// What to say when the network's zones are not those that the team's file asks for.
fn other_zones(wanted: &Zones, there: &[ZoneRecord]) -> Option<String> {
    match wanted {
        Zones::Count(count) if usize::from(*count) == there.len() => None,
        Zones::Count(count) => {
            Some(format!("the network spans {} zones, and the team's file asks for {count}", there.len()))
        }
        Zones::Named(ids) => {
            let other: Vec<&str> =
                there.iter().map(|z| z.id.as_str()).filter(|id| !ids.iter().any(|i| i == id)).collect();
            let others = other.join(", ");
            (!other.is_empty()).then(|| format!("the network has zones that the team's file does not name: {others}"))
        }
    }
}

/// The public zones of the team's domains that are to be taken over: domain, id.
async fn zones(cloud: &Cloud, owner: &TeamOwner, team: &Team) -> Result<Vec<(String, String)>> {
    let mut zones = Vec::new();
    for parent in &team.domains {
        let domain = format!("{}.{}", team.name, parent.name);
        zones.extend(hosted_zone::adoptable(cloud, owner, &domain).await?.map(|id| (domain, id)));
    }
    Ok(zones)
}

/// Warns of applications' roles that the boundary does not hold back: whoever passes one to a service has its rights.
async fn unbounded(session: &Session, cloud: &Cloud, account: &Account) -> Result<()> {
    let partition = partition(cloud.region());
    let boundary = format!("arn:{partition}:iam::{}:policy/{}", account.number, policies::BOUNDARY);
    let mut roles = match identity::unbounded(cloud, "app-", &boundary).await {
        Err(e) if e.kind() == Kind::Access => {
            session.terminal.warn(&format!("the account's roles cannot be looked at: {e}"));
            return Ok(());
        }
        other => other?,
    };
    if roles.is_empty() {
        return Ok(());
    }
    let more = roles.len().saturating_sub(NAMED);
    roles.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    session.terminal.warn(&format!(
        "roles of applications without the permissions boundary: {}{more}. Put {} on them once it is there, or the \
         account's users can do with them what it forbids",
        roles.join(", "),
        policies::BOUNDARY
    ));
    Ok(())
}

/// Claims the network's addresses, which must be nobody else's.
async fn hold(session: &Session, claim: &Claim) -> Result<()> {
    let home = session.home().await?;
    let claims = teams::claims(&home, session.organization()).await?;
    let other = claims.iter().find(|c| c.cidr.contains(&claim.cidr) || claim.cidr.contains(&c.cidr));
    if let Some(other) = other.filter(|c| c.team != claim.team) {
        return Err(Error::refused(format!(
            "{} overlaps {}, which team {} has in {}",
            claim.cidr, other.cidr, other.team, other.region
        ))
        .hint("Teams that overlap cannot reach each other: this network cannot be taken over beside the other one."));
    }
    if other.is_some() || teams::claim(&home, session.organization(), claim).await? {
        return Ok(());
    }
    Err(Error::refused(format!("another operator claimed {} a moment ago", claim.cidr)))
}
