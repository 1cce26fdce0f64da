//! The account's quotas: what does not fit is refused before the first write, in a dry run too.
use crate::support::{Estate, Run, Stage, endpoint, refusing};
use serde_json::json;
use std::time::Duration;

const ALB: (&str, &str) = ("elasticloadbalancing", "L-53DA6B97");
const NLB: (&str, &str) = ("elasticloadbalancing", "L-69A177A2");
const TARGET_GROUPS: (&str, &str) = ("elasticloadbalancing", "L-B22855CB");
const GROUPS: (&str, &str) = ("autoscaling", "L-CDE20ADC");
const SECURITY_GROUPS: (&str, &str) = ("vpc", "L-E79EC296");
const RULES: (&str, &str) = ("vpc", "L-0EA8095F");
const STANDARD: (&str, &str) = ("ec2", "L-1216C47A");
const SPOT: (&str, &str) = ("ec2", "L-34B43A08");

fn request(quota: (&str, &str), value: u64) -> serde_json::Value {
    json!({ "ServiceCode": quota.0, "QuotaCode": quota.1, "DesiredValue": value })
}

/// Gives the account this value of a quota.
fn set(stage: &Stage, quota: (&str, &str), value: u64) {
    stage.call("service-quotas", "request_service_quota_increase", request(quota, value));
}

/// A stage with application `hello`, and nothing of a version.
fn stage(more: &str) -> Stage {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", more));
    stage
}

fn create(stage: &Stage, more: &[&str]) -> Run {
    let image = stage.image("hello-world:0.1");
    stage.minion(&[&["versions", "create", "hello", "1.0", &image, "--no-wait"][..], more].concat())
}

/// Refused, with these words, and nothing is written, neither by the dry run nor by the real one.
fn refused(stage: &Stage, what: impl Fn(&[&str]) -> Run, words: &[&str]) {
    let before = stage.inventory();
    what(&["--dry-run"]).exits(1).says(words);
    what(&[]).fails(1).says(words);
    assert_eq!(stage.inventory(), before, "nothing is written");
}

#[test]
fn load_balancers_are_counted_and_the_increase_can_be_pasted() {
    let stage = stage("");
    let subnets = &stage.place["subnets"]["shared"];
    let balancer = |n: u32| {
        stage.call("elbv2", "create_load_balancer", json!({ "Name": format!("other-{n}"), "Subnets": subnets }));
    };
    (0..45).for_each(balancer);
    // With this one there are 46 of 50.
    create(&stage, &["--dry-run"]).ok().says(&["nearly reached: 46 of 50", "L-53DA6B97"]);
    (45..50).for_each(balancer);
    let words = [
        "\"Application Load Balancers per Region\"",
        "50 of 50 in use, 1 more needed",
        "aws service-quotas request-service-quota-increase --service-code elasticloadbalancing --quota-code L-53DA6B97 \
         --desired-value 62 --region eu-west-1",
    ];
    refused(&stage, |more| create(&stage, more), &words);
    set(&stage, ALB, 62);
    create(&stage, &[]).ok().hides(&["quota"]);
    // It exists now, and takes no more of anything.
    set(&stage, ALB, 51);
    create(&stage, &[]).ok().hides(&["quota"]);
}

#[test]
fn each_part_of_a_version_has_its_quota() {
    let stage = stage("");
    let table = [
        (ALB, 0, "0 of 0 in use, 1 more needed"),
        (TARGET_GROUPS, 0, "\"Target Groups per Region\""),
        (GROUPS, 0, "\"Auto Scaling groups per region\""),
        // Two instances with two processors each.
        (STANDARD, 3, "0 of 3 in use, 4 more needed"),
    ];
    let instances = ["--instances", "2", "--instance-type", "t3.small"];
    for (quota, value, words) in table {
        set(&stage, quota, value);
        refused(&stage, |more| create(&stage, &[&instances[..], more].concat()), &[words, quota.1]);
        set(&stage, quota, 1000);
    }
    // Those that it does not use.
    for quota in [NLB, SPOT, SECURITY_GROUPS] {
        set(&stage, quota, 0);
    }
    create(&stage, &instances).ok().hides(&["quota"]);
}

#[test]
fn the_quota_is_that_of_what_the_manifest_says() {
    let tcp = stage("exposed_protocol: tcp\nspot: true\ninstance_type: t3.small\n");
    set(&tcp, ALB, 0);
    set(&tcp, STANDARD, 0);
    set(&tcp, NLB, 0);
    refused(&tcp, |more| create(&tcp, more), &["\"Network Load Balancers per Region\"", NLB.1]);
    set(&tcp, NLB, 10);
    set(&tcp, SPOT, 1);
    refused(&tcp, |more| create(&tcp, more), &["Spot Instance Requests", SPOT.1]);
    set(&tcp, SPOT, 100);
    create(&tcp, &[]).ok();
}

#[test]
fn more_instances_need_processors() {
    let stage = stage("instance_type: t3.small\n");
    create(&stage, &["--instances", "2"]).ok();
    set(&stage, STANDARD, 9);
    let scale = |n: &'static str| {
        let stage = &stage;
        move |more: &[&str]| stage.minion(&[&["versions", "scale", "hello", "1.0", n][..], more].concat())
    };
    refused(&stage, scale("5"), &["4 of 9 in use, 6 more needed", STANDARD.1]);
    // Fewer need none, and the same number neither.
    set(&stage, STANDARD, 1);
    scale("2")(&[]).ok();
    scale("1")(&[]).ok().hides(&["quota"]);
    set(&stage, STANDARD, 100);
    scale("3")(&[]).ok().hides(&["quota"]);
}

