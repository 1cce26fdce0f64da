//! The whole graph of a team, put together from its parts.
use super::{Domain, Gone, account, domains, gone, network};
use crate::{organization::Team, places::Places};
use aws_core::{
    cloud::Clouds,
    engine::{Graph, Ref},
    model::TeamOwner,
    registry::{
        settings::VpcSettings,
        teams::{Interconnect, TeamRecord},
    },
    resources::{domain::certificate::CertificateArn, network::kinds::Thing, place_settings::PlaceSettings},
};
use ipnet::IpNet;
use std::collections::BTreeMap;

/// What a team's graph is made from.
pub struct Input<'a> {
    /// What the files say.
    pub team: &'a Team,
    /// What is remembered: networks, zones, domains.
    pub record: &'a TeamRecord,
    /// The tags of what is the team's.
    pub owner: TeamOwner,
    /// The accounts and regions.
    pub places: &'a Places,
    /// What carries the team's tags in each region: what the graph does not want of it is removed.
    pub strays: &'a BTreeMap<String, Vec<Thing>>,
    /// What it had, and its files no longer ask for.
    pub gone: Gone<'a>,
    /// Destinations of routes that are ours.
    pub managed: Vec<IpNet>,
    /// The other teams' records, where they matter.
    pub others: &'a [TeamRecord],
}

/// Everything that the team should have, and what it should not have any more; with its domains.
pub fn graph(input: &Input<'_>) -> (Graph<Clouds>, BTreeMap<String, Domain>) {
    let mut graph = Graph::default();
    let account = account::account(input, &mut graph);
    let mut certificates: BTreeMap<String, Ref<CertificateArn>> = BTreeMap::new();
    let domains = domains::domains(input, &mut graph, &mut certificates);
    for region in &input.record.regions {
        let Some((_, spot)) = input.places.team.iter().find(|(r, _)| *r == region.region) else { continue };
        let put = PlaceSettings {
            vpc: network::network(input, &mut graph, region, *spot),
            base: settings(input),
            certificate: certificates.get(&region.region).copied(),
            boundary: account.boundary.clone(),
        };
        input.places.clouds.put(*spot, put).to(&mut graph);
    }
    gone::gone(input, &mut graph, &domains);
    (graph, domains)
}

/// What `minion` finds in the VPC's settings.
fn settings(input: &Input<'_>) -> VpcSettings {
    let team = input.team;
    let reachable = team.interconnect != Interconnect::None;
    let mut peers = if reachable { team.pool.clone() } else { Vec::new() };
    peers.extend(team.vpn.iter().flat_map(|v| v.routes.iter().copied()));
    peers.extend(team.peers.iter().copied());
    VpcSettings {
        registry: team.registry.clone(),
        domain: input.record.domains.first().map(|d| d.name.clone()),
        peers,
        team: Some(team.name.to_string()),
        ..VpcSettings::default()
    }
}
