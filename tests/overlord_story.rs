//! Teams come, change and go: each in its own account, and nothing is left of them.
use crate::support::{Estate, LAYERS, REGIONS};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `team show`'s rows: one for each zone of each region.
fn zones(estate: &Estate, team: &str) -> Vec<Value> {
    let shown = estate.overlord(&["team", "show", team, "-o", "json"]).ok().json();
    shown.as_array().expect("an array").clone()
}

/// Names of the zones of a team's network, in the order of their slots.
fn names(estate: &Estate, team: &str) -> Vec<String> {
    zones(estate, team).iter().map(|row| row["zone"].as_str().unwrap().to_owned()).collect()
}

/// Fails unless everything of a team's network stands in its account and region, as often as it should.
fn assert_network(estate: &Estate, team: &str, region: &str, zones: usize, gateways: usize) {
    let counts = estate.counts(team);
    let count = |kind: &str| counts.get(&format!("{region} {kind}")).copied().unwrap_or(0);
    for (kind, wanted) in [
        ("vpc", 1),
        ("subnet", zones * LAYERS.len()),
        ("subnet's route table", zones * LAYERS.len()),
        ("internet gateway", 1),
        ("nat gateway", gateways),
        ("address", gateways),
        ("vpc endpoint", 1),
        ("flow log", 1),
        ("default group rule", 0),
        ("trail", 1),
        ("ebs encryption by default", 1),
    ] {
        assert_eq!(count(kind), wanted, "{kind} of {team} in {region}: {counts:#?}");
    }
}

#[test]
fn two_teams_in_two_regions_through_transit_gateways() {
    let estate = Estate::new();
    estate.team("blue", "regions: [eu-central-1]\n");
    estate.overlord(&["team", "plan", "red"]).ok();
    assert!(estate.plan("red").iter().all(|line| line.starts_with("+ create")), "{:?}", estate.plan("red"));
    estate.assert_as_before("plans");

    estate.create("red");
    assert_network(&estate, "red", REGIONS[0], 2, 1);
    assert_eq!(estate.counts("blue"), [].into());
    let red = estate.added("red");
    assert!(red.keys().all(|kind| !kind.starts_with(REGIONS[1])), "{red:#?}");
    assert!(red["eu-west-1 trail"][0].ends_with(" logging"), "{red:#?}");
    assert_eq!(red["policy"], ["overlord-boundary"]);
    for role in ["Administrator", "PowerUser", "ReadOnly", "Deployer"] {
        assert!(red["role"].iter().any(|name| name == role), "{role}: {:?}", red["role"]);
    }
    assert!(red["hosted zone"].len() == 1 && red["bucket"].len() == 1, "{red:#?}");
    assert!(!red.contains_key("eu-west-1 transit gateway"), "it is the organization's");
    let network = estate.added("network");
    assert_eq!(network["record set"], ["red.example.org NS"]);
    assert_eq!((network["eu-west-1 transit gateway"].len(), network["eu-west-1 resource share"].len()), (1, 1));
    assert_eq!(network.len(), 3, "{network:#?}");
    let home = estate.added("home");
    assert!(home["eu-west-1 parameter"].contains(&"/overlord/acme/teams/red".to_owned()), "{home:#?}");
    assert_eq!(home.len(), 1, "{home:#?}");

    estate.create("blue");
    assert_network(&estate, "blue", REGIONS[1], 2, 1);
    assert_eq!(estate.added("red"), red, "one team's coming changed another one");
    let teams = estate.overlord(&["team", "list", "-o", "json"]).ok().json();
    let of = |team: usize, key: &str| teams[team][key].clone();
    assert_eq!((of(0, "team"), of(1, "team")), ("blue".into(), "red".into()));
    assert_ne!(of(0, "networks"), of(1, "networks"));
    estate.overlord(&["check"]).ok();
    let addresses = estate.overlord(&["addresses", "-o", "json"]).ok().json();
    let held = addresses.as_array().unwrap().iter().filter(|row| row["state"] == "team");
    assert_eq!(held.count(), 2, "{addresses}");

    estate.delete("red");
    assert_eq!(estate.counts("red"), [].into());
    estate.unchanged("blue");
    let kinds: BTreeSet<String> = estate.added("network").into_keys().collect();
    let left = ["eu-central-1 resource share", "eu-central-1 transit gateway", "record set"].map(str::to_owned);
    assert_eq!(kinds, left.into());
    estate.delete("blue");
    estate.assert_as_before("two teams");
    estate.overlord(&["team", "delete", "blue", "--yes"]).fails(1).says(&["blue", "does not exist"]);
}

#[test]
fn one_team_in_two_regions() {
    let estate = Estate::new();
    estate.team("red", "regions: [eu-west-1, eu-central-1]\n");
    estate.create("red");
    assert_network(&estate, "red", REGIONS[0], 2, 1);
    let counts = estate.counts("red");
    assert_eq!(
        (counts["eu-central-1 vpc"], counts["eu-central-1 subnet"], counts["eu-central-1 nat gateway"]),
        (1, 6, 1)
    );
    assert!(!counts.contains_key("eu-central-1 trail"), "one trail watches all regions: {counts:#?}");
    let networks: BTreeSet<String> = zones(&estate, "red").iter().map(|row| row["network"].to_string()).collect();
    assert_eq!(networks.len(), 2);
    estate.delete("red");
    estate.assert_as_before("two regions");
}

