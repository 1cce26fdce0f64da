//! The ways to other teams: transit gateway or peering connections.
use super::Input;
use crate::organization::types::Interconnect;
use aws_core::{
    cloud::{Clouds, Spot},
    engine::{Graph, NodeId, Ref},
    model::TeamOwner,
    registry::teams::RegionRecord,
    resources::network::{
        ids::{PeeringId, ShareArn, SubnetId, TransitGatewayId, VpcId},
        peering::{Peer, PeerRoutes, PeeringAcceptance, PeeringConnection},
        route_table::{Route, Via},
        transit::{ResourceShare, ShareMembership, SharePrincipal, TransitAttachment, TransitGateway},
    },
};
use ipnet::{IpNet, Ipv4Net};
use std::collections::BTreeMap;

/// What leads out of a region's network.
#[derive(Default)]
pub(super) struct Ways {
    /// Whether the VPC is attached to a transit gateway.
    pub(super) attached: bool,
    /// The routes of every table.
    pub(super) routes: Vec<Route>,
    /// The names of the peering connections.
    pub(super) peerings: Vec<String>,
}

/// Adds what leads to other teams.
pub(super) fn ways(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    spot: Spot,
    record: &RegionRecord,
    vpc: Ref<VpcId>,
    subnets: Vec<Ref<SubnetId>>,
) -> Ways {
    match input.team.interconnect {
        Interconnect::None => Ways::default(),
        Interconnect::TransitGateway => transit(input, graph, spot, record, vpc, subnets),
        Interconnect::Peering => peering(input, graph, spot, record, vpc),
    }
}

fn organization(input: &Input<'_>) -> TeamOwner {
    TeamOwner { organization: input.owner.organization.clone(), team: None, extra: BTreeMap::new() }
}

/// A region's transit gateway, and how the team's account gets at it.
struct Gateway {
    gateway: Ref<TransitGatewayId>,
    /// The share and the account's part in it, where the gateway is another account's.
    shared: Option<(Ref<ShareArn>, Ref<()>)>,
}

/// One transit gateway for the organization and region, shared with the team's account when that is another one.
fn gateway(input: &Input<'_>, graph: &mut Graph<Clouds>, network: Spot, region: &str) -> Gateway {
    let clouds = &input.places.clouds;
    let others = input.destroying && input.shared_transit.iter().any(|r| r == region);
    let owner = organization(input);
    let name = owner.organization.to_string();
    let gateway = clouds.put(network, TransitGateway { owner: owner.clone(), name: name.clone() });
    let gateway = gateway.kept_if(others).to(graph);
    let shared = input.places.network_apart.then(|| {
        let outside = input.places.one_organization.map(|one| !one);
        let share = ResourceShare { owner, name: format!("{name}-transit-gateway"), gateway, outside };
        let share = clouds.put(network, share).kept_if(others).to(graph);
        let account = input.places.account.clone();
        // Another team of this account may be behind the same gateway.
        let beside = input.others.iter().any(|o| {
            let attached = o.interconnect == Interconnect::TransitGateway;
            o.account == account && attached && o.regions.iter().any(|r| r.region == region)
        });
        let principal = clouds.put(network, SharePrincipal { share, account }).kept_if(input.destroying && beside);
        (share, principal.to(graph))
    });
    Gateway { gateway, shared }
}

/// The transit gateways and the team's part in them, without attachments: for a team that leaves.
pub(super) fn shared_transit(input: &Input<'_>, graph: &mut Graph<Clouds>) {
    for region in &input.record.regions {
        if let Some(network) = input.places.network.get(&region.region) {
            gateway(input, graph, *network, &region.region);
        }
    }
}

fn transit(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    spot: Spot,
    record: &RegionRecord,
    vpc: Ref<VpcId>,
    subnets: Vec<Ref<SubnetId>>,
) -> Ways {
    let clouds = &input.places.clouds;
    let Some(network) = input.places.network.get(&record.region).copied() else { return Ways::default() };
    let Gateway { gateway, shared } = gateway(input, graph, network, &record.region);
    let mut after: Vec<NodeId> = Vec::new();
    if let Some((share, principal)) = shared {
        let member = clouds.put(spot, ShareMembership { share }).after([principal.node()]).to(graph);
        after.push(member.node());
    }
    let owner = input.owner.clone();
    let (name, ipv6) = (input.team.name.to_string(), input.team.ipv6);
    let attachment = clouds.put(spot, TransitAttachment { owner, name, gateway, vpc, subnets, ipv6 });
    let attachment = attachment.after(after).to(graph);
    let via = Via::Transit { gateway, attachment };
    let routes = input.team.pool.iter().map(|n| Route { to: IpNet::V4(*n), via }).collect();
    Ways { attached: true, routes, peerings: Vec::new() }
}

/// The name of the connection between two teams: the same from both sides.
fn between(one: &str, other: &str) -> String {
    if one < other { format!("{one}-{other}") } else { format!("{other}-{one}") }
}

/// A connection with every other team of the region that has this mode.
pub(super) fn peering(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    spot: Spot,
    record: &RegionRecord,
    vpc: Ref<VpcId>,
) -> Ways {
    let clouds = &input.places.clouds;
    let mut ways = Ways::default();
    for peer in &input.places.peers {
        let Some(there) = peer.spots.get(&record.region).copied() else { continue };
        let Some(region) = peer.record.regions.iter().find(|r| r.region == record.region) else { continue };
        let Some(other) = region.vpc.clone() else { continue };
        let name = between(input.team.name.as_str(), peer.record.team.as_str());
        let account = peer.record.account.clone();
        let who = Peer { vpc: other, account, region: record.region.clone() };
        let connection = PeeringConnection { owner: input.owner.clone(), name: name.clone(), vpc, peer: who };
        let peering = clouds.put(spot, connection).to(graph);
        let accepted = clouds.put(there, PeeringAcceptance { name: name.clone(), peering, vpc }).to(graph);
        ways.routes.push(Route { to: IpNet::V4(region.cidr), via: Via::Peering { peering, accepted } });
        back(input, graph, there, &peer.record.team, peering, accepted, record.cidr);
        ways.peerings.push(name);
    }
    ways
}

/// The way back, in the other team's tables.
fn back(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    there: Spot,
    other: &aws_core::model::TeamName,
    peering: Ref<PeeringId>,
    accepted: Ref<()>,
    to: Ipv4Net,
) {
    let owner =
        TeamOwner { organization: input.owner.organization.clone(), team: Some(other.clone()), extra: BTreeMap::new() };
    let name = format!("{other} to {}", input.team.name);
    input.places.clouds.put(there, PeerRoutes { owner, name, peering, accepted, to }).to(graph);
}
