//! Target groups, load balancers and listeners, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    cloud::Cloud,
    engine::Graph,
    error::Kind,
    model::Owner,
    resources::{
        listener::{Listener, ListenerAction, ListenerProtocol},
        load_balancer::LoadBalancer,
        security_group::SecurityGroup,
        target_group::{HealthCheck, TargetGroup, Traffic},
    },
};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerAttribute;
use std::time::Duration;

struct Wanted {
    owner: Owner,
    subnets: Vec<String>,
    traffic: Traffic,
    certificate: Option<String>,
    path: Option<&'static str>,
    delay: u64,
}

async fn wanted(cloud: &Cloud, traffic: Traffic) -> Wanted {
    let vpc = support::vpc(cloud).await;
    let mut owner = support::owner(&vpc, &support::unique("lb"));
    owner.version = Some("1.0".into());
    Wanted { owner, subnets: support::subnets(cloud, &vpc).await, traffic, certificate: None, path: None, delay: 20 }
}

fn graph(w: &Wanted) -> Graph<Cloud> {
    let name = format!("app-{}-1-0", w.owner.application);
    let mut graph = Graph::default();
    let group = graph.add(SecurityGroup {
        owner: Owner { version: None, ..w.owner.clone() },
        name: format!("app-{}-lb", w.owner.application),
        noun: "group".into(),
        description: "for tests".into(),
        ingress: Vec::new(),
    });
    let targets = graph.add(TargetGroup {
        owner: w.owner.clone(),
        name: name.clone(),
        noun: "targets".into(),
        vpc: w.owner.vpc.clone(),
        protocol: w.traffic,
        port: 8080,
        health: HealthCheck {
            path: w.path.map(str::to_owned),
            port: None,
            interval: 20,
            timeout: 10,
            healthy: 3,
            unhealthy: 5,
            codes: w.path.map(|_| "200-399".into()),
        },
        deregistration_delay: Duration::from_secs(w.delay),
    });
    let balancer = graph.add(LoadBalancer {
        owner: w.owner.clone(),
        name: name.clone(),
        noun: format!("load balancer for {}", w.owner.application),
        traffic: w.traffic,
        internal: true,
        subnets: w.subnets.clone(),
        security_groups: vec![group],
    });
    let mut listen = |port: u16, protocol, action| {
        graph.add(Listener {
            owner: w.owner.clone(),
            name: format!("{name}:{port}"),
            noun: format!("listener {port}"),
            load_balancer: balancer,
            port,
            protocol,
            action,
        });
    };
    let forward = ListenerAction::Forward(targets);
    match (w.traffic, &w.certificate) {
        (Traffic::Tcp, _) => listen(9000, ListenerProtocol::Tcp, forward),
        (Traffic::Http, None) => listen(80, ListenerProtocol::Http, forward),
        (Traffic::Http, Some(arn)) => {
            listen(80, ListenerProtocol::Http, ListenerAction::RedirectToHttps);
            listen(443, ListenerProtocol::Https { certificate_arn: arn.clone() }, forward);
        }
    }
    graph
}

async fn certificate(cloud: &Cloud, domain: &str) -> String {
    let made = cloud.acm().request_certificate().domain_name(format!("*.{domain}")).send().await.unwrap();
    made.certificate_arn().unwrap().to_owned()
}

/// A target group stays while a listener leads to it.
const HELD: [&str; 1] = ["target group"];

#[tokio::test]
async fn http() {
    let cloud = support::cloud().await;
    support::lifecycle_with(&graph(&wanted(&cloud, Traffic::Http).await), &cloud, &HELD).await;
}

#[tokio::test]
async fn https_with_a_redirect() {
    let cloud = support::cloud().await;
    let mut w = wanted(&cloud, Traffic::Http).await;
    w.certificate = Some(certificate(&cloud, "https.example.org").await);
    w.path = Some("/health");
    support::lifecycle_with(&graph(&w), &cloud, &HELD).await;
}

#[tokio::test]
async fn tcp() {
    let cloud = support::cloud().await;
    let mut w = wanted(&cloud, Traffic::Tcp).await;
    support::lifecycle_with(&graph(&w), &cloud, &HELD).await;
    w.path = Some("/");
    support::lifecycle_with(&graph(&w), &cloud, &HELD).await;
}

#[tokio::test]
async fn what_can_change_is_healed_and_what_cannot_is_refused() {
    let cloud = support::cloud().await;
    let mut w = wanted(&cloud, Traffic::Http).await;
    w.certificate = Some(certificate(&cloud, "first.example.org").await);
    support::apply(&graph(&w), &cloud).await;

    // Half made: the attributes that are written after the creating calls are not there.
    let name = format!("app-{}-1-0", w.owner.application);
    let found = cloud.elb().describe_load_balancers().names(&name).send().await.unwrap();
    let arn = found.load_balancers()[0].load_balancer_arn().unwrap();
    let off = LoadBalancerAttribute::builder().key("routing.http.drop_invalid_header_fields.enabled").value("false");
    let call = cloud.elb().modify_load_balancer_attributes().load_balancer_arn(arn).attributes(off.build());
    call.send().await.unwrap();
    w.delay = 40;
    w.certificate = Some(certificate(&cloud, "second.example.org").await);
    let plan = support::done(&graph(&w), &cloud, Way::Plan).await;
    let text = support::text(&plan);
    assert!(text.contains("deregistration delay: 20 s -> 40 s"), "{text}");
    assert!(text.contains("drop_invalid_header_fields.enabled: false -> true"), "{text}");
    assert!(text.contains("~ certificate: "), "{text}");
    assert_eq!(plan.changes(), 3, "{text}");
    support::apply(&graph(&w), &cloud).await;

    w.path = Some("/other");
    let report = support::go(&graph(&w), &cloud, Way::Apply).await;
    let (node, error) = report.failures().next().unwrap();
    assert_eq!((node.kind, error.kind()), ("target group", Kind::Refused));
    assert!(error.hints()[0].contains("another version"), "{error:?}");

    // A listener that went with its load balancer, and the other way round, are no errors.
    w.path = None;
    cloud.elb().delete_load_balancer().load_balancer_arn(arn).send().await.unwrap();
    support::destroy(&graph(&w), &cloud).await;
}

#[tokio::test]
async fn another_version_of_the_same_name_is_refused() {
    let cloud = support::cloud().await;
    let mut w = wanted(&cloud, Traffic::Http).await;
    support::apply(&graph(&w), &cloud).await;
    w.owner.version = Some("1".into());
    let report = support::go(&graph(&w), &cloud, Way::Apply).await;
    let kinds: Vec<_> = report.failures().map(|(n, e)| (n.kind, e.kind())).collect();
    assert_eq!(
        kinds,
        [("target group", Kind::Refused), ("load balancer", Kind::Refused)],
        "{}",
        support::text(&report)
    );
    let (_, error) = report.failures().next().unwrap();
    assert!(error.to_string().contains("version 1.0"), "{error}");
    w.owner.version = Some("1.0".into());
    support::destroy(&graph(&w), &cloud).await;
}
