//! What is known of a team before anything is done: its files, its record, its accounts, and what carries its tags.
use crate::{
    accounts::Account,
    addresses,
    graph::{self, Input, Placed},
    organization::{
        Team,
        types::{Interconnect, ParentDomain, Reach, TeamAccount},
    },
    places::Places,
    session::Session,
};
use aws_core::{
    Error, Result,
    cloud::{Cloud, Clouds, Spot, lookups, organizations},
    engine::Graph,
    error::Kind,
    model::{TeamName, TeamOwner},
    registry::teams::{self, Claim, DomainRecord, RegionRecord, TeamRecord, ZoneRecord},
    resources::{
        domain::delegation,
        network::{
            peering,
            stray::{self, Stray},
        },
    },
};
use ipnet::Ipv4Net;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Everything about one team in one run.
pub struct Survey {
    /// What the files say.
    pub team: Team,
    /// What is to be remembered: the stored record with what the files add, or a draft of the first one.
    pub record: TeamRecord,
    /// What is stored; `None`: the team is new.
    pub stored: Option<TeamRecord>,
    /// Connections.
    pub places: Places,
    /// What carries the team's tags, by region.
    pub strays: BTreeMap<String, Vec<Stray>>,
    /// Domains that are no longer asked for, with the places of their parents.
    pub gone: Vec<(DomainRecord, Spot)>,
    /// Regions in which other teams use the transit gateway.
    pub shared_transit: Vec<String>,
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
    /// Reads it all. A team whose account is still to be made has none: `None`.
    ///
    /// # Errors
    /// What AWS answers; a refusal when files and record contradict each other.
    pub async fn make(
        session: &Session,
        team: Team,
        stored: Option<TeamRecord>,
        purpose: Purpose,
    ) -> Result<Option<Self>> {
        let home = session.home().await?;
        let known = stored.as_ref().map(|r| Account { number: r.account.clone(), role: r.role.clone() });
        let account = match purpose {
            Purpose::Converge => session.accounts.of_team(&team.account, known.as_ref()).await?,
            Purpose::Delete => known,
        };
        let Some(account) = account else { return Ok(None) };
        let record = match (&stored, purpose) {
            (Some(stored), Purpose::Delete) => stored.clone(),
            _ => draft(session, &team, stored.as_ref(), &account).await?,
        };
        let left = stored.as_ref().is_some_and(|s| s.interconnect != interconnect(team.interconnect));
        let needs_others = team.interconnect == Interconnect::Peering || purpose == Purpose::Delete || left;
        let others = if needs_others { teams::list(&home, session.organization()).await? } else { Vec::new() };
        let others: Vec<TeamRecord> = others.into_iter().filter(|r| r.team != team.name).collect();
        let shared_transit = regions_with(&others, "transit-gateway");
        let peers = if team.interconnect == Interconnect::Peering { peers(&team, &others)? } else { Vec::new() };
        let old =
            stored.iter().flat_map(|r| r.domains.iter()).filter(|o| !record.domains.iter().any(|d| d.name == o.name));
        let old: Vec<DomainRecord> = old.cloned().collect();
        let all: Vec<DomainRecord> = record.domains.iter().chain(&old).cloned().collect();
        let places = Places::open(session, &team, &account, &all, peers).await?;
        let gone = old.into_iter().filter_map(|d| places.parents.get(&d.name).map(|s| (d.clone(), *s))).collect();
        let owner = session.owner(&team);
        let looks = places.team.iter().map(|(region, spot)| {
            let (cloud, owner) = (places.clouds.at(*spot).clone(), &owner);
            async move { Ok::<_, Error>((region.clone(), stray::strays(&cloud, owner).await?)) }
        });
        let domains: &[DomainRecord] = if purpose == Purpose::Converge { &record.domains } else { &[] };
        let (strays, ()) = futures::try_join!(futures::future::try_join_all(looks), parents(&places, domains))?;
        let strays = strays.into_iter().collect();
        Ok(Some(Self { team, record, stored, places, strays, gone, shared_transit, owner }))
    }

    /// The graph of all that the team should have.
    pub fn graph(&self, purpose: Purpose, keep_logs: bool) -> (Graph<Clouds>, Vec<Placed>) {
        graph::graph(&self.input(purpose, keep_logs))
    }

    /// The graph of what it should not have any more.
    pub fn gone(&self) -> Graph<Clouds> {
        let left_transit = self.stored.as_ref().is_some_and(|s| s.interconnect == "transit-gateway")
            && self.team.interconnect != Interconnect::TransitGateway;
        graph::gone(&self.input(Purpose::Delete, true), &self.gone, left_transit)
    }

