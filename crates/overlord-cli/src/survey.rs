//! What is known of a team before anything is done: its files, its record, its accounts, and what carries its tags.
use crate::{
    accounts::Account,
    graph::{self, Gone, Input},
    networks,
    organization::{
        Team,
        types::{ParentDomain, Reach},
    },
    places::Places,
    session::Session,
    zones,
};
use aws_core::{
    Error, Result,
    cloud::{Clouds, Spot},
    engine::Graph,
    error::Kind,
    model::{TeamName, TeamOwner},
    registry::teams::{self, Claim, DomainRecord, Feature, Interconnect, RegionRecord, TeamRecord},
    resources::{
        domain::{certificate, delegation, hosted_zone},
        network::{
            kinds::{KindId, Thing},
            peering, stray,
            vpc::Vpc,
        },
    },
};
use ipnet::IpNet;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Everything about one team in one run.
pub struct Survey {
    /// What the files say.
    pub team: Team,
    /// What is to be remembered: the stored record with what the files add, or a draft of the first one.
    pub record: TeamRecord,
    /// What is to be said of what was chosen for it.
    pub notes: Vec<String>,
    /// What is stored; `None`: the team is new.
    pub stored: Option<TeamRecord>,
    /// Connections.
    pub places: Places,
    /// What carries the team's tags, by region.
    pub strays: BTreeMap<String, Vec<Thing>>,
    /// Domains that are no longer asked for, with the places of their parents.
    pub gone: Vec<(DomainRecord, Spot)>,
    /// Delegations of domains that stay, in zones that are no longer their parents.
    pub moved: Vec<(DomainRecord, Spot)>,
    /// The other teams' records, where they matter.
    pub others: Vec<TeamRecord>,
    owner: TeamOwner,
}

/// What a survey is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To create or change what the files ask for.
    Converge,
    /// To delete everything.
    Delete,
}

impl Survey {
    /// Reads it all. `made` is the account that was made for the team a moment ago. A team whose account is still to be
    /// made has none: `None`.
    ///
    /// # Errors
    /// What AWS answers; a refusal when files and record contradict each other.
    pub async fn make(
        session: &Session,
        team: Team,
        stored: Option<TeamRecord>,
        made: Option<Account>,
        purpose: Purpose,
    ) -> Result<Option<Self>> {
        let home = session.home().await?;
        let known = stored.as_ref().map(Account::of).or(made);
        let account = match purpose {
            Purpose::Converge => session.accounts.of_team(&team.account, known.as_ref()).await?,
            Purpose::Delete => known,
        };
        let Some(account) = account else { return Ok(None) };
        let (record, notes) = match (&stored, purpose) {
            (Some(stored), Purpose::Delete) => (stored.clone(), Vec::new()),
            _ => draft(session, &team, stored.as_ref(), &account).await?,
        };
        let was = stored.as_ref().map(|s| s.interconnect);
        let left = was.is_some_and(|was| was != team.interconnect);
        let peered = was == Some(Interconnect::Peering);
        let needs_others = team.interconnect == Interconnect::Peering || purpose == Purpose::Delete || left;
        let others = if needs_others { teams::list(&home, session.organization()).await? } else { Vec::new() };
        let others: Vec<TeamRecord> = others.into_iter().filter(|r| r.team != team.name).collect();
        let peering = team.interconnect == Interconnect::Peering;
        let peers = if peering || peered { peers(&team, &others)? } else { Vec::new() };
        let of_stored = || stored.iter().flat_map(|r| r.domains.iter());
        let old: Vec<DomainRecord> =
            of_stored().filter(|o| !record.domains.iter().any(|d| d.name == o.name)).cloned().collect();
        let all: Vec<DomainRecord> = record.domains.iter().chain(&old).cloned().collect();
        let shares = purpose == Purpose::Converge;
        let mut places = Places::open(session, &team, &account, &all, peers, shares).await?;
        let gone = old.into_iter().filter_map(|d| places.parents.get(&d.name).map(|s| (d.clone(), *s))).collect();
        let mut moved = Vec::new();
        for before in of_stored().filter(|b| b.delegate) {
            let Some(now) = record.domains.iter().find(|d| d.name == before.name) else { continue };
            moved.extend(left_parent(session, &mut places, before, now).await?);
        }
        let owner = session.owner(&team);
        let looks = places.team.iter().map(|(region, spot)| {
            let (cloud, owner) = (places.clouds.at(*spot).clone(), &owner);
            async move { Ok::<_, Error>((region.clone(), stray::strays(&cloud, owner).await?)) }
        });
        let domains: &[DomainRecord] = if purpose == Purpose::Converge { &record.domains } else { &[] };
        let (strays, ()) = futures::try_join!(futures::future::try_join_all(looks), parents(&places, domains))?;
        let strays: BTreeMap<String, Vec<Thing>> = strays.into_iter().collect();
        if stored.is_none() {
            unrecorded(session, &team, &strays).await?;
        }
        Ok(Some(Self { team, record, notes, stored, places, strays, gone, moved, others, owner }))
    }

