//! New accounts, on an AWS whose roles trust whom they trust on AWS, which the emulator does not judge.
use crate::support::{Estate, Request, Run, Wire, endpoint, refusing};
use serde_json::{Value, json};
use std::time::Duration;

const ROLE: &str = "OrganizationAccountAccessRole";
/// Less than what a denied role is waited for.
const SOON: Duration = Duration::from_secs(100);

/// The operator's account is `home`; `manager` is the management account, in which a role lets `home` in.
fn estate() -> Estate {
    let mut estate = Estate::empty(&["home", "manager", "network"]);
    estate.call("manager", "organizations", "create_organization", json!({ "FeatureSet": "ALL" }));
    file(&estate, &format!("management: {{account: \"{}\", role: AccountFactory}}", estate.number("manager")));
    estate.shell().file("teams/red.yaml", "team: red\naccount: new\n");
    estate.remember();
    estate
}

/// The organization's file, with this line about accounts.
fn file(estate: &Estate, management: &str) {
    let home = estate.number("home");
    let text = format!(
        "organization: acme\naddresses: {{pool: [10.0.0.0/12]}}\naccounts:\n  \
         home: {{account: \"{home}\", region: eu-west-1}}\n  {management}\n  \
         new: {{email: \"aws+{{team}}@example.org\"}}\n\
         teams: {{regions: [eu-west-1], zones: 2, nat: none, interconnect: none}}\n"
    );
    estate.shell().file("overlord.yaml", text);
}

/// AWS's trust: a new account's role trusts the management account alone, and that one's role trusts `home` unless
/// `closed`.
fn trusting(estate: &mut Estate, closed: bool) -> Wire {
    let number = |name: &str| estate.number(name).to_owned();
    let (home, manager, network) = (number("home"), number("manager"), number("network"));
    let known = [(estate.shell().access_key().to_owned(), home.clone())];
    let known: Vec<(&str, &str)> = known.iter().map(|(key, account)| (key.as_str(), account.as_str())).collect();
    let rule = move |request: &Request<'_>| {
        let arn = request.text.split("RoleArn=arn%3Aaws%3Aiam%3A%3A").nth(1);
        let account = arn.filter(|_| request.is("AssumeRole")).and_then(|arn| arn.get(..12))?;
        let trusted = match account {
            a if a == manager => !closed && request.account == home,
            a if a == home || a == network => true,
            _ => request.account == manager,
        };
        (!trusted).then_some(("AccessDenied", "User is not authorized to perform: sts:AssumeRole on this resource"))
    };
    let wire = refusing(endpoint(), &known, rule);
    estate.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    wire
}

fn overlord(estate: &Estate, arguments: &[&str]) -> Run {
    let mut all = arguments.to_vec();
    if arguments[..2] == ["team", "delete"] {
        all.extend(["--delete-audit-logs", "--yes"]);
    }
    estate.start(&all).within(SOON)
}

/// The numbers of the accounts that were made.
fn made(estate: &Estate) -> Vec<String> {
    let all = estate.call("manager", "organizations", "list_accounts", json!({}));
    let numbers = all["Accounts"].as_array().unwrap().iter().map(|a| a["Id"].as_str().unwrap().to_owned());
    numbers.filter(|number| number != estate.number("manager")).collect()
}

#[test]
fn a_new_account_is_reached_from_the_management_account() {
    let mut estate = estate();
    let _wire = trusting(&mut estate, false);
    overlord(&estate, &["team", "plan", "red", "--detailed-exitcode"]).exits(5).says(&["account"]);
    assert!(made(&estate).is_empty(), "a plan made an account");
    let how = format!("role {ROLE}, assumed from the management account");
    overlord(&estate, &["team", "create", "red"]).ok().says(&[&how]);
    let numbers = made(&estate);
    assert_eq!(numbers.len(), 1);
    // Every other command reaches it the same way, by the record.
    overlord(&estate, &["team", "plan", "red", "--detailed-exitcode"]).ok().says(&["No changes"]);
    overlord(&estate, &["team", "show", "red"]).ok().says(&[&numbers[0], &how]);
    overlord(&estate, &["check", "red"]).ok();
    overlord(&estate, &["diagram", "red"]).ok();
    let record = estate.call("home", "ssm", "get_parameter", json!({ "Name": "/overlord/acme/teams/red" }));
    assert!(record["Parameter"]["Value"].as_str().unwrap().contains("via: management"), "{record}");
    // The file may name the account by its number later.
    estate.shell().file("teams/red.yaml", format!("team: red\naccount: \"{}\"\n", numbers[0]));
    overlord(&estate, &["team", "plan", "red", "--detailed-exitcode"]).ok().says(&["No changes"]);
    let named = format!("team: red\naccount: {{account: \"{}\", role: {ROLE}}}\n", numbers[0]);
    estate.shell().file("teams/red.yaml", named);
    overlord(&estate, &["team", "plan", "red", "--detailed-exitcode"]).ok().says(&["No changes"]);
    overlord(&estate, &["team", "delete", "red"]).ok();
    // The account stays, and is found by its address.
    estate.shell().file("teams/red.yaml", "team: red\naccount: new\n");
    overlord(&estate, &["team", "create", "red"]).ok();
    assert_eq!(made(&estate), numbers);
    overlord(&estate, &["team", "delete", "red"]).ok();
}

#[test]
fn two_teams_in_new_accounts_reach_each_other() {
    let mut estate = estate();
    let _wire = trusting(&mut estate, false);
    for team in ["red", "blue"] {
        estate
            .shell()
            .file(&format!("teams/{team}.yaml"), format!("team: {team}\naccount: new\ninterconnect: peering\n"));
        overlord(&estate, &["team", "create", team]).ok();
    }
    overlord(&estate, &["team", "plan", "red", "--detailed-exitcode"]).ok().says(&["No changes"]);
    for team in ["red", "blue"] {
        overlord(&estate, &["team", "delete", team]).ok();
    }
}

