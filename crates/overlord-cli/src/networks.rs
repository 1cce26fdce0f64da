//! Which network a team gets in a region.
use crate::{
    accounts::Account,
    addresses::{DOCKERS, first_free},
    organization::{Team, types::TeamAccount},
    session::Session,
};
use aws_core::{
    Error, Result,
    cloud::lookups,
    registry::teams::{self, Claim},
};
use ipnet::Ipv4Net;
use std::{collections::BTreeMap, net::Ipv4Addr};

/// AWS makes a default VPC with this network in each region of a new account (VPC User Guide, "Default VPC components").
const DEFAULT_VPC: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(172, 31, 0, 0), 16);

/// A free network for each of these regions, which the team has none in yet. What an interrupted run claimed is the team's
/// already.
///
/// # Errors
/// A refusal when the pool has none left, or the account may not use a region; what AWS answers.
pub async fn choose(
    session: &Session,
    team: &Team,
    account: &Account,
    regions: &[&String],
) -> Result<BTreeMap<String, Ipv4Net>> {
    if regions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let here = session.accounts.recorded(account, session.accounts.region()).await?;
    for region in regions {
        lookups::check_region(&here, region).await?;
    }
    let home = session.home().await?;
    let claims = teams::claims(&home, session.organization()).await?;
    let own = |region: &str| claims.iter().find(|c| c.team == team.name && c.region == region).map(|c| c.cidr);
    let mut chosen: BTreeMap<String, Ipv4Net> =
        regions.iter().filter_map(|region| Some(((*region).clone(), own(region)?))).collect();
    if chosen.len() < regions.len() {
        let mut taken = taken(session, team, &claims, Some(account)).await?;
        for region in regions {
            if !chosen.contains_key(*region) {
                let cidr = free(session, team, &taken)?;
                taken.push(cidr);
                chosen.insert((*region).clone(), cidr);
            }
        }
    }
    Ok(chosen)
}

/// Checks that the pool has a network for each region of a team whose account is still to be made.
///
/// # Errors
/// As [`choose`].
pub async fn check(session: &Session, team: &Team) -> Result<()> {
    let home = session.home().await?;
    let claims = teams::claims(&home, session.organization()).await?;
    let mut taken = taken(session, team, &claims, None).await?;
    for _ in &team.regions {
        taken.push(free(session, team, &taken)?);
    }
    Ok(())
}

/// What no new network may overlap: other teams' networks, what is reserved, what the VPN leads to, Docker's own network,
/// and the networks of all VPCs, the default ones too, that the team's account, and the one with the transit gateways,
/// have in the team's regions. Without an account: what AWS makes in a new one.
async fn taken(session: &Session, team: &Team, claims: &[Claim], account: Option<&Account>) -> Result<Vec<Ipv4Net>> {
    let mut taken: Vec<Ipv4Net> = claims.iter().map(|c| c.cidr).collect();
    taken.extend(&session.loaded.organization.addresses.reserved);
    taken.extend(team.vpn.iter().flat_map(|v| v.routes.iter().copied()));
    taken.push(DOCKERS);
    // A new account's default VPCs may not be there yet, or not in sight.
    if account.is_none() || team.account == TeamAccount::New {
        taken.push(DEFAULT_VPC);
    }
    let mut clouds = Vec::new();
    for region in &team.regions {
        clouds.push(session.accounts.network(region).await?);
        if let Some(account) = account {
            clouds.push(session.accounts.recorded(account, region).await?);
        }
    }
    let networks = clouds.iter().map(|cloud| lookups::vpc_networks(cloud));
    taken.extend(futures::future::try_join_all(networks).await?.into_iter().flatten());
    Ok(taken)
}

fn free(session: &Session, team: &Team, taken: &[Ipv4Net]) -> Result<Ipv4Net> {
    let pool = &session.loaded.organization.addresses.pool;
    first_free(pool, taken, team.network_size).ok_or_else(|| {
        Error::refused(format!("the address pool has no free /{} left for team {}", team.network_size, team.name)).hint(
            "`overlord addresses` shows who holds what; networks of VPCs that exist in the account, the default ones too, \
             are not given out. Add a network to `addresses.pool`, or give the team a smaller one (`network_size`).",
        )
    })
}
