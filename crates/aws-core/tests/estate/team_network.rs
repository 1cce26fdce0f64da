//! A team's network, on an emulator of AWS: VPC, subnets, gateways, route tables, the S3 endpoint.

use crate::support::{self, Way};
use aws_core::{
    cloud::Cloud,
    engine::Graph,
    error::Kind,
    model::{Layer, TeamOwner},
    resources::network::{
        default_group::DefaultGroup,
        dhcp_options::DhcpOptions,
        endpoint::S3Endpoint,
        gateways::InternetGateway,
        route_table::{Route, RouteTable, Via},
        subnet::Subnet,
        vpc::Vpc,
    },
};
use aws_sdk_ec2::types::{self as ec2, AttributeBooleanValue, Filter, IpPermission, IpRange, Tag};
use std::collections::BTreeMap;

/// What a test wants; the rest is the same for all.
#[derive(Clone)]
struct Spec {
    team: String,
    /// The first two bytes of the VPC's addresses.
    stem: String,
    bits: u8,
    ipv6: bool,
    dhcp: Option<&'static str>,
    zone: &'static str,
    extra: BTreeMap<String, String>,
}

impl Spec {
    fn new(stem: &str) -> Self {
        let extra = BTreeMap::from([("cost".to_owned(), "7".to_owned())]);
        let team = support::unique("red");
        Self { team, stem: stem.into(), bits: 20, ipv6: false, dhcp: None, zone: "euw1-az1", extra }
    }
    fn owner(&self) -> TeamOwner {
        TeamOwner {
            organization: "acme".parse().expect("it is one"),
            team: Some(self.team.parse().expect("it is one")),
            extra: self.extra.clone(),
        }
    }
    fn named(&self, what: &str) -> String {
        format!("{}-{what}", self.team)
    }

    fn graph(&self) -> Graph<Cloud> {
        let mut graph = Graph::default();
        let dhcp = self.dhcp.map(|server| {
            graph.add(DhcpOptions {
                owner: self.owner(),
                name: self.team.clone(),
                servers: vec![server.parse().expect("it is one")],
                domain: Some("example.org".into()),
            })
        });
        let cidr = format!("{}.0.0/{}", self.stem, self.bits).parse().expect("it is one");
        let vpc = graph.add(Vpc { owner: self.owner(), name: self.team.clone(), cidr, ipv6: self.ipv6, dhcp });
        let internet = graph.add(InternetGateway { owner: self.owner(), name: self.team.clone(), vpc });
        let zones = [("a", self.zone), ("b", "euw1-az2")];
        let mut tables = Vec::new();
        for (l, layer) in [Layer::Public, Layer::Private].into_iter().enumerate() {
            let subnets = zones.iter().enumerate().map(|(z, (letter, zone))| {
                let n = 2 * l + z;
                graph.add(Subnet {
                    owner: self.owner(),
                    name: self.named(&format!("{layer}-{letter}")),
                    vpc,
                    zone_id: (*zone).into(),
                    cidr: format!("{}.{n}.0/24", self.stem).parse().expect("it is one"),
                    layer,
                    ipv6_index: self.ipv6.then_some(n as u8),
                })
            });
            let subnets = subnets.collect();
            let route = |to: &str, via| Route { to: to.parse().expect("it is one"), via };
            let mut routes = Vec::new();
            if layer == Layer::Public {
                routes.push(route("0.0.0.0/0", Via::Internet(internet)));
            }
            if self.ipv6 && layer == Layer::Public {
                routes.push(route("::/0", Via::Internet(internet)));
            }
            tables.push(graph.add(RouteTable {
                owner: self.owner(),
                name: self.named(layer.as_str()),
                vpc,
                routes,
                subnets,
                propagate: None,
                managed: vec!["10.0.0.0/8".parse().expect("it is one")],
            }));
        }
        graph.add(S3Endpoint { owner: self.owner(), name: self.team.clone(), vpc, route_tables: tables });
        graph.add(DefaultGroup { owner: self.owner(), vpc });
        graph
    }

    fn filter(&self) -> Filter {
        Filter::builder().name("tag:overlord:team").values(&self.team).build()
    }

