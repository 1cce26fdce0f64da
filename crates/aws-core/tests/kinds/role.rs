//! IAM roles and instance profiles, on an emulator of AWS.

use crate::support::{self, Way};
use aws_core::model::Owning as _;
use aws_core::{
    cloud::Cloud,
    engine::Graph,
    error::Kind,
    resources::role::{ExistingRole, Role},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const SSM: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
const POWER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";

fn policy(action: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::a+b c/ü*" }]
    })
}

fn role(name: &str) -> Role {
    Role {
        owner: support::owner("vpc-1", "shop"),
        name: name.into(),
        noun: "IAM role and instance profile".into(),
        policy: policy("s3:GetObject"),
        managed_policies: BTreeSet::from([READ_ONLY.to_owned(), SSM.to_owned()]),
        boundary: Some(POWER.to_owned()),
    }
}

fn graph(role: Role) -> Graph<Cloud> {
    let mut graph = Graph::default();
    graph.add(role);
    graph
}

/// Applies, and returns what the report says was done.
async fn applied(role: Role, cloud: &Cloud) -> String {
    support::text(&support::apply(&graph(role), cloud).await)
}

#[tokio::test]
async fn lives_and_dies() {
    let cloud = support::cloud().await;
    support::lifecycle(&graph(role("app-life")), &cloud).await;
    let bare = Role { policy: Value::Null, managed_policies: BTreeSet::new(), boundary: None, ..role("app-bare") };
    support::lifecycle(&graph(bare), &cloud).await;
}

#[tokio::test]
async fn what_differs_is_changed_in_place() {
    let cloud = support::cloud().await;
    let name = "app-change";
    support::apply(&graph(role(name)), &cloud).await;

    let text = applied(Role { policy: policy("s3:*"), ..role(name) }, &cloud).await;
    assert!(text.contains("~ policies: 1 statement"), "{text}");
    let text = applied(Role { policy: Value::Null, ..role(name) }, &cloud).await;
    assert!(text.contains("-> -"), "{text}");
    let fewer = Role { managed_policies: BTreeSet::from([SSM.to_owned()]), ..role(name) };
    let text = applied(fewer, &cloud).await;
    assert!(text.contains(&format!("managed policy: {READ_ONLY} -> -")), "{text}");
    let text = applied(Role { boundary: Some(READ_ONLY.into()), ..role(name) }, &cloud).await;
    assert!(text.contains(&format!("permissions boundary: {POWER} -> {READ_ONLY}")), "{text}");
    let mut blue = role(name);
    blue.owner.team = Some("blue".into());
    let text = applied(blue, &cloud).await;
    assert!(text.contains("tag team: red -> blue"), "{text}");
}

#[tokio::test]
async fn drift_of_the_trust_policy_is_repaired() {
    let cloud = support::cloud().await;
    let name = "app-trust";
    support::apply(&graph(role(name)), &cloud).await;
    let open = json!({"Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" }
    ]});
    let call = cloud.iam().update_assume_role_policy().role_name(name);
    call.policy_document(open.to_string()).send().await.unwrap();
    let text = applied(role(name), &cloud).await;
    assert!(text.contains("~ trust policy"), "{text}");
}

