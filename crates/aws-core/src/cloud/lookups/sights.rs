//! What is in a VPC, for a picture of it: read in one go, never written.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, egress, network::tag_map},
    model::{Layer, tags},
    resources::{
        auto_scaling_group, load_balancer,
        network::{
            egress::EgressOnlyGateway,
            endpoint::S3Endpoint,
            gateways::InternetGateway,
            kinds::{Part, in_vpc},
            nat_gateway::{NatGateway, primary},
            peering::PeeringConnection,
            route_table::RouteTable,
            subnet::Subnet,
            transit::TransitAttachment,
            vpn::{CustomerGateway, VpnConnection, VpnGateway},
        },
        target_group,
    },
};
use aws_sdk_ec2::types::{
    Filter, Instance, NatGateway as Ec2NatGateway, RouteState, RouteTable as Ec2Table, Subnet as Ec2Subnet,
    TransitGatewayVpcAttachment, Vpc, VpcPeeringConnection, VpcPeeringConnectionVpcInfo, VpnState,
};
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, LoadBalancerSchemeEnum};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is in a VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sights {
    /// The VPC's id.
    pub vpc: String,
    /// The account that owns it.
    pub account: String,
    /// Its `Name` tag.
    pub name: Option<String>,
    /// Its address ranges, IPv4 first.
    pub cidrs: Vec<String>,
    /// Its subnets, in the order of zone and id.
    pub subnets: Vec<SubnetSight>,
    /// The internet gateway's id.
    pub internet_gateway: Option<String>,
    /// The egress-only internet gateway's id.
    pub egress_only: Option<String>,
    /// NAT gateways, and instances that default routes lead to, in the order of their ids.
    pub nats: Vec<NatSight>,
    /// The id of the gateway endpoint of S3.
    pub s3_endpoint: Option<String>,
    /// The VPN gateway's id.
    pub vpn_gateway: Option<String>,
    /// The connections of that gateway.
    pub vpns: Vec<VpnSight>,
    /// Attachments to transit gateways.
    pub transits: Vec<TransitSight>,
    /// Peering connections that stand or wait, in the order of their ids.
    pub peerings: Vec<PeeringSight>,
    /// Auto Scaling groups of applications, in the order of application and version.
    pub groups: Vec<GroupSight>,
    /// Load balancers, in the order of their names.
    pub balancers: Vec<BalancerSight>,
}

/// A subnet, and where its default route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetSight {
    /// The subnet's id.
    pub id: String,
    /// Its zone's name in this account.
    pub zone: String,
    /// Its zone's id.
    pub zone_id: String,
    /// Its IPv4 address range.
    pub cidr: String,
    /// Its layer.
    pub layer: Layer,
    /// Id of what its IPv4 default route leads to: `igw-..`, `nat-..`, `i-..`, `tgw-..`.
    pub default_route: Option<String>,
}

/// What translates addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatSight {
    /// `nat-..` or `i-..`.
    pub id: String,
    /// The subnet it stands in.
    pub subnet: String,
    /// Its public address.
    pub address: Option<String>,
}

/// A VPN connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpnSight {
    /// The other side's public address.
    pub address: Option<String>,
    /// The other side's autonomous system number.
    pub asn: Option<String>,
    /// The networks of its static routes.
    pub routes: Vec<String>,
    /// How many of its tunnels are up.
    pub tunnels_up: usize,
}

/// An attachment to a transit gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitSight {
    /// `tgw-..`.
    pub gateway: String,
    /// The attachment's state, e.g. `available`.
    pub state: String,
    /// What the VPC's route tables send there.
    pub routes: Vec<String>,
}

/// A peering connection, seen from this VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeeringSight {
    /// `pcx-..`.
    pub id: String,
    /// Its `Name` tag.
    pub name: Option<String>,
    /// The other VPC.
    pub vpc: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its address ranges, as far as AWS tells them.
    pub cidrs: Vec<String>,
    /// `active`, `pending-acceptance`, ..
    pub state: String,
}

/// An Auto Scaling group of an application's version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupSight {
    /// The application.
    pub application: String,
    /// The version.
    pub version: String,
    /// How many instances are wanted.
    pub desired: i32,
    /// The subnets it starts instances in.
    pub subnets: Vec<String>,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BalancerSight {
    /// Its name.
    pub name: String,
    /// Whether only private addresses reach it.
    pub internal: bool,
    /// The subnets it stands in.
    pub subnets: Vec<String>,
    /// The application and version it belongs to; `None` for one of somebody else.
    pub of: Option<(String, String)>,
}

