//! The deployer's policy against the calls that `minion` makes.
use crate::{
    ACCOUNT, BOUNDARY,
    evaluator::{Call, Identity},
    input, policy_of,
};
use aws_core::cloud::operations::{self, checked_inside};
use overlord::policies::{self, ADMINISTRATOR, DEPLOYER, POWER_USER, READ_ONLY};
use std::{collections::BTreeSet, fs, path::Path};

fn calls() -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/minion-calls.txt");
    let text = fs::read_to_string(file).unwrap();
    // Behind some stands why no test of minion makes them.
    let lines: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    assert!(lines.is_sorted(), "tests/minion-calls.txt is sorted");
    lines.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_call_has_a_row_in_the_table() {
    let lacking: Vec<_> = calls().into_iter().filter(|call| operations::find(call).is_none()).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

/// The actions that the calls need, with those that AWS checks inside them.
fn needed() -> BTreeSet<String> {
    let calls = calls();
    let named = |call: &String| operations::find(call).unwrap().action().to_owned();
    let inside = calls.iter().flat_map(|call| checked_inside(call)).map(|inside| inside.action.to_owned());
    calls.iter().map(named).chain(inside).collect()
}

#[test]
fn the_deployer_has_the_actions_of_the_calls_and_no_more() {
    let policy = policies::deployer(&input());
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        match &statement["Action"] {
            serde_json::Value::Array(list) => allowed.extend(list.iter().map(|a| a.as_str().unwrap().to_owned())),
            one => _ = allowed.insert(one.as_str().unwrap().to_owned()),
        }
    }
    assert!(allowed.iter().all(|action| !action.contains('*')), "every action is named");
    let needed = needed();
    let lacking: Vec<_> = needed.difference(&allowed).collect();
    let more: Vec<_> = allowed.difference(&needed).collect();
    assert!(lacking.is_empty() && more.is_empty(), "the deployer lacks {lacking:?}, has {more:?}");
}

/// aws-load-balancer-controller#3917: the first load balancer of an account, and those that follow.
#[test]
fn whoever_deploys_may_make_a_load_balancer() {
    for role in [DEPLOYER, POWER_USER, ADMINISTRATOR, "app"] {
        let inside = checked_inside("elasticloadbalancing:CreateLoadBalancer");
        let mut actions: BTreeSet<String> = inside.iter().map(|inside| inside.action.to_owned()).collect();
        assert!(actions.contains("ec2:GetSecurityGroupsForVpc") && actions.contains("ec2:DescribeAccountAttributes"));
        actions.insert("elasticloadbalancing:CreateLoadBalancer".into());
        may(role, &actions);
    }
}

/// Every action on the things of an application is allowed, also by the boundary. Developers and administrators deploy,
/// too.
#[test]
fn whoever_deploys_may_make_the_calls() {
    for role in [DEPLOYER, POWER_USER, ADMINISTRATOR] {
        may(role, &needed());
    }
}

/// Whoever may only look has what the listings call.
#[test]
fn whoever_looks_may_make_the_calls_of_the_listings() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/permissions.md");
    let page = fs::read_to_string(page).unwrap();
    let listings = page.split("## Listings").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let calls = calls();
    let called: BTreeSet<String> = listings.split('`').filter(|w| calls.contains(*w)).map(str::to_owned).collect();
    assert!(called.len() > 15, "{called:?}");
    may(READ_ONLY, &called);
}

fn may(role: &str, actions: &BTreeSet<String>) {
    let identity = Identity::new(&policy_of(role), &policies::boundary(&input()));
    let calls = actions.iter().flat_map(|action| of_an_application(action));
    let refused: Vec<Call> = calls.filter(|call| !identity.may(call)).collect();
    assert!(refused.is_empty(), "{role}: {refused:#?}");
}