    async fn vpc(&self, cloud: &Cloud) -> ec2::Vpc {
        let told = cloud.ec2().describe_vpcs().filters(self.filter()).send().await.expect("the emulator answers");
        let [vpc] = told.vpcs() else { panic!("one VPC: {:?}", told.vpcs()) };
        vpc.clone()
    }
    async fn vpc_id(&self, cloud: &Cloud) -> String {
        self.vpc(cloud).await.vpc_id().expect("it is there").to_owned()
    }
    async fn table(&self, cloud: &Cloud, layer: Layer) -> ec2::RouteTable {
        let name = Filter::builder().name("tag:Name").values(self.named(layer.as_str())).build();
        let told = cloud
            .ec2()
            .describe_route_tables()
            .filters(self.filter())
            .filters(name)
            .send()
            .await
            .expect("the emulator answers");
        told.route_tables()[0].clone()
    }
    async fn gateway(&self, cloud: &Cloud) -> ec2::InternetGateway {
        let told =
            cloud.ec2().describe_internet_gateways().filters(self.filter()).send().await.expect("the emulator answers");
        told.internet_gateways()[0].clone()
    }
    async fn subnets(&self, cloud: &Cloud) -> BTreeMap<String, ec2::Subnet> {
        let told = cloud.ec2().describe_subnets().filters(self.filter()).send().await.expect("the emulator answers");
        let name =
            |s: &ec2::Subnet| tag(s.tags(), "Name").expect("it is there").replace(&format!("{}-", self.team), "");
        told.subnets().iter().map(|s| (name(s), s.clone())).collect()
    }
    async fn default_group(&self, cloud: &Cloud) -> ec2::SecurityGroup {
        let vpc = Filter::builder().name("vpc-id").values(self.vpc_id(cloud).await).build();
        let told = cloud.ec2().describe_security_groups().filters(vpc).send().await.expect("the emulator answers");
        told.security_groups().iter().find(|g| g.group_name() == Some("default")).expect("it is there").clone()
    }
}

fn tag<'t>(tags: &'t [Tag], key: &str) -> Option<&'t str> {
    tags.iter().find(|t| t.key() == Some(key))?.value()
}

fn route<'t>(table: &'t ec2::RouteTable, to: &str) -> Option<&'t ec2::Route> {
    let to = Some(to);
    table.routes().iter().find(|r| r.destination_cidr_block() == to || r.destination_ipv6_cidr_block() == to)
}

async fn refused(spec: &Spec, cloud: &Cloud, words: &[&str]) {
    let report = support::go(&spec.graph(), cloud, Way::Apply).await;
    let (_, e) = report.failures().next().expect("a refusal");
    assert_eq!(e.kind(), Kind::Refused, "{e:?}");
    assert!(!e.hints().is_empty());
    for words in words {
        assert!(e.to_string().contains(words), "{words}: {e}");
    }
}

#[tokio::test]
async fn lives_and_dies() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let spec = Spec { dhcp: Some("10.20.0.2"), ..Spec::new("10.20") };
    // How each part disappears: team_parts.rs, in the order that AWS asks for.
    support::lives_and_dies(&spec.graph(), &cloud).await;
    let left = [
        ec2.describe_vpcs().filters(spec.filter()).send().await.unwrap().vpcs().len(),
        ec2.describe_subnets().filters(spec.filter()).send().await.unwrap().subnets().len(),
        ec2.describe_route_tables().filters(spec.filter()).send().await.unwrap().route_tables().len(),
        ec2.describe_internet_gateways().filters(spec.filter()).send().await.unwrap().internet_gateways().len(),
        ec2.describe_dhcp_options().filters(spec.filter()).send().await.unwrap().dhcp_options().len(),
    ];
    assert_eq!(left, [0; 5]);
}

