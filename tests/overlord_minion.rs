//! `minion` inside a team's place, with the team's own credentials; and networks that were made by hand.
use crate::support::{Estate, Inventory, Shell, ask, workspace};
use serde_json::{Value, json};

/// A team member who deploys.
fn deployer(estate: &Estate) -> Shell {
    estate.as_role("red", "Deployer")
}

/// `registry/hello-world:tag`.
fn image(tag: &str) -> String {
    format!("{}/hello-world:{tag}", crate::support::registry())
}

#[test]
fn the_story_of_minion_in_a_place_that_overlord_made() {
    let estate = Estate::new();
    estate.team("red", "zones: 3\nnat: per-az\n");
    estate.create("red");
    let place = estate.inventory();
    let shell = deployer(&estate);
    let minion = |words: &str| shell.run("minion", &words.split(' ').collect::<Vec<_>>());
    let manifest = workspace().join("examples/manifests/aws-minion-manifest.yaml").display().to_string();
    let name = "clojure-web-hello-world";

    // Nothing to ask, though nobody is there to answer.
    let configured = minion("configure --region eu-west-1").ok();
    assert!(!configured.stderr.contains('?'), "{}", configured.stderr);
    minion(&format!("app create {manifest}")).ok();
    minion(&format!("app create {manifest} --dry-run --detailed-exitcode")).ok();
    minion(&format!("ver create {name} 1.0 {}", image("0.1"))).ok().says(&["red.example.org"]);
    minion(&format!("ver create {name} 2.0 {}", image("0.2"))).ok();
    minion(&format!("traffic {name} 1.0 100")).ok();
    minion(&format!("traffic {name} 2.0 30")).ok();
    let added = estate.added("red");
    let records = &added["record set"];
    for weight in ["1.0 140", "2.0 60"] {
        let record = format!("{name}.red.example.org A ");
        assert!(records.iter().any(|r| r.starts_with(&record) && r.ends_with(weight)), "{weight}: {records:?}");
    }
    let role = added["role"].iter().find(|role| role.contains(name)).expect("the application has a role");
    let role = estate.call("red", "iam", "get_role", json!({ "RoleName": role }));
    let boundary = role["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"].as_str().unwrap_or_default();
    assert!(boundary.ends_with(":policy/overlord-boundary"), "{role}");

    // A team does not go while its applications are there; and its plan does not see them.
    estate.unchanged("red");
    let before = estate.inventory();
    estate.overlord(&["team", "delete", "red", "--yes"]).fails(1).says(&[name, "minion applications delete"]);
    assert_eq!(estate.inventory(), before, "a refused delete changed something");

    minion(&format!("app delete {name} --cascade --yes")).ok();
    assert_eq!(estate.inventory(), place, "minion left something");
    estate.delete("red");
    estate.assert_as_before("the whole story");
}

#[test]
fn what_operators_put_into_the_settings_stays() {
    let estate = Estate::new();
    estate.create("red");
    let vpc = estate.named("red", "vpc", "red");
    let name = format!("/minion/{vpc}/settings");
    let parameter = estate.call("red", "ssm", "get_parameter", json!({ "Name": name }));
    let value = parameter["Parameter"]["Value"].as_str().unwrap().to_owned();
    assert!(value.contains("red.example.org") && value.contains("overlord-boundary"), "{value}");
    let theirs = format!("{value}\nami_id: ami-0123456789abcdef0\n");
    estate.call("red", "ssm", "put_parameter", json!({ "Name": name, "Value": theirs, "Overwrite": true }));
    estate.unchanged("red");
    let broken = theirs.replace("red.example.org", "elsewhere.example.org");
    estate.call("red", "ssm", "put_parameter", json!({ "Name": name, "Value": broken, "Overwrite": true }));
    estate.overlord(&["check", "red"]).exits(5).says(&["elsewhere.example.org"]);
    estate.overlord(&["team", "update", "red"]).ok();
    let parameter = estate.call("red", "ssm", "get_parameter", json!({ "Name": name }));
    let value = parameter["Parameter"]["Value"].as_str().unwrap();
    assert!(value.contains("ami-0123456789abcdef0") && !value.contains("elsewhere"), "{value}");
    estate.delete("red");
    estate.assert_as_before("settings");
}

