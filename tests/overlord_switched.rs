//! What a file no longer asks for goes; what would cut somebody off is refused first.
use crate::support::Estate;
use serde_json::json;

#[test]
fn what_is_switched_off_goes() {
    let estate = Estate::new();
    estate.team("red", "flow_logs_days: 0\nguard_rails: {audit_trail: false}\n");
    estate.create("red");
    let before = estate.inventory();
    estate.team("red", "guard_rails: {budget: {usd: 10, notify: [a@example.org]}}\n");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    let more = estate.added("red");
    for kind in ["budget", "eu-west-1 flow log", "eu-west-1 log group", "bucket", "eu-west-1 trail"] {
        assert!(more.contains_key(kind), "{kind}: {more:#?}");
    }
    estate.team("red", "flow_logs_days: 0\nguard_rails: {audit_trail: false}\n");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    assert_eq!(estate.inventory(), before);
    estate.delete("red");
    estate.assert_as_before("what was switched on and off");
}

#[test]
fn a_delegation_that_is_no_longer_ours_goes() {
    let estate = Estate::new();
    estate.create("red");
    assert_eq!(estate.added("network")["record set"], ["red.example.org NS"]);
    let file = estate.shell().home().join("overlord.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let without = text.replace("{name: example.org,", "{name: example.org, delegate: false,");
    assert_ne!(text, without);
    std::fs::write(&file, without).unwrap();
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    assert!(!estate.added("network").contains_key("record set"), "{:#?}", estate.added("network"));
    estate.delete("red");
    estate.assert_as_before("a delegation that was somebody else's from a day on");
}

#[test]
fn a_domain_in_use_is_not_cut_off() {
    let estate = Estate::new();
    estate.create("red");
    let zones = estate.call("red", "route53", "list_hosted_zones", json!({}));
    let zone = zones["HostedZones"][0]["Id"].as_str().unwrap().to_owned();
    let record = json!({ "Name": "shop.red.example.org", "Type": "A", "TTL": 60, "ResourceRecords": [{ "Value": "192.0.2.1" }] });
    let change = |action: &str| {
        let batch = json!({ "Changes": [{ "Action": action, "ResourceRecordSet": record }] });
        estate.call(
            "red",
            "route53",
            "change_resource_record_sets",
            json!({ "HostedZoneId": zone, "ChangeBatch": batch }),
        );
    };
    change("CREATE");
    let before = estate.inventory();
    let file = estate.shell().home().join("overlord.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (without, _) = text.split_once("domains:").unwrap();
    std::fs::write(&file, without).unwrap();
    estate.overlord(&["team", "update", "red"]).fails(1).says(&["shop.red.example.org", "in use"]);
    std::fs::write(&file, &text).unwrap();
    estate.overlord(&["team", "delete", "red", "--yes"]).fails(1).says(&["shop.red.example.org"]);
    assert_eq!(estate.inventory(), before, "a refusal changed something");
    change("DELETE");
    estate.delete("red");
    estate.assert_as_before("a domain that was in use");
}

#[test]
fn what_is_decided_once() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.inventory();
    estate.team("red", "account_wide: false\n");
    estate.overlord(&["team", "update", "red"]).fails(1).says(&["account_wide"]);
    // Without its file the organization's defaults would hold.
    std::fs::remove_file(estate.shell().home().join("teams/red.yaml")).unwrap();
    for command in ["update", "plan"] {
        estate.overlord(&["team", command, "red"]).fails(1).says(&["red.yaml", "--file"]);
    }
    estate.overlord(&["check", "red"]).exits(1).says(&["red.yaml"]);
    assert_eq!(estate.inventory(), before);
    estate.team("red", "");
    estate.delete("red");
    estate.assert_as_before("a file that was lost");
}

/// Half of a change is refused: then the other half is not made either.
#[test]
fn a_refused_change_leaves_the_ways_to_other_teams() {
    let estate = Estate::new();
    for team in ["red", "blue"] {
        estate.team(team, "interconnect: peering\nipv6: true\n");
    }
    estate.create("blue");
    estate.create("red");
    let before = ["red", "blue", "home"].map(|account| estate.added(account));
    estate.team("red", "interconnect: none\nipv6: false\n");
    estate.overlord(&["team", "update", "red"]).fails(1).says(&["IPv6"]);
    assert_eq!(["red", "blue", "home"].map(|account| estate.added(account)), before);
    estate.team("red", "interconnect: peering\nipv6: true\n");
    estate.unchanged("red");
    estate.delete("red");
    estate.delete("blue");
    estate.assert_as_before("a change that was refused");
}
