//! Days on which an account, AWS, the network or another operator does not play along.
use crate::support::{Estate, Wire, endpoint};
use serde_json::{Value, json};
use std::{thread, time::Duration};

pub(crate) const DENIED: (&str, &str) = ("AccessDenied", "User is not authorized to perform this operation");

#[test]
fn no_credentials() {
    let mut estate = Estate::new();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        estate.set(name, None);
    }
    for command in [&["team", "list"][..], &["team", "plan", "red"], &["check"], &["team", "delete", "red", "--yes"]] {
        let run = estate.overlord(command).fails(1).says(&["credentials"]);
        assert!(run.took < Duration::from_secs(15), "{:?}", run.took);
    }
}

#[test]
fn expired_credentials_and_nobody_there() {
    let mut estate = Estate::new();
    let wire = Wire::expired_token();
    for command in [&["team", "list"][..], &["team", "create", "red"], &["check"]] {
        let run = estate.through(&wire, command).fails(1).says(&["expired"]);
        assert!(run.took < Duration::from_secs(15), "retried what never gets better: {:?}", run.took);
    }
    estate.set("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1"));
    estate.overlord(&["team", "list"]).fails(1);
}

#[test]
fn no_permission_in_the_parents_account() {
    let mut estate = Estate::new();
    let network = estate.number("network").to_owned();
    let wire = estate.answering(DENIED, move |request| {
        let writes = request.text.starts_with("POST") && request.text.contains("/rrset");
        request.account == network && request.service == "route53" && writes
    });
    let run = estate.through(&wire, &["team", "create", "red"]).exits(4);
    let said = run.says(&["red.example.org", "route53:ChangeResourceRecordSets", "again"]);
    assert!(said.took < Duration::from_secs(30), "retried what never gets better: {:?}", said.took);
    // All that does not need the delegation is there.
    let red = estate.counts("red");
    let found = |kind: &str| red.get(kind).copied().unwrap_or(0);
    assert_eq!((found("eu-west-1 subnet"), found("eu-west-1 nat gateway"), found("policy")), (6, 1, 1), "{red:#?}");
    assert!(!estate.added("network").contains_key("record set"));
    estate.overlord(&["check", "red"]).exits(5);
    estate.create("red");
    estate.delete("red");
    estate.assert_as_before("a create that was not allowed everything");
}

#[test]
fn no_permission_for_a_service_of_the_teams_account() {
    let mut estate = Estate::new();
    let red = estate.number("red").to_owned();
    let wire = estate.answering(DENIED, move |request| {
        request.account == red && request.service == "iam" && request.is("CreateRole")
    });
    estate.through(&wire, &["team", "create", "red"]).exits(4).says(&["iam:CreateRole", "Deployer"]);
    assert_eq!(estate.counts("red")["eu-west-1 vpc"], 1);
    estate.create("red");
    // What may not be looked at is no difference: check says that it does not know.
    let red = estate.number("red").to_owned();
    let wire = estate.answering(DENIED, move |request| request.account == red && request.service == "cloudtrail");
    let run = estate.through(&wire, &["check", "red"]);
    assert!(matches!(run.code, Some(1 | 4)), "{run:?}");
    run.says(&["cloudtrail"]);
    estate.delete("red");
    estate.assert_as_before("roles that could not be made at first");
}

#[test]
fn check_goes_on_when_one_account_cannot_be_reached() {
    let mut estate = Estate::new();
    estate.create("red");
    estate.create("blue");
    let blue = estate.number("blue").to_owned();
    let wire = estate.answering(DENIED, move |request| {
        request.service == "sts" && request.is("AssumeRole") && request.text.contains(&format!("%3A{blue}%3A"))
    });
    let run = estate.through(&wire, &["check", "-o", "json"]).exits(4).says(&["blue"]);
    let rows = run.json();
    let state = |team: &str| -> Value {
        rows.as_array().unwrap().iter().find(|row| row["team"] == team).unwrap()["state"].clone()
    };
    assert_eq!((state("red"), state("blue")), (json!("ok"), json!("failed")));
    estate.through(&wire, &["check", "red"]).ok();
    estate.through(&wire, &["team", "update", "blue"]).fails(1).says(&["blue", estate_role()]);
    estate.overlord(&["check"]).ok();
    estate.delete("red");
    estate.delete("blue");
    estate.assert_as_before("an account that could not be reached");
}

