//! What goes while something else is denied, fails or was spelled otherwise: no more of it, and no less.
use crate::{
    overlord_bad_days::DENIED,
    overlord_damage::{delegated, lose_the_zone},
    support::{Estate, Request},
};
use serde_json::json;
use std::fs;

const NO_TRAIL: &str = "guard_rails: {audit_trail: false}\n";
const BUDGET: &str = "guard_rails: {audit_trail: false, budget: {usd: 10, notify: [a@example.org]}}\n";

/// The team has no part in it, and its operator may have no right there.
#[test]
fn a_team_on_its_own_leaves_the_transit_gateway() {
    let mut estate = Estate::new();
    estate.create("blue");
    let network = estate.added("network");
    assert!(network.contains_key("eu-west-1 transit gateway"), "{network:#?}");
    estate.team("red", "interconnect: none\n");
    estate.create("red");
    let number = estate.number("network").to_owned();
    let wire = estate.answering(DENIED, move |r| r.account == number && ["ec2", "ram"].contains(&r.service));
    estate.through(&wire, &["team", "delete", "red", "--delete-audit-logs", "--yes"]).ok();
    assert_eq!(estate.added("network"), network);
    estate.unchanged("blue");
    estate.delete("blue");
    estate.assert_as_before("a team on its own");
}

#[test]
fn what_is_cut_is_said_before() {
    let estate = Estate::new();
    for team in ["red", "blue"] {
        estate.team(team, "interconnect: peering\n");
        estate.create(team);
    }
    estate.team("red", "interconnect: none\n");
    for command in [&["team", "plan", "red"][..], &["team", "update", "red"]] {
        estate.overlord(command).ok().says(&["What goes through it is cut: ", "blue-red"]);
    }
    for team in ["red", "blue"] {
        estate.delete(team);
    }
    estate.assert_as_before("a peering connection that was cut");
}

/// A service-linked role that may not be created is warned of, and holds up nothing.
#[test]
fn what_is_switched_off_goes_although_a_service_linked_role_is_denied() {
    let mut estate = Estate::new();
    let wire = estate.answering(DENIED, |r| r.service == "iam" && r.is("CreateServiceLinkedRole"));
    estate.team("red", BUDGET);
    estate.through(&wire, &["team", "create", "red"]).ok().says(&["service-linked role"]);
    assert!(estate.counts("red").contains_key("budget"));
    estate.team("red", NO_TRAIL);
    estate.through(&wire, &["team", "update", "red"]).ok().says(&["Deleting budget"]);
    assert!(!estate.counts("red").contains_key("budget"));
    estate.delete("red");
    estate.assert_as_before("a team without service-linked roles");
}

/// What cannot be looked at stays; the rest of the update is made, and the same command again finds it.
#[test]
fn what_should_go_and_cannot_be_read_holds_up_nothing_else() {
    let mut estate = Estate::new();
    estate.team("red", BUDGET);
    estate.create("red");
    estate.team("red", &format!("{NO_TRAIL}flow_logs_days: 90\n"));
    let refusal = ("InvalidParameterException", "not today");
    let wire = estate.answering(refusal, |r| r.service == "budgets");
    estate.through(&wire, &["team", "update", "red"]).exits(4).says(&["budget", "not today", "Updating log group"]);
    assert!(estate.counts("red").contains_key("budget"));
    let plan = estate.plan("red");
    assert!(plan.len() == 1 && plan[0].starts_with("- delete budget"), "{plan:?}");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    assert!(!estate.counts("red").contains_key("budget"));
    estate.delete("red");
    estate.assert_as_before("a budget that could not be read");
}