#[tokio::test]
async fn is_made_as_it_was_asked_for() {
    let cloud = support::cloud().await;
    let spec = Spec::new("10.21");
    support::apply(&spec.graph(), &cloud).await;

    let subnets = spec.subnets(&cloud).await;
    let zones: Vec<_> = subnets.values().map(|s| s.availability_zone_id().unwrap()).collect();
    assert_eq!(zones, ["euw1-az1", "euw1-az2", "euw1-az1", "euw1-az2"]);
    assert_eq!(subnets["private-b"].cidr_block(), Some("10.21.3.0/24"));
    for (name, subnet) in &subnets {
        assert_eq!(subnet.map_public_ip_on_launch(), Some(false), "{name}");
        assert_eq!(tag(subnet.tags(), "layer"), name.split('-').next(), "{name}");
        assert_eq!(tag(subnet.tags(), "cost"), Some("7"));
        assert_eq!(tag(subnet.tags(), "overlord:organization"), Some("acme"));
    }
    let (public, private) = (spec.table(&cloud, Layer::Public).await, spec.table(&cloud, Layer::Private).await);
    let gateway = spec.gateway(&cloud).await;
    assert_eq!(gateway.attachments()[0].vpc_id(), Some(spec.vpc_id(&cloud).await.as_str()));
    assert_eq!(route(&public, "0.0.0.0/0").unwrap().gateway_id(), gateway.internet_gateway_id());
    assert!(route(&private, "0.0.0.0/0").is_none());
    assert!([&public, &private].iter().all(|t| t.associations().len() == 2));
    let group = spec.default_group(&cloud).await;
    assert!(group.ip_permissions().is_empty() && group.ip_permissions_egress().is_empty());

    let told = cloud.ec2().describe_vpc_endpoints().filters(spec.filter()).send().await.unwrap();
    let [endpoint] = told.vpc_endpoints() else { panic!("{:?}", told.vpc_endpoints()) };
    assert_eq!(endpoint.service_name(), Some("com.amazonaws.eu-west-1.s3"));
    assert_eq!(endpoint.route_table_ids().len(), 2);

    // A new tag of the organization's goes everywhere; a new layer of a subnet, and a tag by hand, too.
    let mut more = spec.clone();
    more.extra.insert("cost".into(), "8".into());
    // What we say of a subnet wins over a tag that the files ask for.
    more.extra.insert("layer".into(), "basement".into());
    let id = subnets["private-a"].subnet_id().unwrap();
    let wrong = Tag::builder().key("layer").value("shared").build();
    cloud.ec2().create_tags().resources(id).tags(wrong).send().await.unwrap();
    let text = support::text(&support::apply(&more.graph(), &cloud).await);
    assert!(text.contains("layer: shared -> private"), "{text}");
    assert_eq!(text.matches("tag cost: 7 -> 8").count(), 9, "{text}");
}

#[tokio::test]
async fn damage_is_repaired() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let spec = Spec::new("10.22");
    support::apply(&spec.graph(), &cloud).await;
    let vpc = spec.vpc_id(&cloud).await;
    let (public, private) = (spec.table(&cloud, Layer::Public).await, spec.table(&cloud, Layer::Private).await);
    let (public_id, private_id) = (public.route_table_id().unwrap(), private.route_table_id().unwrap());
    let gateway = spec.gateway(&cloud).await;
    let igw = gateway.internet_gateway_id().unwrap();

    // A route that is gone, a subnet that sits nowhere, and one that sits in a table of somebody else's.
    ec2.delete_route().route_table_id(public_id).destination_cidr_block("0.0.0.0/0").send().await.unwrap();
    let association = |n: usize| private.associations()[n].route_table_association_id().unwrap();
    ec2.disassociate_route_table().association_id(association(0)).send().await.unwrap();
    let foreign = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let foreign = foreign.route_table().unwrap().route_table_id().unwrap();
    let moved = ec2.replace_route_table_association().association_id(association(1)).route_table_id(foreign);
    moved.send().await.unwrap();
    // Rules, host names, public addresses, and the gateway's attachment.
    let group = spec.default_group(&cloud).await;
    let rule = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let rule = rule.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").description("for a minute").build()).build();
    let call = ec2.authorize_security_group_ingress().group_id(group.group_id().unwrap());
    call.ip_permissions(rule.clone()).send().await.unwrap();
    let call = ec2.authorize_security_group_egress().group_id(group.group_id().unwrap());
    call.ip_permissions(rule).send().await.unwrap();
    let value = |on| AttributeBooleanValue::builder().value(on).build();
    ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(value(false)).send().await.unwrap();
    ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_support(value(false)).send().await.unwrap();
    let subnet = spec.subnets(&cloud).await["public-a"].subnet_id().unwrap().to_owned();
    ec2.modify_subnet_attribute().subnet_id(&subnet).map_public_ip_on_launch(value(true)).send().await.unwrap();
    ec2.detach_internet_gateway().internet_gateway_id(igw).vpc_id(&vpc).send().await.unwrap();

    let text = support::text(&support::apply(&spec.graph(), &cloud).await);
    for line in [
        &format!("route to 0.0.0.0/0: - -> {igw}"),
        &format!("the main table -> {private_id}"),
        &format!("{foreign} -> {private_id}"),
        "ingress: tcp 22 0.0.0.0/0 -> -",
        "egress: tcp 22 0.0.0.0/0 -> -",
        "DNS support: off -> on",
        "DNS host names: off -> on",
        "public addresses: for everything -> on request",
        &format!("attached to: - -> {vpc}"),
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    assert_eq!(spec.table(&cloud, Layer::Private).await.associations().len(), 2);
    let told = ec2.describe_route_tables().route_table_ids(foreign).send().await.unwrap();
    assert!(told.route_tables()[0].associations().is_empty());
    let group = spec.default_group(&cloud).await;
    assert!(group.ip_permissions().is_empty() && group.ip_permissions_egress().is_empty());
    ec2.delete_route_table().route_table_id(foreign).send().await.unwrap();
    support::destroy(&spec.graph(), &cloud).await;
}

