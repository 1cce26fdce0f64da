//! What joins the networks of teams, across accounts, on an emulator of AWS; and what sits in a VPC.
mod shares;

use crate::{
    given::Given,
    support::{self, Way},
};
use aws_core::{
    cloud::{AssumedRole, Cloud, Clouds, lookups},
    engine::{Graph, Quiet, Ref, Report, World as _},
    error::Kind,
    model::{Owning as _, TeamOwner},
    resources::network::{
        ids::{SubnetId, VpcId},
        peering::{Peer, PeerRoutes, PeeringAcceptance, PeeringConnection, peerings_of},
        transit::{ResourceShare, ShareMembership, SharePrincipal, TransitAttachment, TransitGateway},
    },
};
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification, VpcPeeringConnectionStateReasonCode as State};
use std::{collections::BTreeMap, sync::Arc};

/// The account of the emulator's plain credentials.
const OWN: &str = "123456789012";
const OTHER: &str = "222233334444";

fn vpc_id(id: &str) -> VpcId {
    VpcId { id: id.into(), ipv6: None }
}

fn owner(team: Option<&str>) -> TeamOwner {
    TeamOwner { organization: "acme".parse().unwrap(), team: team.map(|t| t.parse().unwrap()), extra: BTreeMap::new() }
}

async fn other_account(cloud: &Cloud) -> Cloud {
    let role_arn = format!("arn:aws:iam::{OTHER}:role/overlord");
    cloud.assume(&AssumedRole { role_arn, session: "overlord".into(), external_id: None }, support::REGION)
}

fn specification(kind: ResourceType, owner: &TeamOwner, name: &str) -> TagSpecification {
    let tags = owner.tags(name).into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
}

async fn subnet(cloud: &Cloud, vpc: &str, n: u8) -> String {
    let found = cloud.ec2().describe_vpcs().vpc_ids(vpc).send().await.unwrap();
    let network = found.vpcs()[0].cidr_block().unwrap().replace(".0.0/16", &format!(".{n}.0/24"));
    let zone = format!("{}{}", support::REGION, char::from(b'a' + n));
    let made = cloud.ec2().create_subnet().vpc_id(vpc).cidr_block(network).availability_zone(zone).send().await;
    made.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned()
}

async fn go(graph: &Graph<Clouds>, clouds: &Clouds, mode: Way) -> Report {
    clouds.forget();
    mode.run(graph, clouds, &Quiet).await
}

async fn done(graph: &Graph<Clouds>, clouds: &Clouds, mode: Way) -> String {
    let report = go(graph, clouds, mode).await;
    assert!(report.complete(), "{mode:?}:\n{}", support::text(&report));
    support::text(&report)
}

/// Once more: nothing is left to do.
async fn settled(graph: &Graph<Clouds>, clouds: &Clouds, mode: Way) {
    let again = go(graph, clouds, mode).await;
    assert!(again.complete() && again.changes() == 0, "{mode:?} again:\n{}", support::text(&again));
}

#[derive(Clone)]
struct Hub {
    vpc: String,
    name: String,
    subnets: Vec<String>,
    ipv6: bool,
    team: &'static str,
}

/// A gateway shared with its own account only, and a VPC's attachment.
fn hub(it: &Hub) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let name = |what: &str| format!("{what}-{}", it.name);
    let gateway = graph.add(TransitGateway { owner: owner(None), name: name("hub") });
    let share = graph.add(ResourceShare { owner: owner(None), name: name("share"), gateway, outside: Some(true) });
    graph.add(SharePrincipal { share, account: OWN.into() });
    graph.add(ShareMembership { share });
    let vpc = graph.external(Given("vpc", vpc_id(&it.vpc)));
    let subnets: Vec<Ref<SubnetId>> = it
        .subnets
        .iter()
        .zip(["a", "b", "c"])
        .map(|(id, name)| graph.external(Given(name, SubnetId(id.clone()))))
        .collect();
    let owner = owner(Some(it.team));
    graph.add(TransitAttachment { owner, name: name("red"), gateway, vpc, subnets, ipv6: it.ipv6 });
    graph
}

async fn attachment(cloud: &Cloud, vpc: &str) -> Option<aws_sdk_ec2::types::TransitGatewayVpcAttachment> {
    let filter = Filter::builder().name("vpc-id").values(vpc).build();
    let found = cloud.ec2().describe_transit_gateway_vpc_attachments().filters(filter).send().await.unwrap();
    found.transit_gateway_vpc_attachments.unwrap_or_default().into_iter().next()
}