#[test]
fn a_region_more() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.added("red");
    estate.team("red", "regions: [eu-west-1, eu-central-1]\n");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    let mut now = estate.added("red");
    assert_eq!(now["eu-central-1 vpc"].len(), 1);
    now.retain(|kind, _| before.contains_key(kind));
    // Roles are the account's, and this one's name holds its region.
    let roles = now.get_mut("role").unwrap();
    let theirs = roles.extract_if(.., |name| name.ends_with("-eu-central-1")).count();
    assert_eq!(theirs, 1, "{roles:?}");
    assert_eq!(now, before, "what stood in the first region changed");
    // A network does not go by a line that is missing.
    estate.team("red", "");
    estate.overlord(&["team", "update", "red"]).fails(1).says(&["eu-central-1"]);
    estate.delete("red");
    estate.assert_as_before("a region that came later");
}

/// An organization with peering connections.
fn peering(estate: &Estate) {
    let teams = "{regions: [eu-west-1], zones: 2, nat: none, interconnect: peering}";
    estate.organization_with("{pool: [10.0.0.0/12]}", teams, "");
}

/// How many of an account's routes lead through a peering connection.
fn through_peering(estate: &Estate, team: &str) -> usize {
    let routes = estate.added(team).remove("eu-west-1 route").unwrap_or_default();
    routes.iter().filter(|route| route.contains(" pcx-")).count()
}

#[test]
fn teams_that_peer_reach_each_other_until_one_goes() {
    let estate = Estate::new();
    peering(&estate);
    estate.create("red");
    assert_eq!(through_peering(&estate, "red"), 0);
    let alone = estate.added("red");
    estate.create("blue");
    estate.unchanged("red");
    assert_eq!(estate.added("red")["eu-west-1 peering connection"].len(), 1);
    assert_eq!(through_peering(&estate, "red"), through_peering(&estate, "blue"));
    assert!(through_peering(&estate, "red") >= 2, "{:?}", estate.added("red")["eu-west-1 route"]);
    estate.overlord(&["check"]).ok();

    estate.delete("blue");
    assert_eq!(estate.added("red"), alone, "red is as it was before blue");
    estate.unchanged("red");
    estate.delete("red");
    estate.assert_as_before("teams that peered");
}

#[test]
fn three_teams_that_peer_and_the_first_one_goes() {
    let mut estate = Estate::new();
    estate.add("green");
    peering(&estate);
    estate.team("green", "");
    for team in ["red", "blue", "green"] {
        estate.create(team);
    }
    assert_eq!(estate.added("green")["eu-west-1 peering connection"].len(), 2);
    estate.overlord(&["check"]).ok();
    estate.delete("red");
    for team in ["blue", "green"] {
        estate.unchanged(team);
        assert_eq!(estate.added(team)["eu-west-1 peering connection"].len(), 1);
    }
    estate.delete("green");
    estate.delete("blue");
    estate.assert_as_before("three teams that peered");
}

#[test]
fn another_way_to_the_internet_changes_only_that() {
    let estate = Estate::new();
    estate.create("red");
    let (before, zones) = (estate.added("red"), names(&estate, "red"));

    estate.team("red", "nat: per-az\n");
    let plan = estate.plan("red");
    assert!(plan.iter().all(|line| line.contains(&zones[1])), "{plan:#?}");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    assert_network(&estate, "red", REGIONS[0], 2, 2);

    for nat in ["instance", "none", "single"] {
        estate.team("red", &format!("nat: {nat}\n"));
        let plan = estate.plan("red");
        assert!(plan.iter().all(|line| !line.contains("subnet ") && !line.contains("role")), "{nat}: {plan:#?}");
        estate.overlord(&["team", "update", "red"]).ok();
        estate.unchanged("red");
        let exits =
            ["nat gateway", "instance"].map(|kind| estate.counts("red").get(&format!("eu-west-1 {kind}")).copied());
        let wanted = match nat {
            "instance" => [None, Some(1)],
            "none" => [None, None],
            _ => [Some(1), None],
        };
        assert_eq!(exits, wanted, "{nat}");
    }
    for kind in ["subnet", "vpc", "route table", "subnet's route table", "internet gateway"] {
        let kind = format!("eu-west-1 {kind}");
        assert_eq!(estate.added("red")[&kind], before[&kind]);
    }
    estate.delete("red");
    estate.assert_as_before("four ways to the internet");
}

