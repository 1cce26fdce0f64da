//! A region's network.
use super::{Input, interconnect};
use crate::{organization::types::Nat, policies};
use aws_core::{
    cloud::{Cloud, Clouds, Spot},
    engine::{Graph, Identity, NodeId, Ref, Resource},
    model::{
        Layer, TeamOwner,
        names::{partition, shorten},
    },
    registry::teams::{Feature, Interconnect, RegionRecord, ZoneRecord},
    resources::{
        identity::team_role::{TeamRole, Trust},
        kind::Named,
        log_group::LogGroup,
        network::{
            address::ElasticIp,
            default_group::DefaultGroup,
            dhcp_options::DhcpOptions,
            egress::{EgressGatewayId, EgressOnlyGateway},
            endpoint::S3Endpoint,
            flow_log::FlowLog,
            gateways::InternetGateway,
            ids::{AllocationId, GatewayId, RouteTableId, SubnetId, VpcId, VpnGatewayId},
            kinds::{KindId, Part, Thing},
            nat_gateway::NatGateway,
            nat_instance::{Machine, NatInstance},
            peering::PeeringConnection,
            route_table::{Route, RouteTable, Via},
            stray::{self, Tagged},
            subnet::Subnet,
            transit::TransitAttachment,
            vpc::Vpc,
            vpn::{CustomerGateway, VpnConnection, VpnGateway},
        },
        place_settings::SettingsOf,
    },
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::{BTreeMap, BTreeSet};

/// Slots of a layer: subnets with IPv6 are numbered by layer and slot.
const SLOTS: usize = 8;
/// The NAT instance's type: the smallest ARM one.
pub(crate) const NAT_INSTANCE: &str = "t4g.nano";

/// A subnet's network in its zone.
fn of_zone(zone: &ZoneRecord, layer: Layer) -> Option<Ipv4Net> {
    match layer {
        Layer::Public => zone.public,
        Layer::Shared => zone.shared,
        Layer::Private => zone.private,
    }
}

/// One region under construction.
struct Region<'a, 'g> {
    input: &'a Input<'a>,
    graph: &'g mut Graph<Clouds>,
    record: &'a RegionRecord,
    spot: Spot,
    vpc: Ref<VpcId>,
    subnets: Vec<(Layer, usize, Ref<SubnetId>)>,
    /// What the graph wants, by kind and name: all else that carries the team's tags goes.
    wanted: BTreeSet<(&'static str, String)>,
}

/// How packets leave the inner layers, by slot.
type Exits = BTreeMap<usize, Via>;

/// Adds a region's network.
pub(super) fn network(input: &Input<'_>, graph: &mut Graph<Clouds>, record: &RegionRecord, spot: Spot) -> Ref<VpcId> {
    let (team, owner) = (input.team, &input.owner);
    let name = team.name.to_string();
    let mut wanted = BTreeSet::new();
    let put = &input.places.clouds;
    let dhcp = (!team.dns_servers.is_empty() || team.internal_domain.is_some()).then(|| {
        let (servers, domain) = (team.dns_servers.clone(), team.internal_domain.clone());
        let name = dhcp_name(&name, &servers, domain.as_deref());
        wanted.insert((KindId::of::<DhcpOptions>().name(), name.clone()));
        put.put(spot, DhcpOptions { owner: owner.clone(), name, servers, domain }).to(graph)
    });
    wanted.insert((KindId::of::<Vpc>().name(), name.clone()));
    let (owner, ipv6) = (owner.clone(), team.ipv6);
    let vpc = put.put(spot, Vpc { owner, name, cidr: record.cidr, ipv6, dhcp }).to(graph);
    let mut region = Region { input, graph, record, spot, vpc, subnets: Vec::new(), wanted };
    region.build();
    vpc
}

/// Where flow logs go, and the role that writes there.
fn flow_log_parts(input: &Input<'_>, region: &str, retention_days: i32) -> (LogGroup<TeamOwner>, TeamRole) {
    let (team, account, owner) = (input.team.name.as_str(), &input.places.account, &input.owner);
    let (name, role) = flow_log_names(team, region);
    let arn = format!("arn:{}:logs:{region}:{account}:log-group:{name}", partition(region));
    let role = TeamRole {
        owner: owner.clone(),
        name: role,
        description: format!("Flow logs of team {team} in {region}"),
        trust: Trust {
            services: vec!["vpc-flow-logs.amazonaws.com".into()],
            source_account: Some(account.clone()),
            principals: Vec::new(),
            saml: None,
        },
        managed: Vec::new(),
        inline: Some((policies::INLINE.into(), policies::flow_logs(&arn))),
        boundary: None,
        session_hours: 1,
    };
    let noun = format!("log group {name}");
    (LogGroup { owner: owner.clone(), name, noun, retention_days }, role)
}

/// The names of the log group and of the role.
fn flow_log_names(team: &str, region: &str) -> (String, String) {
    (format!("/overlord/{team}/flow-logs"), shorten(&format!("overlord-flow-logs-{team}-{region}"), 64))
}

/// What flow logs leave when they are switched off, once `after` are done; they themselves carry the team's tags.
fn without_flow_logs(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    (region, spot): (&str, Spot),
    after: &[NodeId],
) -> [NodeId; 2] {
    let (group, role) = flow_log_names(input.team.name.as_str(), region);
    let group = Named::<LogGroup<TeamOwner>>::new(&input.owner, group);
    let role = Named::<TeamRole>::new(&input.owner, role);
    let clouds = &input.places.clouds;
    [
        clouds.put(spot, group).after(after.iter().copied()).absent(graph).node(),
        clouds.put(spot, role).after(after.iter().copied()).absent(graph).node(),
    ]
}

/// A region's network, to be removed: all that carries the team's tags, and what it shares with others.
pub(super) fn without(input: &Input<'_>, graph: &mut Graph<Clouds>, record: &RegionRecord, spot: Spot) {
    let (team, owner, clouds) = (input.team, &input.owner, &input.places.clouds);
    let mut under = Vec::new();
    // What the team never used is not its own to remove.
    if input.record.interconnect == Interconnect::TransitGateway {
        under.extend(interconnect::without_gateway(input, graph, &record.region, &[]));
    }
    if team.flow_logs_days.is_some() || input.record.made.contains(&Feature::FlowLogs) {
        under.extend(without_flow_logs(input, graph, (&record.region, spot), &[]));
    }
    let name = team.name.as_str();
    let all = input.strays.get(&record.region).cloned().unwrap_or_default();
    let (vpc_kind, named) = (KindId::of::<Vpc>(), |t: &Thing| t.kind == KindId::of::<Vpc>() && t.name == name);
    let (before, rest): (Vec<Thing>, Vec<Thing>) =
        all.into_iter().filter(|t| !named(t)).partition(|t| t.kind < vpc_kind);
    // DHCP options are a VPC's until it is gone.
    under.extend(stray::add(graph, clouds, spot, owner, before.into_iter().map(Tagged::Going), &[]));
    let vpc = clouds.put(spot, Named::<Vpc>::new(owner, name)).after(under).absent(graph);
    clouds.put(spot, SettingsOf { vpc }).absent(graph);
    let joined = interconnect::without_peering(input, graph, spot, record, vpc, &[]);
    let peering = KindId::of::<PeeringConnection>();
    let rest = rest.into_iter().filter(|t| t.kind != peering || !joined.contains(&t.name));
    stray::add(graph, clouds, spot, owner, rest.map(Tagged::Going), &[vpc.node()]);
}

/// DHCP options cannot be changed: their name tells what they hold.
fn dhcp_name(team: &str, servers: &[std::net::IpAddr], domain: Option<&str>) -> String {
    let words: Vec<String> = servers.iter().map(ToString::to_string).chain(domain.map(str::to_owned)).collect();
    shorten(&format!("{team}-{}", words.join("-")), 64)
}

impl Region<'_, '_> {
    fn owner(&self) -> TeamOwner {
        self.input.owner.clone()
    }
    fn team(&self) -> String {
        self.input.team.name.to_string()
    }
    fn want<K: Part>(&mut self, name: impl Into<String>) -> String {
        let name = name.into();
        self.wanted.insert((K::NAME, name.clone()));
        name
    }
    fn put<R>(&mut self, resource: R) -> Ref<<R::Identity as Identity>::Output>
    where
        R: Resource<Identity: Identity<Cloud = Cloud>>,
    {
        self.input.places.clouds.put(self.spot, resource).to(self.graph)
    }

    fn build(&mut self) {
        let (owner, vpc) = (self.owner(), self.vpc);
        let name = self.want::<InternetGateway>(self.team());
        let internet = self.put(InternetGateway { owner: owner.clone(), name, vpc });
        self.put(DefaultGroup { owner: owner.clone(), vpc });
        let egress = self.input.team.ipv6.then(|| {
            let name = self.want::<EgressOnlyGateway>(self.team());
            self.put(EgressOnlyGateway { owner: self.owner(), name, vpc })
        });
        self.make_subnets();
        let vpn = self.vpn();
        let attachment_subnets: Vec<_> =
            self.subnets.iter().filter(|(l, ..)| *l == Layer::Private).map(|(.., r)| *r).collect();
        let ways = interconnect::ways(self.input, self.graph, self.spot, self.record, vpc, attachment_subnets);
        if ways.attached {
            self.want::<TransitAttachment>(self.team());
        }
        for name in &ways.peerings {
            self.want::<PeeringConnection>(name.clone());
        }
        let public = self.public_table(internet, &ways.routes);
        let exits = self.exits(internet, public);
        let mut tables = self.inner_tables(egress, &exits, vpn.map(|(gateway, _)| gateway), &ways.routes);
        tables.extend(public);
        let name = self.want::<S3Endpoint>("s3");
        self.put(S3Endpoint { owner: owner.clone(), name, vpc, route_tables: tables.clone() });
        self.flow_logs();
        let last: Vec<NodeId> =
            tables.iter().map(|t| t.node()).chain(vpn.map(|(_, connection)| connection.node())).collect();
        self.strays(last);
    }

    fn make_subnets(&mut self) {
        for (slot, zone) in self.record.zones.iter().enumerate() {
            for (index, layer) in Layer::ALL.into_iter().enumerate() {
                let Some(cidr) = of_zone(zone, layer) else { continue };
                let name = self.want::<Subnet>(format!("{layer}-{}", zone.name));
                let ipv6_index = self.input.team.ipv6.then_some((index * SLOTS + slot) as u8);
                let (owner, vpc, zone_id) = (self.owner(), self.vpc, zone.id.clone());
                let made = self.put(Subnet { owner, name, vpc, zone_id, cidr, layer, ipv6_index });
                self.subnets.push((layer, slot, made));
            }
        }
    }

    fn public_subnet(&self, slot: usize) -> Option<Ref<SubnetId>> {
        self.subnets.iter().find(|(l, s, _)| *l == Layer::Public && *s == slot).map(|(.., r)| *r)
    }

    /// An address. Gateways and instances have their own: on a switch the new one stands before the old one goes.
    fn address(&mut self, name: String) -> Ref<AllocationId> {
        let name = self.want::<ElasticIp>(name);
        let owner = self.owner();
        self.put(ElasticIp { owner, name })
    }

    /// NAT. What forwards packets stands in the zone's public subnet, and needs its way to the internet: a gateway fails
    /// without one, and an instance fetches packages when it boots.
    fn exits(&mut self, internet: Ref<GatewayId>, public: Option<Ref<RouteTableId>>) -> Exits {
        let zones = &self.record.zones;
        let first = (0..zones.len()).find(|slot| self.public_subnet(*slot).is_some());
        let slots: Vec<usize> = match (self.input.team.nat, first) {
            (Nat::PerAz, _) => (0..zones.len()).filter(|s| self.public_subnet(*s).is_some()).collect(),
            (Nat::Single | Nat::Instance, Some(first)) => vec![first],
            (Nat::None, _) | (_, None) => Vec::new(),
        };
        let way: Vec<NodeId> = public.map(|t| t.node()).into_iter().chain([internet.node()]).collect();
        let mut exits = Exits::new();
        for slot in slots {
            let Some(subnet) = self.public_subnet(slot) else { continue };
            let zone = zones[slot].name.clone();
            let (owner, vpc, clouds) = (self.owner(), self.vpc, &self.input.places.clouds);
            let via = if self.input.team.nat == Nat::Instance {
                let address = self.address(format!("nat-instance-{zone}"));
                let name = self.want::<Machine>("nat");
                let (from, instance_type) = (vec![self.record.cidr], NAT_INSTANCE.to_owned());
                let instance = NatInstance { owner, name, vpc, subnet, address, instance_type, from };
                Via::Instance(clouds.put(self.spot, instance).after(way.clone()).to(self.graph))
            } else {
                let address = self.address(format!("nat-{zone}"));
                let name = self.want::<NatGateway>(format!("nat-{zone}"));
                let gateway = NatGateway { owner, name, subnet, address };
                Via::Nat(clouds.put(self.spot, gateway).after([internet.node()]).to(self.graph))
            };
            exits.insert(slot, via);
        }
        exits
    }

    /// The gateway on our side, and the connection.
    fn vpn(&mut self) -> Option<(Ref<VpnGatewayId>, Ref<()>)> {
        let vpn = self.input.team.vpn.as_ref()?;
        let (owner, vpc) = (self.owner(), self.vpc);
        let name = self.want::<VpnGateway>(self.team());
        let gateway = self.put(VpnGateway { owner: owner.clone(), name, vpc });
        // It cannot be changed: another address or number is another one.
        let name = format!("{}-{}-{}", self.team(), vpn.gateway, vpn.asn);
        let name = self.want::<CustomerGateway>(name);
        let customer = self.put(CustomerGateway { owner: owner.clone(), name, address: vpn.gateway, asn: vpn.asn });
        let name = self.want::<VpnConnection>(self.team());
        let connection = self.put(VpnConnection { owner, name, gateway, customer, routes: vpn.routes.clone() });
        Some((gateway, connection))
    }

    /// One public route table.
    fn public_table(&mut self, internet: Ref<GatewayId>, routes: &[Route]) -> Option<Ref<RouteTableId>> {
        let subnets: Vec<_> = self.subnets.iter().filter(|(l, ..)| *l == Layer::Public).map(|(.., r)| *r).collect();
        if subnets.is_empty() {
            return None;
        }
        let mut all = vec![Route { to: IpNet::V4(Ipv4Net::default()), via: Via::Internet(internet) }];
        if self.input.team.ipv6 {
            all.push(Route { to: IpNet::V6(Ipv6Net::default()), via: Via::Internet(internet) });
        }
        all.extend(routes.iter().cloned());
        let name = self.want::<RouteTable>("public");
        let (owner, vpc, managed) = (self.owner(), self.vpc, self.input.managed.clone());
        Some(self.put(RouteTable { owner, name, vpc, routes: all, subnets, propagate: None, managed }))
    }

    /// A shared and a private route table for each zone.
    fn inner_tables(
        &mut self,
        egress: Option<Ref<EgressGatewayId>>,
        exits: &Exits,
        vpn: Option<Ref<VpnGatewayId>>,
        routes: &[Route],
    ) -> Vec<Ref<RouteTableId>> {
        let mut tables = Vec::new();
        let inner: Vec<_> = self.subnets.iter().filter(|(l, ..)| *l != Layer::Public).copied().collect();
        for (layer, slot, subnet) in inner {
            let exit = exits.get(&slot).or_else(|| exits.values().next());
            let default = exit.map(|via| Route { to: IpNet::V4(Ipv4Net::default()), via: *via });
            let mut all: Vec<Route> = default.into_iter().collect();
            all.extend(egress.map(|via| Route { to: IpNet::V6(Ipv6Net::default()), via: Via::EgressOnly(via) }));
            all.extend(routes.iter().cloned());
            let name = self.want::<RouteTable>(format!("{layer}-{}", self.record.zones[slot].name));
            let (owner, vpc, managed) = (self.owner(), self.vpc, self.input.managed.clone());
            let subnets = vec![subnet];
            tables.push(self.put(RouteTable { owner, name, vpc, routes: all, subnets, propagate: vpn, managed }));
        }
        tables
    }

    fn flow_logs(&mut self) {
        let Some(retention_days) = self.input.team.flow_logs_days else { return };
        let (group, role) = flow_log_parts(self.input, &self.record.region, retention_days);
        let (log_group, role) = (self.put(group), self.put(role));
        let (owner, vpc, team) = (self.owner(), self.vpc, self.team());
        let name = self.want::<FlowLog>(team);
        self.put(FlowLog { owner, name, vpc, log_group, role });
    }

    /// What carries the team's tags and is not wanted any more goes, once the routes point elsewhere. Addresses stay:
    /// somebody may have written them into a firewall.
    fn strays(&mut self, mut last: Vec<NodeId>) {
        let (input, spot, region) = (self.input, self.spot, &self.record.region);
        if input.gone.left_peering {
            for name in interconnect::without_peering(input, self.graph, spot, self.record, self.vpc, &last) {
                self.want::<PeeringConnection>(name);
            }
        }
        let mut under = Vec::new();
        if input.gone.left_transit {
            under.extend(interconnect::without_gateway(input, self.graph, region, &last));
        }
        if input.gone.off.contains(&Feature::FlowLogs) {
            under.extend(without_flow_logs(input, self.graph, (region, spot), &last));
        }
        last.extend(under);
        let all = input.strays.get(region).cloned().unwrap_or_default();
        let unwanted =
            |s: &Thing| !self.wanted.contains(&(s.kind.name(), s.name.clone())) && s.kind != KindId::of::<ElasticIp>();
        let unwanted = all.into_iter().filter(unwanted).map(Tagged::Unused);
        stray::add(self.graph, &input.places.clouds, spot, &input.owner, unwanted, &last);
    }
}