/// Looks at a VPC: some 14 calls at the same time, and one more for each 20 load balancers.
///
/// # Errors
/// Not found, when there is no such VPC in this region and account; what AWS answers otherwise.
pub async fn sights(cloud: &Cloud, vpc: &str) -> Result<Sights> {
    let groups = auto_scaling_group::list(cloud, vpc, None, None);
    let (ground, ways, (groups, balancers)) = futures::try_join!(ground(cloud, vpc), ways(cloud, vpc), async {
        futures::try_join!(groups, balancers(cloud, vpc))
    })?;
    let mut seen = Sights { vpc: vpc.into(), balancers, ..Sights::default() };
    ground.tell(&mut seen);
    ways.tell(vpc, &ground.tables, &mut seen);
    seen.groups = groups.iter().filter_map(group).collect();
    seen.groups.sort();
    Ok(seen)
}

fn group(g: &aws_sdk_autoscaling::types::AutoScalingGroup) -> Option<GroupSight> {
    let mut tags = auto_scaling_group::tags(g);
    // A group with a status is being deleted.
    g.status().is_none().then_some(())?;
    Some(GroupSight {
        application: tags.remove(tags::APPLICATION)?,
        version: tags.remove(tags::VERSION)?,
        desired: g.desired_capacity().unwrap_or_default(),
        subnets: g.vpc_zone_identifier().unwrap_or_default().split(',').map(|s| s.trim().to_owned()).collect(),
    })
}

fn filter(name: &str, values: &[&str]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.iter().map(|v| (*v).to_owned()).collect())).build()
}

/// What there is of a kind.
type Found<K> = Arc<Vec<<K as Part>::Item>>;

/// The VPC, its subnets, and where its route tables lead.
struct Ground {
    vpc: Vpc,
    subnets: Found<Subnet>,
    tables: Found<RouteTable>,
}

async fn ground(cloud: &Cloud, vpc: &str) -> Result<Ground> {
    let vpcs = async {
        let call = cloud.ec2().describe_vpcs().vpc_ids(vpc).send().await;
        Ok(call.unless_gone(cloud, vpc)?.and_then(|a| a.vpcs?.into_iter().next()))
    };
    let (found, subnets, tables) =
        futures::try_join!(vpcs, in_vpc::<Subnet>(cloud, vpc), in_vpc::<RouteTable>(cloud, vpc))?;
    let found = found.ok_or_else(|| {
        Error::not_found(format!("there is no VPC {vpc} in {}", cloud.region()))
            .hint("`overlord team show` tells which VPC the team has; `overlord team update` makes what is missing.")
    })?;
    Ok(Ground { vpc: found, subnets, tables })
}

impl Ground {
    fn tell(&self, seen: &mut Sights) {
        seen.account = self.vpc.owner_id().unwrap_or_default().to_owned();
        seen.name = tag_map(self.vpc.tags()).remove("Name").filter(|n| !n.is_empty());
        let associated = |state: Option<&str>| state.is_none_or(|s| s == "associated");
        let more = self.vpc.cidr_block_association_set().iter();
        let more = more.filter(|a| associated(a.cidr_block_state().and_then(|s| s.state()).map(|s| s.as_str())));
        let v6 = self.vpc.ipv6_cidr_block_association_set().iter();
        let v6 = v6.filter(|a| associated(a.ipv6_cidr_block_state().and_then(|s| s.state()).map(|s| s.as_str())));
        let all = self.vpc.cidr_block().into_iter().chain(more.filter_map(|a| a.cidr_block()));
        for cidr in all.chain(v6.filter_map(|a| a.ipv6_cidr_block())) {
            if !seen.cidrs.iter().any(|c| c == cidr) {
                seen.cidrs.push(cidr.to_owned());
            }
        }
        seen.subnets = self.subnets.iter().filter_map(|s| self.subnet(s)).collect();
        seen.subnets.sort_by(|a, b| (&a.zone, &a.id).cmp(&(&b.zone, &b.id)));
    }

    fn subnet(&self, subnet: &Ec2Subnet) -> Option<SubnetSight> {
        let id = subnet.subnet_id()?;
        let default_route = egress::table_of(&self.tables, id).and_then(default_route);
        let to_internet = default_route.as_deref().is_some_and(|d| d.starts_with("igw-"));
        Some(SubnetSight {
            id: id.to_owned(),
            zone: subnet.availability_zone()?.to_owned(),
            zone_id: subnet.availability_zone_id().unwrap_or_default().to_owned(),
            cidr: subnet.cidr_block()?.to_owned(),
            layer: Layer::of_subnet(&tag_map(subnet.tags()), to_internet),
            default_route,
        })
    }
}

/// What the IPv4 default route leads to, when that is there.
fn default_route(table: &Ec2Table) -> Option<String> {
    let to_all = table.routes().iter().find(|r| r.destination_cidr_block() == Some("0.0.0.0/0"))?;
    if to_all.state() == Some(&RouteState::Blackhole) {
        return None;
    }
    let targets = [to_all.nat_gateway_id(), to_all.instance_id(), to_all.transit_gateway_id(), to_all.gateway_id()];
    let peer = to_all.vpc_peering_connection_id();
    targets.into_iter().chain([peer, to_all.network_interface_id()]).flatten().next().map(str::to_owned)
}

