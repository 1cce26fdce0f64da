//! Every part of a network disappears behind the tool's back: what that means follows from its kind alone.
use crate::{
    given::Given,
    support::{self, Way},
};
use aws_core::{
    cloud::{Cloud, Clouds, Spot},
    engine::{Graph, Quiet},
    model::{Layer, TeamOwner},
    resources::{
        identity::team_role::RoleArn,
        log_group::LogGroupName,
        network::{
            address::ElasticIp,
            dhcp_options::DhcpOptions,
            egress::EgressOnlyGateway,
            endpoint::S3Endpoint,
            flow_log::FlowLog,
            gateways::InternetGateway,
            kinds::{KindId, Thing},
            nat_gateway::NatGateway,
            nat_instance::NatInstance,
            peering::{Peer, PeeringAcceptance, PeeringConnection},
            route_table::{Route, RouteTable, Via},
            stray::{self, Tagged, strays},
            subnet::Subnet,
            transit::{TransitAttachment, TransitGateway},
            vpc::Vpc,
            vpn::{CustomerGateway, VpnConnection, VpnGateway},
        },
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// A network with every kind in it, and the one place where it is.
struct Whole {
    clouds: Clouds,
    spot: Spot,
    cloud: Arc<Cloud>,
    team: TeamOwner,
    /// Another team's VPC.
    peer: String,
    /// The first two bytes of its addresses.
    stem: String,
}

impl Whole {
    async fn new(n: usize) -> Self {
        let cloud = Arc::new(support::cloud().await);
        let mut clouds = Clouds::default();
        let spot = clouds.add(cloud.clone(), None);
        let team = support::unique("parts").parse().ok();
        let team = TeamOwner { organization: "acme".parse().unwrap(), team, extra: BTreeMap::new() };
        let peer = support::vpc(&cloud).await;
        Self { clouds, spot, cloud, team, peer, stem: format!("172.{}", 16 + n % 16) }
    }
    fn owner(&self) -> TeamOwner {
        self.team.clone()
    }
    fn name(&self) -> String {
        self.team.team.as_ref().unwrap().to_string()
    }

    fn graph(&self) -> Graph<Clouds> {
        let mut graph = Graph::default();
        macro_rules! add {
            ($resource:expr) => {
                self.clouds.put(self.spot, $resource).to(&mut graph)
            };
        }
        let (owner, name) = (|| self.owner(), || self.name());
        let cidr = |rest: &str| format!("{}.{rest}", self.stem).parse().unwrap();
        let servers = vec!["10.0.0.2".parse().unwrap()];
        let dhcp = add!(DhcpOptions { owner: owner(), name: name(), servers, domain: None });
        let vpc = add!(Vpc { owner: owner(), name: name(), cidr: cidr("0.0/20"), ipv6: true, dhcp: Some(dhcp) });
        let internet = add!(InternetGateway { owner: owner(), name: name(), vpc });
        let egress = add!(EgressOnlyGateway { owner: owner(), name: name(), vpc });
        let mut subnet = |layer: Layer, n: u8| {
            let (zone_id, cidr) = ("euw1-az1".to_owned(), cidr(&format!("{n}.0/24")));
            let name = layer.to_string();
            add!(Subnet { owner: owner(), name, vpc, zone_id, cidr, layer, ipv6_index: Some(n) })
        };
        let (public, private) = (subnet(Layer::Public, 0), subnet(Layer::Private, 1));
        let address = add!(ElasticIp { owner: owner(), name: "gateway".into() });
        let nat = add!(NatGateway { owner: owner(), name: "nat".into(), subnet: public, address });
        let address = add!(ElasticIp { owner: owner(), name: "instance".into() });
        let (instance_type, from) = ("t4g.nano".to_owned(), vec![cidr("0.0/20")]);
        let machine = "machine".to_owned();
        add!(NatInstance { owner: owner(), name: machine, vpc, subnet: public, address, instance_type, from });
        let vpn = add!(VpnGateway { owner: owner(), name: name(), vpc });
        let device = "198.51.100.9".parse().unwrap();
        let customer = add!(CustomerGateway { owner: owner(), name: name(), address: device, asn: 65_000 });
        add!(VpnConnection { owner: owner(), name: name(), gateway: vpn, customer, routes: Vec::new() });
        let gateway = add!(TransitGateway { owner: owner(), name: name() });
        let subnets = vec![private];
        let attachment = add!(TransitAttachment { owner: owner(), name: name(), gateway, vpc, subnets, ipv6: false });
        let account = "123456789012".to_owned();
        let peer = Peer { vpc: self.peer.clone(), account, region: support::REGION.into() };
        let peering = add!(PeeringConnection { owner: owner(), name: name(), vpc, peer });
        let accepted = add!(PeeringAcceptance { name: name(), peering, vpc });
        let route = |to: &str, via| Route { to: to.parse().unwrap(), via };
        let routes = vec![
            route("0.0.0.0/0", Via::Nat(nat)),
            route("::/0", Via::EgressOnly(egress)),
            route("10.0.0.0/8", Via::Transit { gateway, attachment }),
            route("192.168.0.0/16", Via::Peering { peering, accepted }),
        ];
        let managed = vec!["10.0.0.0/8".parse().unwrap(), "192.168.0.0/16".parse().unwrap()];
        // The emulator propagates no routes.
        let table = |name: &str, subnets, routes| RouteTable {
            owner: owner(),
            name: name.into(),
            vpc,
            routes,
            subnets,
            propagate: None,
            managed: managed.clone(),
        };
        let out = vec![route("0.0.0.0/0", Via::Internet(internet))];
        let route_tables =
            vec![add!(table("public", vec![public], out)), add!(table("private", vec![private], routes))];
        add!(S3Endpoint { owner: owner(), name: "s3".into(), vpc, route_tables });
        let log_group = graph.external(self.clouds.put(self.spot, Given("log group", LogGroupName("/parts".into()))));
        let role = RoleArn("arn:aws:iam::123456789012:role/flow-logs".into());
        let role = graph.external(self.clouds.put(self.spot, Given("role", role)));
        let flow_log = FlowLog { owner: owner(), name: name(), vpc, log_group, role };
        self.clouds.put(self.spot, flow_log).to(&mut graph);
        graph
    }

    async fn run(&self, way: Way, what: &str) -> usize {
        let report = way.run(&self.graph(), &self.clouds, &Quiet).await;
        assert!(report.complete(), "{what}, {way:?}:\n{}", support::text(&report));
        report.changes()
    }

    async fn there(&self) -> Vec<Thing> {
        use aws_core::engine::World as _;
        self.cloud.forget();
        strays(&self.cloud, &self.team).await.unwrap()
    }

    /// AWS takes the address from a NAT gateway that goes; the emulator does not.
    async fn free_the_address(&self) {
        let (ec2, all) = (self.cloud.ec2(), self.there().await);
        let Some(address) = all.iter().find(|t| t.kind == KindId::of::<ElasticIp>() && t.name == "gateway") else {
            return;
        };
        let found = ec2.describe_addresses().allocation_ids(&address.id).send().await.unwrap();
        if let Some(association) = found.addresses()[0].association_id() {
            ec2.disassociate_address().association_id(association).send().await.unwrap();
        }
    }

    /// Removes all of a kind, and first what holds some of it.
    async fn lose(&self, kind: KindId) -> usize {
        let gone = self.there().await.into_iter().filter(|t| t.kind == kind || t.kind.goes_before(kind));
        let mut graph = Graph::default();
        let nodes = stray::add(&mut graph, &self.clouds, self.spot, &self.team, gone.map(Tagged::Unused), &[]);
        let report = Way::Apply.run(&graph, &self.clouds, &Quiet).await;
        assert!(report.complete(), "{kind:?}:\n{}", support::text(&report));
        let nat = KindId::of::<NatGateway>();
        if kind == nat || nat.goes_before(kind) {
            self.free_the_address().await;
        }
        nodes.len()
    }
}

/// Lost, found to be missing, made again; lost again, and deleted with the rest.
async fn disappears(n: usize, kind: KindId) {
    let whole = Whole::new(n).await;
    whole.cloud.logs().create_log_group().log_group_name("/parts").send().await.ok();
    whole.run(Way::Apply, "the first time").await;
    let before = whole.there().await;
    assert!(before.iter().any(|t| t.kind == kind), "{kind:?} is in the network: {before:?}");
    assert!(whole.lose(kind).await > 0);
    let what = format!("without {}", kind.noun());
    assert!(whole.run(Way::Plan, &what).await > 0, "{what} something is missing");
    assert!(whole.run(Way::Apply, &what).await > 0);
    assert_eq!(whole.run(Way::Plan, &what).await, 0, "{what} it was made again");
    let names = |things: &[Thing]| {
        let mut names: Vec<_> = things.iter().map(|t| (t.kind, t.name.clone())).collect();
        names.sort();
        names
    };
    assert_eq!(names(&whole.there().await), names(&before));
    whole.lose(kind).await;
    whole.run(Way::Destroy, &what).await;
    assert_eq!(whole.there().await, Vec::<Thing>::new(), "{what} all the rest is deleted");
}

#[tokio::test]
async fn every_kind_disappears() {
    for (n, kind) in KindId::all().enumerate() {
        disappears(n, kind).await;
    }
}

/// What carries the team's tags is found by its kind, and removed before what it holds some of.
#[tokio::test]
async fn what_no_graph_names_is_found_and_removed() {
    let whole = Whole::new(KindId::all().count()).await;
    whole.cloud.logs().create_log_group().log_group_name("/parts").send().await.ok();
    whole.run(Way::Apply, "the first time").await;
    let found = whole.there().await;
    let mut graph = Graph::default();
    stray::add(&mut graph, &whole.clouds, whole.spot, &whole.team, found.iter().cloned().map(Tagged::Going), &[]);
    for way in [Way::Plan, Way::Apply] {
        let recorder = support::Recorder::default();
        let report = way.run(&graph, &whole.clouds, &recorder).await;
        assert!(report.complete(), "{way:?}:\n{}", support::text(&report));
        assert_eq!(report.changes(), found.len(), "{way:?}:\n{}", support::text(&report));
        let steps: Vec<String> = recorder.lines().into_iter().filter(|l| l.starts_with("Deleting")).collect();
        let kind = |step: &String| found.iter().find(|s| step.contains(&s.id)).unwrap().kind;
        let order: Vec<KindId> = steps.iter().map(kind).collect();
        let after = |at: usize| order[at + 1..].iter().any(|later| later.goes_before(order[at]));
        assert!(!(0..order.len()).any(after), "what others hold goes after those: {steps:#?}");
        assert_eq!(steps.len(), if way == Way::Apply { found.len() } else { 0 });
    }
    assert_eq!(whole.there().await, Vec::<Thing>::new());
    let again = Way::Apply.run(&graph, &whole.clouds, &Quiet).await;
    assert_eq!((again.complete(), again.changes()), (true, 0), "gone already is no error");
}

/// By IPv6 private subnets reach the internet, and nobody there reaches them.
#[tokio::test]
async fn ipv6_leads_outwards_only() {
    let whole = Whole::new(KindId::all().count() + 1).await;
    whole.cloud.logs().create_log_group().log_group_name("/parts").send().await.ok();
    whole.run(Way::Apply, "the first time").await;
    let private = whole.there().await.into_iter().find(|t| t.kind == KindId::of::<RouteTable>() && t.name == "private");
    let private = private.unwrap().id;
    let outwards = async || {
        let tables = whole.cloud.ec2().describe_route_tables().route_table_ids(&private).send().await.unwrap();
        let routes = tables.route_tables()[0].routes().to_owned();
        routes.into_iter().find(|r| r.destination_ipv6_cidr_block() == Some("::/0")).unwrap()
    };
    let egress = outwards().await.egress_only_internet_gateway_id.unwrap();
    let gateways = whole.there().await;
    let both_ways = gateways.iter().find(|t| t.kind == KindId::of::<InternetGateway>()).unwrap();
    let opened = whole.cloud.ec2().replace_route().route_table_id(&private).destination_ipv6_cidr_block("::/0");
    opened.gateway_id(&both_ways.id).send().await.unwrap();
    assert_eq!(whole.run(Way::Apply, "opened").await, 1);
    assert_eq!(outwards().await.egress_only_internet_gateway_id, Some(egress));
}
