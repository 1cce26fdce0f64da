//! What is known of a team before anything is done: its files, its record, its accounts, and what carries its tags.
use crate::{
    accounts::Account,
    addresses,
    graph::{self, Gone, Input},
    organization::{
        Team,
        types::{Interconnect, ParentDomain, Reach, TeamAccount},
    },
    places::{self, Places},
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
        domain::{certificate, delegation, hosted_zone},
        network::{
            peering,
            stray::{self, Stray, StrayKind},
        },
    },
};
use ipnet::{IpNet, Ipv4Net};
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
    /// Delegations of domains that stay, in zones that are no longer their parents.
    pub moved: Vec<(DomainRecord, Spot)>,
    /// Regions in which other teams use the transit gateway.
    pub shared_transit: Vec<String>,
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
        let peered = stored.as_ref().is_some_and(|s| s.interconnect == "peering");
        let needs_others = team.interconnect == Interconnect::Peering || purpose == Purpose::Delete || left;
        let others = if needs_others { teams::list(&home, session.organization()).await? } else { Vec::new() };
        let others: Vec<TeamRecord> = others.into_iter().filter(|r| r.team != team.name).collect();
        let shared_transit = regions_with(&others, "transit-gateway");
        let peering = team.interconnect == Interconnect::Peering;
        let peers = if peering || peered { peers(&team, &others)? } else { Vec::new() };
        let of_stored = || stored.iter().flat_map(|r| r.domains.iter());
        let old: Vec<DomainRecord> =
            of_stored().filter(|o| !record.domains.iter().any(|d| d.name == o.name)).cloned().collect();
        let all: Vec<DomainRecord> = record.domains.iter().chain(&old).cloned().collect();
        let mut places = Places::open(session, &team, &account, &all, peers).await?;
        let gone = old.into_iter().filter_map(|d| places.parents.get(&d.name).map(|s| (d.clone(), *s))).collect();
        let mut moved = Vec::new();
        for before in of_stored().filter(|b| b.delegate) {
            let now = record.domains.iter().find(|d| d.name == before.name);
            if now.is_some_and(|now| now != before) {
                moved.push((before.clone(), places.parent(session, before, &team.regions[0]).await?));
            }
        }
        let owner = session.owner(&team);
        let looks = places.team.iter().map(|(region, spot)| {
            let (cloud, owner) = (places.clouds.at(*spot).clone(), &owner);
            async move { Ok::<_, Error>((region.clone(), stray::strays(&cloud, owner).await?)) }
        });
        let domains: &[DomainRecord] = if purpose == Purpose::Converge { &record.domains } else { &[] };
        let (strays, ()) = futures::try_join!(futures::future::try_join_all(looks), parents(&places, domains))?;
        let strays: BTreeMap<String, Vec<Stray>> = strays.into_iter().collect();
        if stored.is_none() {
            unrecorded(session, &team, &strays).await?;
        }
        Ok(Some(Self { team, record, stored, places, strays, gone, moved, shared_transit, others, owner }))
    }

    /// The graph of all that the team should have.
    pub fn graph(&self, purpose: Purpose, keep_logs: bool) -> Graph<Clouds> {
        graph::graph(&self.input(purpose, keep_logs))
    }

    /// The graph of the ways to other teams that it should not have any more: they go first.
    pub fn leaving(&self) -> Graph<Clouds> {
        let peered = self.stored.as_ref().is_some_and(|s| s.interconnect == "peering");
        let input = self.input(Purpose::Delete, true);
        if peered && self.team.interconnect != Interconnect::Peering {
            graph::leaving(&input)
        } else {
            Graph::default()
        }
    }

    /// The graph of what else it should not have any more: it goes last.
    pub fn gone(&self) -> Graph<Clouds> {
        let left_transit = self.stored.as_ref().is_some_and(|s| s.interconnect == "transit-gateway")
            && self.team.interconnect != Interconnect::TransitGateway;
        let wanted = self.team.features();
        let made = self.stored.iter().flat_map(|s| s.made.iter());
        let off: Vec<&str> = made.map(String::as_str).filter(|m| !wanted.iter().any(|w| w == m)).collect();
        let gone = Gone { domains: &self.gone, moved: &self.moved, left_transit, off: &off };
        graph::gone(&self.input(Purpose::Delete, true), &gone)
    }

    /// Destinations of routes that are ours: the pool, and the networks of teams that were or are peers.
    fn managed(&self) -> Vec<IpNet> {
        let others = self.others.iter().flat_map(|r| r.regions.iter().map(|r| r.cidr));
        self.team.pool.iter().copied().chain(others).map(IpNet::V4).collect()
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
            managed: self.managed(),
            others: &self.others,
            keep_logs,
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
        record.interconnect.clone_from(&stored.interconnect);
        record.domains.extend(self.gone.iter().map(|(d, _)| d.clone()));
        for (before, _) in &self.moved {
            record.domains.iter_mut().filter(|d| d.name == before.name).for_each(|d| d.clone_from(before));
        }
        let missing: Vec<String> = stored.made.iter().filter(|m| !record.made.contains(m)).cloned().collect();
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
async fn unrecorded(session: &Session, team: &Team, strays: &BTreeMap<String, Vec<Stray>>) -> Result<()> {
    let vpc = strays.iter().find_map(|(region, all)| Some((region, all.iter().find(|s| s.kind == StrayKind::Vpc)?)));
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
        // Without a number, a role is one of the current account.
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
    record.domains = team.domains.iter().map(|d| domain(&team.name, d, session)).collect();
    record.interconnect = interconnect(team.interconnect).to_owned();
    record.account_wide = team.account_wide;
    record.made = team.features();
    if let Some(lost) = record.regions.iter().find(|r| !team.regions.contains(&r.region)) {
        return Err(Error::refused(format!(
            "team {} has a network in {}, and its file does not name that region any more",
            team.name, lost.region
        ))
        .hint("A network is not removed by an update: add the region to `regions` again, or delete the whole team."));
    }
    let mut claims: Option<Vec<Claim>> = None;
    for region in &team.regions {
        let cloud = session.accounts.recorded(account, region).await?;
        let place = record.regions.iter().position(|r| r.region == *region);
        let mut network = match place {
            Some(at) => record.regions.remove(at),
            None => {
                let here = session.accounts.recorded(account, session.accounts.region()).await?;
                lookups::check_region(&here, region).await?;
                let claims = match &mut claims {
                    Some(claims) => claims,
                    None => {
                        let home = session.home().await?;
                        claims.insert(teams::claims(&home, session.organization()).await?)
                    }
                };
                // One that an interrupted run left is the team's already.
                let own = claims.iter().find(|c| c.team == team.name && c.region == *region).map(|c| c.cidr);
                let cidr = match own {
                    Some(own) => own,
                    None => choose(session, team, &taken(session, team, claims, &cloud).await?)?,
                };
                claims.push(Claim { cidr, team: team.name.clone(), region: region.clone() });
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

/// What no new network may overlap: other teams' networks, what is reserved, what the VPN leads to, and the networks of
/// all VPCs that the team's account, and the one with the transit gateways, have in this region.
async fn taken(session: &Session, team: &Team, claims: &[Claim], cloud: &Cloud) -> Result<Vec<Ipv4Net>> {
    let network = session.accounts.network(cloud.region()).await?;
    let (own, shared) = futures::try_join!(lookups::vpc_networks(cloud), lookups::vpc_networks(&network))?;
    let mut taken: Vec<Ipv4Net> = claims.iter().map(|c| c.cidr).collect();
    taken.extend(&session.loaded.organization.addresses.reserved);
    taken.extend(team.vpn.iter().flat_map(|v| v.routes.iter().copied()));
    taken.extend(own.into_iter().chain(shared));
    Ok(taken)
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
        email: new.email_of(&team.name, &team.organization),
        role: new.role.clone(),
        unit: new.organizational_unit.clone(),
    };
    before_account(session, team).await?;
    let what = format!("Creating account {} for team {}", wanted.email, team.name);
    let cancel = session.cancel.clone();
    let step = session.terminal.waiting(&what, organizations::ACCOUNT);
    let number = organizations::create(&management, &wanted, cancel, |note, _| step.tick(note)).await;
    let number = step.end(number)?;
    let account = Account { number, role: Some(new.role) };
    let cloud = session.accounts.recorded(&account, &team.regions[0]).await?;
    let what = format!("Waiting until account {} can be used", account.number);
    let step = session.terminal.waiting(&what, organizations::READY);
    let ready = organizations::ready(&cloud, session.cancel.clone(), |note, _| step.tick(note)).await;
    step.end(ready)?;
    Ok(account)
}

/// Checks what can be checked before an account is made, which nobody can take back: free addresses, the regions' names, the
/// parents' zones.
async fn before_account(session: &Session, team: &Team) -> Result<()> {
    let home = session.home().await?;
    let mut claims = teams::claims(&home, session.organization()).await?;
    for region in &team.regions {
        lookups::check_region(&home, region).await?;
        let network = session.accounts.network(region).await?;
        let cidr = choose(session, team, &taken(session, team, &claims, &network).await?)?;
        claims.push(Claim { cidr, team: team.name.clone(), region: region.clone() });
    }
    for domain in team.domains.iter().map(|d| domain(&team.name, d, session)).filter(|d| d.delegate) {
        let cloud = places::parent_cloud(session, &domain, home.region()).await?;
        delegation::parent_zone(&cloud, &domain.parent, domain.zone_id.as_deref()).await?;
    }
    Ok(())
}

/// The account that a file names as a number with a role.
pub fn as_reach(account: &Account) -> TeamAccount {
    TeamAccount::Reach(Reach { account: Some(account.number.clone()), role: account.role.clone(), region: None })
}
