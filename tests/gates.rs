//! What is refused and what is healed: the predecessor's defects, each as a test of ours.
use crate::support::{Options, Stage};
use serde_json::json;

fn with_version(more: &str) -> Stage {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", more));
    stage.version("hello", "1.0");
    stage
}

#[test]
fn traffic_keeps_proportions_and_steps() {
    let stage = with_version("");
    stage.version("hello", "2.0");
    stage.version("hello", "3.0");
    let records = || stage.records("hello.team.example.org");
    // The only version with traffic gets all of it, said aloud.
    stage.minion(&["traffic", "hello", "1.0", "40"]).ok().says(&["100"]);
    assert_eq!(records(), ["1.0 200"]);
    stage.minion(&["traffic", "hello", "2.0", "25"]).ok();
    assert_eq!(records(), ["1.0 150", "2.0 50"]);
    stage.minion(&["traffic", "hello", "3.0", "20"]).ok();
    assert_eq!(records(), ["1.0 120", "2.0 40", "3.0 40"]);
    stage.minion(&["traffic", "hello", "3.0", "20"]).ok();
    assert_eq!(records(), ["1.0 120", "2.0 40", "3.0 40"]);
    stage.minion(&["traffic", "hello", "1.0", "99"]).ok();
    assert_eq!(records(), ["1.0 198", "2.0 1", "3.0 1"]);
    stage.minion(&["traffic", "hello", "3.0", "0"]).ok();
    assert_eq!(records().len(), 2);
    let weights = stage.weights("hello");
    assert_eq!(weights.values().flatten().sum::<f64>(), 100.0);
    let shown = stage.minion(&["traffic", "hello", "-o", "json"]).ok().json();
    assert!(shown.as_array().unwrap().iter().any(|row| row["version"] == "1.0" && row["weight"] == 99.5), "{shown}");
}

#[test]
fn traffic_goes_to_healthy_versions_and_the_last_one_stays() {
    let stage = with_version("");
    stage.version("hello", "2.0");
    stage.minion(&["ver", "scale", "hello", "2.0", "0"]).ok();
    take_targets(&stage, "2-0");
    stage.minion(&["traffic", "hello", "2.0", "50"]).fails(1).says(&["healthy"]);
    assert!(stage.records("hello.team.example.org").is_empty());
    stage.minion(&["traffic", "hello", "2.0", "100", "--force"]).ok();
    stage.minion(&["traffic", "hello", "1.0", "100"]).ok();
    stage.minion(&["traffic", "hello", "1.0", "0"]).fails(1).says(&["--force"]);
    assert_eq!(stage.records("hello.team.example.org"), ["1.0 200"]);
    stage.minion(&["traffic", "hello", "1.0", "0", "--force"]).ok();
    assert!(stage.records("hello.team.example.org").is_empty());
}

/// Takes all targets out of the target groups that have these letters in their name: moto leaves
/// instances in them that are gone.
fn take_targets(stage: &Stage, letters: &str) {
    let groups = stage.call("elbv2", "describe_target_groups", json!({}));
    for group in groups["TargetGroups"].as_array().unwrap() {
        if !group["TargetGroupName"].as_str().unwrap().contains(letters) {
            continue;
        }
        let arn = &group["TargetGroupArn"];
        let health = stage.call("elbv2", "describe_target_health", json!({ "TargetGroupArn": arn }));
        let health = health["TargetHealthDescriptions"].as_array().unwrap().iter();
        let targets: Vec<_> = health.map(|target| json!({ "Id": target["Target"]["Id"] })).collect();
        if !targets.is_empty() {
            stage.call("elbv2", "deregister_targets", json!({ "TargetGroupArn": arn, "Targets": targets }));
        }
    }
}

#[test]
fn deleting_asks_and_takes_the_dns_name_along() {
    let stage = with_version("");
    assert_eq!(stage.inventory()["record set"], ["hello-1-0.team.example.org A"]);
    // Without a terminal the question cannot be asked.
    stage.minion(&["ver", "delete", "hello", "1.0"]).fails_somehow().says(&["--yes"]);
    stage.minion(&["traffic", "hello", "1.0", "100"]).ok();
    stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).fails(1).says(&["traffic", "--force"]);
    stage.minion(&["ver", "delete", "hello", "1.0", "--yes", "--force"]).ok();
    assert!(!stage.inventory().contains_key("record set"));
    stage.minion(&["app", "delete", "hello"]).fails_somehow().says(&["--yes"]);
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("the life of an application");
}

#[test]
fn prefixes_of_commands_and_scaling() {
    let stage = with_version("");
    stage.minion(&["ver", "sc", "hello", "1.0", "4"]).ok();
    let groups = stage.call("autoscaling", "describe_auto_scaling_groups", json!({}));
    let group = &groups["AutoScalingGroups"][0];
    assert_eq!(group["DesiredCapacity"], 4);
    assert!(group["AvailabilityZones"].as_array().unwrap().len() >= 2, "spread over the layer's zones");
    stage.minion(&["ver", "scale", "hello", "1.0", "-1"]).fails(2);
}

