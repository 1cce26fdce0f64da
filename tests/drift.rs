//! What somebody changed by hand since: found by the command that made it, and put right.
use crate::support::{Options, Stage};
use serde_json::{Value, json};

/// Fails unless the command finds something to do that has these words, does it, and finds nothing then.
fn put_right(stage: &Stage, command: &[&str], words: &[&str]) {
    let plan = ["--dry-run", "--detailed-exitcode"];
    stage.minion(&[command, &plan[..]].concat()).exits(5).says(words);
    stage.minion(command).ok();
    stage.minion(&[command, &plan[..]].concat()).ok();
}

/// The name of the application's role.
fn role(stage: &Stage) -> String {
    stage.inventory()["role"].iter().find(|role| role.contains("hello")).unwrap().clone()
}

#[test]
fn whether_instances_see_the_addresses_of_clients_is_the_operators() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", "exposed_protocol: tcp\n"));
    stage.version("hello", "1.0");
    let groups = stage.call("elbv2", "describe_target_groups", json!({}));
    let arn = &groups["TargetGroups"][0]["TargetGroupArn"];
    let key = "preserve_client_ip.enabled";
    let off = json!({ "TargetGroupArn": arn, "Attributes": [{ "Key": key, "Value": "false" }] });
    stage.call("elbv2", "modify_target_group_attributes", off);
    // docs/network.md says so: the same command again leaves it.
    stage.version("hello", "1.0");
    let now = stage.call("elbv2", "describe_target_group_attributes", json!({ "TargetGroupArn": arn }));
    let now = now["Attributes"].as_array().unwrap().iter().find(|a| a["Key"] == key).unwrap();
    assert_eq!(now["Value"], "false");
}

#[test]
fn who_may_take_the_role_and_its_boundary() {
    let stage = Stage::with(Options::usual().with("policies", vec!["boundary"]));
    let manifest = stage.manifest("hello", "");
    stage.application(&manifest);
    let update = ["app", "update", manifest.as_str()];
    let role = role(&stage);
    let anybody = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" }],
    });
    let trust = json!({ "RoleName": role, "PolicyDocument": anybody.to_string() });
    stage.call("iam", "update_assume_role_policy", trust);
    put_right(&stage, &update, &[&role]);
    let found = stage.call("iam", "get_role", json!({ "RoleName": role }));
    let trust = found["Role"]["AssumeRolePolicyDocument"].to_string();
    assert!(trust.contains("ec2.amazonaws.com") && !trust.contains('*'), "{trust}");

    // The VPC's settings name a boundary from now on.
    let boundary = format!("arn:aws:iam::{}:policy/boundary", stage.account);
    let name = format!("/minion/{}/settings", stage.word("vpc"));
    let settings = json!({ "Name": name, "Value": format!("permissions_boundary: {boundary}\n"), "Type": "String" });
    stage.call("ssm", "put_parameter", settings);
    put_right(&stage, &update, &[&role, &boundary]);
    let found = stage.call("iam", "get_role", json!({ "RoleName": role }));
    assert_eq!(found["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"], boundary);
}

#[test]
fn tags_follow_the_manifest() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", "tags: {cost-center: \"1\"}\n"));
    let manifest = stage.manifest("hello", "tags: {cost-center: \"2\"}\n");
    put_right(&stage, &["app", "update", &manifest], &["cost-center"]);
    let two = json!({ "Key": "cost-center", "Value": "2" });
    let has = |tags: &Value| tags.as_array().unwrap().contains(&two);
    let role = role(&stage);
    let profile = stage.call("iam", "get_instance_profile", json!({ "InstanceProfileName": role }));
    assert!(has(&profile["InstanceProfile"]["Tags"]), "{profile}");
    assert!(has(&stage.call("iam", "list_role_tags", json!({ "RoleName": role }))["Tags"]));
    for (operation, list) in [("describe_security_groups", "SecurityGroups"), ("describe_key_pairs", "KeyPairs")] {
        let filters = json!([{ "Name": "tag:minion:application", "Values": ["hello"] }]);
        let found = stage.call("ec2", operation, json!({ "Filters": filters }));
        let found = found[list].as_array().unwrap();
        assert!(!found.is_empty() && found.iter().all(|one| has(&one["Tags"])), "{found:?}");
    }
    let group = stage.inventory()["log group"][0].clone();
    let tags = stage.call("logs", "list_tags_log_group", json!({ "logGroupName": group }));
    assert_eq!(tags["tags"]["cost-center"], "2");
}

