//! Deploys that are refused before anything is made, and deploys that say what they do.
use crate::support::{Options, Stage};
use serde_json::{Value, json};

fn with_application(more: &str) -> Stage {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", more));
    stage
}

/// Puts a record of the version's name into the VPC's private zone.
fn record(stage: &Stage, mut set: Value) {
    set["Name"] = "hello-1-0.team.example.org.".into();
    let batch = json!({ "Changes": [{ "Action": "CREATE", "ResourceRecordSet": set }] });
    let zone = &stage.place["zones"]["private"][0];
    stage.call("route53", "change_resource_record_sets", json!({ "HostedZoneId": zone, "ChangeBatch": batch }));
}

#[test]
fn somebody_elses_dns_name_is_refused_before_anything_is_made() {
    let alias = json!({
        "HostedZoneId": "Z32O12XQLNTSW2", "DNSName": "internal-app-hello-1-0-1.us-west-2.elb.amazonaws.com.",
        "EvaluateTargetHealth": true,
    });
    let elsewhere = json!({ "Type": "A", "AliasTarget": alias });
    let simple = json!({ "Type": "CNAME", "TTL": 60, "ResourceRecords": [{ "Value": "old.example.org" }] });
    for (set, target) in [(elsewhere, "us-west-2.elb.amazonaws.com"), (simple, "old.example.org")] {
        let stage = with_application("");
        record(&stage, set);
        let before = stage.inventory();
        let zone = stage.place["zones"]["private"][0].as_str().unwrap();
        let image = stage.image("hello-world:0.1");
        let create = ["ver", "create", "hello", "1.0", &image];
        stage.minion(&create).fails(1).says(&["hello-1-0.team.example.org", zone, target, "Hint"]);
        assert_eq!(stage.inventory(), before);
        // A deletion is not kept from its work by it, and leaves it alone.
        stage.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
        assert_eq!(stage.inventory()["record set"], before["record set"]);
    }
}

/// A place with two zones, to which a private subnet in a third one is added; `without` are those deleted.
fn lopsided(without: usize) -> Stage {
    let stage = Stage::with(Options::usual().with("zones", 2));
    let subnets = json!({ "VpcId": stage.word("vpc"), "CidrBlock": "10.2.30.0/24", "AvailabilityZone": "eu-west-1c" });
    let made = stage.call("ec2", "create_subnet", subnets);
    let tags = json!([{ "Key": "Name", "Value": "private-c" }]);
    stage.call("ec2", "create_tags", json!({ "Resources": [made["Subnet"]["SubnetId"]], "Tags": tags }));
    for subnet in stage.place["subnets"]["private"].as_array().unwrap().iter().take(without) {
        stage.call("ec2", "delete_subnet", json!({ "SubnetId": subnet }));
    }
    stage.application(&stage.manifest("hello", ""));
    stage
}

#[test]
fn instances_start_where_the_load_balancer_reaches_them() {
    let stage = lopsided(1);
    let image = stage.image("hello-world:0.1");
    stage.minion(&["ver", "create", "hello", "1.0", &image]).ok().says(&["warning", "eu-west-1c"]);
    let groups = stage.call("autoscaling", "describe_auto_scaling_groups", json!({}));
    assert_eq!(groups["AutoScalingGroups"][0]["AvailabilityZones"], json!(["eu-west-1b"]));

    let stage = lopsided(2);
    let before = stage.inventory();
    let image = stage.image("hello-world:0.1");
    stage.minion(&["ver", "create", "hello", "1.0", &image]).fails(1).says(&["eu-west-1a, eu-west-1b", "eu-west-1c"]);
    assert_eq!(stage.inventory(), before);
}

/// The listeners' protocols, sorted.
fn protocols(stage: &Stage) -> Vec<String> {
    let balancers = stage.call("elbv2", "describe_load_balancers", json!({}));
    let arn = &balancers["LoadBalancers"][0]["LoadBalancerArn"];
    let listeners = stage.call("elbv2", "describe_listeners", json!({ "LoadBalancerArn": arn }));
    let all = listeners["Listeners"].as_array().unwrap().iter();
    let mut found: Vec<String> = all.map(|l| l["Protocol"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

#[test]
fn https_with_a_certificate_that_covers_the_domain() {
    let mut stage = with_application("");
    let before = stage.inventory();
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image];
    let arn = stage.word("certificate_arn").to_owned();
    let other = format!("{arn}0");
    stage.set("MINION_CERTIFICATE_ARN", Some(&other));
    stage.minion(&create).fails(2).says(&[&other, "*.team.example.org", &arn]);
    assert_eq!(stage.inventory(), before);
    // None is set, and there is one that covers the domain.
    stage.set("MINION_CERTIFICATE_ARN", None);
    stage.minion(&create).ok().says(&["https://hello-1-0.team.example.org"]);
    assert_eq!(protocols(&stage), ["HTTP", "HTTPS"]);

    let plain = Stage::with(Options::usual().with("certificate", false));
    plain.application(&plain.manifest("hello", ""));
    let image = plain.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image];
    plain.minion(&create).ok().says(&["warning", "*.team.example.org", "http://hello-1-0.team.example.org"]);
    assert_eq!(protocols(&plain), ["HTTP"]);
}

#[test]
fn a_refused_change_leaves_a_version_alone() {
    let stage = with_application("");
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image];
    stage.minion(&create).ok();
    let again = stage.minion(&[&create[..], &["--instance-type", "t3.large"]].concat()).fails(1);
    again.says(&["unchanged"]).hides(&["versions delete"]);
    // Not one more instance: the version is there.
    let more = stage.minion(&[&create[..], &["--instances", "4"]].concat()).ok();
    more.says(&["warning", "minion versions scale hello 1.0 4"]);
    let groups = stage.call("autoscaling", "describe_auto_scaling_groups", json!({}));
    assert_ne!(groups["AutoScalingGroups"][0]["DesiredCapacity"], 4);
}

#[test]
fn mistakes_in_flags_are_found_before_any_call() {
    let mut stage = with_application("");
    stage.set("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1"));
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image];
    let file = stage.file("bad.env", "GOOD=1\n2 BAD=hunter2\n");
    for (flags, words) in [
        (["-e", "FOO_THAT_IS_NOT_SET"], ["FOO_THAT_IS_NOT_SET", "export"]),
        (["-e", "1 FOO=hunter2"], ["1 FOO", "variable name"]),
        (["--env-file", &file], ["bad.env:2", "variable name"]),
        (["--env-file", "missing.env"], ["missing.env", "could not read"]),
        (["--cap-add", "NET_ADMN"], ["NET_ADMN", "did you mean NET_ADMIN?"]),
    ] {
        stage.minion(&[&create[..], &flags].concat()).fails(2).says(&words).hides(&["hunter2"]);
    }
}

#[test]
fn a_dry_run_says_what_would_run() {
    let stage = with_application("instance_type: t3.small\n");
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image, "--instances", "2", "--dry-run"];
    let run = stage.minion(&create).ok();
    let line = run.stderr.lines().find(|line| line.contains("t3.small")).unwrap_or_default();
    let words = [&format!("{image}@sha256:"), " 2 t3.small", "internal", "HTTPS", "hello-1-0.team.example.org"];
    assert!(words.iter().all(|word| line.contains(word)), "{line}");
}