#[test]
fn an_application_needs_groups_rules_and_roles() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let create = |more: &[&str]| stage.minion(&[&["applications", "create", manifest.as_str()][..], more].concat());
    set(&stage, SECURITY_GROUPS, 1);
    refused(&stage, create, &["\"VPC security groups per Region\"", SECURITY_GROUPS.1]);
    set(&stage, SECURITY_GROUPS, 100);
    set(&stage, RULES, 1);
    refused(&stage, create, &["for app-hello", "allows 1", RULES.1]);
    set(&stage, RULES, 60);
    create(&[]).ok().hides(&["quota"]);
}

#[test]
fn rules_are_judged_by_the_accounts_own_quota() {
    let stage = Stage::new();
    // Every second port: no two of them are one rule.
    let ports: Vec<String> = (0..30).map(|n| (20_000 + 2 * n).to_string()).collect();
    let text = format!(
        "application_name: hello\nteam_name: team\nexposed_protocol: tcp\nexposed_ports: [{}]\n",
        ports.join(", ")
    );
    let manifest = stage.file("hello.yaml", text);
    let create = |more: &[&str]| stage.minion(&[&["applications", "create", manifest.as_str()][..], more].concat());
    set(&stage, RULES, 20);
    refused(&stage, create, &["for app-hello", "allows 20", "are needed", RULES.1]);
    set(&stage, RULES, 32);
    create(&["--dry-run"]).ok().says(&["nearly reached: 30 of 32", RULES.1]);
    set(&stage, RULES, 100);
    create(&[]).ok().hides(&["quota"]);
}

#[test]
fn without_the_permission_the_defaults_hold_and_that_is_said_once() {
    let mut stage = stage("");
    let subnets = stage.place["subnets"]["shared"].clone();
    let denied = refusing(endpoint(), &[], |request| {
        (request.service == "servicequotas").then_some(("AccessDeniedException", "not authorized"))
    });
    let said = "could not be read (servicequotas:";
    stage.set("AWS_ENDPOINT_URL", Some(&denied.endpoint));
    let run = create(&stage, &["--dry-run"]).ok().says(&["AWS's default quotas", said, "AccessDeniedException"]);
    assert_eq!(run.stderr.matches("default quotas").count(), 1, "{}", run.stderr);
    // A new account's 5 processors keep nobody from deploying: AWS raises that quota by itself.
    create(&stage, &["--instances", "8"]).ok().says(&[said]);
    for n in 0..49 {
        stage.call("elbv2", "create_load_balancer", json!({ "Name": format!("other-{n}"), "Subnets": subnets }));
    }
    let image = stage.image("hello-world:0.1");
    let other = |more: &[&str]| {
        stage.minion(&[&["versions", "create", "hello", "2.0", &image, "--no-wait"][..], more].concat())
    };
    let words = ["50 of 50 (AWS's default) in use, 1 more needed", "allow servicequotas:GetServiceQuota"];
    refused(&stage, other, &words);
    // 51 of 50: it was raised, and to what is not known.
    stage.call("elbv2", "create_load_balancer", json!({ "Name": "other-49", "Subnets": subnets }));
    other(&[]).ok().says(&[said]);
}

#[test]
fn what_cannot_be_counted_keeps_nobody_from_deploying() {
    for (code, message) in [("AccessDenied", "not authorized"), ("InternalFailure", "try later"), ("Nonsense", "?")] {
        let mut stage = stage("");
        let counts = refusing(endpoint(), &[], move |request| {
            let count = ["DescribeAccountLimits", "GetAccountSummary"].iter().any(|name| request.is(name));
            (count || request.service == "servicequotas").then_some((code, message))
        });
        stage.set("AWS_ENDPOINT_URL", Some(&counts.endpoint));
        let words = ["not checked", "\"Auto Scaling groups per region\"", "autoscaling:DescribeAccountLimits"];
        let run = create(&stage, &[]).ok().says(&words);
        assert!(run.took < Duration::from_secs(40), "{:?}", run.took);
        let manifest = stage.manifest("other", "");
        stage.minion(&["applications", "create", &manifest]).ok().says(&["iam:GetAccountSummary"]);
    }
}

#[test]
fn a_teams_network_needs_addresses_vpcs_and_roles() {
    let estate = Estate::new();
    let set = |quota: (&str, &str), value| {
        estate.call("red", "service-quotas", "request_service_quota_increase", request(quota, value));
    };
    let (addresses, vpcs) = (("ec2", "L-0263D0A3"), ("vpc", "L-F678F1CE"));
    // Two zones, with a gateway each.
    estate.team("red", "nat: per-az\n");
    for (quota, value, words) in [(addresses, 1, "\"EC2-VPC Elastic IPs\""), (vpcs, 0, "\"VPCs per Region\"")] {
        set(quota, value);
        estate.overlord(&["team", "plan", "red"]).exits(1).says(&[words, quota.1, "more needed"]);
        estate.overlord(&["team", "create", "red"]).fails(1).says(&[words, quota.1, "more needed"]);
        estate.assert_as_before("a team for which there is no room");
        set(quota, 100);
    }
    // Internet gateways have the quota of VPCs, whatever is listed for them.
    set(("vpc", "L-A4707A72"), 0);
    set(addresses, 2);
    estate.overlord(&["team", "plan", "red"]).ok().says(&["nearly reached: 2 of 2"]);
    estate.create("red");
    // All of it exists: nothing is asked of the quotas any more.
    set(addresses, 0);
    estate.unchanged("red");
}