    /// The graph of all that the team should have, and should not have any more; with its domains.
    pub fn graph(&self) -> (Graph<Clouds>, BTreeMap<String, graph::Domain>) {
        graph::graph(&self.input())
    }

    /// The graph of a team that goes as a whole.
    pub fn deletion(&self, keep_logs: bool) -> Graph<Clouds> {
        graph::deletion(&self.input(), keep_logs)
    }

    /// What it had, and its files no longer ask for.
    fn no_longer(&self) -> Gone<'_> {
        let had = |mode: Interconnect| {
            self.stored.as_ref().is_some_and(|s| s.interconnect == mode) && self.team.interconnect != mode
        };
        let wanted = self.team.features();
        let made = self.stored.iter().flat_map(|s| s.made.iter().copied());
        Gone {
            domains: &self.gone,
            moved: &self.moved,
            left_transit: had(Interconnect::TransitGateway),
            left_peering: had(Interconnect::Peering),
            off: made.filter(|m| !wanted.contains(m)).collect(),
        }
    }

    /// Destinations of routes that are ours: the pool, and the networks of teams that were or are peers.
    fn managed(&self) -> Vec<IpNet> {
        let others = self.others.iter().flat_map(|r| r.regions.iter().map(|r| r.cidr));
        self.team.pool.iter().copied().chain(others).map(IpNet::V4).collect()
    }

    fn input(&self) -> Input<'_> {
        Input {
            team: &self.team,
            record: &self.record,
            owner: self.owner.clone(),
            places: &self.places,
            strays: &self.strays,
            gone: self.no_longer(),
            managed: self.managed(),
            others: &self.others,
        }
    }

    /// Refuses when something still needs one of these domains: taking the delegation away would cut it off. AWS lists
    /// what used a certificate for some minutes after it is gone: without `certificates` that is not asked for.
    ///
    /// # Errors
    /// A refusal that lists the records and what uses the certificates; what AWS answers.
    pub async fn free(&self, domains: &[(DomainRecord, Spot)], certificates: bool) -> Result<()> {
        let main = self.places.clouds.at(self.places.main());
        for (domain, _) in domains {
            let mut users = hosted_zone::in_use(main, &self.owner, &domain.name).await?;
            for (_, spot) in self.places.team.iter().filter(|_| certificates) {
                users.extend(certificate::in_use(self.places.clouds.at(*spot), &self.owner, &domain.name).await?);
            }
            if !users.is_empty() {
                return Err(Error::refused(format!("{} is still in use:\n  {}", domain.name, users.join("\n  ")))
                    .hint("Remove these first; applications go with `minion applications delete`. Nothing was changed.")
                    .hint("AWS lists what used a certificate for some minutes after it is gone."));
            }
        }
        Ok(())
    }

    /// Puts into a record what is to be removed and is still there: a run that is cut off is gone on with.
    pub fn still_there(&self, record: &mut TeamRecord) {
        let Some(stored) = &self.stored else { return };
        record.interconnect = stored.interconnect;
        record.domains.extend(self.gone.iter().map(|(d, _)| d.clone()));
        for (before, _) in &self.moved {
            for domain in record.domains.iter_mut().filter(|d| d.name == before.name) {
                let servers = if before.name_servers.is_empty() { &domain.name_servers } else { &before.name_servers };
                *domain = DomainRecord { name_servers: servers.clone(), ..before.clone() };
            }
        }
        let missing: Vec<Feature> = stored.made.iter().filter(|m| !record.made.contains(m)).copied().collect();
        record.made.extend(missing);
    }

    /// The owner of what is the team's.
    pub fn owner(&self) -> &TeamOwner {
        &self.owner
    }

    /// The claims on the addresses that the record holds and the stored one does not.
    pub fn new_claims(&self) -> Vec<Claim> {
        let stored = |region: &str| self.stored.iter().any(|s| s.regions.iter().any(|r| r.region == region));
        let new = self.record.regions.iter().filter(|r| !stored(&r.region));
        new.map(|r| Claim { cidr: r.cidr, team: self.team.name.clone(), region: r.region.clone() }).collect()
    }
}