/// The role that the tests' organizations assume.
fn estate_role() -> &'static str {
    "OrganizationAccountAccessRole"
}

#[test]
fn a_quota_is_named() {
    let mut estate = Estate::new();
    for (operation, code, words) in [
        ("CreateVpc", "VpcLimitExceeded", &["quota", "VPCs per Region"][..]),
        ("AllocateAddress", "AddressLimitExceeded", &["quota", "Elastic IP"]),
        ("CreateNatGateway", "NatGatewayLimitExceeded", &["quota", "NAT gateways"]),
        ("CreateInternetGateway", "InternetGatewayLimitExceeded", &["quota", "nternet gateways"]),
    ] {
        let refusal = (code, "The maximum number has been reached.");
        let wire = estate.answering(refusal, move |request| request.service == "ec2" && request.is(operation));
        let run = estate.through(&wire, &["team", "create", "red"]);
        assert!(matches!(run.code, Some(1 | 4)), "{run:?}");
        assert!(run.took < Duration::from_secs(30), "waited for a quota: {:?}", run.took);
        run.says(words).says(&["eu-west-1"]).hides(&["panicked"]);
        // What could be made was; the next one meets its quota with nothing there.
        estate.delete("red");
    }
    estate.create("red");
    estate.delete("red");
    estate.assert_as_before("quotas that were raised");
}

#[test]
fn ctrl_c_at_any_moment_and_then_the_same_command() {
    let mut estate = Estate::new();
    let wire = Wire::slow(endpoint(), Duration::from_millis(100));
    for wait in [100, 600, 1500, 3000] {
        interrupted(&mut estate, &wire, &["team", "create", "red"], wait);
        estate.create("red");
        interrupted(&mut estate, &wire, &["team", "delete", "red", "--delete-audit-logs", "--yes"], wait);
        gone(&estate);
        estate.assert_as_before("interrupted commands and what finished them");
    }
}

/// Starts a command and interrupts it after so many milliseconds: it ends as interrupted, unless it was quicker.
fn interrupted(estate: &mut Estate, wire: &Wire, arguments: &[&str], wait: u64) {
    estate.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let running = estate.start(arguments);
    thread::sleep(Duration::from_millis(wait));
    running.interrupt();
    let run = running.wait();
    estate.set("AWS_ENDPOINT_URL", Some(endpoint()));
    // On a busy computer it may come before anybody listens: that ends it, too.
    let at_once = run.code.is_none() && run.stderr.is_empty();
    assert!(at_once || matches!(run.code, Some(0 | 130)), "{run:?}");
    assert!(!run.stderr.contains("panicked"), "{run:?}");
}

/// Deletes what is left of a team; that it is gone already is fine.
fn gone(estate: &Estate) {
    let run = estate.overlord(&["team", "delete", "red", "--delete-audit-logs", "--yes"]);
    assert!(run.code == Some(0) || run.stderr.contains("does not exist"), "{run:?}");
}

#[test]
fn a_connection_that_dies_on_the_way_and_then_the_same_command() {
    let mut estate = Estate::new();
    for pieces in [1, 10, 40, 90] {
        let wire = Wire::cut_after(endpoint(), pieces);
        let run = estate.through(&wire, &["team", "create", "red"]);
        assert!(matches!(run.code, Some(1 | 4)), "after {pieces} pieces: {run:?}");
        estate.create("red");
        let wire = Wire::cut_after(endpoint(), pieces);
        let run = estate.through(&wire, &["team", "delete", "red", "--delete-audit-logs", "--yes"]);
        assert!(matches!(run.code, Some(1 | 4)), "after {pieces} pieces: {run:?}");
        estate.overlord(&["team", "list"]).ok().says(&["red"]);
        estate.delete("red");
        estate.assert_as_before("commands that were cut off and their repair");
    }
}

