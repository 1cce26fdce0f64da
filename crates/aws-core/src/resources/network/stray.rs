//! What carries an owner's tags in a region although no graph names it: a zone that is no longer wanted, a peering
//! of a team that is gone, what is left of a run that was cut off. Found by the tags, removed by its kind.
mod removal;

use super::{
    address, dhcp_options, endpoint, flow_log, gateways,
    lists::{self, Tagged as _},
    nat_gateway, nat_instance, peering, route_table, subnet, transit, vpc, vpn,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Clouds, Spot, Told as _, network::tag_map},
    engine::{Change, Cx, Graph, NodeId, Ref, Resource},
    model::{
        TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM},
    },
};
use aws_sdk_ec2::types::{Filter, RouteTable, Tag, TagDescription};
use std::{fmt, sync::Arc};

/// The kinds of a network, in the order in which they are made; removed the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StrayKind {
    /// A set of DHCP options.
    DhcpOptions,
    /// A VPC.
    Vpc,
    /// An internet gateway.
    InternetGateway,
    /// An egress-only internet gateway.
    EgressOnlyGateway,
    /// A subnet.
    Subnet,
    /// An elastic IP address.
    ElasticIp,
    /// The security group of a NAT instance, whose name it has.
    SecurityGroup,
    /// A NAT gateway.
    NatGateway,
    /// A NAT instance.
    NatInstance,
    /// A VPN gateway.
    VpnGateway,
    /// A customer gateway.
    CustomerGateway,
    /// A VPN connection.
    VpnConnection,
    /// The attachment of a VPC to a transit gateway.
    TransitAttachment,
    /// A peering connection.
    Peering,
    /// A route table.
    RouteTable,
    /// A VPC endpoint.
    Endpoint,
    /// A flow log.
    FlowLog,
}

impl StrayKind {
    /// The kind's name: the [`Resource::KIND`] of the resource that makes such a thing.
    pub fn name(self) -> &'static str {
        match self {
            Self::DhcpOptions => dhcp_options::DhcpOptions::KIND,
            Self::Vpc => vpc::Vpc::KIND,
            Self::InternetGateway => gateways::InternetGateway::KIND,
            Self::EgressOnlyGateway => gateways::EgressOnlyGateway::KIND,
            Self::Subnet => subnet::Subnet::KIND,
            Self::ElasticIp => address::ElasticIp::KIND,
            // The group goes with its instance.
            Self::SecurityGroup | Self::NatInstance => nat_instance::NatInstance::KIND,
            Self::NatGateway => nat_gateway::NatGateway::KIND,
            Self::VpnGateway => vpn::VpnGateway::KIND,
            Self::CustomerGateway => vpn::CustomerGateway::KIND,
            Self::VpnConnection => vpn::VpnConnection::KIND,
            Self::TransitAttachment => transit::TransitAttachment::KIND,
            Self::Peering => peering::PeeringConnection::KIND,
            Self::RouteTable => route_table::RouteTable::KIND,
            Self::Endpoint => endpoint::S3Endpoint::KIND,
            Self::FlowLog => flow_log::FlowLog::KIND,
        }
    }

    /// The kind as it stands in sentences.
    pub fn noun(self) -> &'static str {
        match self {
            Self::SecurityGroup => "security group",
            other => other.name(),
        }
    }
}

/// A thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    /// Its kind.
    pub kind: StrayKind,
    /// What removes it: `subnet-..`.
    pub id: String,
    /// Its `Name`; empty when it has none.
    pub name: String,
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "without a name" } else { &self.name };
        write!(f, "{} {name} ({})", self.kind.noun(), self.id)
    }
}