/// Refuses a team that has a network and no record: with another `home` every team would seem to be new.
async fn unrecorded(session: &Session, team: &Team, strays: &BTreeMap<String, Vec<Thing>>) -> Result<()> {
    let vpc =
        strays.iter().find_map(|(region, all)| Some((region, all.iter().find(|s| s.kind == KindId::of::<Vpc>())?)));
    let Some((region, vpc)) = vpc else { return Ok(()) };
    let error = session.no_record(&team.name, &format!("a network in {region} ({})", vpc.id)).await?;
    Err(error.hint("If the record is lost: `overlord team import`."))
}

/// Checks that the zones are there in which the domains are to be delegated. An account that may not be looked at is left
/// to the graph, where it keeps back only what needs it.
async fn parents(places: &Places, domains: &[DomainRecord]) -> Result<()> {
    for domain in domains.iter().filter(|d| d.delegate) {
        let Some(spot) = places.parents.get(&domain.name) else { continue };
        let found = delegation::parent_zone(places.clouds.at(*spot), &domain.parent, domain.zone_id.as_deref()).await;
        match found {
            Err(e) if e.kind() != Kind::Access => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// The delegation that a domain had in a zone that is its parent's no longer. The same zone may be spelled in several ways.
async fn left_parent(
    session: &Session,
    places: &mut Places,
    before: &DomainRecord,
    now: &DomainRecord,
) -> Result<Option<(DomainRecord, Spot)>> {
    let parent = |d: &DomainRecord| (d.parent.clone(), d.account.clone(), d.role.clone(), d.zone_id.clone());
    if now.delegate && parent(before) == parent(now) {
        return Ok(None);
    }
    let main = places.team[0].0.clone();
    let spot = places.parent(session, before, &main).await?;
    let left = Some((before.clone(), spot));
    let Some(new) = places.parents.get(&now.name).filter(|_| now.delegate) else { return Ok(left) };
    let zone = async |spot: Spot, d: &DomainRecord| {
        delegation::parent_zone(places.clouds.at(spot), &d.parent, d.zone_id.as_deref()).await
    };
    let same = matches!((zone(spot, before).await, zone(*new, now).await), (Ok(old), Ok(new)) if old == new);
    Ok(left.filter(|_| !same))
}

/// The teams to peer with: those that have a network in one of the regions, and this mode.
fn peers(team: &Team, others: &[TeamRecord]) -> Result<Vec<TeamRecord>> {
    let there = |r: &RegionRecord| r.vpc.is_some() && team.regions.contains(&r.region);
    let peers: Vec<TeamRecord> = others
        .iter()
        .filter(|r| r.interconnect == Interconnect::Peering && r.regions.iter().any(there))
        .cloned()
        .collect();
    for region in &team.regions {
        let count = peers.iter().filter(|p| p.regions.iter().any(|r| r.region == *region)).count();
        if count > peering::PEERINGS {
            return Err(Error::refused(format!(
                "team {} would have {count} peering connections in {region}; AWS takes {} for a VPC",
                team.name,
                peering::PEERINGS
            ))
            .hint(
                "With this many teams use `interconnect: transit-gateway`: one attachment and one route for each team.",
            ));
        }
    }
    Ok(peers)
}

/// A team's domain below one of the organization's.
pub(crate) fn domain(team: &TeamName, parent: &ParentDomain, session: &Session) -> DomainRecord {
    let reach = parent.account.clone().unwrap_or_else(|| session.loaded.organization.accounts.home.clone());
    let Reach { account, role, .. } = reach;
    DomainRecord {
        name: format!("{team}.{}", parent.name),
        parent: parent.name.clone(),
        // Without a number, a role is one of the current account.
        role: role.or_else(|| account.as_ref().and_then(|_| session.loaded.organization.accounts.role.clone())),
        account,
        zone_id: parent.zone_id.clone(),
        delegate: parent.delegate,
        name_servers: Vec::new(),
    }
}

/// The record as it should be: what is stored stays, what the files add is chosen now. And what is to be said of it.
async fn draft(
    session: &Session,
    team: &Team,
    stored: Option<&TeamRecord>,
    account: &Account,
) -> Result<(TeamRecord, Vec<String>)> {
    let mut record = stored.cloned().unwrap_or_else(|| TeamRecord {
        team: team.name.clone(),
        account: account.number.clone(),
        role: account.role.clone(),
        via: account.via,
        regions: Vec::new(),
        domains: Vec::new(),
        found: Vec::new(),
        interconnect: team.interconnect,
        account_wide: false,
        made: Vec::new(),
        file: None,
        created: Timestamp::now(),
    });
    if record.account_wide && !team.account_wide {
        return Err(Error::refused(format!(
            "team {} has the account's roles and guard rails, and its file says `account_wide: false`",
            team.name
        ))
        .hint("That is decided once. Take the key out; or delete the team and create it again."));
    }
    record.role = account.role.clone();
    record.via = account.via;
    let before = std::mem::take(&mut record.domains);
    record.domains = team.domains.iter().map(|d| domain(&team.name, d, session)).collect();
    for domain in &mut record.domains {
        if let Some(before) = before.iter().find(|b| b.name == domain.name) {
            domain.name_servers.clone_from(&before.name_servers);
        }
    }
    record.interconnect = team.interconnect;
    record.account_wide = team.account_wide;
    record.made = team.features();
    if let Some(lost) = record.regions.iter().find(|r| !team.regions.contains(&r.region)) {
        return Err(Error::refused(format!(
            "team {} has a network in {}, and its file does not name that region any more",
            team.name, lost.region
        ))
        .hint("A network is not removed by an update: add the region to `regions` again, or delete the whole team."));
    }
    let new: Vec<&String> =
        team.regions.iter().filter(|region| !record.regions.iter().any(|r| r.region == **region)).collect();
    let mut networks = networks::choose(session, team, account, &new).await?;
    let mut notes = Vec::new();
    for region in &team.regions {
        let place = record.regions.iter().position(|r| r.region == *region);
        let mut network = match place {
            Some(at) => record.regions.remove(at),
            None => {
                let cidr = networks.remove(region).ok_or_else(|| Error::failed(format!("no network for {region}")))?;
                RegionRecord { region: region.clone(), cidr, zones: Vec::new(), vpc: None }
            }
        };
        let cloud = session.accounts.recorded(account, region).await?;
        notes.extend(zones::add(team, &cloud, &mut network).await?);
        record.regions.push(network);
    }
    zones::all_found(team, &record.regions)?;
    Ok((record, notes))
}
