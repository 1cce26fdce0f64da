//! Zones that do not offer a version's instance type.
use crate::support::{Options, Request, Stage, endpoint, refusing};
use serde_json::{Value, json};

/// The emulator knows the offers of AWS: of eu-west-1's zones only `c` has p4d.24xlarge.
const RARE: &str = "p4d.24xlarge";

fn group_zones(stage: &Stage) -> Vec<String> {
    let groups = stage.call("autoscaling", "describe_auto_scaling_groups", json!({}));
    let subnets = groups["AutoScalingGroups"][0]["VPCZoneIdentifier"].as_str().unwrap().to_owned();
    let ids: Vec<Value> = subnets.split(',').map(Value::from).collect();
    let found = stage.call("ec2", "describe_subnets", json!({ "SubnetIds": ids }));
    let mut zones: Vec<String> = found["Subnets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|subnet| subnet["AvailabilityZone"].as_str().unwrap().to_owned())
        .collect();
    zones.sort();
    zones
}

#[test]
fn a_version_starts_only_where_its_instance_type_is_offered() {
    let stage = Stage::new();
    stage.minion(&["app", "create", &stage.manifest("hello", "")]).ok();
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image, "--instance-type", RARE, "--instances", "0"];
    let dry = [&create[..], &["--dry-run"]].concat();
    for command in [&dry[..], &create[..]] {
        let run = stage.minion(command).ok();
        run.says(&["eu-west-1a, eu-west-1b do not offer", RARE, "no instances start there"]);
    }
    assert_eq!(group_zones(&stage), ["eu-west-1c"]);
    // The load balancer keeps its zones.
    let balancers = stage.call("elbv2", "describe_load_balancers", json!({}));
    assert_eq!(balancers["LoadBalancers"][0]["AvailabilityZones"].as_array().unwrap().len(), 3);
    stage.minion(&create).ok().says(&["exists already"]);
    stage.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
    let usual = ["ver", "create", "hello", "2.0", &image, "--instances", "0"];
    stage.minion(&["app", "create", &stage.manifest("hello", "")]).ok();
    stage.minion(&usual).ok().hides(&["do not offer", "does not offer"]);
    assert_eq!(group_zones(&stage), ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
    stage.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
    stage.assert_as_before("versions in some zones");
}

#[test]
fn a_version_that_could_start_nowhere_is_refused() {
    let stage = Stage::with(Options::usual().with("zones", 2));
    stage.minion(&["app", "create", &stage.manifest("hello", "")]).ok();
    let image = stage.image("hello-world:0.1");
    let before = stage.inventory();
    for more in [&["--dry-run"][..], &[]] {
        let create = ["ver", "create", "hello", "1.0", &image, "--instance-type", RARE];
        let run = stage.minion(&[&create[..], more].concat()).fails(1);
        run.says(&["eu-west-1a, eu-west-1b", RARE, "--instance-type", "eu-west-1c"]);
    }
    assert_eq!(stage.inventory(), before);
}

/// Roles of before do not have the permission.
#[test]
fn without_the_permission_all_zones_are_taken() {
    let mut stage = Stage::new();
    stage.minion(&["app", "create", &stage.manifest("hello", "")]).ok();
    let denied = ("UnauthorizedOperation", "You are not authorized to perform this operation.");
    let rule = move |request: &Request<'_>| request.is("DescribeInstanceTypeOfferings").then_some(denied);
    let wire = refusing(endpoint(), &[], rule);
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let image = stage.image("hello-world:0.1");
    let run = stage.minion(&["ver", "create", "hello", "1.0", &image, "--instances", "0"]).ok();
    run.says(&["Could not check", "t3.small", "ec2:DescribeInstanceTypeOfferings"]);
    assert_eq!(group_zones(&stage).len(), 3);
}

#[test]
fn an_account_that_may_have_no_load_balancers() {
    let mut stage = Stage::new();
    stage.minion(&["app", "create", &stage.manifest("hello", "")]).ok();
    let image = stage.image("hello-world:0.1");
    for (operation, code, message, words) in [
        (
            "CreateLoadBalancer",
            "OperationNotPermitted",
            "This AWS account currently does not support creating load balancers. For more information, please contact AWS Support.",
            &["support.console.aws.amazon.com", "docs/new-accounts.md#load-balancers"][..],
        ),
        (
            "CreateLoadBalancer",
            "SubscriptionRequiredException",
            "The AWS Access Key Id needs a subscription for the service",
            &["sign-up", "24 hours"],
        ),
    ] {
        let rule = move |request: &Request<'_>| request.is(operation).then_some((code, message));
        let wire = refusing(endpoint(), &[], rule);
        stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
        let run = stage.minion(&["ver", "create", "hello", "1.0", &image, "--no-wait"]);
        assert!(matches!(run.code, Some(1 | 4)), "{run:?}");
        run.says(&[code]).says(words);
        stage.set("AWS_ENDPOINT_URL", Some(endpoint()));
    }
    stage.minion(&["ver", "create", "hello", "1.0", &image, "--no-wait"]).ok();
}
