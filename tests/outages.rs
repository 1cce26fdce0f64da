//! What goes on running while an application changes under it: its ports stay open, its role keeps what its
//! instances need at their next boot.
use crate::support::{Options, Stage};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The ports that a security group lets somebody in through; all of them is not a list, and left out.
fn ports(stage: &Stage, group: &str) -> BTreeSet<u64> {
    let rules = rules(stage, group);
    rules.iter().filter_map(|rule| Some(rule["FromPort"].as_u64()?..=rule["ToPort"].as_u64()?)).flatten().collect()
}

fn rules(stage: &Stage, group: &str) -> Vec<Value> {
    let filters = json!({ "Filters": [{ "Name": "group-name", "Values": [group] }] });
    let groups = stage.call("ec2", "describe_security_groups", filters);
    let rules = groups["SecurityGroups"][0]["IpPermissions"].as_array().unwrap().iter();
    rules.filter(|rule| rule["IpProtocol"] == "tcp").cloned().collect()
}

fn tcp(stage: &Stage, ports: &str) -> String {
    let text =
        format!("application_name: hello\nteam_name: team\nexposed_protocol: tcp\nexposed_ports: {ports}\n{HEALTH}");
    stage.file("hello.yaml", text)
}

/// A port of its own for health checks is none of the load balancer's.
const HEALTH: &str = "health_check: {port: 9000}\n";

#[test]
fn ports_of_running_versions_stay_open() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    stage.version("hello", "1.0");
    let update = |ports: &str| stage.minion(&["app", "update", &tcp(&stage, ports)]).ok();

    update("[5432]");
    assert_eq!(ports(&stage, "app-hello-lb"), BTreeSet::from([80, 443, 5432]));
    assert_eq!(ports(&stage, "app-hello"), BTreeSet::from([5432, 8080, 9000]));
    stage.version("hello", "2.0");
    stage.minion(&["app", "update", &tcp(&stage, "[5432]"), "--dry-run", "--detailed-exitcode"]).ok();

    update("[6000, 6001]");
    assert_eq!(ports(&stage, "app-hello-lb"), BTreeSet::from([80, 443, 5432, 6000, 6001]));
    assert_eq!(ports(&stage, "app-hello"), BTreeSet::from([5432, 6000, 6001, 8080, 9000]));

    stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).ok();
    stage.minion(&["ver", "delete", "hello", "2.0", "--yes"]).ok();
    update("[6000, 6001]");
    assert_eq!(ports(&stage, "app-hello-lb"), BTreeSet::from([6000, 6001]));
    assert_eq!(ports(&stage, "app-hello"), BTreeSet::from([6000, 6001, 9000]));
}

#[test]
fn a_new_public_version_leaves_the_others_open() {
    let stage = Stage::new();
    stage.application(&tcp(&stage, "[5432]"));
    let image = stage.image("hello-world:0.1");
    stage.minion(&["ver", "create", "hello", "1.0", &image, "--public"]).ok();
    assert_eq!(ports(&stage, "app-hello-lb-public"), BTreeSet::from([5432]));
    stage.application(&stage.manifest("hello", ""));
    stage.minion(&["ver", "create", "hello", "2.0", &image, "--public"]).ok();
    assert_eq!(ports(&stage, "app-hello-lb-public"), BTreeSet::from([80, 443, 5432]));
}

/// The inline policy of the application's role.
fn policy(stage: &Stage) -> String {
    let role = &stage.inventory()["role"][0];
    let names = json!({ "RoleName": role, "PolicyName": "minion" });
    stage.call("iam", "get_role_policy", names)["PolicyDocument"].to_string()
}

