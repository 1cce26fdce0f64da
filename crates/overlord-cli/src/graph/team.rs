//! The whole graph of a team, put together from its parts.
use super::{account, domains, network};
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
    /// Whether the graph is for deleting everything.
    pub destroying: bool,
    /// Regions in which other teams use the transit gateway: it stays when this team goes.
    pub shared_transit: &'a [String],
    /// Destinations of routes that are ours.
    pub managed: Vec<IpNet>,
    /// The other teams' records, where they matter.
    pub others: &'a [TeamRecord],
    /// Whether the audit trail's log files stay when the team goes.
    pub keep_logs: bool,
}

/// Makes the graph.
pub fn graph(input: &Input<'_>) -> Graph<Clouds> {
    let mut graph = Graph::default();
    let account = account::account(input, &mut graph);
    let mut certificates: BTreeMap<String, Ref<CertificateArn>> = BTreeMap::new();
    domains::domains(input, &mut graph, &mut certificates);
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
    graph
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