/// An application with one version; the load balancer's ARN and the command that makes the version.
fn with_version() -> (Stage, Value, [String; 5]) {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    stage.version("hello", "1.0");
    let balancers = stage.call("elbv2", "describe_load_balancers", json!({}));
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image].map(str::to_owned);
    (stage, balancers["LoadBalancers"][0].clone(), create)
}

#[test]
fn what_leads_to_a_version() {
    let (stage, balancer, create) = with_version();
    let create = create.each_ref().map(String::as_str);
    let arn = &balancer["LoadBalancerArn"];

    let open = json!({ "Description": "somebody's", "GroupName": "open", "VpcId": stage.word("vpc") });
    let open = stage.call("ec2", "create_security_group", open);
    let groups = json!({ "LoadBalancerArn": arn, "SecurityGroups": [open["GroupId"]] });
    stage.call("elbv2", "set_security_groups", groups);
    put_right(&stage, &create, &["load balancer"]);
    let now = stage.call("elbv2", "describe_load_balancers", json!({ "LoadBalancerArns": [arn] }));
    assert_eq!(now["LoadBalancers"][0]["SecurityGroups"], balancer["SecurityGroups"]);

    let listeners =
        || stage.call("elbv2", "describe_listeners", json!({ "LoadBalancerArn": arn }))["Listeners"].clone();
    let before = listeners();
    let https = before.as_array().unwrap().iter().find(|listener| listener["Protocol"] == "HTTPS").unwrap();
    let weaker = json!({ "ListenerArn": https["ListenerArn"], "SslPolicy": "ELBSecurityPolicy-2016-08" });
    stage.call("elbv2", "modify_listener", weaker);
    put_right(&stage, &create, &["listener", "ELBSecurityPolicy-2016-08"]);
    assert_eq!(listeners(), before);

    let groups =
        || stage.call("autoscaling", "describe_auto_scaling_groups", json!({}))["AutoScalingGroups"][0].clone();
    let (name, targets) = (groups()["AutoScalingGroupName"].clone(), groups()["TargetGroupARNs"].clone());
    let detached = json!({ "AutoScalingGroupName": name, "TargetGroupARNs": targets });
    stage.call("autoscaling", "detach_load_balancer_target_groups", detached);
    put_right(&stage, &create, &["auto scaling group"]);
    assert_eq!(groups()["TargetGroupARNs"], targets);
}

#[test]
fn why_a_version_is_not_healthy() {
    let (stage, _, create) = with_version();
    let reservations = stage.call("ec2", "describe_instances", json!({}));
    let instance = &reservations["Reservations"][0]["Instances"][0]["InstanceId"];
    let groups = stage.call("elbv2", "describe_target_groups", json!({}));
    for group in groups["TargetGroups"].as_array().unwrap() {
        let arn = &group["TargetGroupArn"];
        let health = stage.call("elbv2", "describe_target_health", json!({ "TargetGroupArn": arn }));
        let health = health["TargetHealthDescriptions"].as_array().unwrap().iter();
        let targets: Vec<_> = health.map(|target| json!({ "Id": target["Target"]["Id"] })).collect();
        stage.call("elbv2", "deregister_targets", json!({ "TargetGroupArn": arn, "Targets": targets }));
    }
    let again = [&create.each_ref().map(String::as_str)[..], &["--timeout", "1s"]].concat();
    stage.minion(&again).fails(1).says(&["1.0", "healthy", "console", instance.as_str().unwrap()]);
}

#[test]
fn images_of_the_accounts_own_registry() {
    let stage = Stage::new();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
                    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" },
        "layers": [],
    });
    for (repository, tags) in [("shop", &["1.0", "1.1"][..]), ("tools/echo", &["2"])] {
        stage.call("ecr", "create_repository", json!({ "repositoryName": repository }));
        for tag in tags {
            let mut manifest = manifest.clone();
            manifest["annotations"] = json!({ "tag": tag });
            let image = json!({ "repositoryName": repository, "imageTag": tag, "imageManifest": manifest.to_string() });
            stage.call("ecr", "put_image", image);
        }
    }
    let registry = format!("{}.dkr.ecr.{}.amazonaws.com", stage.account, stage.word("region"));
    let images = stage.minion(&["images", "--registry", &registry, "-o", "json"]).ok().json();
    let mut found: Vec<&str> = images.as_array().unwrap().iter().map(|row| row["image"].as_str().unwrap()).collect();
    found.sort_unstable();
    let wanted = ["shop:1.0", "shop:1.1", "tools/echo:2"].map(|image| format!("{registry}/{image}"));
    assert_eq!(found, wanted);
    stage.minion(&["images", "missing", "--registry", &registry]).fails(1).says(&["missing"]);
}
