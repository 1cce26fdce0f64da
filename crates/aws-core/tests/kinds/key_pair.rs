//! Key pairs, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::{
    Error,
    cloud::Cloud,
    engine::Graph,
    error::Kind,
    resources::key_pair::{KeyPair, Save},
};
use std::sync::{Arc, Mutex};

fn graph(vpc: &str, team: &str, name: &str, save: Save) -> Graph<Cloud> {
    let mut owner = support::owner(vpc, "shop");
    owner.team = Some(team.into());
    let mut graph = Graph::default();
    graph.add(KeyPair { owner, name: name.into(), noun: "key pair for application shop".into(), save });
    graph
}

fn discard() -> Save {
    Arc::new(|_| Ok(()))
}

#[tokio::test]
async fn lives_and_dies_and_saves_each_private_half_once() {
    let cloud = support::cloud().await;
    let saved = Arc::new(Mutex::new(Vec::new()));
    let into = saved.clone();
    let save: Save = Arc::new(move |pem| {
        into.lock().unwrap().push(pem.to_owned());
        Ok(())
    });
    support::lifecycle(&graph("vpc-1", "red", "app-life", save), &cloud).await;
    let saved = saved.lock().unwrap();
    assert_eq!(saved.len(), 3, "each time that it was made: at first, after its end, after it had disappeared");
    assert!(saved[0].starts_with("-----BEGIN"));
}

#[tokio::test]
async fn a_key_that_cannot_be_saved_is_removed_again() {
    let cloud = support::cloud().await;
    let full: Save = Arc::new(|_| Err(Error::failed("the disk is full")));
    let report = support::go(&graph("vpc-1", "red", "app-unsaved", full), &cloud, Way::Apply).await;
    let (_, error) = report.failures().next().unwrap();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert!(error.hints()[0].contains("removed again"));
    support::lifecycle(&graph("vpc-1", "red", "app-unsaved", discard()), &cloud).await;
}

#[tokio::test]
async fn tags_follow_and_a_foreign_key_is_refused() {
    let cloud = support::cloud().await;
    support::apply(&graph("vpc-1", "red", "app-tags", discard()), &cloud).await;
    let report = support::apply(&graph("vpc-1", "blue", "app-tags", discard()), &cloud).await;
    assert!(support::text(&report).contains("~ tag team: red -> blue"));
    let report = support::go(&graph("vpc-2", "blue", "app-tags", discard()), &cloud, Way::Destroy).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused);
}
