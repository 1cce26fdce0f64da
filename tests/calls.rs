//! The calls that the emulator writes down: what `cargo xtask test` compares with `minion-calls.txt`.
use crate::support::{Stage, ask};
use serde_json::json;

#[test]
fn calls_of_minion_are_noted_by_their_name_in_iam() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    stage.version("hello", "1.0");
    // Not ours: the harness asks with boto3.
    stage.call("ec2", "describe_regions", json!({}));
    let calls = ask(&json!({ "do": "calls" }));
    let minion: Vec<_> = calls["minion"].as_array().unwrap().iter().map(|call| call.as_str().unwrap()).collect();
    // One of each protocol, and REST by its path.
    for call in [
        "ec2:DescribeVpcs",
        "ssm:PutParameter",
        "iam:CreateRole",
        "elasticloadbalancing:CreateLoadBalancer",
        "route53:ChangeResourceRecordSets",
        "route53:ListHostedZonesByVPC",
    ] {
        assert!(minion.contains(&call), "{call} is not in {minion:?}");
    }
    assert!(!minion.contains(&"ec2:DescribeRegions"), "{minion:?}");
    assert!(minion.iter().all(|call| !call.contains([' ', '/', '?'])), "an operation without a name: {minion:?}");
}