#[tokio::test]
async fn a_hub_and_its_attachment_live_change_and_die() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let ids = [subnet(&cloud, &vpc, 0).await, subnet(&cloud, &vpc, 1).await, subnet(&cloud, &vpc, 2).await];
    let mut it =
        Hub { vpc: vpc.clone(), name: support::unique("hub"), subnets: ids[..2].to_vec(), ipv6: false, team: "red" };
    let plan = support::text(&support::done(&hub(&it), &cloud, Way::Plan).await);
    assert_eq!(plan.matches("+ create").count(), 5, "{plan}");
    support::apply(&hub(&it), &cloud).await;
    let live = attachment(&cloud, &vpc).await.unwrap();
    let tags: BTreeMap<&str, &str> = live.tags().iter().map(|t| (t.key().unwrap(), t.value().unwrap())).collect();
    assert_eq!((tags["overlord:team"], tags["managed-by"]), ("red", "overlord"));

    // Another zone instead of the second, and IPv6.
    it.subnets = vec![ids[0].clone(), ids[2].clone()];
    it.ipv6 = true;
    let text = support::text(&support::apply(&hub(&it), &cloud).await);
    let wanted = format!("~ subnet: - -> {}; subnet: {} -> -; IPv6: disable -> enable", ids[2], ids[1]);
    assert!(text.contains(&wanted), "{text}");
    assert_eq!(attachment(&cloud, &vpc).await.unwrap().subnet_ids(), it.subnets);

    // Somebody turned off that attachments are accepted.
    let gateway = live.transit_gateway_id().unwrap();
    let off = aws_sdk_ec2::types::ModifyTransitGatewayOptions::builder()
        .auto_accept_shared_attachments(aws_sdk_ec2::types::AutoAcceptSharedAttachmentsValue::Disable)
        .build();
    cloud.ec2().modify_transit_gateway().transit_gateway_id(gateway).options(off).send().await.unwrap();
    let text = support::text(&support::apply(&hub(&it), &cloud).await);
    assert!(text.contains("~ automatic acceptance of attachments: disable -> enable"), "{text}");

    // Another team's attachment of this VPC is not touched.
    let report = support::go(&hub(&Hub { team: "blue", ..it.clone() }), &cloud, Way::Apply).await;
    let failure = report.failures().next().unwrap().1;
    assert_eq!(failure.kind(), Kind::Refused, "{failure}");

    support::destroy(&hub(&it), &cloud).await;
    assert!(attachment(&cloud, &vpc).await.is_none());
    // AWS deletes no gateway that something is attached to.
    support::disappears(&hub(&it), &cloud, &["transit gateway"]).await;
}

/// What others attached is named at once: trying again would not make it go.
#[tokio::test]
async fn a_hub_that_others_use_is_not_deleted() {
    let cloud = support::cloud().await;
    let hub = TransitGateway { owner: owner(None), name: support::unique("used-hub") };
    let mut graph = Graph::default();
    let name = hub.name.clone();
    graph.add(hub);
    support::apply(&graph, &cloud).await;
    let filter = Filter::builder().name("tag:Name").values(&name).build();
    let found = cloud.ec2().describe_transit_gateways().filters(filter).send().await.unwrap();
    let gateway = found.transit_gateways()[0].transit_gateway_id().unwrap().to_owned();
    let vpc = support::vpc(&cloud).await;
    let attach = cloud.ec2().create_transit_gateway_vpc_attachment().transit_gateway_id(&gateway).vpc_id(&vpc);
    let theirs = attach.subnet_ids(subnet(&cloud, &vpc, 0).await).send().await.unwrap();
    let theirs = theirs.transit_gateway_vpc_attachment().unwrap().transit_gateway_attachment_id().unwrap().to_owned();
    let told = support::Recorder::default();
    cloud.forget();
    let report = Way::Destroy.run(&graph, &cloud, &told).await;
    let failure = report.failures().next().unwrap().1;
    assert_eq!(failure.kind(), Kind::Refused, "{failure}");
    assert!(failure.to_string().contains(&format!("{theirs} (vpc {vpc} of account {OWN})")), "{failure}");
    assert!(!told.lines().iter().any(|l| l.starts_with("retry")), "{:?}", told.lines());
    let delete = cloud.ec2().delete_transit_gateway_vpc_attachment().transit_gateway_attachment_id(theirs);
    delete.send().await.unwrap();
    support::destroy(&graph, &cloud).await;
}

/// A VPC in each of two accounts; red's is the emulator's own.
struct Teams {
    clouds: Clouds,
    red: Arc<Cloud>,
    blue: Arc<Cloud>,
    red_vpc: String,
    blue_vpc: String,
    /// Of blue, which no other test has.
    blue_owner: TeamOwner,
    tables: Vec<String>,
}

