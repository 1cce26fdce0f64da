//! A team's ways out, and what is left of them: addresses, NAT, VPN, flow logs, strays. On an emulator of AWS.
mod front;
mod vpn;

use crate::{
    given::Given,
    support::{self, Way},
};
use aws_core::{
    cloud::Cloud,
    engine::{Graph, Ref, World as _},
    model::TeamOwner,
    resources::{
        identity::team_role::RoleArn,
        log_group::LogGroupName,
        network::{
            address::ElasticIp,
            flow_log::{self, FlowLog},
            ids::{NatInstanceId, SubnetId, VpcId},
            kinds::{KindId, Thing},
            nat_gateway::NatGateway,
            nat_instance::NatInstance,
            stray::strays,
            vpn::{CustomerGateway, VpnConnection, VpnGateway},
        },
    },
};
use aws_sdk_ec2::types::{Address, AttributeBooleanValue, Filter, HttpTokensState, Instance, IpPermission, IpRange};
use front::{Answer, Front};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// A team of its own for each test.
fn owner() -> TeamOwner {
    TeamOwner {
        organization: "acme".parse().unwrap(),
        team: Some(support::unique("team").parse().unwrap()),
        extra: BTreeMap::new(),
    }
}

async fn subnet(cloud: &Cloud, vpc: &str) -> String {
    let cidr = cloud.ec2().describe_vpcs().vpc_ids(vpc).send().await.unwrap();
    let cidr = cidr.vpcs()[0].cidr_block().unwrap().replace("/16", "/24");
    let made = cloud.ec2().create_subnet().vpc_id(vpc).cidr_block(cidr).send().await.unwrap();
    made.subnet().unwrap().subnet_id().unwrap().to_owned()
}

/// The whole life of what is ours in a graph whose other nodes are given.
async fn life(graph: &Graph<Cloud>, cloud: &Cloud, ours: usize) {
    let plan = support::done(graph, cloud, Way::Plan).await;
    assert_eq!(plan.changes(), ours, "at first nothing is there:\n{}", support::text(&plan));
    let applied = support::apply(graph, cloud).await;
    assert_eq!(support::text(&applied), support::text(&plan), "what was planned is what was done");
    let destroyed = support::destroy(graph, cloud).await;
    assert_eq!(destroyed.changes(), ours, "all of it was there to delete:\n{}", support::text(&destroyed));
}

async fn addresses(cloud: &Cloud, owner: &TeamOwner) -> Vec<Address> {
    let team = Filter::builder().name("tag:overlord:team").values(owner.team.as_ref().unwrap().as_str()).build();
    cloud.ec2().describe_addresses().filters(team).send().await.unwrap().addresses.unwrap_or_default()
}

// Addresses and NAT gateways

fn nat(owner: &TeamOwner, subnet: &str) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let subnet = graph.external(Given("subnet", SubnetId(subnet.into())));
    let address = graph.add(ElasticIp { owner: owner.clone(), name: "nat-a".into() });
    graph.add(NatGateway { owner: owner.clone(), name: "nat-a".into(), subnet, address });
    graph
}

async fn nat_gateways(cloud: &Cloud, subnet: &str) -> Vec<aws_sdk_ec2::types::NatGateway> {
    let filter = Filter::builder().name("subnet-id").values(subnet).build();
    let found = cloud.ec2().describe_nat_gateways().filter(filter).send().await.unwrap();
    let mut found = found.nat_gateways.unwrap_or_default();
    found.retain(|g| g.state().unwrap().as_str() == "available");
    found
}

#[tokio::test]
async fn addresses_and_nat_gateways_live_and_die() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    life(&nat(&owner, &subnet(&cloud, &vpc).await), &cloud, 2).await;
    assert_eq!(addresses(&cloud, &owner).await, []);
}

#[tokio::test]
async fn an_address_outlives_its_gateway_and_tags_follow() {
    let cloud = support::cloud().await;
    let (vpc, mut owner) = (support::vpc(&cloud).await, owner());
    let subnet = subnet(&cloud, &vpc).await;
    support::apply(&nat(&owner, &subnet), &cloud).await;
    let (before, gone) = (addresses(&cloud, &owner).await, nat_gateways(&cloud, &subnet).await);
    cloud.ec2().delete_nat_gateway().nat_gateway_id(gone[0].nat_gateway_id().unwrap()).send().await.unwrap();
    // As on AWS, the gateway holds the address until it is quite gone; the emulator, until somebody takes it away.
    let held = before[0].public_ip().unwrap().to_owned();
    let take = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        cloud.ec2().disassociate_address().public_ip(held).send().await.unwrap();
    };
    owner.extra.insert("cost".into(), "7".into());
    let graph = nat(&owner, &subnet);
    let (report, ()) = tokio::join!(support::done(&graph, &cloud, Way::Apply), take);
    let text = support::text(&report);
    assert!(
        text.contains("NAT gateway nat-a: + create") && text.contains("address nat-a: ~ tag cost: - -> 7"),
        "{text}"
    );
    let after = addresses(&cloud, &owner).await;
    assert_eq!((after.len(), after[0].allocation_id()), (1, before[0].allocation_id()));
    support::apply(&nat(&owner, &subnet), &cloud).await;
}