#[tokio::test]
async fn routes_of_ours_are_put_right_and_foreign_ones_stay() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let spec = Spec { ipv6: true, ..Spec::new("10.23") };
    support::apply(&spec.graph(), &cloud).await;
    let (public, private) = (spec.table(&cloud, Layer::Public).await, spec.table(&cloud, Layer::Private).await);
    let (public_id, private_id) = (public.route_table_id().unwrap(), private.route_table_id().unwrap());
    let gateway = spec.gateway(&cloud).await;
    let igw = gateway.internet_gateway_id().unwrap();
    let subnet = spec.subnets(&cloud).await["private-a"].subnet_id().unwrap().to_owned();
    let interface = ec2.create_network_interface().subnet_id(&subnet).send().await.unwrap();
    let interface = interface.network_interface().unwrap().network_interface_id().unwrap();
    let replace = |table: &str| ec2.replace_route().route_table_id(table);
    replace(public_id).destination_cidr_block("0.0.0.0/0").network_interface_id(interface).send().await.unwrap();
    let create = ec2.create_route().route_table_id(private_id).destination_ipv6_cidr_block("::/0");
    create.gateway_id(igw).send().await.unwrap();
    // The pool itself is ours to say; what somebody routes within it is theirs.
    for to in ["0.0.0.0/0", "10.0.0.0/8", "10.99.0.0/16", "192.168.7.0/24"] {
        let call = ec2.create_route().route_table_id(private_id).destination_cidr_block(to);
        call.network_interface_id(interface).send().await.unwrap();
    }

    let text = support::text(&support::apply(&spec.graph(), &cloud).await);
    for line in [
        format!("route to 0.0.0.0/0: {interface} -> {igw}"),
        format!("route to ::/0: {igw} -> -"),
        format!("route to 0.0.0.0/0: {interface} -> -"),
        format!("route to 10.0.0.0/8: {interface} -> -"),
    ] {
        assert!(text.contains(&line), "{line}:\n{text}");
    }
    let (public, private) = (spec.table(&cloud, Layer::Public).await, spec.table(&cloud, Layer::Private).await);
    assert_eq!(route(&public, "0.0.0.0/0").unwrap().gateway_id(), Some(igw));
    assert!(
        route(&private, "::/0").is_none()
            && route(&private, "0.0.0.0/0").is_none()
            && route(&private, "10.0.0.0/8").is_none()
    );
    for theirs in ["10.99.0.0/16", "192.168.7.0/24"] {
        assert_eq!(route(&private, theirs).unwrap().network_interface_id(), Some(interface));
    }
    assert!(route(&private, "10.23.0.0/20").is_some(), "the VPC's own");
}

