//! Settings and stored manifests in Systems Manager parameters, on an emulator of AWS.

use crate::support::{self, Way, put_parameter};
use aws_core::{
    cloud::Cloud,
    engine::Graph,
    error::Kind,
    registry::{self, VpcSettings},
    resources::application_manifest::ApplicationManifest,
};

fn manifest(vpc: &str, yaml: &str) -> Graph<Cloud> {
    let mut graph = Graph::default();
    graph.add(ApplicationManifest {
        owner: support::owner(vpc, "shop"),
        noun: "manifest of application shop".into(),
        yaml: yaml.into(),
    });
    graph
}

/// Names of all parameters of a VPC.
async fn names(cloud: &Cloud, vpc: &str) -> Vec<String> {
    support::parameters(cloud, &format!("/minion/{vpc}")).await
}

#[tokio::test]
async fn manifests_of_every_size_live_and_die() {
    let cloud = support::cloud().await;
    for yaml in ["application_name: shop\n", "{a: {b: \"{{x}}\"}}", &"ä: ö\n".repeat(25_000)] {
        let vpc = support::unique("vpc-size");
        support::lifecycle(&manifest(&vpc, yaml), &cloud).await;
        assert_eq!(names(&cloud, &vpc).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn changing_a_manifest_leaves_no_part_of_the_old_one() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-change");
    let (large, other) = ("a: 1\n".repeat(9_000), "b: 2\n".repeat(2_000));
    for (yaml, parameters) in [(large.as_str(), 16), (&other, 5), ("c: 3\n", 1), (&large, 16)] {
        support::apply(&manifest(&vpc, yaml), &cloud).await;
        assert_eq!(names(&cloud, &vpc).await.len(), parameters);
        let read = registry::read_application(&cloud, &vpc, "shop").await.unwrap();
        assert_eq!(read.as_deref(), Some(yaml));
        let start = registry::read_start(&cloud, &vpc, Some("shop")).await.unwrap();
        assert_eq!(start.manifest.as_deref(), Some(yaml));
    }
}

#[tokio::test]
async fn parts_that_an_interrupted_deletion_left_are_removed_by_the_next() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-half");
    let large = "a: 1\n".repeat(9_000);
    support::apply(&manifest(&vpc, &large), &cloud).await;
    let head = format!("/minion/{vpc}/applications/shop");
    cloud.ssm().delete_parameter().name(&head).send().await.unwrap();
    assert_eq!(registry::read_application(&cloud, &vpc, "shop").await.unwrap(), None);
    assert!(registry::list_applications(&cloud, &vpc).await.unwrap().is_empty());
    assert_eq!(support::destroy(&manifest(&vpc, &large), &cloud).await.changes(), 1);
    assert_eq!(names(&cloud, &vpc).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_manifest_is_told_and_healed() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-damaged");
    let large = "a: 1\n".repeat(9_000);
    support::apply(&manifest(&vpc, &large), &cloud).await;
    let part = names(&cloud, &vpc).await.into_iter().find(|n| n.ends_with("-3")).unwrap();
    put_parameter(&cloud, part, "AAAA").await;
    let error = registry::read_application(&cloud, &vpc, "shop").await.unwrap_err();
    assert!(error.to_string().contains("applications/shop is incomplete or damaged"), "{error}");
    let start = registry::read_start(&cloud, &vpc, Some("shop")).await.unwrap();
    assert!(start.manifest.is_none() && start.damaged.is_some());
    let report = support::apply(&manifest(&vpc, &large), &cloud).await;
    assert!(support::text(&report).contains("~ manifest: damaged -> 9000 lines"));
    assert_eq!(registry::read_application(&cloud, &vpc, "shop").await.unwrap(), Some(large));
}

#[tokio::test]
async fn applications_are_listed_over_all_pages() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-list");
    let large = "a: 1\n".repeat(3_000);
    for n in 0..23 {
        let yaml = if n % 10 == 0 { large.clone() } else { format!("n: {n}\n") };
        let owner = support::owner(&vpc, &format!("app-{n}"));
        registry::write_application(&cloud, &owner, &yaml).await.unwrap();
    }
    registry::write_settings(&cloud, &vpc, &VpcSettings::default()).await.unwrap();
    let all = registry::list_applications(&cloud, &vpc).await.unwrap();
    assert_eq!(all.len(), 23);
    assert_eq!(all["app-7"], "n: 7\n");
    assert_eq!(all["app-20"], large);
    assert!(registry::list_applications(&cloud, "vpc-none").await.unwrap().is_empty());
}

#[tokio::test]
async fn settings_and_manifest_are_read_together() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-start");
    let start = registry::read_start(&cloud, &vpc, Some("shop")).await.unwrap();
    assert_eq!((start.settings, start.manifest), (VpcSettings::default(), None));

    let cacerts = "-----BEGIN CERTIFICATE-----\n".to_owned() + &"YWJjZGVm\n".repeat(700);
    let settings = VpcSettings { ami_id: Some("ami-1".into()), cacerts: Some(cacerts), ..VpcSettings::default() };
    for settings in [settings, VpcSettings { domain: Some("example.org".into()), ..VpcSettings::default() }] {
        registry::write_settings(&cloud, &vpc, &settings).await.unwrap();
        registry::write_application(&cloud, &support::owner(&vpc, "shop"), "a: 1\n").await.unwrap();
        let start = registry::read_start(&cloud, &vpc, Some("shop")).await.unwrap();
        assert_eq!((start.settings, start.manifest.as_deref()), (settings, Some("a: 1\n")));
        assert_eq!(registry::read_start(&cloud, &vpc, None).await.unwrap().manifest, None);
    }
    put_parameter(&cloud, format!("/minion/{vpc}/settings"), "peers: everybody\n").await;
    let error = registry::read_start(&cloud, &vpc, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().contains(&format!("/minion/{vpc}/settings")), "{error}");
}

#[tokio::test]
async fn a_stored_manifest_carries_its_owners_tags() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-tags");
    support::done(&manifest(&vpc, "a: 1\n"), &cloud, Way::Apply).await;
    let call = cloud.ssm().list_tags_for_resource().resource_id(format!("/minion/{vpc}/applications/shop"));
    let tags = call.resource_type(aws_sdk_ssm::types::ResourceTypeForTagging::Parameter).send().await.unwrap();
    assert!(tags.tag_list().iter().any(|t| t.key() == "minion:application" && t.value() == "shop"));
}

#[tokio::test]
async fn too_large_a_manifest_is_refused_and_nothing_is_written() {
    let cloud = support::cloud().await;
    let vpc = support::unique("vpc-large");
    let report = support::go(&manifest(&vpc, &"x".repeat(1_000_000)), &cloud, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Usage);
    assert_eq!(names(&cloud, &vpc).await, Vec::<String>::new());
}