#[test]
fn the_flag_beats_the_manifest() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", "instance_type: t3.small\n"));
    let image = stage.image("hello-world:0.1");
    stage.minion(&["ver", "create", "hello", "1.0", &image, "--instance-type", "t3.large"]).ok();
    let templates = stage.call("ec2", "describe_launch_template_versions", json!({ "Versions": ["$Latest"] }));
    let data = &templates["LaunchTemplateVersions"][0]["LaunchTemplateData"];
    assert_eq!(data["InstanceType"], "t3.large");
    assert_eq!(data["MetadataOptions"]["HttpTokens"], "required");
}

#[test]
fn nobody_else_gets_in() {
    let stage = with_version("");
    let image = stage.image("hello-world:0.1");
    stage.minion(&["ver", "create", "hello", "2.0", &image, "--public"]).ok();
    let groups = stage.call("ec2", "describe_security_groups", json!({}));
    let mut seen = Vec::new();
    for group in groups["SecurityGroups"].as_array().unwrap().iter().filter(|group| group["GroupName"] != "default") {
        let name = group["GroupName"].as_str().unwrap();
        seen.push(name);
        for rule in group["IpPermissions"].as_array().unwrap() {
            let ports = rule["FromPort"].as_u64().zip(rule["ToPort"].as_u64());
            assert!(!ports.is_some_and(|(first, last)| (first..=last).contains(&22)), "SSH is open: {group}");
            let from = |list: &str, key: &str, net: &str| {
                rule[list].as_array().is_some_and(|ranges| ranges.iter().any(|range| range[key] == net))
            };
            let world = from("IpRanges", "CidrIp", "0.0.0.0/0") || from("Ipv6Ranges", "CidrIpv6", "::/0");
            // Public load balancers have a group of their own, which no instance is in.
            let meant = name == "app-hello-lb-public" && matches!(ports, Some((80, 80) | (443, 443)));
            assert!(!world || meant, "open to the world: {group}");
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, ["app-hello", "app-hello-lb", "app-hello-lb-public"]);
    // What an instance is in, of the public version too, is the application's group alone.
    let groups = stage.call("ec2", "describe_security_groups", named("app-hello"));
    let id = &groups["SecurityGroups"][0]["GroupId"];
    let templates = stage.call("ec2", "describe_launch_template_versions", json!({ "Versions": ["$Latest"] }));
    let templates = templates["LaunchTemplateVersions"].as_array().unwrap();
    assert_eq!(templates.len(), 2);
    for template in templates {
        let data = &template["LaunchTemplateData"];
        let direct = data["SecurityGroupIds"].as_array().into_iter().flatten();
        let interfaces = data["NetworkInterfaces"].as_array().into_iter().flatten();
        let groups: Vec<_> = direct.chain(interfaces.flat_map(|i| i["Groups"].as_array().unwrap())).collect();
        assert_eq!(groups, [id], "{template}");
    }
}

/// The filter for security groups of this name.
fn named(group: &str) -> serde_json::Value {
    json!({ "Filters": [{ "Name": "group-name", "Values": [group] }] })
}

#[test]
fn values_do_not_show() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "secrets:\n  DATABASE_PASSWORD: ssm:/team/hello/password\n");
    stage.application(&manifest);
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image, "-e", "TOKEN=s3cr3t-value"];
    stage.minion(&[&create[..], &["--dry-run", "--verbose"]].concat()).ok().hides(&["s3cr3t-value"]);
    stage.minion(&[&create[..], &["--verbose"]].concat()).ok().hides(&["s3cr3t-value"]);
    stage.minion(&["ver", "show", "hello", "1.0"]).ok().hides(&["s3cr3t-value"]);
}

#[test]
fn two_versions_that_would_share_a_dns_name() {
    let stage = with_version("");
    stage.application(&stage.manifest("hello-1", ""));
    let before = stage.inventory();
    stage.minion(&["ver", "create", "hello-1", "0", &stage.image("hello-world:0.1")]).fails(1).says(&["hello-1-0"]);
    assert_eq!(stage.inventory(), before);
}

#[test]
fn half_made_applications_are_completed() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    stage.application(&manifest);
    let whole = stage.inventory();
    stage.call("ec2", "delete_key_pair", json!({ "KeyName": whole["key pair"][0] }));
    let (role, profile) = (&whole["role"][0], &whole["instance profile"][0]);
    let both = json!({ "InstanceProfileName": profile, "RoleName": role });
    stage.call("iam", "remove_role_from_instance_profile", both);
    stage.call("iam", "delete_instance_profile", json!({ "InstanceProfileName": profile }));
    stage.minion(&["app", "create", &manifest]).ok();
    assert_eq!(stage.inventory(), whole);
    stage.minion(&["app", "create", &manifest, "--dry-run", "--detailed-exitcode"]).ok();
}

