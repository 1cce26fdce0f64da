//! Which zones a team's network spans, and which addresses it gets: by what the account and the region have.
use crate::support::{Estate, Request, endpoint, refusing};
use serde_json::json;

fn organization(estate: &Estate, region: &str, pool: &str, teams: &str) {
    let home = estate.number("home");
    let text = format!(
        "organization: acme\naddresses: {{pool: [{pool}]}}\naccounts: {{home: {{account: \"{home}\", region: {region}}}}}\n\
         teams: {{{teams}, interconnect: none}}\n"
    );
    estate.shell().file("overlord.yaml", text);
}

/// The letters of the zones that a plan has public subnets in. In the emulator's us-east-1, `e` is `use1-az3`, which has
/// neither t3.small nor t4g.nano; by ID the zones are b, c, e, d, f, a.
fn letters(plan: &str) -> String {
    let mut found: Vec<char> = plan.split("public-us-east-1").skip(1).filter_map(|rest| rest.chars().next()).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().collect()
}

#[test]
fn zones_without_the_instance_types_are_left_out() {
    let estate = Estate::empty(&["home"]);
    for (teams, wanted) in [
        ("zones: 3, nat: instance", "bcd"),
        ("zones: 2, nat: instance", "bc"),
        ("zones: 3, nat: none", "bcd"),
        ("zones: 5, nat: single", "abcdf"),
        ("zones: 1, nat: per-az", "b"),
        // Those that are named are taken as they are.
        ("zones: [use1-az4, use1-az6], nat: instance", "ad"),
        ("zones: [use1-az3, use1-az1], nat: none", "be"),
    ] {
        organization(&estate, "us-east-1", "10.64.0.0/12", teams);
        let plan = estate.overlord(&["team", "plan", "red"]).ok();
        assert_eq!(letters(&plan.stdout), wanted, "{teams}: {}", plan.stdout);
    }
    for (teams, words) in [
        ("zones: 3, nat: instance", &["Skipped zones", "use1-az3", "t3.small", "t4g.nano"][..]),
        ("zones: [use1-az3, use1-az1], nat: single", &["use1-az3 does not offer t3.small", "instance_type"]),
    ] {
        organization(&estate, "us-east-1", "10.64.0.0/12", teams);
        estate.overlord(&["team", "plan", "red"]).ok().says(words);
    }
    for (teams, words) in [
        ("zones: 6, nat: none", &["6 zones", "us-east-1 has 5", "use1-az3"][..]),
        ("zones: [use1-az3, use1-az4], nat: instance", &["use1-az3", "t4g.nano", "nat: single"]),
        ("zones: [use1-az1, use1-az7], nat: none", &["use1-az7", "use1-az6", "describe-availability-zones"]),
        ("zones: [use1-az1, euw1-az1], nat: none", &["euw1-az1", "us-east-1"]),
        ("zones: [euw1-az1], nat: none", &["us-east-1", "use1-az1"]),
        ("zones: [us-east-1a], nat: none", &["overlord.yaml, line 4", "us-east-1a", "use1-az1"]),
        ("zones: [], nat: none", &["overlord.yaml, line 4", "zones"]),
    ] {
        organization(&estate, "us-east-1", "10.64.0.0/12", teams);
        for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
            estate.overlord(command).fails(2).says(words);
        }
    }
    estate.assert_as_before("zones that are none");
}

/// Nothing is known of the zones then, which is told: instances may not start in one of them.
#[test]
fn without_the_permission_all_zones_are_taken() {
    let mut estate = Estate::empty(&["home"]);
    organization(&estate, "us-east-1", "10.64.0.0/12", "zones: 3, nat: instance");
    let denied = ("UnauthorizedOperation", "You are not authorized to perform this operation.");
    let wire = refusing(endpoint(), &[], move |request: &Request<'_>| {
        request.is("DescribeInstanceTypeOfferings").then_some(denied)
    });
    estate.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let plan = estate.overlord(&["team", "plan", "red"]).ok();
    let plan = plan.says(&[
        "Warning",
        "Could not check",
        "us-east-1",
        "t3.small and t4g.nano",
        "ec2:DescribeInstanceTypeOfferings",
    ]);
    assert_eq!(letters(&plan.stdout), "bce", "{}", plan.stdout);
}