/// The bucket of a trail that was switched off holds log files, and is the team's until the team goes.
#[test]
fn the_log_files_of_a_trail_that_was_switched_off_go_with_the_team() {
    let estate = Estate::new();
    estate.create("red");
    let bucket = estate.added("red")["bucket"][0].clone();
    // The emulator obeys the bucket's policy, which lets in CloudTrail alone.
    estate.call("red", "s3", "delete_bucket_policy", json!({ "Bucket": bucket }));
    estate.call("red", "s3", "put_object", json!({ "Bucket": bucket, "Key": "AWSLogs/1", "Body": "log" }));
    estate.team("red", NO_TRAIL);
    estate.overlord(&["team", "update", "red"]).ok().says(&["Left bucket", "team delete --delete-audit-logs"]);
    assert_eq!(estate.added("red")["bucket"], [bucket]);
    estate.unchanged("red");
    estate.overlord(&["check", "red"]).ok();
    estate.delete("red");
    estate.assert_as_before("a trail that was switched off");
}

/// The parent's zone is the same: its record stays, in every way that the file may name it.
#[test]
fn a_parent_zone_that_is_spelled_otherwise_keeps_its_delegation() {
    let estate = Estate::new();
    estate.create("red");
    let (_, servers) = delegated(&estate);
    let file = estate.shell().home().join("overlord.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let zones = estate.call("network", "route53", "list_hosted_zones", json!({}));
    let id = zones["HostedZones"][0]["Id"].as_str().unwrap().trim_start_matches("/hostedzone/").to_owned();
    let account = format!("account: {{account: \"{}\"", estate.number("network"));
    let role = format!("{account}, role: OrganizationAccountAccessRole");
    for (from, to) in
        [("{name: example.org,".to_owned(), format!("{{name: example.org, zone_id: {id},")), (account, role)]
    {
        let domains = text.find("domains:").unwrap();
        let other = format!("{}{}", &text[..domains], text[domains..].replace(&from, &to));
        assert_ne!(other, text, "{from}");
        fs::write(&file, &other).unwrap();
        estate.unchanged("red");
        estate.overlord(&["team", "update", "red"]).ok().hides(&["delegation"]);
        assert_eq!(delegated(&estate).1, servers, "{to}");
    }
    estate.delete("red");
    estate.assert_as_before("a parent zone by another name");
}

/// The parent's record names the servers of the zone that was lost: they are remembered until it names others.
#[test]
fn servers_are_remembered_until_the_delegation_names_others() {
    let mut estate = Estate::new();
    estate.create("red");
    lose_the_zone(&estate);
    // The emulator gives all zones the same servers: that one had others.
    let lost = ["ns1.example.net", "ns2.example.net"];
    let zones = estate.call("network", "route53", "list_hosted_zones", json!({}));
    let records: Vec<_> = lost.iter().map(|server| json!({ "Value": format!("{server}.") })).collect();
    let set = json!({ "Name": "red.example.org", "Type": "NS", "TTL": 3600, "ResourceRecords": records });
    let batch = json!({ "Changes": [{ "Action": "UPSERT", "ResourceRecordSet": set }] });
    let change = json!({ "HostedZoneId": zones["HostedZones"][0]["Id"], "ChangeBatch": batch });
    estate.call("network", "route53", "change_resource_record_sets", change);
    let name = "/overlord/acme/teams/red";
    let record = estate.call("home", "ssm", "get_parameter", json!({ "Name": name }));
    let mut record: serde_json::Value = serde_yaml::from_str(record["Parameter"]["Value"].as_str().unwrap()).unwrap();
    record["domains"][0]["name_servers"] = json!(lost);
    let put = json!({ "Name": name, "Value": serde_yaml::to_string(&record).unwrap(), "Overwrite": true });
    estate.call("home", "ssm", "put_parameter", put);

    let network = estate.number("network").to_owned();
    let writes = move |r: &Request<'_>| {
        r.account == network && r.service == "route53" && r.text.starts_with("POST") && r.text.contains("/rrset")
    };
    let wire = estate.answering(DENIED, writes);
    estate.through(&wire, &["team", "update", "red"]).exits(4).says(&["route53:ChangeResourceRecordSets"]);
    assert_eq!(delegated(&estate).1, json!(records));
    lose_the_zone(&estate);
    let plan = estate.overlord(&["team", "delete", "red", "--dry-run"]).ok();
    plan.says(&["- delete delegation red.example.org"]);
    estate.delete("red");
    estate.assert_as_before("a team whose zone was lost twice");
}