#[test]
fn somebody_elses_security_group_is_left_alone() {
    let stage = Stage::new();
    let group = json!({ "GroupName": "app-hello", "Description": "mine", "VpcId": stage.word("vpc") });
    stage.call("ec2", "create_security_group", group);
    let before = stage.inventory();
    let manifest = stage.manifest("hello", "");
    for command in [&["app", "create", &manifest][..], &["app", "create", &manifest, "--dry-run"]] {
        stage.minion(command).exits(1).says(&["app-hello"]).hides(&["panicked"]);
        assert_eq!(stage.inventory(), before);
    }
    let groups = stage.call("ec2", "describe_security_groups", named("app-hello"));
    assert_eq!(groups["SecurityGroups"][0]["Description"], "mine");
    assert!(groups["SecurityGroups"][0]["IpPermissions"].as_array().unwrap().is_empty());
    assert!(groups["SecurityGroups"][0].get("Tags").is_none_or(|tags| tags == &json!([])));
}

#[test]
fn listings_show_this_vpc_only() {
    let stage = with_version("");
    let vpc = stage.call("ec2", "create_vpc", json!({ "CidrBlock": "10.9.0.0/16" }));
    let vpc = vpc["Vpc"]["VpcId"].as_str().unwrap();
    let subnet = stage.call("ec2", "create_subnet", json!({ "VpcId": vpc, "CidrBlock": "10.9.0.0/24" }));
    let data = json!({ "InstanceType": "t3.micro", "ImageId": ami(&stage) });
    stage.call("ec2", "create_launch_template", json!({ "LaunchTemplateName": "other", "LaunchTemplateData": data }));
    let tag = |key: &str, value: &str| json!({ "Key": key, "Value": value, "PropagateAtLaunch": true });
    let tags =
        [("managed-by", "minion"), ("minion:vpc", vpc), ("minion:application", "other"), ("minion:version", "1")];
    let group = json!({
        "AutoScalingGroupName": "other", "LaunchTemplate": { "LaunchTemplateName": "other", "Version": "1" },
        "MinSize": 0, "MaxSize": 1, "DesiredCapacity": 1, "VPCZoneIdentifier": subnet["Subnet"]["SubnetId"],
        "Tags": tags.map(|(key, value)| tag(key, value)),
    });
    stage.call("autoscaling", "create_auto_scaling_group", group);
    for listing in ["ver", "instances"] {
        let rows = stage.minion(&[listing, "-o", "json"]).ok().json();
        assert_eq!(rows.as_array().unwrap().len(), 1, "{listing}: {rows}");
        assert_eq!(rows[0]["application_name"], "hello");
    }
}

fn ami(stage: &Stage) -> String {
    let name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id";
    let parameter = stage.call("ssm", "get_parameter", json!({ "Name": name }));
    parameter["Parameter"]["Value"].as_str().unwrap().to_owned()
}

#[test]
fn places_that_lack_names_or_layers() {
    let unnamed = Stage::with(Options::usual().with("named", false));
    unnamed.application(&unnamed.manifest("hello", ""));
    unnamed.version("hello", "1.0");

    let public = Stage::with(Options::usual().with("layers", json!(["public"])));
    public.application(&public.manifest("hello", ""));
    let image = public.image("hello-world:0.1");
    public.minion(&["ver", "create", "hello", "1.0", &image]).ok().says(&["private", "public"]);
    public.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
    public.assert_as_before("a version in public subnets");
}

#[test]
fn two_zones_of_one_name_are_a_question() {
    let stage = Stage::with(Options::usual().with("hosted_zones", "two"));
    stage.application(&stage.manifest("hello", ""));
    let before = stage.inventory();
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image];
    stage.minion(&create).fails_somehow().says(&["--zone-id"]);
    assert_eq!(stage.inventory(), before);
    let zone = stage.place["zones"]["public"][0].as_str().unwrap().to_owned();
    stage.minion(&[&create[..], &["--zone-id", &zone]].concat()).ok();
}

#[test]
fn the_vpcs_settings_come_from_its_tag_too() {
    let stage =
        Stage::with(Options::usual().with("config_tag", "registry: registry.example.org\nami_id: ami-00000000\n"));
    stage.application(&stage.manifest("hello", ""));
    stage.minion(&["ver", "create", "hello", "1.0", &stage.image("hello-world:0.1")]).fails(1).says(&["ami-00000000"]);
}

#[test]
fn a_manifest_larger_than_a_parameter() {
    let stage = Stage::new();
    let many: String = (0..300).map(|n| format!("  VARIABLE_{n}: \"value number {n}\"\n")).collect();
    let manifest = stage.manifest("hello", &format!("environment:\n{many}"));
    stage.application(&manifest);
    assert!(stage.minion(&["app", "show", "hello"]).ok().stdout.contains("hello"));
    stage.minion(&["app", "create", &manifest, "--dry-run", "--detailed-exitcode"]).ok();
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("a large manifest");
}

#[test]
fn what_the_manifest_no_longer_names_goes_too() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let without_key = stage.manifest("hello", "ssh_key: false\n");
    stage.minion(&["app", "update", &without_key]).ok();
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("a key pair that the manifest no longer names");
}