/// What leads out of the VPC.
struct Ways {
    internet: Found<InternetGateway>,
    egress: Found<EgressOnlyGateway>,
    nats: Found<NatGateway>,
    forwarders: Vec<Instance>,
    endpoints: Found<S3Endpoint>,
    vpn_gateways: Found<VpnGateway>,
    vpns: Found<VpnConnection>,
    customers: Found<CustomerGateway>,
    transits: Found<TransitAttachment>,
    peerings: Found<PeeringConnection>,
}

async fn ways(cloud: &Cloud, vpc: &str) -> Result<Ways> {
    let forwarders = async {
        let call = cloud.ec2().describe_instances().filters(filter("vpc-id", &[vpc]));
        let call = call.filters(filter("source-dest-check", &["false"]));
        let call = call.filters(filter("instance-state-name", &["pending", "running", "stopping", "stopped"]));
        let pages = call.into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, vpc)?;
        Ok(found.into_iter().flat_map(|r| r.instances.unwrap_or_default()).collect())
    };
    let first = async {
        futures::try_join!(
            in_vpc::<InternetGateway>(cloud, vpc),
            in_vpc::<EgressOnlyGateway>(cloud, vpc),
            in_vpc::<NatGateway>(cloud, vpc),
            forwarders,
            in_vpc::<S3Endpoint>(cloud, vpc)
        )
    };
    let second = async {
        futures::try_join!(
            in_vpc::<VpnGateway>(cloud, vpc),
            in_vpc::<VpnConnection>(cloud, vpc),
            in_vpc::<CustomerGateway>(cloud, vpc),
            in_vpc::<TransitAttachment>(cloud, vpc),
            in_vpc::<PeeringConnection>(cloud, vpc)
        )
    };
    let ((internet, egress, nats, forwarders, endpoints), (vpn_gateways, vpns, customers, transits, peerings)) =
        futures::try_join!(first, second)?;
    Ok(Ways { internet, egress, nats, forwarders, endpoints, vpn_gateways, vpns, customers, transits, peerings })
}

impl Ways {
    fn tell(&self, vpc: &str, tables: &[Ec2Table], seen: &mut Sights) {
        seen.internet_gateway = self.internet.iter().find_map(|g| g.internet_gateway_id().map(str::to_owned));
        let egress = self.egress.iter().filter(|g| EgressOnlyGateway::stands_in(g, vpc));
        seen.egress_only = egress.filter_map(|g| g.egress_only_internet_gateway_id()).next().map(str::to_owned);
        seen.nats = self.nats.iter().filter_map(nat_gateway).collect();
        // A route to an instance may name the instance or its network interface.
        let has = |i: &&Instance, id: &str| i.network_interfaces().iter().any(|n| n.network_interface_id() == Some(id));
        for subnet in &mut seen.subnets {
            let Some(route) = subnet.default_route.as_mut().filter(|r| r.starts_with("eni-")) else { continue };
            let owner = self.forwarders.iter().find(|i| has(i, route));
            if let Some(id) = owner.and_then(|i| i.instance_id()) {
                id.clone_into(route);
            }
        }
        let routed: BTreeSet<&str> = seen.subnets.iter().filter_map(|s| s.default_route.as_deref()).collect();
        let forwarders = self.forwarders.iter().filter_map(forwarder);
        seen.nats.extend(forwarders.filter(|n| routed.contains(n.id.as_str())));
        seen.nats.sort_by(|a, b| a.id.cmp(&b.id));
        let s3 = self.endpoints.iter().find(|e| {
            e.vpc_endpoint_type().is_none_or(|t| t.as_str().eq_ignore_ascii_case("gateway"))
                && e.service_name().is_some_and(|n| n.ends_with(".s3"))
        });
        seen.s3_endpoint = s3.and_then(|e| e.vpc_endpoint_id()).map(str::to_owned);
        let vpn_gateway = self.vpn_gateways.iter().find(|g| VpnGateway::stands_in(g, vpc));
        seen.vpn_gateway = vpn_gateway.and_then(|g| g.vpn_gateway_id()).map(str::to_owned);
        seen.vpns = match &seen.vpn_gateway {
            Some(gateway) => self.vpns_of(gateway),
            None => Vec::new(),
        };
        seen.transits = self.transits.iter().filter_map(|t| transit(t, tables)).collect();
        seen.transits.sort_by(|a, b| a.gateway.cmp(&b.gateway));
        seen.peerings = self.peerings.iter().filter_map(|p| peering(p, vpc)).collect();
        seen.peerings.sort_by(|a, b| a.id.cmp(&b.id));
    }