/// A new account that nobody can reach is spent: nothing takes it back for 90 days.
#[test]
fn no_account_is_made_that_could_not_be_reached() {
    let mut estate = estate();
    let number = |estate: &Estate, name: &str| estate.number(name).to_owned();
    let (home, manager, network) = (number(&estate, "home"), number(&estate, "manager"), number(&estate, "network"));
    let refused = |estate: &Estate, management: &str, words: &[&str]| {
        file(estate, management);
        for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
            overlord(estate, command).fails(2).says(words);
        }
        assert!(made(estate).is_empty(), "{management}: an account was made");
    };
    let _wire = trusting(&mut estate, true);
    let role = |account: &str| format!("management: {{account: \"{account}\", role: AccountFactory}}");
    refused(&estate, &role(&manager), &["management account cannot be reached", "sts:AssumeRole", "accounts"]);
    let _wire = trusting(&mut estate, false);
    // Nothing says how it is reached.
    refused(&estate, &format!("management: {{account: \"{manager}\"}}"), &[&manager, "role"]);
    // The operator's own account, which is in no organization; and another one that is not, either.
    refused(&estate, "external_id: nobody", &[&home, "no organization", "management"]);
    refused(&estate, &role(&network), &[&network, "no organization", "management"]);
    // A member of the organization.
    let invited = json!({ "AccountName": "member", "Email": "member@example.org" });
    let member = estate.call("manager", "organizations", "create_account", invited);
    let member = member["CreateAccountStatus"]["AccountId"].as_str().unwrap().to_owned();
    let before = made(&estate);
    assert_eq!(before, std::slice::from_ref(&member));
    // Its role lets only the management account in; with that account's credentials it is the wrong one all the same.
    let through = format!(
        "through: [\"arn:aws:iam::{manager}:role/Hub\"]\n  role: {ROLE}\n  management: {{account: \"{member}\", role: {ROLE}}}"
    );
    file(&estate, &through);
    for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
        let words = [&member[..], "is not the management account", &manager, "accounts: {management:"];
        overlord(&estate, command).fails(2).says(&words);
    }
    assert_eq!(made(&estate), before, "an account was made");
}

#[test]
fn what_else_is_known_before_an_account_is_made() {
    let mut estate = estate();
    let _wire = trusting(&mut estate, false);
    let red = |more: &str| estate.shell().file("teams/red.yaml", format!("team: red\naccount: new\n{more}"));
    for (more, code, words) in [
        ("zones: 8\n", 2, &["8", "eu-west-1"][..]),
        ("zones: [euw1-az1, euw1-az9]\n", 2, &["euw1-az9"]),
        ("zones: [use1-az1]\n", 2, &["eu-west-1"]),
        ("regions: [eu-nowhere-1]\n", 2, &["eu-nowhere-1"]),
        // Every account has to enable it for itself; the operator's having it does not help.
        ("regions: [af-south-1]\n", 2, &["af-south-1", "`account: new`", "enable-region", "by its ID"]),
        ("vpn: {gateway: 203.0.113.7, routes: [10.0.0.0/12]}\n", 2, &["10.0.0.0/12"]),
    ] {
        red(more);
        for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
            overlord(&estate, command).fails(code).says(words);
        }
    }
    // A new account has a default VPC in each region.
    red("");
    let home = estate.shell().home().join("overlord.yaml");
    let text = std::fs::read_to_string(&home).unwrap();
    std::fs::write(&home, text.replace("10.0.0.0/12", "172.31.0.0/16")).unwrap();
    for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
        overlord(&estate, command).fails(1).says(&["no free /19"]);
    }
    assert!(made(&estate).is_empty(), "an account was made");
    std::fs::write(&home, text.replace("10.0.0.0/12", "172.31.0.0/16, 10.9.0.0/16")).unwrap();
    overlord(&estate, &["team", "create", "red"]).ok().says(&["10.9.0.0/19"]);
    overlord(&estate, &["team", "delete", "red"]).ok();
}

/// A record of before says nothing of the way; its account is reached as it was.
#[test]
fn records_of_before_stay_valid() {
    let mut estate = estate();
    // The operator works in the management account.
    let through = format!("through: [\"arn:aws:iam::{}:role/Hub\"]", estate.number("manager"));
    let home = estate.number("home").to_owned();
    file(&estate, &format!("{through}\n  role: {ROLE}"));
    let _wire = trusting(&mut estate, false);
    overlord(&estate, &["team", "create", "red"]).ok();
    let name = json!({ "Name": "/overlord/acme/teams/red" });
    let stored =
        |estate: &Estate| -> Value { estate.call("home", "ssm", "get_parameter", name.clone())["Parameter"].clone() };
    let text = stored(&estate)["Value"].as_str().unwrap().to_owned();
    assert!(text.contains("via: management"), "{text}");
    let old = json!({ "Name": "/overlord/acme/teams/red", "Value": text.replace("via: management\n", ""), "Type": "String", "Overwrite": true });
    estate.call("home", "ssm", "put_parameter", old);
    overlord(&estate, &["team", "plan", "red", "--detailed-exitcode"]).ok().says(&["No changes"]);
    let shown = overlord(&estate, &["team", "show", "red"]).ok();
    shown.says(&[ROLE]).hides(&["assumed from"]);
    overlord(&estate, &["team", "delete", "red"]).ok();
    assert!(!home.is_empty());
}