/// The calls as `minion` makes them for application `shop`: what they touch, and what AWS knows of it.
fn of_an_application(action: &str) -> Vec<Call> {
    let iam = |what: &str| format!("arn:aws:iam::{ACCOUNT}:{what}");
    let at = |service: &str, what: &str| format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{what}");
    let tagged = |by: &str| (format!("aws:{by}/managed-by"), vec!["minion".to_owned()]);
    let call = |resource: String, context: Vec<(String, Vec<String>)>| Call {
        action: action.into(),
        resources: vec![resource],
        context,
        passes: None,
    };
    let one = |key: &str, value: &str| vec![(key.to_owned(), vec![value.to_owned()])];
    let (service, operation) = action.split_once(':').unwrap();
    let tag_keys = ("aws:TagKeys".to_owned(), vec!["managed-by".to_owned(), "minion:application".to_owned()]);
    match (service, operation) {
        ("iam", "PassRole") => {
            vec![call(iam("role/app-shop-eu-west-1"), one("iam:PassedToService", "ec2.amazonaws.com"))]
        }
        ("iam", "CreateServiceLinkedRole") => ["autoscaling", "elasticloadbalancing", "spot"]
            .map(|s| format!("{s}.amazonaws.com"))
            .map(|s| call(iam(&format!("role/aws-service-role/{s}/AWSServiceRole")), one("iam:AWSServiceName", &s)))
            .into(),
        ("iam", operation) if operation.contains("InstanceProfile") && operation != "ListInstanceProfilesForRole" => {
            vec![call(iam("instance-profile/app-shop-eu-west-1"), vec![tag_keys])]
        }
        ("iam", _) => vec![call(iam("role/app-shop-eu-west-1"), one("iam:PermissionsBoundary", BOUNDARY))],
        ("ec2", "CreateSecurityGroup") => vec![
            call(at("ec2", "security-group/*"), vec![tagged("RequestTag"), tag_keys]),
            // The network is overlord's.
            call(at("ec2", "vpc/vpc-1"), one("aws:ResourceTag/overlord:organization", "acme")),
        ],
        ("ec2", "CreateLaunchTemplate") => {
            vec![call(at("ec2", "launch-template/*"), vec![tagged("RequestTag"), tag_keys])]
        }
        ("ec2", "CreateKeyPair" | "DeleteKeyPair") => vec![call(at("ec2", "key-pair/app-shop"), vec![tag_keys])],
        ("ec2", "CreateTags") => vec![
            call(at("ec2", "security-group/sg-1"), one("ec2:CreateAction", "CreateSecurityGroup")),
            call(at("ec2", "key-pair/key-1"), one("ec2:CreateAction", "CreateKeyPair")),
            call(at("ec2", "launch-template/lt-1"), one("ec2:CreateAction", "CreateLaunchTemplate")),
            call(at("ec2", "instance/i-1"), one("ec2:CreateAction", "RunInstances")),
            call(at("ec2", "security-group/sg-1"), vec![tagged("ResourceTag"), tag_keys]),
        ],
        ("ec2", "RunInstances") => vec![
            call(at("ec2", "instance/*"), vec![tagged("RequestTag")]),
            call(at("ec2", "subnet/subnet-1"), one("aws:ResourceTag/overlord:organization", "acme")),
            call("arn:aws:ec2:eu-west-1::image/ami-1".into(), Vec::new()),
        ],
        ("ec2", operation)
            if operation.ends_with("LaunchTemplate")
                || operation.contains("SecurityGroup") && !operation.starts_with("Describe") =>
        {
            vec![call(at("ec2", "security-group/sg-1"), vec![tagged("ResourceTag")])]
        }
        ("autoscaling", operation) if !operation.starts_with("Describe") => {
            vec![call(
                at("autoscaling", "autoScalingGroup:8f-1:autoScalingGroupName/app-shop-1.0"),
                vec![tagged("RequestTag")],
            )]
        }
        ("elasticloadbalancing", operation) if !operation.starts_with("Describe") => {
            let kinds: &[&str] = match operation {
                "AddTags" => &[
                    "loadbalancer/app/app-shop-1-0/50d",
                    "listener/net/app-shop-1-0/50d/f2f",
                    "targetgroup/app-shop-1-0/50d",
                ],
                "DeleteListener" | "ModifyListener" => {
                    &["listener/app/app-shop-1-0/50d/f2f", "listener/net/app-shop-1-0/50d/f2f"]
                }
                o if o.contains("TargetGroup") => &["targetgroup/app-shop-1-0/50d"],
                _ => &["loadbalancer/app/app-shop-1-0/50d", "loadbalancer/net/app-shop-1-0/50d"],
            };
            kinds.iter().map(|kind| call(at("elasticloadbalancing", kind), Vec::new())).collect()
        }
        ("ssm", "GetParameters") => vec![
            call(at("ssm", "parameter/minion/vpc-1/settings"), Vec::new()),
            call("arn:aws:ssm:eu-west-1::parameter/aws/service/ecs/optimized-ami".into(), Vec::new()),
        ],
        ("ssm", _) => vec![call(at("ssm", "parameter/minion/vpc-1/applications/shop"), vec![tag_keys])],
        ("secretsmanager", "GetSecretValue") => {
            vec![call(at("secretsmanager", "secret:minion/registry/ghcr.io-AbCdEf"), Vec::new())]
        }
        ("logs", "CreateLogStream" | "PutLogEvents") => {
            vec![call(at("logs", "log-group:/minion/vpc-1/history:log-stream:shop"), Vec::new())]
        }
        ("logs", operation) if operation != "DescribeLogGroups" => {
            vec![call(at("logs", "log-group:/minion/shop"), Vec::new())]
        }
        ("route53", "ChangeResourceRecordSets") => vec![call(
            "arn:aws:route53:::hostedzone/Z1".into(),
            [
                one("route53:ChangeResourceRecordSetsRecordTypes", "A"),
                one("route53:ChangeResourceRecordSetsNormalizedRecordNames", "shop.red.example.org"),
            ]
            .concat(),
        )],
        // Inside of `CreateLoadBalancer`, on the network, which is overlord's.
        ("ec2", "GetSecurityGroupsForVpc") => {
            vec![call(at("ec2", "vpc/vpc-1"), one("aws:ResourceTag/overlord:organization", "acme"))]
        }
        // What looks, at everything.
        _ => {
            let looks = ["Describe", "Get", "List", "BatchGet"].iter().any(|verb| operation.starts_with(verb));
            assert!(looks, "{action} writes: say here what it touches");
            vec![Call { action: action.into(), ..Call::default() }]
        }
    }
}