async fn teams() -> Teams {
    let red = Arc::new(support::cloud().await);
    let blue = Arc::new(other_account(&red).await);
    let blue_owner = owner(Some(&support::unique("blue")));
    let (red_vpc, blue_vpc) = (support::vpc(&red).await, support::vpc(&blue).await);
    let mut tables = Vec::new();
    for name in ["public", "private"] {
        let call = blue.ec2().create_route_table().vpc_id(&blue_vpc);
        let made = call.tag_specifications(specification(ResourceType::RouteTable, &blue_owner, name)).send().await;
        tables.push(made.unwrap().route_table().unwrap().route_table_id().unwrap().to_owned());
    }
    // Not the team's: left alone.
    blue.ec2().create_route_table().vpc_id(&blue_vpc).send().await.unwrap();
    let mut clouds = Clouds::default();
    clouds.add(red.clone(), None);
    clouds.add(blue.clone(), Some("account blue".into()));
    Teams { clouds, red, blue, red_vpc, blue_vpc, blue_owner, tables }
}

const RED_NETWORK: &str = "10.250.0.0/19";

impl Teams {
    fn graph(&self) -> Graph<Clouds> {
        let mut clouds = Clouds::default();
        let red = clouds.add(self.red.clone(), None);
        let blue = clouds.add(self.blue.clone(), Some("account blue".into()));
        let mut graph = Graph::default();
        let vpc = graph.external(clouds.put(red, Given("vpc", vpc_id(&self.red_vpc))));
        let peer = Peer { vpc: self.blue_vpc.clone(), account: OTHER.into(), region: support::REGION.into() };
        let connection = PeeringConnection { owner: owner(Some("red")), name: "red-blue".into(), vpc, peer };
        let peering = clouds.put(red, connection).to(&mut graph);
        let accepted = clouds.put(blue, PeeringAcceptance { name: "red-blue".into(), peering, vpc }).to(&mut graph);
        let to = RED_NETWORK.parse().unwrap();
        let routes = PeerRoutes { owner: self.blue_owner.clone(), name: "red".into(), peering, to };
        clouds.put(blue, routes).after([accepted.node()]).to(&mut graph);
        graph
    }

    /// Where blue's route tables send what is for red.
    async fn routes(&self) -> Vec<Option<String>> {
        let found = self.blue.ec2().describe_route_tables().set_route_table_ids(Some(self.tables.clone()));
        let found = found.send().await.unwrap();
        let target = |id: &String| {
            let table = found.route_tables().iter().find(|t| t.route_table_id() == Some(id)).unwrap();
            let route = table.routes().iter().find(|r| r.destination_cidr_block() == Some(RED_NETWORK))?;
            route.vpc_peering_connection_id().or(route.gateway_id()).map(str::to_owned)
        };
        self.tables.iter().map(target).collect()
    }
}