/// A network as the predecessor made them, or people by hand, in the account of red.
fn by_hand(estate: &mut Estate, options: Value) -> Value {
    let seeded = ask(&json!({ "do": "seed", "account": estate.number("red"), "options": options }));
    estate.remember();
    seeded
}

/// The ids of what makes up a network.
fn ids(inventory: &Inventory) -> Vec<(String, String)> {
    let kinds = ["vpc", "subnet", "route table", "subnet's route table", "internet gateway", "nat gateway", "address"];
    let of = |kind: &str| inventory.get(&format!("eu-west-1 {kind}")).cloned().unwrap_or_default();
    kinds.iter().flat_map(|kind| of(kind).into_iter().map(|id| ((*kind).to_owned(), id))).collect()
}

#[test]
fn a_network_that_is_taken_over_keeps_everything() {
    let mut estate = Estate::new();
    estate.team("red", "zones: 3\nnat: per-az\n");
    let place = by_hand(&mut estate, json!({}));
    let (vpc, before) = (place["vpc"].as_str().unwrap(), ids(&estate.inventory()["red"]));
    let import = ["team", "import", "red", "--vpc", vpc, "--region", "eu-west-1"];
    estate.overlord(&[&import[..], &["--dry-run"]].concat()).ok();
    estate.assert_as_before("a dry run of import");
    estate.overlord(&import).ok();
    assert_eq!(ids(&estate.inventory()["red"]), before, "import makes and deletes nothing");
    let plan = estate.overlord(&["team", "plan", "red"]).ok();
    for line in plan.stdout.lines().filter(|line| !line.starts_with("Plan: ")) {
        assert!(!line.starts_with("- ") && !line.starts_with("! "), "{}", plan.stdout);
        let made = ["vpc", "subnet", "route table", "nat gateway", "internet gateway", "address"]
            .iter()
            .any(|kind| line.to_lowercase().starts_with(&format!("+ create {kind}")));
        assert!(!made, "what is there is not made again: {}", plan.stdout);
    }
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    estate.overlord(&["check", "red"]).ok();
    assert_eq!(ids(&estate.inventory()["red"]), before, "an imported network changed");
    let shown = estate.overlord(&["team", "show", "red", "-o", "json"]).ok().json();
    assert_eq!((&shown[0]["vpc"], &shown[0]["network"]), (&place["vpc"], &json!("10.2.0.0/19")));
    assert_eq!(shown.as_array().unwrap().len(), 3);

    // Its addresses are taken now.
    estate.create("blue");
    let other = estate.overlord(&["team", "show", "blue", "-o", "json"]).ok().json();
    assert_ne!(other[0]["network"], "10.2.0.0/19");
    estate.delete("blue");
    // Once taken over, it is the team's, and goes with it; the zones and the certificate of before stay.
    estate.delete("red");
    assert_eq!(ids(&estate.inventory()["red"]), []);
    assert_eq!(estate.counts("red"), [].into());
    assert_eq!(estate.inventory()["red"]["hosted zone"].len(), 2);
}

#[test]
fn networks_that_cannot_be_taken_over() {
    let mut estate = Estate::new();
    estate.team("red", "zones: 3\nnat: per-az\n");
    let place = by_hand(&mut estate, json!({}));
    let vpc = place["vpc"].as_str().unwrap().to_owned();
    let import =
        |team: &str, vpc: &str| estate.overlord(&["team", "import", team, "--vpc", vpc, "--region", "eu-west-1"]);
    import("red", "vpc-0123456789abcdef0").fails(1).says(&["vpc-0123456789abcdef0"]);
    import("red", "nonsense").fails_somehow().says(&["nonsense"]);
    // It is not in blue's account.
    import("blue", &vpc).fails(1).says(&[&vpc]);
    estate.assert_as_before("refused imports");
    import("red", &vpc).ok();
    let before = estate.inventory();
    let again = import("red", &vpc);
    assert!(matches!(again.code, Some(0 | 1)), "{again:?}");
    assert_eq!(estate.inventory(), before, "importing twice changed something");
}