#[tokio::test]
async fn another_subnet_is_refused() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    support::apply(&nat(&owner, &subnet(&cloud, &vpc).await), &cloud).await;
    let report = support::go(&nat(&owner, "subnet-2"), &cloud, Way::Apply).await;
    let (_, e) = report.failures().next().unwrap();
    assert!(e.to_string().contains("NAT gateway nat-a cannot change subnet: subnet-"), "{e}");
}

#[tokio::test]
async fn a_gateway_is_waited_for_and_one_that_failed_is_not_there() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    let graph = nat(&owner, &subnet(&cloud, &vpc).await);
    let state = Arc::new(Mutex::new("pending"));
    let told = state.clone();
    let front = Front::new(move |question, ask| {
        let mut answer = ask();
        if question.action == "DescribeNatGateways" {
            let state = *told.lock().unwrap();
            let why = "<failureCode>Gateway.NotAttached</failureCode><failureMessage>no gateway</failureMessage>";
            let why = if state == "failed" { why } else { "" };
            answer.body = answer.body.replace("<state>available</state>", &format!("<state>{state}</state>{why}"));
        }
        answer
    });
    let through = front.cloud().await;
    // Pending, and then it fails: what AWS said is told, and it is not tried again.
    let fail = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        *state.lock().unwrap() = "failed";
    };
    let (report, ()) = tokio::join!(support::go(&graph, &through, Way::Apply), fail);
    let (_, e) = report.failures().next().unwrap();
    assert_eq!(e.to_string(), "NAT gateway nat-a failed: no gateway (Gateway.NotAttached)");
    let plan = support::text(&support::done(&graph, &through, Way::Plan).await);
    assert!(plan.contains("NAT gateway nat-a: + create"), "{plan}");
    *state.lock().unwrap() = "deleted";
    let plan = support::text(&support::done(&graph, &through, Way::Plan).await);
    assert!(plan.contains("NAT gateway nat-a: + create"), "{plan}");
    // One that a run left behind while it was made is waited for.
    *state.lock().unwrap() = "pending";
    let plan = support::text(&support::done(&graph, &through, Way::Plan).await);
    assert!(plan.contains("NAT gateway nat-a: ~ state: pending -> available"), "{plan}");
    let come = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        *state.lock().unwrap() = "available";
    };
    tokio::join!(support::done(&graph, &through, Way::Apply), come);
    support::apply(&graph, &through).await;
}

// NAT instances

fn instance(
    owner: &TeamOwner,
    vpc: &str,
    subnet: &str,
    kind: &str,
    from: &[&str],
) -> (Graph<Cloud>, Ref<NatInstanceId>) {
    let mut graph = Graph::default();
    let vpc = graph.external(Given("vpc", VpcId { id: vpc.into(), ipv6: None }));
    let subnet = graph.external(Given("subnet", SubnetId(subnet.into())));
    let address = graph.add(ElasticIp { owner: owner.clone(), name: "nat-a".into() });
    let from = from.iter().map(|n| n.parse().unwrap()).collect();
    let (owner, name, instance_type) = (owner.clone(), "nat-a".to_owned(), kind.to_owned());
    let r = graph.add(NatInstance { owner, name, vpc, subnet, address, instance_type, from });
    (graph, r)
}

async fn instances(cloud: &Cloud, vpc: &str) -> Vec<Instance> {
    let vpc = Filter::builder().name("vpc-id").values(vpc).build();
    let live = Filter::builder().name("instance-state-name").values("running").values("stopped").build();
    let found = cloud.ec2().describe_instances().filters(vpc).filters(live).send().await.unwrap();
    found.reservations.unwrap_or_default().into_iter().flat_map(|r| r.instances.unwrap_or_default()).collect()
}