/// Whatever an interrupted create left, running it again completes it.
#[tokio::test]
async fn half_made_roles_are_healed() {
    let cloud = support::cloud().await;
    let (iam, name) = (cloud.iam(), "app-half");
    let whole = || graph(role(name));

    support::apply(&whole(), &cloud).await;
    let call = iam.remove_role_from_instance_profile().instance_profile_name(name).role_name(name);
    call.send().await.unwrap();
    let text = support::text(&support::apply(&whole(), &cloud).await);
    assert!(text.contains("~ role in instance profile"), "{text}");

    let call = iam.remove_role_from_instance_profile().instance_profile_name(name).role_name(name);
    call.send().await.unwrap();
    iam.delete_instance_profile().instance_profile_name(name).send().await.unwrap();
    let text = support::text(&support::apply(&whole(), &cloud).await);
    assert!(text.contains("~ instance profile"), "{text}");

    iam.delete_role_policy().role_name(name).policy_name("minion").send().await.unwrap();
    iam.detach_role_policy().role_name(name).policy_arn(SSM).send().await.unwrap();
    let text = support::text(&support::apply(&whole(), &cloud).await);
    assert!(text.contains("policies: -") && text.contains("managed policy: -"), "{text}");

    support::destroy(&whole(), &cloud).await;
    // A profile without its role.
    let tags = support::owner("vpc-1", "shop").tags(name);
    let tags = tags.iter().map(|(k, v)| aws_sdk_iam::types::Tag::builder().key(k).value(v).build().unwrap()).collect();
    iam.create_instance_profile().instance_profile_name(name).set_tags(Some(tags)).send().await.unwrap();
    let text = support::text(&support::apply(&whole(), &cloud).await);
    assert!(text.contains("role: - -> app-half;"), "{text}");
    support::destroy(&whole(), &cloud).await;
}

/// Also what was attached by hand goes with the role: IAM deletes no other.
#[tokio::test]
async fn deletes_with_everything_attached() {
    let cloud = support::cloud().await;
    let (iam, name) = (cloud.iam(), "app-attached");
    support::apply(&graph(role(name)), &cloud).await;
    let call = iam.put_role_policy().role_name(name).policy_name("by-hand");
    call.policy_document(policy("s3:*").to_string()).send().await.unwrap();
    iam.attach_role_policy().role_name(name).policy_arn(POWER).send().await.unwrap();
    support::destroy(&graph(role(name)), &cloud).await;
    assert!(iam.get_role().role_name(name).send().await.is_err());
    assert!(iam.get_instance_profile().instance_profile_name(name).send().await.is_err());
}

#[tokio::test]
async fn somebody_elses_role_is_refused() {
    let cloud = support::cloud().await;
    let name = "app-foreign";
    support::apply(&graph(role(name)), &cloud).await;
    for mode in [Way::Apply, Way::Destroy] {
        let theirs = Role { owner: support::owner("vpc-2", "shop"), ..role(name) };
        let report = support::go(&graph(theirs), &cloud, mode).await;
        assert_eq!(report.failures().next().unwrap().1.kind(), Kind::Refused, "{}", support::text(&report));
    }
    assert_eq!(support::done(&graph(role(name)), &cloud, Way::Plan).await.changes(), 0);
}

#[tokio::test]
async fn an_existing_role_is_used_and_never_written() {
    let cloud = support::cloud().await;
    let name = "app-existing";
    let existing = || {
        let mut graph = Graph::default();
        graph.external(ExistingRole { name: name.into() });
        graph
    };
    let report = support::go(&existing(), &cloud, Way::Apply).await;
    assert_eq!(report.failures().next().unwrap().1.kind(), Kind::NotFound);
    support::apply(&graph(role(name)), &cloud).await;
    assert_eq!(support::apply(&existing(), &cloud).await.changes(), 0);
    assert_eq!(support::done(&existing(), &cloud, Way::Destroy).await.changes(), 0);
}

#[tokio::test]
async fn a_policy_that_does_not_exist_is_told_at_once() {
    let cloud = support::cloud().await;
    let name = "app-no-policy";
    let wrong = BTreeSet::from(["arn:aws:iam::aws:policy/NoSuchPolicy".to_owned()]);
    let report = support::go(&graph(Role { managed_policies: wrong, ..role(name) }), &cloud, Way::Apply).await;
    let (_, error) = report.failures().next().unwrap();
    assert!(error.to_string().contains("NoSuchPolicy"), "{error}");
    // And what was made until then is healed by a right manifest.
    support::apply(&graph(role(name)), &cloud).await;
}
