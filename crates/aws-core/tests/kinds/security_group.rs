//! Security groups, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    cloud::Cloud,
    engine::{Graph, Ref},
    error::Kind,
    resources::security_group::{ExistingGroup, GroupId, Ingress, Protocol, SecurityGroup, Source, list_of_vpc},
};
use aws_sdk_ec2::types::{IpPermission, IpRange};

/// The ids of our groups in the VPC.
async fn ids(cloud: &Cloud, vpc: &str) -> Vec<String> {
    let all = list_of_vpc(cloud, vpc).await.expect("the groups can be listed");
    let ours = all.iter().filter(|g| g.group_name().is_some_and(|n| n.starts_with("app-")));
    ours.map(|g| g.group_id().expect("a group has an id").to_owned()).collect()
}

fn group(vpc: &str, application: &str, name: &str, ingress: Vec<Ingress>) -> SecurityGroup {
    SecurityGroup {
        owner: support::owner(vpc, application),
        name: name.into(),
        noun: format!("security group {name}"),
        description: "für tests".into(),
        ingress,
    }
}

fn tcp(port: u16, from: Source) -> Ingress {
    Ingress { protocol: Protocol::Tcp, ports: Some((port, port)), from, description: "a `test`".into() }
}

fn cidr(text: &str) -> Source {
    Source::Cidr(text.parse().expect("a network"))
}

/// The two groups of an application, as the predecessor's: see the load balancer's from the members'.
fn both(vpc: &str, application: &str, port: u16) -> (Graph<Cloud>, Ref<GroupId>) {
    let mut graph = Graph::default();
    let open = vec![tcp(80, cidr("10.0.0.7/8")), tcp(443, cidr("10.0.0.0/8")), tcp(443, cidr("fd00::1/8"))];
    let balancer = graph.add(group(vpc, application, &format!("app-{application}-lb"), open));
    let members = Ingress {
        protocol: Protocol::All,
        ports: None,
        from: Source::Itself,
        description: "members of the application".into(),
    };
    let inner = vec![members.clone(), tcp(port, Source::Group(balancer)), members];
    let r = graph.add(group(vpc, application, &format!("app-{application}"), inner));
    (graph, r)
}

async fn open_by_hand(cloud: &Cloud, id: &str, description: &str) {
    let range = IpRange::builder().cidr_ip("192.0.2.1/32").description(description).build();
    let rule = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(range).build();
    cloud
        .ec2()
        .authorize_security_group_ingress()
        .group_id(id)
        .ip_permissions(rule)
        .send()
        .await
        .expect("AuthorizeSecurityGroupIngress");
}

#[tokio::test]
async fn lives_and_dies() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let (graph, _) = both(&vpc, "shop", 8080);
    // A group stays while another one's rule refers to it.
    support::lifecycle_with(&graph, &cloud, &["security group"]).await;
}

#[tokio::test]
async fn drift_is_repaired_and_what_was_added_by_hand_stays() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let (graph, _) = both(&vpc, "shop", 8080);
    support::apply(&graph, &cloud).await;

    let (graph, _) = both(&vpc, "shop", 9090);
    let plan = support::text(&support::done(&graph, &cloud, Way::Plan).await);
    assert!(plan.contains("ingress: - -> tcp 9090 from sg-"), "{plan}");
    assert!(plan.contains("ingress: tcp 8080 from sg-"), "{plan}");
    support::apply(&graph, &cloud).await;

    let groups = ids(&cloud, &vpc).await;
    assert_eq!(groups.len(), 2);
    open_by_hand(&cloud, &groups[0], "admin").await;
    assert_eq!(support::done(&graph, &cloud, Way::Plan).await.changes(), 0);
    support::destroy(&graph, &cloud).await;
}

#[tokio::test]
async fn a_rule_of_ours_that_is_no_longer_wanted_is_revoked() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let mut graph = Graph::default();
    graph.add(group(&vpc, "shop", "app-shop", vec![]));
    support::apply(&graph, &cloud).await;
    let id = &ids(&cloud, &vpc).await[0];
    open_by_hand(&cloud, id, "minion: of an older manifest").await;
    let report = support::apply(&graph, &cloud).await;
    let text = support::text(&report);
    assert!(text.contains("ingress: tcp 22 from 192.0.2.1/32 -> -"), "{text}");
}

/// What an interrupted create leaves: a group with its tags, without its rules.
#[tokio::test]
async fn half_a_group_is_healed() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let mut half = Graph::default();
    half.add(group(&vpc, "shop", "app-shop-lb", vec![]));
    support::apply(&half, &cloud).await;
    let (graph, _) = both(&vpc, "shop", 8080);
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("app-shop-lb: ~ ingress"), "{text}");
    assert!(text.contains("app-shop: + create"), "{text}");
}

#[tokio::test]
async fn tags_of_the_team_and_the_manifest_follow() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let mut wanted = group(&vpc, "shop", "app-shop", vec![]);
    let mut graph = Graph::default();
    graph.add(group(&vpc, "shop", "app-shop", vec![]));
    support::apply(&graph, &cloud).await;
    wanted.owner.team = Some("blue".into());
    wanted.owner.extra.insert("cost-centre".into(), "7".into());
    let mut graph = Graph::default();
    graph.add(wanted);
    let text = support::text(&support::apply(&graph, &cloud).await);
    assert!(text.contains("tag cost-centre: - -> 7; tag team: red -> blue"), "{text}");
}

#[tokio::test]
async fn somebody_elses_group_is_refused_and_left_alone() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let foreign = cloud.ec2().create_security_group().vpc_id(&vpc).group_name("app-shop").description("x");
    foreign.send().await.unwrap();
    let mut graph = Graph::default();
    graph.add(group(&vpc, "shop", "app-shop", vec![]));
    for mode in [Way::Apply, Way::Destroy] {
        let report = support::go(&graph, &cloud, mode).await;
        let (_, error) = report.failures().next().unwrap();
        assert_eq!(error.kind(), Kind::Refused, "{error:?}");
    }
    // In another VPC the name is free.
    let other = support::vpc(&cloud).await;
    let mut graph = Graph::default();
    graph.add(group(&other, "shop", "app-shop", vec![]));
    support::lifecycle(&graph, &cloud).await;
}

#[tokio::test]
async fn an_existing_group_is_used_and_never_written() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    let existing = || {
        let mut graph = Graph::default();
        graph.external(ExistingGroup { vpc: vpc.clone(), name: "theirs".into() });
        graph
    };
    let report = support::go(&existing(), &cloud, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::NotFound);
    cloud.ec2().create_security_group().vpc_id(&vpc).group_name("theirs").description("x").send().await.unwrap();
    support::apply(&existing(), &cloud).await;
    assert_eq!(support::done(&existing(), &cloud, Way::Destroy).await.changes(), 0);
    support::apply(&existing(), &cloud).await;
}

#[tokio::test]
async fn a_bad_name_is_refused_before_any_call() {
    let cloud = support::cloud().await;
    let vpc = support::vpc(&cloud).await;
    for bad in ["sg-mine", "ä", &"x".repeat(256)] {
        let mut graph = Graph::default();
        graph.add(group(&vpc, "shop", bad, vec![]));
        let report = support::go(&graph, &cloud, Way::Apply).await;
        assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Usage, "{bad}");
    }
}
