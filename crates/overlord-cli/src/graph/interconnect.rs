//! The ways to other teams: transit gateway or peering connections.
use super::Input;
use crate::places::PeerTeam;
use aws_core::{
    cloud::{Clouds, Spot},
    engine::{Graph, NodeId, Ref},
    model::{TeamName, TeamOwner},
    registry::teams::{Interconnect, RegionRecord, TeamRecord},
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
fn gateway(input: &Input<'_>, graph: &mut Graph<Clouds>, network: Spot) -> Gateway {
    let (clouds, owner) = (&input.places.clouds, organization(input));
    let name = owner.organization.to_string();
    let gateway = clouds.put(network, TransitGateway { owner: owner.clone(), name: name.clone() }).to(graph);
    let shared = input.places.network_apart.then(|| {
        let outside = input.places.one_organization.map(|one| !one);
        let share = clouds.put(network, ResourceShare { owner, name: share_name(&name), gateway, outside }).to(graph);
        let principal = SharePrincipal { share, account: input.places.account.clone() };
        (share, clouds.put(network, principal).to(graph))
    });
    Gateway { gateway, shared }
}

fn share_name(organization: &str) -> String {
    format!("{organization}-transit-gateway")
}

/// A region's transit gateway and the team's part in it, to be removed as far as no other team needs it, once `after` are
/// done. Returns what holds out until the team's attachment is gone.
pub(super) fn without_gateway(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    region: &str,
    after: &[NodeId],
) -> Vec<NodeId> {
    let Some(network) = input.places.network.get(region).copied() else { return Vec::new() };
    let (clouds, owner, account) = (&input.places.clouds, organization(input), &input.places.account);
    let after = || after.iter().copied();
    let behind = |o: &&TeamRecord| {
        o.interconnect == Interconnect::TransitGateway && o.regions.iter().any(|r| r.region == region)
    };
    let others = input.others.iter().filter(behind).count() > 0;
    let used = others.then_some("other teams use it");
    let name = owner.organization.to_string();
    let gateway = TransitGateway { owner: owner.clone(), name: name.clone() };
    let gateway = clouds.put(network, gateway).kept(used).after(after()).absent(graph);
    let mut nodes = vec![gateway.node()];
    if input.places.network_apart {
        let share = ResourceShare { owner, name: share_name(&name), gateway, outside: None };
        let share = clouds.put(network, share).kept(used).after(after()).absent(graph);
        // Another team of this account may be behind the same gateway.
        let beside = input.others.iter().filter(behind).any(|o| o.account == *account);
        let principal = SharePrincipal { share, account: account.clone() };
        let principal = clouds.put(network, principal).kept(beside.then_some("another team of the account uses it"));
        nodes.extend([share.node(), principal.after(after()).absent(graph).node()]);
    }
    nodes
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
    let Gateway { gateway, shared } = gateway(input, graph, network);
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

/// A connection with another team in a region.
struct Joint<'a> {
    name: String,
    peer: &'a PeerTeam,
    region: &'a RegionRecord,
    /// The other team's account.
    there: Spot,
    connection: PeeringConnection,
}

/// The connections with every other team of the region that has this mode.
fn joints<'a>(input: &'a Input<'_>, record: &RegionRecord, vpc: Ref<VpcId>) -> Vec<Joint<'a>> {
    let joint = |peer: &'a PeerTeam| {
        let there = peer.spots.get(&record.region).copied()?;
        let region = peer.record.regions.iter().find(|r| r.region == record.region)?;
        let name = between(input.team.name.as_str(), peer.record.team.as_str());
        let (other, account) = (region.vpc.clone()?, peer.record.account.clone());
        let who = Peer { vpc: other, account, region: record.region.clone() };
        let connection = PeeringConnection { owner: input.owner.clone(), name: name.clone(), vpc, peer: who };
        Some(Joint { name, peer, region, there, connection })
    };
    input.places.peers.iter().filter_map(joint).collect()
}

fn peering(input: &Input<'_>, graph: &mut Graph<Clouds>, spot: Spot, record: &RegionRecord, vpc: Ref<VpcId>) -> Ways {
    let clouds = &input.places.clouds;
    let mut ways = Ways::default();
    for Joint { name, peer, region, there, connection } in joints(input, record, vpc) {
        let peering = clouds.put(spot, connection).to(graph);
        let accepted = clouds.put(there, PeeringAcceptance { name: name.clone(), peering, vpc }).to(graph);
        ways.routes.push(Route { to: IpNet::V4(region.cidr), via: Via::Peering { peering, accepted } });
        let back = back(input, &peer.record.team, peering, record.cidr);
        clouds.put(there, back).after([accepted.node()]).to(graph);
        ways.peerings.push(name);
    }
    ways
}

/// The connections of a team that peers no more, with the others' routes to it, once `after` are done. Returns their names.
pub(super) fn without_peering(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    spot: Spot,
    record: &RegionRecord,
    vpc: Ref<VpcId>,
    after: &[NodeId],
) -> Vec<String> {
    let clouds = &input.places.clouds;
    let remove = |Joint { name, peer, there, connection, .. }: Joint<'_>| {
        let peering = clouds.put(spot, connection).after(after.iter().copied()).absent(graph);
        let back = back(input, &peer.record.team, peering, record.cidr);
        clouds.put(there, back).after(after.iter().copied()).absent(graph);
        name
    };
    joints(input, record, vpc).into_iter().map(remove).collect()
}

/// The way back, in the other team's tables.
fn back(input: &Input<'_>, other: &TeamName, peering: Ref<PeeringId>, to: Ipv4Net) -> PeerRoutes {
    let owner =
        TeamOwner { organization: input.owner.organization.clone(), team: Some(other.clone()), extra: BTreeMap::new() };
    PeerRoutes { owner, name: format!("{other} to {}", input.team.name), peering, to }
}