#[tokio::test]
async fn ipv6_comes_later_and_never_goes() {
    let cloud = support::cloud().await;
    let mut spec = Spec::new("10.24");
    support::apply(&spec.graph(), &cloud).await;
    spec.ipv6 = true;
    let plan = support::text(&support::done(&spec.graph(), &cloud, Way::Plan).await);
    assert!(plan.contains("IPv6 network: - -> one of Amazon's"), "{plan}");
    assert!(plan.contains("IPv6 network: - -> /64 number 3 of the VPC's"), "{plan}");
    support::apply(&spec.graph(), &cloud).await;

    let vpc = spec.vpc(&cloud).await;
    let network: ipnet::Ipv6Net = vpc.ipv6_cidr_block_association_set()[0].ipv6_cidr_block().unwrap().parse().unwrap();
    assert_eq!(network.prefix_len(), 56);
    let subnets = spec.subnets(&cloud).await;
    for (n, name) in ["public-a", "public-b", "private-a", "private-b"].into_iter().enumerate() {
        let subnet = &subnets[name];
        let there = subnet.ipv6_cidr_block_association_set()[0].ipv6_cidr_block().unwrap();
        let wanted = network.subnets(64).unwrap().nth(n).unwrap();
        assert_eq!(there.parse::<ipnet::Ipv6Net>().unwrap(), wanted, "{name}");
        assert_eq!(subnet.assign_ipv6_address_on_creation(), Some(true), "{name}");
    }
    spec.ipv6 = false;
    refused(&spec, &cloud, &["IPv6 network"]).await;
    spec.ipv6 = true;
    support::destroy(&spec.graph(), &cloud).await;

    // The whole of it at once, too.
    let all = Spec { ipv6: true, ..Spec::new("10.25") };
    support::lives_and_dies(&all.graph(), &cloud).await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused() {
    let cloud = support::cloud().await;
    let spec = Spec::new("10.26");
    support::apply(&spec.graph(), &cloud).await;
    refused(&Spec { bits: 21, ..spec.clone() }, &cloud, &["10.26.0.0/20", "10.26.0.0/21"]).await;
    refused(&Spec { zone: "euw1-az3", ..spec.clone() }, &cloud, &["zone", "euw1-az1 -> euw1-az3"]).await;
    refused(&Spec { stem: "10.27".into(), ..spec.clone() }, &cloud, &["network"]).await;
    // Nothing of that was done.
    assert_eq!(support::done(&spec.graph(), &cloud, Way::Plan).await.changes(), 0);
}

#[tokio::test]
async fn what_is_somebody_elses_is_refused() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    // A VPC of the name.
    let spec = Spec::new("10.28");
    let other = ec2.create_vpc().cidr_block("10.29.0.0/20").send().await.unwrap();
    let other = other.vpc().unwrap().vpc_id().unwrap();
    let name = Tag::builder().key("Name").value(&spec.team).build();
    ec2.create_tags().resources(other).tags(name).send().await.unwrap();
    for mode in [Way::Plan, Way::Destroy] {
        let report = support::go(&spec.graph(), &cloud, mode).await;
        assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused, "{mode:?}");
    }
    refused(&spec, &cloud, &[&format!("VPC {} exists already", spec.team)]).await;
    ec2.delete_vpc().vpc_id(other).send().await.unwrap();

    // A VPC that was taken over, with a subnet and an internet gateway that were not.
    let made = ec2.create_vpc().cidr_block("10.28.0.0/20").send().await.unwrap();
    let vpc = made.vpc().unwrap().vpc_id().unwrap();
    let tags = [("Name", spec.team.as_str()), ("overlord:organization", "acme"), ("overlord:team", &spec.team)];
    let tags = tags.map(|(k, v)| Tag::builder().key(k).value(v).build());
    ec2.create_tags().resources(vpc).set_tags(Some(tags.into())).send().await.unwrap();
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block("10.28.1.128/25").send().await.unwrap();
    let subnet = made.subnet().unwrap().subnet_id().unwrap();
    refused(&spec, &cloud, &["subnet", subnet, "10.28.1.128/25"]).await;
    ec2.delete_subnet().subnet_id(subnet).send().await.unwrap();
    let made = ec2.create_internet_gateway().send().await.unwrap();
    let gateway = made.internet_gateway().unwrap().internet_gateway_id().unwrap();
    ec2.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await.unwrap();
    refused(&spec, &cloud, &["internet gateway", gateway, vpc]).await;
    ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await.unwrap();

    let text = support::text(&support::apply(&spec.graph(), &cloud).await);
    assert!(text.contains("tag cost: - -> 7"), "the VPC is used:\n{text}");
    assert_eq!(spec.vpc_id(&cloud).await, vpc);
}