#[tokio::test]
async fn peering_crosses_accounts_and_is_repaired() {
    let teams = teams().await;
    let (graph, clouds) = (teams.graph(), &teams.clouds);
    let plan = done(&graph, clouds, Way::Plan).await;
    assert!(plan.contains("peering connection red-blue: + create"), "{plan}");
    assert!(plan.contains("peer routes red in account blue: + create"), "{plan}");
    done(&graph, clouds, Way::Apply).await;
    settled(&graph, clouds, Way::Plan).await;
    settled(&graph, clouds, Way::Apply).await;
    clouds.forget();
    assert_eq!(peerings_of(&teams.red, &teams.red_vpc).await.unwrap(), 1);
    assert_eq!(peerings_of(&teams.blue, &teams.blue_vpc).await.unwrap(), 1);
    let routes = teams.routes().await;
    assert!(routes.iter().all(|r| r.as_ref().is_some_and(|r| r.starts_with("pcx-"))), "{routes:?}");

    // A route is gone, and another leads elsewhere.
    let call = teams.blue.ec2().delete_route().route_table_id(&teams.tables[0]);
    call.destination_cidr_block(RED_NETWORK).send().await.unwrap();
    let text = done(&graph, clouds, Way::Apply).await;
    let wanted = format!("~ route to {RED_NETWORK} in public ({}): - -> pcx-", teams.tables[0]);
    assert!(text.contains(&wanted), "{text}");
    let gateway = teams.blue.ec2().create_internet_gateway().send().await.unwrap();
    let gateway = gateway.internet_gateway().unwrap().internet_gateway_id().unwrap().to_owned();
    let call = teams.blue.ec2().replace_route().route_table_id(&teams.tables[1]);
    call.destination_cidr_block(RED_NETWORK).gateway_id(&gateway).send().await.unwrap();
    let text = done(&graph, clouds, Way::Apply).await;
    assert!(text.contains(&format!("in private ({}): {gateway} -> pcx-", teams.tables[1])), "{text}");
    assert_eq!(teams.routes().await, routes);

    done(&graph, clouds, Way::Destroy).await;
    settled(&graph, clouds, Way::Destroy).await;
    assert_eq!(teams.routes().await, [None, None]);
    clouds.forget();
    assert_eq!(peerings_of(&teams.red, &teams.red_vpc).await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_that_the_other_side_asked_for_is_accepted_here() {
    let teams = teams().await;
    let call = teams.blue.ec2().create_vpc_peering_connection().vpc_id(&teams.blue_vpc).peer_vpc_id(&teams.red_vpc);
    let tags = specification(ResourceType::VpcPeeringConnection, &teams.blue_owner, "blue-red");
    let made = call.peer_owner_id(OWN).tag_specifications(tags).send().await.unwrap();
    let id = made.vpc_peering_connection().unwrap().vpc_peering_connection_id().unwrap().to_owned();
    let graph = teams.graph();
    let text = done(&graph, &teams.clouds, Way::Apply).await;
    assert!(text.contains("peering connection red-blue: ~ state: pending-acceptance -> active"), "{text}");
    settled(&graph, &teams.clouds, Way::Apply).await;
    let found = teams.red.ec2().describe_vpc_peering_connections().vpc_peering_connection_ids(&id).send().await;
    let found = found.unwrap();
    assert_eq!(found.vpc_peering_connections()[0].status().unwrap().code(), Some(&State::Active));
    assert_eq!(teams.routes().await, [Some(id.clone()), Some(id)]);
}

#[tokio::test]
async fn a_connection_made_by_hand_is_refused() {
    let teams = teams().await;
    let call = teams.red.ec2().create_vpc_peering_connection().vpc_id(&teams.red_vpc).peer_vpc_id(&teams.blue_vpc);
    call.peer_owner_id(OTHER).send().await.unwrap();
    let report = go(&teams.graph(), &teams.clouds, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused);
    assert_eq!(teams.routes().await, [None, None], "nothing was written");
}

#[tokio::test]
async fn what_sits_in_a_vpc_is_told() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let red = owner(Some(&support::unique("red")));
    let told = async || {
        cloud.forget();
        let all = lookups::occupants(&cloud, &vpc, &red).await.unwrap();
        assert!(all.is_sorted());
        all
    };
    // The VPC's own main route table, default group and default network ACL do not count, nor what is the team's.
    let ours = cloud.ec2().create_security_group().group_name("ours").description("x").vpc_id(&vpc);
    ours.tag_specifications(specification(ResourceType::SecurityGroup, &red, "ours")).send().await.unwrap();
    assert_eq!(told().await, []);

    let (first, second) = (subnet(&cloud, &vpc, 0).await, subnet(&cloud, &vpc, 1).await);
    let group = cloud.ec2().create_security_group().group_name("by-hand").description("x").vpc_id(&vpc).send().await;
    let group = group.unwrap().group_id().unwrap().to_owned();
    let balancer = cloud.elb().create_load_balancer().name("app-x").subnets(&first).subnets(&second).send().await;
    let balancer = balancer.unwrap().load_balancers()[0].load_balancer_arn().unwrap().to_owned();
    let interface = cloud.ec2().create_network_interface().subnet_id(&first).description("RDSNetworkInterface");
    let interface =
        interface.send().await.unwrap().network_interface().unwrap().network_interface_id().unwrap().to_owned();
    let machine = cloud.ec2().run_instances().image_id(image(&cloud).await).subnet_id(&first);
    let tag = Tag::builder().key("minion:application").value("shop").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag).build();
    let machine = machine.min_count(1).max_count(1).tag_specifications(tags).send().await.unwrap();
    let machine = machine.instances()[0].instance_id().unwrap().to_owned();
    let other = support::vpc(&cloud).await;
    let peering = cloud.ec2().create_vpc_peering_connection().vpc_id(&vpc).peer_vpc_id(&other).send().await.unwrap();
    let peering = peering.vpc_peering_connection().unwrap().vpc_peering_connection_id().unwrap().to_owned();
    let parameter = cloud.ssm().put_parameter().name(format!("/minion/{vpc}/applications/shop")).value("name: shop");
    parameter.r#type(aws_sdk_ssm::types::ParameterType::String).send().await.unwrap();

    let all: Vec<String> = told().await.iter().map(ToString::to_string).collect();
    for wanted in [
        format!("application shop (/minion/{vpc}/applications/shop)"),
        format!("database (RDS) {interface}"),
        format!("instance {machine} of application shop"),
        format!("load balancer app-x ({balancer})"),
        format!("peering connection {peering} of {other}"),
        format!("security group by-hand ({group})"),
        format!("subnet {first}"),
    ] {
        assert!(all.contains(&wanted), "{wanted} is not in {all:#?}");
    }
}

async fn image(cloud: &Cloud) -> String {
    let found = cloud.ec2().describe_images().owners("amazon").send().await.unwrap();
    found.images()[0].image_id().unwrap().to_owned()
}