/// Everything of every kind of a network that carries the owner's tags in this region, wanted or not, in the order of
/// [`StrayKind`]. It shares the lists of the resources' own searches, and costs no further call after those.
///
/// # Errors
/// What AWS answers.
pub async fn strays(cloud: &Cloud, owner: &TeamOwner) -> Result<Vec<Stray>> {
    let usual = async {
        futures::try_join!(
            lists::vpcs(cloud, owner),
            lists::internet_gateways(cloud, owner),
            lists::subnets(cloud, owner),
            lists::route_tables(cloud, owner),
            lists::endpoints(cloud, owner),
            address::list(cloud, owner),
            nat_gateway::list(cloud, owner),
            flow_log::list(cloud, owner),
            transit::attachments(cloud, owner),
        )
    };
    let rare = async {
        let kinds = tagged_kinds(cloud, owner).await?;
        let there = |kind: &str| kinds.iter().any(|k| k == kind);
        futures::try_join!(
            when(there("dhcp-options"), lists::dhcp_options(cloud, owner)),
            when(there("egress-only-internet-gateway"), lists::egress_only(cloud, owner)),
            when(there("security-group"), nat_instance::groups(cloud, owner)),
            when(there("instance"), nat_instance::instances(cloud, owner)),
            when(there("vpn-gateway"), vpn::gateways(cloud, owner)),
            when(there("customer-gateway"), vpn::customers(cloud, owner)),
            when(there("vpn-connection"), vpn::connections(cloud, owner)),
            when(there("vpc-peering-connection"), peering::peerings(cloud, owner)),
        )
    };
    let (usual, rare) = futures::try_join!(usual, rare)?;
    let (vpcs, internet, subnets, tables, endpoints, addresses, nats, logs, attachments) = usual;
    let (options, egress, groups, instances, vpn_gateways, customers, connections, peerings) = rare;
    use StrayKind as Kind;
    let mut found = Vec::new();
    let mut add = |kind, id: Option<&str>, tags: &[Tag]| {
        let name = tag_map(tags).remove("Name").unwrap_or_default();
        found.extend(id.map(|id| Stray { kind, id: id.to_owned(), name }));
    };
    options.iter().for_each(|o| add(Kind::DhcpOptions, o.dhcp_options_id(), o.tags()));
    vpcs.iter().for_each(|v| add(Kind::Vpc, v.vpc_id(), v.tags()));
    internet.iter().for_each(|g| add(Kind::InternetGateway, g.internet_gateway_id(), g.tags()));
    egress.iter().for_each(|g| add(Kind::EgressOnlyGateway, g.egress_only_internet_gateway_id(), g.tags()));
    subnets.iter().for_each(|s| add(Kind::Subnet, s.subnet_id(), s.tags()));
    addresses.iter().for_each(|a| add(Kind::ElasticIp, a.allocation_id(), a.tags()));
    // A VPC's default group cannot be removed: it goes with the VPC.
    let groups = groups.iter().filter(|g| g.group_name() != Some("default"));
    groups.for_each(|g| add(Kind::SecurityGroup, g.group_id(), g.tags()));
    nats.iter().for_each(|g| add(Kind::NatGateway, g.nat_gateway_id(), g.tags()));
    instances.iter().for_each(|i| add(Kind::NatInstance, i.instance_id(), i.tags()));
    vpn_gateways.iter().for_each(|g| add(Kind::VpnGateway, g.vpn_gateway_id(), g.tags()));
    customers.iter().for_each(|c| add(Kind::CustomerGateway, c.customer_gateway_id(), c.tags()));
    connections.iter().for_each(|c| add(Kind::VpnConnection, c.vpn_connection_id(), c.tags()));
    attachments.iter().for_each(|a| add(Kind::TransitAttachment, a.transit_gateway_attachment_id(), a.tags()));
    peerings.iter().for_each(|p| add(Kind::Peering, p.vpc_peering_connection_id(), p.tags()));
    // Neither can its main route table.
    let tables = tables.iter().filter(|t| !is_main(t));
    tables.for_each(|t| add(Kind::RouteTable, t.route_table_id(), t.ec2_tags()));
    endpoints.iter().for_each(|e| add(Kind::Endpoint, e.vpc_endpoint_id(), e.tags()));
    logs.iter().for_each(|l| add(Kind::FlowLog, l.flow_log_id(), l.tags()));
    found.sort();
    Ok(found)
}

