//! Everything that the files may say: made, found again, changed, deleted.
use crate::support::{Estate, REGIONS, workspace};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, panic, path::Path};

/// Metadata as an identity provider has it; AWS takes 1,000 characters at least.
fn metadata() -> String {
    let padding = "A".repeat(1200);
    format!(
        "<?xml version=\"1.0\"?>\n<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         entityID=\"https://login.example.org\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor>{padding}</KeyDescriptor>\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://login.example.org/sso\"/></IDPSSODescriptor></EntityDescriptor>\n"
    )
}

const EVERYTHING: &str = "\
zones: 3
nat: per-az
ipv6: true
dns_servers: [10.15.0.2, 10.15.0.3]
internal_domain: red.internal
flow_logs_days: 14
vpn: {gateway: 203.0.113.7, routes: [192.168.0.0/16]}
identity:
  saml_metadata: idp.xml
  session_hours: 8
  account_alias: acme-{team}
guard_rails:
  budget: {usd: 500, notify: [\"cloud+{team}@example.org\"]}
  cost_tags: [team]
tags: {cost-center: \"4711\"}
";

#[test]
fn a_team_with_everything() {
    let estate = Estate::new();
    estate.shell().file("idp.xml", metadata());
    estate.team("red", EVERYTHING);
    estate.create("red");
    let red = estate.counts("red");
    let wanted = [
        ("eu-west-1 egress-only gateway", 1),
        ("eu-west-1 dhcp options", 1),
        ("eu-west-1 vpn gateway", 1),
        ("eu-west-1 customer gateway", 1),
        ("eu-west-1 vpn connection", 1),
        ("eu-west-1 nat gateway", 3),
        ("saml provider", 1),
        ("account alias", 1),
        ("budget", 1),
        ("bucket", 1),
    ];
    for (kind, count) in wanted {
        assert_eq!(red.get(kind), Some(&count), "{kind}: {red:#?}");
    }
    let vpcs = estate.call("red", "ec2", "describe_vpcs", json!({}));
    let tags = vpcs["Vpcs"][0]["Tags"].as_array().unwrap();
    assert!(tags.contains(&json!({ "Key": "cost-center", "Value": "4711" })), "{tags:?}");

    // What can be changed, is; one after another, so that each is alone.
    for (from, to, changed) in [
        ("flow_logs_days: 14", "flow_logs_days: 90", "90"),
        ("usd: 500", "usd: 600", "600"),
        ("[192.168.0.0/16]", "[192.168.0.0/16, 172.20.0.0/16]", "172.20.0.0/16"),
        ("session_hours: 8", "session_hours: 4", "4"),
        ("[10.15.0.2, 10.15.0.3]", "[10.15.0.9]", "10.15.0.9"),
        ("cost-center: \"4711\"", "cost-center: \"4712\"", "4712"),
    ] {
        estate.team("red", &EVERYTHING.replace(from, to));
        let plan = estate.plan("red").join("\n");
        assert!(plan.contains(changed), "{to}: {plan}");
        estate.overlord(&["team", "update", "red"]).ok();
        estate.unchanged("red");
        estate.team("red", EVERYTHING);
        estate.overlord(&["team", "update", "red"]).ok();
        estate.unchanged("red");
    }
    // IPv6 does not go: things may use it.
    estate.team("red", &EVERYTHING.replace("ipv6: true", "ipv6: false"));
    estate.overlord(&["team", "update", "red"]).fails_somehow().says(&["ipv6"]);
    estate.team("red", EVERYTHING);
    estate.delete("red");
    estate.assert_as_before("everything");
}

#[test]
fn name_servers_that_the_file_names_no_longer_do_not_keep_a_team() {
    let estate = Estate::new();
    estate.team("red", "dns_servers: [10.15.0.2]\n");
    estate.create("red");
    estate.team("red", "");
    estate.delete("red");
    estate.assert_as_before("a team with name servers of its own");
}

#[test]
fn a_team_with_nothing_that_can_be_left_out() {
    let estate = Estate::new();
    let nothing = "\
nat: none
interconnect: none
flow_logs_days: 0
account_wide: false
domains: []
zones: 1
";
    estate.team("red", nothing);
    estate.create("red");
    let red = estate.counts("red");
    assert_eq!(red["eu-west-1 subnet"], 3);
    for kind in
        ["role", "policy", "bucket", "hosted zone", "eu-west-1 trail", "eu-west-1 nat gateway", "eu-west-1 flow log"]
    {
        assert!(!red.contains_key(kind), "{kind}: {red:#?}");
    }
    assert_eq!(estate.counts("network"), [].into());
    estate.delete("red");
    estate.assert_as_before("a small team");
}

#[test]
fn settings_that_were_there_before_stay() {
    let mut estate = Estate::new();
    estate.call("red", "ec2", "enable_ebs_encryption_by_default", json!({}));
    let all = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    let block: BTreeMap<_, _> = all.map(|name| (name, true)).into();
    let block = json!({ "AccountId": estate.number("red"), "PublicAccessBlockConfiguration": block });
    estate.call("red", "s3control", "put_public_access_block", block);
    estate.remember();
    estate.create("red");
    let plan = estate.overlord(&["team", "delete", "red", "--dry-run"]).ok();
    plan.says(&["= leave EBS encryption", "because it was set before the team was created"]);
    estate.delete("red");
    estate.assert_as_before("a team in an account that was strict already");
}

#[test]
fn an_account_that_is_made_for_the_team() {
    let estate = Estate::new();
    estate.call("home", "organizations", "create_organization", json!({ "FeatureSet": "ALL" }));
    let home = estate.number("home").to_owned();
    let text = fs::read_to_string(estate.shell().home().join("overlord.yaml")).unwrap();
    let text = text.replace("accounts:\n", "accounts:\n  new: {email: \"aws+{team}@example.org\"}\n");
    estate.shell().file("overlord.yaml", text);
    estate.shell().file("teams/red.yaml", "team: red\naccount: new\nnat: none\n");
    estate.overlord(&["team", "plan", "red", "--detailed-exitcode"]).exits(5).says(&["account"]);
    let accounts = || {
        let all = estate.call("home", "organizations", "list_accounts", json!({}));
        let mut numbers: Vec<Value> = all["Accounts"].as_array().unwrap().iter().map(|a| a["Id"].clone()).collect();
        numbers.retain(|number| *number != home);
        numbers
    };
    assert!(accounts().is_empty(), "a plan made an account");
    estate.create("red");
    let made = accounts();
    assert_eq!(made.len(), 1);
    let shown = estate.overlord(&["team", "show", "red", "-o", "json"]).ok().json();
    assert_eq!(shown[0]["account"], made[0]);
    estate.overlord(&["team", "create", "red"]).ok();
    assert_eq!(accounts(), made, "one account is enough");
    estate.delete("red");
    // The account itself stays, and is used again.
    estate.assert_as_before("a team in an account of its own");
    estate.create("red");
    assert_eq!(accounts(), made, "the account of before is found again");
    estate.delete("red");
}

/// The directories below examples/organization, each with an overlord.yaml and its teams.
fn examples() -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(workspace().join("examples/organization")).expect("there are examples");
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.join("overlord.yaml").is_file());
    found.sort();
    assert!(!found.is_empty(), "there are examples");
    found
}

/// Every account number of a text: twelve digits.
fn numbers(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit()))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// All files below a directory, by path from it.
fn files(root: &Path, below: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// Names for the accounts of an example, after `home`.
const OTHERS: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

fn up_and_down(example: &Path) {
    let mut texts = files(example, example);
    let organization: Value =
        serde_yaml::from_str(&fs::read_to_string(example.join("overlord.yaml")).unwrap()).unwrap();
    let mut estate = Estate::empty(&["home"]);
    let home = organization["accounts"]["home"]["account"].as_str().unwrap_or_default().to_owned();
    let everything: String = texts.iter().map(|(_, text)| text.as_str()).collect();
    let mut names = BTreeMap::from([(home.clone(), "home")]);
    for (number, name) in numbers(&everything).into_iter().filter(|number| *number != home).zip(OTHERS) {
        estate.add(name);
        names.insert(number, name);
    }
    if everything.contains("account: new") {
        let management = organization["accounts"]["management"]["account"].as_str().unwrap_or(&home);
        let name = names.get(management).copied().unwrap_or("home");
        estate.call(name, "organizations", "create_organization", json!({ "FeatureSet": "ALL" }));
    }
    // As a shell has it where nothing else says the region.
    estate.set("AWS_REGION", Some(REGIONS[0]));
    let mut replaced: BTreeMap<String, String> =
        names.iter().map(|(number, name)| (number.clone(), estate.number(name).to_owned())).collect();
    for domain in organization["domains"].as_array().into_iter().flatten() {
        let account = domain["account"]["account"].as_str().unwrap_or(&home);
        let zone = estate.zone(names.get(account).copied().unwrap_or("home"), domain["name"].as_str().unwrap());
        if let Some(id) = domain["zone_id"].as_str() {
            replaced.insert(id.to_owned(), zone);
        }
    }
    replaced.remove("");
    for (name, text) in &mut texts {
        for (from, to) in &replaced {
            *text = text.replace(from, to);
        }
        estate.shell().file(name, text.as_str());
    }
    estate.remember();

    let mut teams: Vec<String> = texts
        .iter()
        .filter(|(name, _)| name != "overlord.yaml" && name.ends_with(".yaml"))
        .filter_map(|(_, text)| serde_yaml::from_str::<Value>(text).ok()?["team"].as_str().map(str::to_owned))
        .collect();
    if teams.is_empty() {
        // A team that only has a name.
        teams.push("red".to_owned());
    }
    for team in &teams {
        estate.plan(team);
    }
    estate.assert_as_before("plans");
    for team in &teams {
        estate.create(team);
    }
    estate.overlord(&["check"]).ok();
    for team in &teams {
        estate.overlord(&["diagram", team]).ok();
        estate.overlord(&["diagram", team, "--format", "mermaid"]).ok();
        estate.delete(team);
    }
    estate.assert_as_before("the example's teams");
}

#[test]
fn every_example_goes_up_and_down() {
    let mut failed = Vec::new();
    for example in examples() {
        if panic::catch_unwind(|| up_and_down(&example)).is_err() {
            failed.push(example.file_name().unwrap().to_owned());
        }
    }
    assert!(failed.is_empty(), "examples that fail (each said why above): {failed:?}");
}