#[test]
fn two_operators_at_once_get_different_networks() {
    let estate = Estate::new();
    // So that both choose before either has written.
    let wire = Wire::slow(endpoint(), Duration::from_millis(30));
    let operator = |team: &str| {
        let mut command = estate.shell().command("overlord", &["team", "create", team]);
        command.env("AWS_ENDPOINT_URL", &wire.endpoint);
        crate::support::Running::start(command)
    };
    let (red, blue) = (operator("red"), operator("blue"));
    red.wait().ok();
    blue.wait().ok();
    let teams = estate.overlord(&["team", "list", "-o", "json"]).ok().json();
    assert_ne!(teams[0]["networks"], teams[1]["networks"], "{teams}");
    for team in ["red", "blue"] {
        estate.create(team);
    }
    estate.delete("red");
    estate.unchanged("blue");
    estate.delete("blue");
    estate.assert_as_before("two operators");
}

#[test]
fn one_team_twice_at_once() {
    let estate = Estate::new();
    let (one, other) = (estate.start(&["team", "create", "red"]), estate.start(&["team", "create", "red"]));
    let codes = [one.wait().code, other.wait().code];
    assert!(codes.contains(&Some(0)) || codes.contains(&Some(4)), "{codes:?}");
    estate.create("red");
    let counts = estate.counts("red");
    assert_eq!((counts["eu-west-1 vpc"], counts["eu-west-1 subnet"], counts["eu-west-1 nat gateway"]), (1, 6, 1));
    estate.delete("red");
    estate.assert_as_before("the same team made twice at once");
}

#[test]
fn creating_twice_is_harmless() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.inventory();
    estate.overlord(&["team", "create", "red"]).ok().says(&["exists already", "nothing to change"]);
    estate.overlord(&["team", "update", "red"]).ok().says(&["nothing to change"]);
    assert_eq!(estate.inventory(), before);
    estate.delete("red");
    estate.assert_as_before("a team that was created twice");
}

#[test]
fn the_wrong_account_is_refused_before_anything_is_written() {
    let mut estate = Estate::new();
    estate.call("red", "iam", "create_account_alias", json!({ "AccountAlias": "somebody-else" }));
    estate.remember();
    estate.team("red", "identity: {account_alias: acme-red}\n");
    let run = estate.overlord(&["team", "create", "red"]).exits(1);
    run.says(&["somebody-else", "acme-red"]).hides(&["panicked"]);
    estate.assert_as_before("a refused account");
    // And a team stays in its account.
    estate.team("red", "");
    estate.create("red");
    let file = estate.team("blue", "");
    let text = std::fs::read_to_string(&file).unwrap().replace("team: blue", "team: red");
    let other = estate.shell().file("other.yaml", text);
    let before = estate.inventory();
    estate.overlord(&["team", "update", "red", "-f", &other]).fails(1).says(&[estate.number("blue")]);
    assert_eq!(estate.inventory(), before);
    estate.delete("red");
    estate.assert_as_before("accounts that were mixed up");
}

#[test]
fn an_account_holds_one_team() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.inventory();
    let text = format!("team: blue\naccount: \"{}\"\n", estate.number("red"));
    estate.shell().file("teams/blue.yaml", text);
    estate.overlord(&["team", "create", "blue"]).exits(1).says(&["team red", "account_wide"]);
    assert_eq!(estate.inventory(), before, "a refused team was begun");
    let text = format!("team: blue\naccount: \"{}\"\naccount_wide: false\n", estate.number("red"));
    estate.shell().file("teams/blue.yaml", text);
    estate.create("blue");
    estate.unchanged("red");
    estate.delete("blue");
    assert_eq!(estate.inventory(), before);
    estate.delete("red");
    estate.assert_as_before("two teams in one account");
}