    fn input(&self, purpose: Purpose, keep_logs: bool) -> Input<'_> {
        Input {
            team: &self.team,
            record: &self.record,
            owner: self.owner.clone(),
            places: &self.places,
            strays: &self.strays,
            destroying: purpose == Purpose::Delete,
            shared_transit: &self.shared_transit,
            keep_logs,
        }
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

/// The regions of teams that reach each other in this way.
fn regions_with(records: &[TeamRecord], interconnect: &str) -> Vec<String> {
    let mut all: Vec<String> = records
        .iter()
        .filter(|r| r.interconnect == interconnect)
        .flat_map(|r| r.regions.iter().map(|r| r.region.clone()))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The teams to peer with: those that have a network in one of the regions, and this mode.
fn peers(team: &Team, others: &[TeamRecord]) -> Result<Vec<TeamRecord>> {
    let there = |r: &RegionRecord| r.vpc.is_some() && team.regions.contains(&r.region);
    let peers: Vec<TeamRecord> =
        others.iter().filter(|r| r.interconnect == "peering" && r.regions.iter().any(there)).cloned().collect();
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

fn domain(team: &TeamName, parent: &ParentDomain, session: &Session) -> DomainRecord {
    let reach = parent.account.clone().unwrap_or_else(|| session.loaded.organization.accounts.home.clone());
    let Reach { account, role, .. } = reach;
    DomainRecord {
        name: format!("{team}.{}", parent.name),
        parent: parent.name.clone(),
        role: role.or_else(|| account.as_ref().and_then(|_| session.loaded.organization.accounts.role.clone())),
        account,
        zone_id: parent.zone_id.clone(),
        delegate: parent.delegate,
    }
}

/// The record as it should be: what is stored stays, what the files add is chosen now.
async fn draft(session: &Session, team: &Team, stored: Option<&TeamRecord>, account: &Account) -> Result<TeamRecord> {
    let mut record = stored.cloned().unwrap_or_else(|| TeamRecord {
        team: team.name.clone(),
        account: account.number.clone(),
        role: account.role.clone(),
        regions: Vec::new(),
        domains: Vec::new(),
        found: Vec::new(),
        interconnect: String::new(),
        account_wide: false,
        created: Timestamp::now(),
    });
    record.role = account.role.clone();
    record.domains = team.domains.iter().map(|d| domain(&team.name, d, session)).collect();
    record.interconnect = interconnect(team.interconnect).to_owned();
    record.account_wide = team.account_wide;
    if let Some(lost) = record.regions.iter().find(|r| !team.regions.contains(&r.region)) {
        return Err(Error::refused(format!(
            "team {} has a network in {}, and its file does not name that region any more",
            team.name, lost.region
        ))
        .hint("A network is not removed by an update: add the region to `regions` again, or delete the whole team."));
    }
    let mut taken: Option<Vec<Ipv4Net>> = None;
    for region in &team.regions {
        let cloud = session.accounts.recorded(account, region).await?;
        let place = record.regions.iter().position(|r| r.region == *region);
        let mut network = match place {
            Some(at) => record.regions.remove(at),
            None => {
                let here = session.accounts.recorded(account, session.accounts.region()).await?;
                lookups::check_region(&here, region).await?;
                let taken = match &mut taken {
                    Some(taken) => taken,
                    None => taken.insert(claimed(session, team).await?),
                };
                taken.extend(in_use(session, &cloud).await?);
                let cidr = choose(session, team, taken)?;
                taken.push(cidr);
                RegionRecord { region: region.clone(), cidr, zones: Vec::new(), vpc: None }
            }
        };
        zones(team, &cloud, &mut network).await?;
        record.regions.push(network);
    }
    Ok(record)
}

/// The mode's word in records.
fn interconnect(mode: Interconnect) -> &'static str {
    match mode {
        Interconnect::TransitGateway => "transit-gateway",
        Interconnect::Peering => "peering",
        Interconnect::None => "none",
    }
}

/// What no new network may overlap: other networks, what is reserved, what the VPN leads to.
async fn claimed(session: &Session, team: &Team) -> Result<Vec<Ipv4Net>> {
    let home = session.home().await?;
    let claims = teams::claims(&home, session.organization()).await?;
    let mut taken: Vec<Ipv4Net> = claims.into_iter().map(|c| c.cidr).collect();
    taken.extend(&session.loaded.organization.addresses.reserved);
    taken.extend(team.vpn.iter().flat_map(|v| v.routes.iter().copied()));
    Ok(taken)
}

/// The networks of all VPCs that the account, and the one of the records, have in this region.
async fn in_use(session: &Session, cloud: &Cloud) -> Result<Vec<Ipv4Net>> {
    let network = session.accounts.network(cloud.region()).await?;
    let (own, shared) = futures::try_join!(lookups::vpc_networks(cloud), lookups::vpc_networks(&network))?;
    Ok(own.into_iter().chain(shared).collect())
}

fn choose(session: &Session, team: &Team, taken: &[Ipv4Net]) -> Result<Ipv4Net> {
    let pool = &session.loaded.organization.addresses.pool;
    addresses::first_free(pool, taken, team.network_size).ok_or_else(|| {
        Error::refused(format!("the address pool has no free /{} left for team {}", team.network_size, team.name)).hint(
            "`overlord addresses` shows who holds what. Add a network to `addresses.pool`, or give the team a smaller one (`network_size`).",
        )
    })
}

/// Gives each zone its slot: those that have one keep it, new ones take the next.
async fn zones(team: &Team, cloud: &Cloud, network: &mut RegionRecord) -> Result<()> {
    let wanted = usize::from(team.zones);
    if network.zones.len() > wanted {
        return Err(Error::refused(format!(
            "the network of team {} in {} spans {} zones, and its file asks for {wanted}",
            team.name,
            network.region,
            network.zones.len()
        ))
        .hint("Zones can be added, not taken away: what runs there would lose its subnet."));
    }
    if network.zones.len() == wanted {
        return Ok(());
    }
    let all = lookups::zones_of_region(cloud).await?;
    let free = all.iter().filter(|z| !network.zones.iter().any(|n| n.id == z.id));
    let new: Vec<_> = free.take(wanted - network.zones.len()).cloned().collect();
    if network.zones.len() + new.len() < wanted {
        return Err(Error::usage(format!(
            "team {} asks for {wanted} zones, and {} has {}",
            team.name,
            network.region,
            all.len()
        ))
        .hint("Set `zones` for the team, or leave the region out."));
    }
    for zone in new {
        let slot = u8::try_from(network.zones.len()).ok().and_then(|n| addresses::slot(network.cidr, n));
        let slot = slot.ok_or_else(|| Error::refused(format!("{} has no slot left for another zone", network.cidr)))?;
        // A network that was imported may be laid out in another way.
        let there = network.zones.iter().flat_map(|z| [z.public, z.shared, z.private]).flatten();
        let overlap =
            |n: Ipv4Net| [slot.public, slot.shared, slot.private].iter().any(|s| s.contains(&n) || n.contains(s));
        if let Some(other) = there.into_iter().find(|n| overlap(*n)) {
            return Err(Error::refused(format!(
                "the slot for another zone of {} overlaps subnet {other}",
                network.cidr
            ))
            .hint("The network was imported with another layout: it cannot get more zones."));
        }
        network.zones.push(ZoneRecord {
            id: zone.id,
            name: zone.name,
            public: Some(slot.public),
            shared: Some(slot.shared),
            private: Some(slot.private),
        });
    }
    Ok(())
}

/// Makes the account of a team whose file says `new`, and remembers which one it is.
///
/// # Errors
/// What AWS Organizations answers; a usage error when the file does not say how accounts are made.
pub async fn new_account(session: &Session, team: &Team) -> Result<Account> {
    let Some(new) = session.loaded.organization.accounts.new.clone() else {
        return Err(Error::usage(format!(
            "team {} asks for a new account, and nothing says how accounts are made",
            team.name
        ))
        .hint("Add `accounts.new` with an e-mail address to the organization's file."));
    };
    let management = session.accounts.management(session.accounts.region()).await?;
    let wanted = organizations::NewAccount {
        name: team.name.to_string(),
        email: new.email.replace("{team}", team.name.as_str()),
        role: new.role.clone(),
        unit: new.organizational_unit.clone(),
    };
    let what = format!("Creating account {} for team {}", wanted.email, team.name);
    let cancel = session.cancel.clone();
    let number = session.terminal.during(&what, organizations::create(&management, &wanted, cancel)).await?;
    Ok(Account { number, role: Some(new.role) })
}

/// The account that a file names as a number with a role.
pub fn as_reach(account: &Account) -> TeamAccount {
    TeamAccount::Reach(Reach { account: Some(account.number.clone()), role: account.role.clone(), region: None })
}