#[tokio::test]
async fn two_of_a_name_are_told_and_left_alone() {
    let cloud = support::cloud().await;
    let spec = Spec::new("10.30");
    support::apply(&spec.graph(), &cloud).await;
    let tags = spec.vpc(&cloud).await.tags().to_vec();
    let made = cloud.ec2().create_vpc().cidr_block("10.30.0.0/20").send().await.unwrap();
    let twin = made.vpc().unwrap().vpc_id().unwrap();
    cloud.ec2().create_tags().resources(twin).set_tags(Some(tags)).send().await.unwrap();
    refused(&spec, &cloud, &[twin, &spec.team]).await;
}

#[tokio::test]
async fn dhcp_options_follow() {
    let cloud = support::cloud().await;
    let mut spec = Spec { dhcp: Some("10.31.0.2"), ..Spec::new("10.31") };
    support::apply(&spec.graph(), &cloud).await;
    let first = spec.vpc(&cloud).await.dhcp_options_id().unwrap().to_owned();
    // Other contents are other options; the first ones are for somebody else to remove.
    spec.dhcp = Some("1.1.1.1");
    let text = support::text(&support::apply(&spec.graph(), &cloud).await);
    let second = spec.vpc(&cloud).await.dhcp_options_id().unwrap().to_owned();
    assert!(first != second && text.contains(&format!("DHCP options {}: + create", spec.team)), "{text}");
    let told = cloud.ec2().describe_dhcp_options().dhcp_options_ids(&second).send().await.unwrap();
    let values = |key: &str| {
        let all = told.dhcp_options()[0].dhcp_configurations().iter().find(|c| c.key() == Some(key)).unwrap();
        all.values().iter().map(|v| v.value().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (values("domain-name-servers"), values("domain-name")),
        (vec!["1.1.1.1".into()], vec!["example.org".into()])
    );
    // None wanted: ours go, somebody else's stay.
    spec.dhcp = None;
    let text = support::text(&support::apply(&spec.graph(), &cloud).await);
    assert!(text.contains(&format!("DHCP options: {second} -> default")), "{text}");
    let foreign = ec2::NewDhcpConfiguration::builder().key("domain-name").values("elsewhere.example.org").build();
    let foreign = cloud.ec2().create_dhcp_options().dhcp_configurations(foreign).send().await.unwrap();
    let foreign = foreign.dhcp_options().unwrap().dhcp_options_id().unwrap();
    let vpc = spec.vpc_id(&cloud).await;
    cloud.ec2().associate_dhcp_options().vpc_id(&vpc).dhcp_options_id(foreign).send().await.unwrap();
    assert_eq!(support::done(&spec.graph(), &cloud, Way::Plan).await.changes(), 0);
}

#[tokio::test]
async fn half_a_network_is_completed() {
    let cloud = support::cloud().await;
    let ec2 = cloud.ec2();
    let spec = Spec::new("10.32");
    support::apply(&spec.graph(), &cloud).await;
    // A route table that is gone with its associations, and with it the endpoint's way.
    let private = spec.table(&cloud, Layer::Private).await;
    for association in private.associations() {
        let id = association.route_table_association_id().unwrap();
        ec2.disassociate_route_table().association_id(id).send().await.unwrap();
    }
    ec2.delete_route_table().route_table_id(private.route_table_id().unwrap()).send().await.unwrap();
    let subnet = spec.subnets(&cloud).await["public-b"].subnet_id().unwrap().to_owned();
    let public = spec.table(&cloud, Layer::Public).await;
    let seat = public.associations().iter().find(|a| a.subnet_id() == Some(&subnet)).unwrap();
    let seat = seat.route_table_association_id().unwrap();
    ec2.disassociate_route_table().association_id(seat).send().await.unwrap();
    ec2.delete_subnet().subnet_id(&subnet).send().await.unwrap();

    let text = support::text(&support::apply(&spec.graph(), &cloud).await);
    assert!(text.contains(&format!("route table {}-private: + create", spec.team)), "{text}");
    assert!(text.contains(&format!("subnet {}-public-b: + create", spec.team)), "{text}");
    let private = spec.table(&cloud, Layer::Private).await;
    assert_eq!(private.associations().len(), 2);
    assert_eq!(spec.table(&cloud, Layer::Public).await.associations().len(), 2);
    let told = ec2.describe_vpc_endpoints().filters(spec.filter()).send().await.unwrap();
    assert!(told.vpc_endpoints()[0].route_table_ids().contains(&private.route_table_id().unwrap().to_owned()));
}
