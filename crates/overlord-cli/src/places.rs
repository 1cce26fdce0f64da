//! Where the parts of a team's place live: connections to its account in each region, and to the accounts around it.
use crate::{
    accounts::Account,
    organization::{
        Team,
        types::{Interconnect, Reach},
    },
    session::Session,
};
use aws_core::{
    Error, Result,
    cloud::{
        Cloud, Clouds, Spot,
        membership::{Membership, membership},
    },
    registry::teams::{DomainRecord, TeamRecord},
};
use std::{collections::BTreeMap, sync::Arc};

/// Another team that this one has peering connections with.
#[derive(Debug, Clone)]
pub struct PeerTeam {
    /// Its record.
    pub record: TeamRecord,
    /// Its account, by region.
    pub spots: BTreeMap<String, Spot>,
}

/// The connections of a run, and which is which.
pub struct Places {
    /// All of them.
    pub clouds: Clouds,
    /// The team's account, by region, the first one first.
    pub team: Vec<(String, Spot)>,
    /// The account with the transit gateway, by region.
    pub network: BTreeMap<String, Spot>,
    /// Whether that is another account than the team's.
    pub network_apart: bool,
    /// Whether that account and the team's are in one AWS organization; `None`: not known, or of no interest.
    pub one_organization: Option<bool>,
    /// The accounts with the parents' zones, by the team's domain.
    pub parents: BTreeMap<String, Spot>,
    /// The account where tags are activated for bills.
    pub management: Option<Spot>,
    /// The teams to peer with.
    pub peers: Vec<PeerTeam>,
    /// The team's account number.
    pub account: String,
    /// Who may assume the team's roles, beside those who log in by SAML.
    pub trusted: Vec<String>,
}

impl Places {
    /// The team's first region: what an account has once lives there.
    pub fn main(&self) -> Spot {
        self.team[0].1
    }

    /// Makes the connections, and checks that the team's account is the one that it should be. `peers` are the records
    /// of the teams to peer with. `shares`: a share of the transit gateway may be made or changed.
    ///
    /// # Errors
    /// When an account cannot be reached.
    pub async fn open(
        session: &Session,
        team: &Team,
        account: &Account,
        domains: &[DomainRecord],
        peers: Vec<TeamRecord>,
        shares: bool,
    ) -> Result<Self> {
        let accounts = &session.accounts;
        let mut places = Self {
            clouds: Clouds::default(),
            team: Vec::new(),
            network: BTreeMap::new(),
            network_apart: false,
            one_organization: None,
            parents: BTreeMap::new(),
            management: None,
            peers: Vec::new(),
            account: account.number.clone(),
            trusted: team.trusted.clone().unwrap_or_default(),
        };
        if team.trusted.is_none() && team.saml_metadata.is_none() {
            places.trusted.push(session.home().await?.account().await?);
        }
        let several = team.regions.len() > 1;
        for region in &team.regions {
            let cloud = accounts.recorded(account, region).await?;
            let spot = places.clouds.add(cloud.clone(), several.then(|| region.clone()));
            places.team.push((region.clone(), spot));
            let network = accounts.network(region).await?;
            if Arc::ptr_eq(&cloud, &network) {
                places.network.insert(region.clone(), spot);
                continue;
            }
            let label = if several { format!("the network account, {region}") } else { "the network account".into() };
            places.network.insert(region.clone(), places.clouds.add(network, Some(label)));
            places.network_apart = true;
        }
        let main = team.regions[0].as_str();
        let network = places.network.get(main).filter(|_| shares && places.network_apart);
        let one_organization = places.one_organization(session, team, network);
        let (found, one_organization) = futures::join!(places.clouds.at(places.main()).account(), one_organization);
        let found = found.map_err(|e| {
            e.context(format!("account {} of team {}", account.number, team.name)).hint(unreached(account))
        })?;
        if found != account.number {
            return Err(Error::refused(format!(
                "team {} belongs into account {}, and these credentials are account {found}'s",
                team.name, account.number
            ))
            .hint("Log in to the other account, or name the role to assume there."));
        }
        places.one_organization = one_organization?;
        for domain in domains {
            let spot = places.parent(session, domain, main).await?;
            places.parents.insert(domain.name.clone(), spot);
        }
        if !team.cost_tags.is_empty() {
            places.management =
                Some(places.clouds.add(accounts.management(main).await?, Some("the management account".into())));
        }
        for record in peers {
            let mut spots = BTreeMap::new();
            let reach = Account::of(&record);
            for region in record.regions.iter().filter(|r| team.regions.contains(&r.region)) {
                let cloud = accounts.recorded(&reach, &region.region).await?;
                let label = if several {
                    format!("team {}, {}", record.team, region.region)
                } else {
                    format!("team {}", record.team)
                };
                spots.insert(region.region.clone(), places.clouds.add(cloud, Some(label)));
            }
            places.peers.push(PeerTeam { record, spots });
        }
        Ok(places)
    }

    /// Whether the network account and the team's are in one AWS organization, for the share of the transit gateway.
    async fn one_organization(&self, session: &Session, team: &Team, network: Option<&Spot>) -> Result<Option<bool>> {
        let Some(network) = network.filter(|_| team.interconnect == Interconnect::TransitGateway) else {
            return Ok(None);
        };
        let (own, other) = (self.clouds.at(self.main()), self.clouds.at(*network));
        let (own, other) = futures::try_join!(membership(own), membership(other))?;
        let shared = own.shared(&other);
        if let (None, Membership::Unknown(why), _) | (None, _, Membership::Unknown(why)) = (shared, &own, &other) {
            session.terminal.warn(&format!(
                "Cannot tell whether the team's account and the network account are in one AWS organization: {why}. A new \
                 share of the transit gateway allows external principals; an existing one is left as it is."
            ));
        }
        Ok(shared)
    }

    /// The place of a domain's parent zone.
    ///
    /// # Errors
    /// When the account cannot be reached.
    pub async fn parent(&mut self, session: &Session, domain: &DomainRecord, region: &str) -> Result<Spot> {
        Ok(self.clouds.add(parent_cloud(session, domain, region).await?, None))
    }
}

/// What to look at when an account's role cannot be assumed.
fn unreached(account: &Account) -> String {
    match (&account.role, account.via) {
        (Some(role), Some(_)) => format!(
            "Role {role} trusts the management account alone: check `accounts.management` of the organization's file, and \
             that its identity may assume the role."
        ),
        // The role that AWS Organizations makes; it trusts one account (Organizations, "Accessing a member account").
        (Some(role), None) if role == "OrganizationAccountAccessRole" => format!(
            "Role {role} trusts the management account alone: use its credentials, or name a role of it under \
             `accounts.through` of the organization's file. See docs/overlord.md#accounts."
        ),
        (Some(role), None) => {
            format!("Role {role} must exist there and trust these credentials (`accounts` of the organization's file).")
        }
        (None, _) => "These are the current credentials.".to_owned(),
    }
}

/// The connection to the account with a domain's parent zone; without account and role, that of the records.
///
/// # Errors
/// When the account cannot be reached.
pub async fn parent_cloud(session: &Session, domain: &DomainRecord, region: &str) -> Result<Arc<Cloud>> {
    if domain.account.is_none() && domain.role.is_none() {
        return session.home().await;
    }
    let reach = Reach { account: domain.account.clone(), role: domain.role.clone(), region: None };
    session.accounts.reach(&reach, region).await
}