    fn vpns_of(&self, gateway: &str) -> Vec<VpnSight> {
        let gone = [VpnState::Deleted, VpnState::Deleting];
        let ours = self.vpns.iter().filter(|v| v.vpn_gateway_id() == Some(gateway));
        ours.map(|v| {
            let customer = self.customers.iter().find(|c| c.customer_gateway_id() == v.customer_gateway_id());
            let routes = v.routes().iter().filter(|r| r.state().is_none_or(|s| !gone.contains(s)));
            let up = v.vgw_telemetry().iter().filter(|t| t.status().is_some_and(|s| s.as_str() == "UP"));
            VpnSight {
                address: customer.and_then(|c| c.ip_address()).map(str::to_owned),
                asn: customer.and_then(|c| c.bgp_asn()).map(str::to_owned),
                routes: routes.filter_map(|r| r.destination_cidr_block().map(str::to_owned)).collect(),
                tunnels_up: up.count(),
            }
        })
        .collect()
    }
}

fn nat_gateway(gateway: &Ec2NatGateway) -> Option<NatSight> {
    Some(NatSight {
        id: gateway.nat_gateway_id()?.to_owned(),
        subnet: gateway.subnet_id().unwrap_or_default().to_owned(),
        address: primary(gateway).and_then(|a| a.public_ip()).map(str::to_owned),
    })
}

fn forwarder(instance: &Instance) -> Option<NatSight> {
    Some(NatSight {
        id: instance.instance_id()?.to_owned(),
        subnet: instance.subnet_id().unwrap_or_default().to_owned(),
        address: instance.public_ip_address().map(str::to_owned),
    })
}

fn transit(attachment: &TransitGatewayVpcAttachment, tables: &[Ec2Table]) -> Option<TransitSight> {
    let gateway = attachment.transit_gateway_id()?;
    let state = attachment.state().map_or("unknown", |s| s.as_str()).to_owned();
    let routes = tables.iter().flat_map(|t| t.routes()).filter(|r| r.transit_gateway_id() == Some(gateway));
    let routes: BTreeSet<String> = routes.filter_map(|r| r.destination_cidr_block().map(str::to_owned)).collect();
    Some(TransitSight { gateway: gateway.to_owned(), state, routes: routes.into_iter().collect() })
}

fn peering(connection: &VpcPeeringConnection, vpc: &str) -> Option<PeeringSight> {
    let (ours, theirs) = (connection.requester_vpc_info()?, connection.accepter_vpc_info()?);
    let other = match (ours.vpc_id() == Some(vpc), theirs.vpc_id() == Some(vpc)) {
        (true, _) => theirs,
        (_, true) => ours,
        _ => return None,
    };
    let state = connection.status().and_then(|s| s.code()).map_or("unknown", |c| c.as_str()).to_owned();
    Some(PeeringSight {
        id: connection.vpc_peering_connection_id()?.to_owned(),
        name: tag_map(connection.tags()).remove("Name").filter(|n| !n.is_empty()),
        vpc: other.vpc_id().unwrap_or_default().to_owned(),
        account: other.owner_id().unwrap_or_default().to_owned(),
        region: other.region().unwrap_or_default().to_owned(),
        cidrs: ranges(other),
        state,
    })
}

fn ranges(side: &VpcPeeringConnectionVpcInfo) -> Vec<String> {
    let set = side.cidr_block_set().iter().filter_map(|c| c.cidr_block());
    let mut all: Vec<String> = side.cidr_block().into_iter().chain(set).map(str::to_owned).collect();
    all.dedup();
    all
}

async fn balancers(cloud: &Cloud, vpc: &str) -> Result<Vec<BalancerSight>> {
    let here = load_balancer::of_vpc(cloud, vpc).await?;
    let arns = here.iter().filter_map(|b| b.load_balancer_arn().map(str::to_owned)).collect();
    let tags = target_group::tags_of(cloud, arns).await?;
    let mut seen: Vec<BalancerSight> = here.iter().filter_map(|b| balancer(b, &tags)).collect();
    seen.sort();
    Ok(seen)
}

fn balancer(found: &LoadBalancer, tags: &BTreeMap<String, BTreeMap<String, String>>) -> Option<BalancerSight> {
    let own = tags.get(found.load_balancer_arn()?);
    let tag = |key| own.and_then(|t| t.get(key)).cloned();
    Some(BalancerSight {
        name: found.load_balancer_name()?.to_owned(),
        internal: found.scheme() == Some(&LoadBalancerSchemeEnum::Internal),
        subnets: found.availability_zones().iter().filter_map(|z| z.subnet_id().map(str::to_owned)).collect(),
        of: tag(tags::APPLICATION).zip(tag(tags::VERSION)),
    })
}