#[test]
fn a_zone_more_changes_only_that() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.added("red");
    estate.team("red", "zones: 3\n");
    let plan = estate.plan("red");
    let zones: Vec<_> = ["a", "b", "c"].map(|letter| format!("eu-west-1{letter}")).into();
    let new = zones.iter().find(|zone| !names(&estate, "red").contains(zone)).unwrap();
    // What spans all zones gets one more; all else is the new zone's.
    let spans = |line: &str| {
        line.starts_with("~ change") && ["attachment", "endpoint", "public"].iter().any(|w| line.contains(w))
    };
    assert!(plan.iter().all(|line| line.contains(new) || spans(line)), "{plan:#?}");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    assert_network(&estate, "red", REGIONS[0], 3, 1);
    let now = estate.added("red");
    for subnet in &before["eu-west-1 subnet"] {
        assert!(now["eu-west-1 subnet"].contains(subnet), "{subnet} was made again");
    }
    // Zones are not taken away.
    estate.team("red", "zones: 2\n");
    estate.overlord(&["team", "update", "red"]).fails(1).says(&["zones"]);
    assert_eq!(estate.added("red"), now);
    estate.delete("red");
    estate.assert_as_before("three zones");
}

#[test]
fn a_domain_more_and_less_changes_only_that() {
    let mut estate = Estate::new();
    estate.zone("network", "example.net");
    estate.remember();
    estate.create("red");
    let before = estate.inventory();
    let more = format!("  - {{name: example.net, account: {{account: \"{}\"}}}}\n", estate.number("network"));
    estate.organization(&more);
    // Who may write which names follows.
    let names = |line: &&String| !line.contains("policy overlord");
    let plan = estate.plan("red");
    let rest: Vec<&String> = plan.iter().filter(names).collect();
    assert_eq!((rest.len(), plan.len()), (4, 6), "{plan:#?}");
    assert!(rest.iter().all(|line| line.starts_with("+ create") && line.contains("red.example.net")), "{plan:#?}");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    let delegated = &estate.added("network")["record set"];
    assert_eq!(*delegated, ["red.example.net NS", "red.example.org NS"]);

    estate.organization("");
    let plan = estate.plan("red");
    let rest: Vec<&String> = plan.iter().filter(names).collect();
    assert_eq!((rest.len(), plan.len()), (4, 6), "{plan:#?}");
    assert!(rest.iter().all(|line| line.starts_with("- delete") && line.contains("red.example.net")), "{plan:#?}");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    assert_eq!(estate.inventory(), before);
    estate.delete("red");
    estate.assert_as_before("a domain that came and went");
}

#[test]
fn from_transit_gateway_to_peering_and_back() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.inventory();
    estate.team("red", "interconnect: peering\n");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    let network = estate.added("network");
    assert!(!network.contains_key("eu-west-1 transit gateway"), "nobody uses it any more: {network:#?}");
    estate.team("red", "");
    estate.overlord(&["team", "update", "red"]).ok();
    estate.unchanged("red");
    let count = |inventory: &std::collections::BTreeMap<String, crate::support::Inventory>| {
        inventory
            .iter()
            .map(|(account, kinds)| (account.clone(), kinds.values().map(Vec::len).sum()))
            .collect::<Vec<(_, usize)>>()
    };
    assert_eq!(count(&estate.inventory()), count(&before));
    estate.delete("red");
    estate.assert_as_before("a team that changed its ways");
}

/// The roles by which AWS's services act in an account: names.
fn linked(estate: &Estate, account: &str) -> BTreeSet<String> {
    let found = estate.call(account, "iam", "list_roles", json!({ "PathPrefix": "/aws-service-role/" }));
    found["Roles"].as_array().unwrap().iter().map(|role| role["RoleName"].as_str().unwrap().to_owned()).collect()
}

/// Nobody of the team needs the right to create roles for AWS's services.
#[test]
fn service_linked_roles_are_created_once_and_stay() {
    let estate = Estate::new();
    let planned = || -> BTreeSet<String> {
        let lines = estate.plan("red").into_iter();
        lines.filter_map(|line| line.strip_prefix("+ create service-linked role ").map(str::to_owned)).collect()
    };
    let all: BTreeSet<String> = [
        "AWSServiceRoleForAutoScaling",
        "AWSServiceRoleForEC2Spot",
        "AWSServiceRoleForElasticLoadBalancing",
        "AWSServiceRoleForVPCTransitGateway",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(planned(), all);
    assert!(linked(&estate, "red").is_empty());
    // Somebody had an Auto Scaling group in this account before.
    let service = json!({ "AWSServiceName": "autoscaling.amazonaws.com" });
    estate.call("red", "iam", "create_service_linked_role", service);
    assert!(planned().len() == 3 && !planned().contains("AWSServiceRoleForAutoScaling"));
    estate.create("red");
    assert_eq!(linked(&estate, "red"), all);
    assert!(linked(&estate, "network").is_empty(), "the team's account alone");
    // They are their services', which may use them for what is not the team's.
    estate.delete("red").hides(&["service-linked"]);
    assert_eq!(linked(&estate, "red"), all);
    assert!(planned().is_empty());
    estate.team("red", "account_wide: false\ninterconnect: none\n");
    estate.create("red");
    estate.delete("red");
    estate.assert_as_before("service-linked roles");
}