#[tokio::test]
async fn nat_instances_live_and_die() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    let subnet = subnet(&cloud, &vpc).await;
    life(&instance(&owner, &vpc, &subnet, "t4g.nano", &["10.0.0.0/8"]).0, &cloud, 2).await;
    assert!(instances(&cloud, &vpc).await.is_empty());
    let group = Filter::builder().name("group-name").values("nat-a").build();
    let of_vpc = Filter::builder().name("vpc-id").values(&vpc).build();
    let groups = cloud.ec2().describe_security_groups().filters(group).filters(of_vpc).send().await.unwrap();
    assert!(groups.security_groups().is_empty());
}

#[tokio::test]
async fn a_nat_instance_is_as_it_should_be_and_repaired() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    let subnet = subnet(&cloud, &vpc).await;
    let (graph, _) = instance(&owner, &vpc, &subnet, "t4g.nano", &["10.0.0.0/9", "10.128.0.0/9"]);
    support::apply(&graph, &cloud).await;
    let first = instances(&cloud, &vpc).await.remove(0);
    assert_eq!((first.source_dest_check(), first.key_name()), (Some(false), None));
    assert_eq!(first.metadata_options().unwrap().http_tokens(), Some(&HttpTokensState::Required));
    assert!(first.tags().iter().any(|t| t.key() == Some("Name") && t.value() == Some("nat-a")));
    assert_eq!(addresses(&cloud, &owner).await[0].instance_id(), first.instance_id());
    let volume = first.block_device_mappings()[0].ebs().unwrap().volume_id().unwrap();
    let volume = cloud.ec2().describe_volumes().volume_ids(volume).send().await.unwrap().volumes.unwrap().remove(0);
    assert_eq!(volume.encrypted(), Some(true));
    let id = first.instance_id().unwrap();
    // Somebody opened a port, closed a network, and switched the check on.
    let (group, range) = (first.security_groups()[0].group_id().unwrap(), IpRange::builder().cidr_ip("0.0.0.0/0"));
    let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(range.build()).build();
    cloud.ec2().authorize_security_group_ingress().group_id(group).ip_permissions(ssh).send().await.unwrap();
    let on = AttributeBooleanValue::builder().value(true).build();
    cloud.ec2().modify_instance_attribute().instance_id(id).source_dest_check(on).send().await.unwrap();
    let (graph, _) = instance(&owner, &vpc, &subnet, "t4g.nano", &["10.0.0.0/9", "192.168.0.0/16"]);
    let text = support::text(&support::apply(&graph, &cloud).await);
    for part in [
        "packets from 192.168.0.0/16: refused -> forwarded",
        "packets from 10.128.0.0/9: forwarded -> refused",
        "other rules of its security group: 1 -> 0",
        "source/destination check: on -> off",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Stopped: started. Another type: the same instance.
    cloud.ec2().stop_instances().instance_ids(id).send().await.unwrap();
    let (graph, _) = instance(&owner, &vpc, &subnet, "t4g.micro", &["10.0.0.0/9", "192.168.0.0/16"]);
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("state: stopped -> running") && text.contains("t4g.nano -> t4g.micro"), "{text}");
    assert_eq!(instances(&cloud, &vpc).await[0].instance_id(), Some(id));
    // Another processor cannot be.
    let (other, _) = instance(&owner, &vpc, &subnet, "t3.micro", &["10.0.0.0/9", "192.168.0.0/16"]);
    let report = support::go(&other, &cloud, Way::Apply).await;
    assert!(report.failures().next().unwrap().1.to_string().contains("cannot become a t3.micro"));
    // Terminated: made anew, with the same address and group.
    let address = addresses(&cloud, &owner).await[0].allocation_id().unwrap().to_owned();
    cloud.ec2().terminate_instances().instance_ids(id).send().await.unwrap();
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("NAT instance nat-a: ~ instance: missing -> running"), "{text}");
    let second = instances(&cloud, &vpc).await.remove(0);
    assert_ne!(second.instance_id(), Some(id));
    assert_eq!(second.security_groups()[0].group_id(), Some(group));
    let now = addresses(&cloud, &owner).await;
    assert_eq!((now[0].allocation_id(), now[0].instance_id()), (Some(address.as_str()), second.instance_id()));
    support::destroy(&graph, &cloud).await;
}

#[tokio::test]
async fn a_foreign_group_of_the_same_name_is_refused() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    cloud.ec2().create_security_group().group_name("nat-a").description("x").vpc_id(&vpc).send().await.unwrap();
    let (graph, _) = instance(&owner, &vpc, &subnet(&cloud, &vpc).await, "t4g.nano", &[]);
    let report = support::go(&graph, &cloud, Way::Apply).await;
    let (_, e) = report.failures().next().unwrap();
    assert!(e.to_string().contains("security group nat-a exists already and belongs to somebody else"), "{e}");
}