#[test]
fn running_versions_keep_what_they_need_at_boot() {
    let stage = Stage::new();
    let old = "secrets: {PASSWORD: 'ssm:/team/old', KEY: 'secretsmanager:old'}\n";
    stage.application(&stage.manifest("hello", old));
    stage.version("hello", "1.0");
    let new = "secrets: {PASSWORD: 'ssm:/team/new'}\nlogging: {driver: json-file}\n";
    let new = stage.manifest("hello", new);
    let kept = ["parameter/team/old", "secret:old-", "log-group:/minion/hello"];
    // Twice: the second time, the stored manifest is the new one already.
    for _ in 0..2 {
        stage.minion(&["app", "update", &new]).ok().says(&["kept for versions that run"]).says(&kept);
        let policy = policy(&stage);
        for arn in kept.iter().chain(&["parameter/team/new"]) {
            assert!(policy.contains(arn), "{arn}: {policy}");
        }
    }
    stage.minion(&["app", "update", &new, "--dry-run", "--detailed-exitcode"]).ok();

    stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).ok();
    stage.minion(&["app", "update", &new]).ok().hides(&["kept for versions"]);
    let policy = policy(&stage);
    assert!(policy.contains("parameter/team/new"), "{policy}");
    for arn in kept {
        assert!(!policy.contains(arn), "{arn}: {policy}");
    }
}

/// As a list of YAML.
fn list(ports: impl Iterator<Item = u16>) -> String {
    format!("{:?}", ports.collect::<Vec<_>>())
}

#[test]
fn many_ports_are_few_rules_and_a_short_tag() {
    let stage = Stage::new();
    let many = list(20_000..20_012);
    stage.application(&tcp(&stage, &many));
    assert_eq!(rules(&stage, "app-hello-lb").len(), 1);
    stage.version("hello", "1.0");
    let groups = stage.call("autoscaling", "describe_auto_scaling_groups", json!({}));
    let tags = groups["AutoScalingGroups"][0]["Tags"].as_array().unwrap();
    let tag = tags.iter().find(|tag| tag["Key"] == "minion:ports").unwrap();
    assert_eq!(tag["Value"], "tcp:20000-20011 health:9000");
    // The version's ports are read out of it again.
    stage.minion(&["app", "update", &tcp(&stage, "[5432]")]).ok();
    let wanted: BTreeSet<u64> = (20_000..20_012).chain([5432]).collect();
    assert_eq!(ports(&stage, "app-hello-lb"), wanted);
}

#[test]
fn ports_that_fit_into_no_tag_are_refused_at_once() {
    let stage = Stage::new();
    let scattered = tcp(&stage, &list((20_000..20_090).step_by(2)));
    stage.minion(&["app", "create", &scattered]).fails(2).says(&["exposed_ports", "256"]);
    stage.assert_as_before("ports that do not fit");
}

#[test]
fn other_ports_need_no_room_beside_the_old_ones() {
    let stage = Stage::new();
    stage.application(&tcp(&stage, &list((5000..5080).step_by(2))));
    stage.minion(&["app", "update", &tcp(&stage, &list((6000..6080).step_by(2)))]).ok();
    assert_eq!(ports(&stage, "app-hello-lb"), (6000..6080).step_by(2).collect());
}

/// Forty networks, so far apart in the third number.
fn peers(apart: usize) -> String {
    let networks: Vec<_> = (0..40).map(|n| format!("10.100.{}.0/24", n * apart)).collect();
    format!("peers: [{}]\n", networks.join(", "))
}

#[test]
fn networks_beside_each_other_are_one_rule() {
    let stage = Stage::with(Options::usual().with("settings", peers(1)));
    stage.application(&stage.manifest("hello", ""));
    let rules = rules(&stage, "app-hello-lb");
    let networks = rules.iter().flat_map(|rule| rule["IpRanges"].as_array().unwrap());
    let networks: BTreeSet<_> = networks.map(|range| range["CidrIp"].as_str().unwrap()).collect();
    assert_eq!(networks, BTreeSet::from(["10.2.0.0/19", "10.100.0.0/19", "10.100.32.0/21"]));
}

#[test]
fn more_networks_than_a_group_has_rules_are_refused_at_once() {
    let stage = Stage::with(Options::usual().with("settings", peers(2)));
    stage.minion(&["app", "create", &stage.manifest("hello", "")]).fails(1).says(&[
        "app-hello-lb",
        "82",
        "60",
        "aws service-quotas request-service-quota-increase --service-code vpc --quota-code L-0EA8095F",
    ]);
    stage.assert_as_before("peers that do not fit");
}