/// The kinds of EC2 that carry the owner's tags, as EC2 spells them: what most teams have none of is listed only where
/// there is some. One list for each run: every stray asks.
async fn tagged_kinds(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<String>>> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let (key, value) = match &owner.team {
        Some(team) => (OVERLORD_TEAM, team.as_str()),
        None => (ORGANIZATION, owner.organization.as_str()),
    };
    let load = async {
        let call = cloud.ec2().describe_tags().filters(filter("key", key)).filters(filter("value", value));
        let pages = call.into_paginator().items().send().collect::<Result<Vec<TagDescription>, _>>().await;
        let mut kinds: Vec<String> = pages
            .told(cloud, "ec2:DescribeTags", "")?
            .iter()
            .filter_map(|t| t.resource_type().map(|t| t.as_str().to_owned()))
            .collect();
        kinds.sort();
        kinds.dedup();
        Ok(kinds)
    };
    cloud.once(lists::key("tagged kinds", owner), load).await
}

async fn when<T: Default>(there: bool, list: impl Future<Output = Result<T>>) -> Result<T> {
    if there { list.await } else { Ok(T::default()) }
}

fn is_main(table: &RouteTable) -> bool {
    table.associations().iter().any(|a| a.main() == Some(true))
}

/// Adds what is no longer wanted to a graph that is to be applied: each goes once `after` are done, and what is made
/// later first.
pub fn add_unwanted(
    graph: &mut Graph<Clouds>,
    clouds: &Clouds,
    spot: Spot,
    owner: &TeamOwner,
    mut things: Vec<Stray>,
    after: &[NodeId],
) {
    things.sort_by(|a, b| b.cmp(a));
    let mut before: Vec<(StrayKind, Ref<()>)> = Vec::new();
    for stray in things {
        let kind = stray.kind;
        let needs = before.iter().filter(|(later, _)| *later > kind).map(|(_, r)| r.node()).collect();
        let resource = StrayResource { owner: owner.clone(), stray, needs };
        before.push((kind, graph.add(clouds.put(spot, resource).unwanted(after.to_vec()))));
    }
}

/// Adds things to a graph that is to be destroyed: what is made later is removed first, and all of it before
/// `after`.
pub fn add_to_destroy(
    graph: &mut Graph<Clouds>,
    clouds: &Clouds,
    spot: Spot,
    owner: &TeamOwner,
    mut things: Vec<Stray>,
    after: &[NodeId],
) {
    things.sort();
    let mut before: Vec<(StrayKind, Ref<()>)> = Vec::new();
    for stray in things {
        let kind = stray.kind;
        let earlier = before.iter().filter(|(earlier, _)| *earlier < kind).map(|(_, r)| r.node());
        let needs = earlier.chain(after.iter().copied()).collect();
        let resource = StrayResource { owner: owner.clone(), stray, needs };
        before.push((kind, graph.add(clouds.put(spot, resource))));
    }
}

/// A thing that is only ever removed.
pub struct StrayResource {
    /// Whose tags it carries.
    pub owner: TeamOwner,
    /// Which it is.
    pub stray: Stray,
    /// Destroying, these go after it. In an apply, where it is unwanted, it goes after these.
    pub needs: Vec<NodeId>,
}

impl Resource for StrayResource {
    const KIND: &'static str = "unused";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();

    fn name(&self) -> String {
        self.stray.to_string()
    }
    fn noun(&self) -> String {
        format!("unused {}", self.stray)
    }
    fn needs(&self) -> Vec<NodeId> {
        self.needs.clone()
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let there = strays(cx.cloud, &self.owner).await?;
        Ok(there.iter().any(|s| s.kind == self.stray.kind && s.id == self.stray.id).then_some(()))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, (): &()) -> Vec<Change> {
        Vec::new()
    }
    async fn create(&self, _: &Cx<'_, Cloud>) -> Result<()> {
        Err(Error::refused(format!("{} is only ever removed", self.stray)))
    }
    async fn update(&self, _: &Cx<'_, Cloud>, (): &(), _: &[Change]) -> Result<()> {
        // Something that it refers to is gone already: nothing to do about that.
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        removal::remove(cx.cloud, &self.owner, &self.stray).await
    }
    fn output(&self, (): &()) {}
}