// Flow logs

fn logs(owner: &TeamOwner, vpc: &str, group: &str) -> Graph<Cloud> {
    let mut graph = Graph::default();
    let vpc = graph.external(Given("vpc", VpcId { id: vpc.into(), ipv6: None }));
    let log_group = graph.external(Given("log group", LogGroupName(group.into())));
    let role = graph.external(Given("role", RoleArn("arn:aws:iam::123456789012:role/flow-logs".into())));
    graph.add(FlowLog { owner: owner.clone(), name: "all".into(), vpc, log_group, role });
    graph
}

#[tokio::test]
async fn flow_logs_live_and_die_and_are_made_anew() {
    let cloud = support::cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    cloud.logs().create_log_group().log_group_name("/flow").send().await.unwrap();
    life(&logs(&owner, &vpc, "/flow"), &cloud, 1).await;
    support::apply(&logs(&owner, &vpc, "/flow"), &cloud).await;
    assert_eq!(flow_log::notes(&cloud, &owner).await.unwrap(), Vec::<String>::new());
    let text = support::text(&support::apply(&logs(&owner, &vpc, "/nowhere"), &cloud).await);
    assert!(text.contains("~ log group: /flow -> /nowhere"), "{text}");
    let notes = flow_log::notes(&cloud, &owner).await.unwrap();
    assert_eq!(notes, ["Flow log all in eu-west-1 does not reach its log group: Access error."]);
    support::destroy(&logs(&owner, &vpc, "/nowhere"), &cloud).await;
}

#[tokio::test]
async fn what_aws_did_not_do_is_an_error_although_it_says_200() {
    let (breaks, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let (broken, count) = (breaks.clone(), asked.clone());
    let front = Front::new(move |question, ask| {
        let failing = |code: &str, message: &str| {
            let error = format!("<error><code>{code}</code><message>{message}</message></error>");
            Answer::with(&question.action, &format!("<unsuccessful><item>{error}</item></unsuccessful>"))
        };
        match question.action.as_str() {
            // The role becomes usable with the second try.
            "CreateFlowLogs" if count.fetch_add(1, Ordering::Relaxed) == 0 => {
                failing("InvalidParameter", "Unable to assume given IAM role: 'arn:aws:iam::1:role/x'")
            }
            "CreateFlowLogs" if broken.load(Ordering::Relaxed) => failing("LogDestinationPermissionIssue", "no"),
            "DeleteFlowLogs" if broken.load(Ordering::Relaxed) => failing("InternalThing", "not now"),
            "DeleteFlowLogs" => failing("InvalidFlowLogId.NotFound", "it is gone"),
            _ => ask(),
        }
    });
    let cloud = front.cloud().await;
    let (vpc, owner) = (support::vpc(&cloud).await, owner());
    cloud.logs().create_log_group().log_group_name("/flow2").send().await.unwrap();
    support::apply(&logs(&owner, &vpc, "/flow2"), &cloud).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2, "what was not done is tried again");
    breaks.store(true, Ordering::Relaxed);
    let report = support::go(&logs(&owner, &vpc, "/flow2"), &cloud, Way::Destroy).await;
    let (_, e) = report.failures().next().unwrap();
    assert_eq!(e.to_string(), "ec2:DeleteFlowLogs for all in eu-west-1: not now (InternalThing)");
    let report = support::go(&logs(&self::owner(), &vpc, "/flow2"), &cloud, Way::Apply).await;
    let (_, e) = report.failures().next().unwrap();
    assert_eq!(e.to_string(), "ec2:CreateFlowLogs for all in eu-west-1: no (LogDestinationPermissionIssue)");
    // Gone already is no error.
    breaks.store(false, Ordering::Relaxed);
    support::done(&logs(&owner, &vpc, "/flow2"), &cloud, Way::Destroy).await;
}

// Strays

/// Every stray looks; the region is asked once.
#[tokio::test]
async fn strays_share_what_they_look_at() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let front = Front::new(move |question, ask| {
        count.fetch_add(u32::from(question.action == "DescribeTags"), Ordering::Relaxed);
        ask()
    });
    let (cloud, team, other) = (front.cloud().await, owner(), owner());
    for _ in 0..3 {
        strays(&cloud, &team).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    strays(&cloud, &other).await.unwrap();
    cloud.forget();
    strays(&cloud, &team).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}
