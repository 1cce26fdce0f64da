//! The boundary and the policies of the roles: what they say, how long they are, and what they allow.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed, and says where")]

mod calls;
#[path = "../../../../tests/pages/calls.rs"]
mod calls_in_sources;
mod evaluator;
mod judged;
#[path = "../../../../tests/judges/mod.rs"]
mod judges;
mod sources;
mod table;
#[path = "../../../../tests/pages/words.rs"]
mod words;

use overlord::policies::{self, Input};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/overlord-boundary";
pub(crate) const BUCKET: &str = "overlord-acme-trail-123456789012";

pub(crate) fn input() -> Input<'static> {
    Input {
        partition: "aws",
        account: ACCOUNT,
        organization: "acme",
        team: "red",
        boundary_arn: BOUNDARY,
        trail_bucket: Some(BUCKET),
        domains: &["red.example.org"],
        parents: &["example.org"],
    }
}

/// The policy of a role; `app` is the role of an application that may do everything that its boundary leaves.
pub(crate) fn policy_of(role: &str) -> Value {
    match role {
        policies::ADMINISTRATOR => policies::administrator(&input()),
        policies::POWER_USER => policies::power_user(&input()),
        policies::READ_ONLY => policies::read_only(&input()),
        policies::DEPLOYER => policies::deployer(&input()),
        "app" => json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
        other => panic!("no role {other}"),
    }
}

fn text(policy: &Value) -> String {
    serde_json::to_string_pretty(policy).unwrap()
}

#[test]
fn what_they_say() {
    insta::assert_snapshot!("boundary", text(&policies::boundary(&input())));
    insta::assert_snapshot!("administrator", text(&policies::administrator(&input())));
    insta::assert_snapshot!("power_user", text(&policies::power_user(&input())));
    insta::assert_snapshot!("read_only", text(&policies::read_only(&input())));
    insta::assert_snapshot!("deployer", text(&policies::deployer(&input())));
}

/// Without white space: 6,144 characters of a managed policy, 10,240 of the inline policies of a role (IAM quotas).
#[test]
fn they_fit() {
    // The first domain of a certificate has at most 64 characters: a team's domain is no longer.
    let parent = format!("{}.org", "p".repeat(64 - 33 - 4));
    let domain = format!("{}.{parent}", "t".repeat(32));
    let longest = Input {
        partition: "aws-us-gov",
        organization: &"o".repeat(32),
        team: &"t".repeat(32),
        boundary_arn: "arn:aws-us-gov:iam::123456789012:policy/overlord-boundary",
        trail_bucket: Some(&"b".repeat(63)),
        domains: &[&domain],
        parents: &[&parent],
        ..input()
    };
    let size = |policy: Value| policy.to_string().chars().filter(|c| !c.is_whitespace()).count();
    let boundary = size(policies::boundary(&longest));
    assert!(boundary > 3_000 && boundary <= 6_144, "the boundary has {boundary} characters");
    for (role, policy) in [
        ("Administrator", policies::administrator(&longest)),
        ("PowerUser", policies::power_user(&longest)),
        ("ReadOnly", policies::read_only(&longest)),
        ("Deployer", policies::deployer(&longest)),
    ] {
        let size = size(policy);
        assert!(size <= 10_240, "the policy of {role} has {size} characters");
    }
}

#[test]
fn other_partitions_have_their_own_arns() {
    let china = Input { partition: "aws-cn", boundary_arn: "arn:aws-cn:iam::123456789012:policy/b", ..input() };
    for policy in [policies::boundary(&china), policies::power_user(&china), policies::deployer(&china)] {
        assert!(!policy.to_string().contains("arn:aws:"), "{policy}");
    }
    assert!(policies::deployer(&china).to_string().contains("ec2.amazonaws.com.cn"));
}

#[test]
fn without_domains_no_names_are_kept_back() {
    let none = Input { domains: &[], parents: &[], ..input() };
    for policy in [policies::boundary(&none), policies::deployer(&none)] {
        assert!(!policy.to_string().contains("NormalizedRecordNames"), "{policy}");
    }
    assert!(policies::deployer(&none).to_string().contains("route53:ChangeResourceRecordSetsRecordTypes"));
}

#[test]
fn without_a_trail_there_is_no_bucket_to_guard() {
    let policy = policies::boundary(&Input { trail_bucket: None, ..input() });
    assert!(!policy.to_string().contains("arn:aws:s3"), "{policy}");
}
