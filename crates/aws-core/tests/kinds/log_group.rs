//! Log groups, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{cloud::Cloud, engine::Graph, error::Kind, resources::log_group::LogGroup};

fn graph(vpc: &str, team: &str, name: &str, retention_days: i32) -> Graph<Cloud> {
    let mut owner = support::owner(vpc, "shop");
    owner.team = Some(team.into());
    let mut graph = Graph::default();
    graph.add(LogGroup { owner, name: name.into(), noun: format!("log group {name}"), retention_days });
    graph
}

#[tokio::test]
async fn lives_and_dies_beside_groups_whose_names_it_begins() {
    let cloud = support::cloud().await;
    cloud.logs().create_log_group().log_group_name("/minion/life-2").send().await.unwrap();
    support::lifecycle(&graph("vpc-1", "red", "/minion/life", 30), &cloud).await;
}

#[tokio::test]
async fn retention_and_tags_follow() {
    let cloud = support::cloud().await;
    let name = "/minion/change";
    support::apply(&graph("vpc-1", "red", name, 30), &cloud).await;
    let report = support::apply(&graph("vpc-1", "blue", name, 7), &cloud).await;
    let text = support::text(&report);
    assert!(text.contains("~ retention: 30 days -> 7 days; tag team: red -> blue"), "{text}");
    // Half a group: made, but not told how long to keep events.
    cloud.logs().delete_retention_policy().log_group_name(name).send().await.unwrap();
    let text = support::text(&support::apply(&graph("vpc-1", "blue", name, 7), &cloud).await);
    assert!(text.contains("~ retention: for ever -> 7 days"), "{text}");
}

#[tokio::test]
async fn a_foreign_group_and_a_bad_retention_are_refused() {
    let cloud = support::cloud().await;
    let name = "/minion/foreign";
    cloud.logs().create_log_group().log_group_name(name).send().await.unwrap();
    for mode in [Way::Apply, Way::Destroy] {
        let report = support::go(&graph("vpc-1", "red", name, 30), &cloud, mode).await;
        assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused);
    }
    let report = support::go(&graph("vpc-1", "red", "/minion/bad", 31), &cloud, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Usage);
}
