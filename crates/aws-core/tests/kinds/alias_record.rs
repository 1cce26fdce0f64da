//! Alias records, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    cloud::{Cloud, lookups},
    engine::{Graph, Quiet, World as _},
    error::Kind,
    resources::{
        alias_record::{Alias, AliasRecord, change_batch, in_sync, list_records, require_free},
        load_balancer::LoadBalancer,
        target_group::Traffic,
    },
};
use aws_sdk_route53::types::{Change, ChangeAction, ResourceRecord, ResourceRecordSet, RrType};

struct Place {
    vpc: String,
    subnets: Vec<String>,
    zone: String,
    domain: String,
}

async fn place(cloud: &Cloud) -> Place {
    let vpc = support::vpc(cloud).await;
    let subnets = support::subnets(cloud, &vpc).await;
    let domain = format!("{}.example.org", support::unique("zone"));
    let made = cloud.route53().create_hosted_zone().name(&domain).caller_reference(&domain).send().await.unwrap();
    let zone = made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
    Place { vpc, subnets, zone, domain }
}

fn graph(p: &Place) -> Graph<Cloud> {
    let mut owner = support::owner(&p.vpc, &support::unique("alias"));
    owner.version = Some("1.0".into());
    let name = format!("app-{}-1-0", p.domain.split('.').next().unwrap());
    let mut graph = Graph::default();
    let load_balancer = graph.add(LoadBalancer {
        owner,
        name: name.clone(),
        noun: "load balancer".into(),
        traffic: Traffic::Tcp,
        internal: true,
        subnets: p.subnets.clone(),
        security_groups: Vec::new(),
    });
    let alias = Alias {
        zone_id: p.zone.clone(),
        name: format!("app-1-0.{}", p.domain),
        load_balancer_name: name,
        after: Vec::new(),
    };
    graph.add(AliasRecord { alias, load_balancer });
    graph
}

fn text_record(name: &str, kind: RrType, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(60).resource_records(value).build().unwrap()
}

fn create(record: ResourceRecordSet) -> Change {
    Change::builder().action(ChangeAction::Create).resource_record_set(record).build().unwrap()
}

#[tokio::test]
async fn a_name_for_a_load_balancer() {
    let cloud = support::cloud().await;
    let p = place(&cloud).await;
    let g = graph(&p);
    support::lifecycle(&g, &cloud).await;

    let recorder = support::Recorder::default();
    cloud.forget();
    let report = Way::Apply.run(&g, &cloud, &recorder).await;
    assert!(report.complete());
    let step = format!("Configuring DNS name app-1-0.{}. ", p.domain);
    assert!(recorder.lines().contains(&step), "{:?}", recorder.lines());

    cloud.forget();
    let zones = lookups::zones(&cloud, &p.vpc, &p.domain).await.unwrap();
    assert_eq!(zones.len(), 1);
    assert_eq!(lookups::choose_zone(&zones, true, None).unwrap().id, p.zone);
    assert!(lookups::all_zones(&cloud).await.unwrap().iter().any(|z| z.name == p.domain && !z.private));
    assert!(lookups::zones(&cloud, &p.vpc, "example.org").await.unwrap().is_empty());

    // The load balancer vanishes: its record is still known, and goes.
    let found = cloud.elb().describe_load_balancers().send().await.unwrap();
    let balancer = found.load_balancers().iter().find(|l| l.vpc_id() == Some(&p.vpc)).unwrap();
    cloud.elb().delete_load_balancer().load_balancer_arn(balancer.load_balancer_arn().unwrap()).send().await.unwrap();
    let destroyed = support::destroy(&g, &cloud).await;
    assert_eq!(destroyed.changes(), 1, "{}", support::text(&destroyed));
}

#[tokio::test]
async fn somebody_elses_record_is_left_alone() {
    let cloud = support::cloud().await;
    let p = place(&cloud).await;
    let g = graph(&p);
    let foreign = text_record(&format!("app-1-0.{}.", p.domain), RrType::A, "192.0.2.1");
    let change = change_batch(&cloud, &p.zone, "a test", vec![create(foreign)]).await.unwrap();
    assert!(!change.contains('/') && in_sync(&cloud, &change).await.unwrap());
    let report = support::go(&g, &cloud, Way::Apply).await;
    let (node, error) = report.failures().next().unwrap();
    assert_eq!((node.kind, error.kind()), ("DNS name", Kind::Refused), "{error:?}");
    assert!(error.to_string().contains("somebody else's") && error.to_string().contains("192.0.2.1"), "{error}");
    let name = format!("app-1-0.{}", p.domain);
    let error = require_free(&cloud, &p.zone, &name, "app-1-0").await.unwrap_err();
    assert!(error.kind() == Kind::Refused && error.to_string().contains(&p.zone), "{error}");
    require_free(&cloud, &p.zone, "free.example.org", "app-1-0").await.unwrap();
    cloud.forget();
    assert!(Way::Destroy.run(&g, &cloud, &Quiet).await.complete());
    cloud.forget();
    let left = list_records(&cloud, &p.zone).await.unwrap();
    assert!(left.iter().any(|r| r.resource_records().iter().any(|v| v.value() == "192.0.2.1")));
}

#[tokio::test]
async fn zones_of_more_than_a_page_and_wrong_batches() {
    let cloud = support::cloud().await;
    let p = place(&cloud).await;
    for batch in 0..4 {
        let records = (0..100).map(|n| text_record(&format!("r{batch}-{n}.{}.", p.domain), RrType::A, "192.0.2.1"));
        change_batch(&cloud, &p.zone, "a test", records.map(create).collect()).await.unwrap();
    }
    let all = list_records(&cloud, &p.zone).await.unwrap();
    assert_eq!(all.iter().filter(|r| *r.r#type() == RrType::A).count(), 400);

    let twice = text_record(&format!("r1-1.{}.", p.domain), RrType::A, "192.0.2.1");
    let error = change_batch(&cloud, &p.zone, "a test", vec![create(twice)]).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidChangeBatch"));
    assert!(error.to_string().contains("already exists"), "{error}");
    let error = list_records(&cloud, "ZNOSUCHZONE").await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchHostedZone"), "{error:?}");
}