#[test]
fn a_team_keeps_its_zones() {
    let estate = Estate::empty(&["home"]);
    organization(&estate, "us-east-1", "10.64.0.0/12", "zones: [use1-az3, use1-az1], nat: none");
    estate.create("red");
    // By number, those that it has count.
    organization(&estate, "us-east-1", "10.64.0.0/12", "zones: 2, nat: none");
    estate.unchanged("red");
    organization(&estate, "us-east-1", "10.64.0.0/12", "zones: 4, nat: none");
    let plan = estate.overlord(&["team", "plan", "red"]).ok();
    assert_eq!(letters(&plan.stdout), "cd", "{}", plan.stdout);
    organization(&estate, "us-east-1", "10.64.0.0/12", "zones: [use1-az1, use1-az2], nat: none");
    estate.overlord(&["team", "update", "red"]).fails(1).says(&["use1-az3", "but not removed"]);
    organization(&estate, "us-east-1", "10.64.0.0/12", "zones: [use1-az1, use1-az2, use1-az3], nat: none");
    estate.overlord(&["team", "update", "red"]).ok();
    let shown = estate.overlord(&["team", "show", "red", "-o", "json"]).ok().json();
    let ids: Vec<&str> = shown.as_array().unwrap().iter().map(|row| row["zone_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["use1-az1", "use1-az3", "use1-az2"], "what was there keeps its slot");
    estate.delete("red");
}

#[test]
fn zones_of_two_regions() {
    let estate = Estate::empty(&["home"]);
    let teams = "regions: [eu-west-1, us-east-1], zones: [use1-az4, euw1-az3, euw1-az1], nat: none";
    organization(&estate, "eu-west-1", "10.64.0.0/12", teams);
    let plan = estate.overlord(&["team", "plan", "red"]).ok();
    assert_eq!(letters(&plan.stdout), "d", "{}", plan.stdout);
    for zone in ["public-eu-west-1a", "public-eu-west-1b"] {
        assert!(plan.stdout.contains(zone), "{}", plan.stdout);
    }
    assert!(!plan.stdout.contains("public-eu-west-1c"), "{}", plan.stdout);
    organization(&estate, "eu-west-1", "10.64.0.0/12", &teams.replace("use1-az4", "usw2-az4"));
    estate.overlord(&["team", "plan", "red"]).fails(2).says(&["us-east-1"]);
}

const TEAMS: &str = "regions: [eu-west-1], zones: 2, nat: none";

#[test]
fn a_default_vpc_is_not_given_out() {
    let mut estate = Estate::empty(&["home"]);
    let first = |estate: &Estate, pool: &str, wanted: &str| {
        organization(estate, "eu-west-1", pool, TEAMS);
        estate.overlord(&["team", "plan", "red"]).ok().says(&[&format!("{wanted} in eu-west-1")]);
    };
    // Where there is none, its addresses are as good as any.
    first(&estate, "172.31.0.0/16", "172.31.0.0/19");
    estate.call("home", "ec2", "create_default_vpc", json!({}));
    estate.remember();
    for pool in ["172.31.0.0/16", "172.31.128.0/17", "172.31.0.0/18, 172.31.192.0/18"] {
        organization(&estate, "eu-west-1", pool, TEAMS);
        for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
            estate.overlord(command).fails(1).says(&["no free /19", "overlord addresses"]);
        }
    }
    for (pool, wanted) in [
        ("10.64.0.0/12", "10.64.0.0/19"),
        ("172.31.0.0/16, 10.9.0.0/16", "10.9.0.0/19"),
        ("172.30.0.0/15", "172.30.0.0/19"),
        ("172.16.0.0/12", "172.16.0.0/19"),
        // Docker's own network, on every instance.
        ("172.17.0.0/16, 10.9.0.0/16", "10.9.0.0/19"),
        ("172.17.0.0/16, 172.18.0.0/16", "172.18.0.0/19"),
    ] {
        first(&estate, pool, wanted);
    }
    organization(&estate, "eu-west-1", "172.17.0.0/16", TEAMS);
    estate.overlord(&["team", "create", "red"]).fails(1).says(&["no free /19", "Docker"]);
    estate.assert_as_before("networks that are not given out");
}

/// A team's network reaches all of its account: no VPC in any of its regions has the same addresses.
#[test]
fn networks_of_the_other_regions_are_not_given_out() {
    let mut estate = Estate::empty(&["home", "network"]);
    let file = |estate: &Estate, pool: &str| {
        let (home, network) = (estate.number("home"), estate.number("network"));
        let text = format!(
            "organization: acme\naddresses: {{pool: [{pool}]}}\naccounts:\n  home: {{account: \"{home}\", region: eu-west-1}}\n  \
             network: {{account: \"{network}\", role: OrganizationAccountAccessRole}}\n\
             teams: {{regions: [eu-west-1, eu-central-1], zones: 1, nat: none, interconnect: none}}\n"
        );
        estate.shell().file("overlord.yaml", text);
    };
    estate.call_in("home", "eu-central-1", "ec2", "create_vpc", json!({ "CidrBlock": "10.9.0.0/20" }));
    estate.call("network", "ec2", "create_default_vpc", json!({}));
    estate.remember();
    file(&estate, "172.31.0.0/16");
    estate.overlord(&["team", "plan", "red"]).fails(1).says(&["no free /19"]);
    file(&estate, "10.9.0.0/18");
    estate.overlord(&["team", "plan", "red"]).fails(1).says(&["no free /19"]);
    file(&estate, "10.9.0.0/17");
    let words = ["10.9.32.0/19 in eu-west-1", "10.9.64.0/19 in eu-central-1"];
    estate.overlord(&["team", "plan", "red"]).ok().says(&words);
    // A team that has its networks keeps them, whatever comes beside them.
    estate.create("red");
    let beside = estate.call("home", "ec2", "create_vpc", json!({ "CidrBlock": "172.31.0.0/16" }));
    file(&estate, "10.9.0.0/17, 172.31.0.0/16");
    estate.unchanged("red");
    estate.call("home", "ec2", "delete_vpc", json!({ "VpcId": beside["Vpc"]["VpcId"] }));
    estate.delete("red");
}
