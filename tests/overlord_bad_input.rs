//! Files and words that are wrong: a clear error, the right exit code, and nothing changed.
use crate::support::Estate;
use std::time::Duration;

/// The defaults of the tests' organizations.
const TEAMS: &str = "{regions: [eu-west-1], zones: 2, nat: none}";

#[test]
fn values_of_a_teams_file_are_refused_with_their_line() {
    let estate = Estate::new();
    for (lines, words) in [
        // That one AWS tells: which regions there are changes.
        ("regions: [eu-nowhere-1]\n", &["eu-nowhere-1", "region"][..]),
        ("regions: []\n", &["red.yaml", "region"]),
        ("regions: [eu-west-1, eu-west-1]\n", &["red.yaml", "eu-west-1"]),
        ("nat: per-zone\n", &["red.yaml", "3", "per-zone", "per-az"]),
        ("interconnect: mesh\n", &["red.yaml", "3", "mesh", "peering"]),
        ("zones: 9\n", &["red.yaml", "zones", "8"]),
        ("zones: 0\n", &["red.yaml", "zones"]),
        ("zoness: 3\n", &["red.yaml", "3", "zoness", "did you mean", "zones"]),
        ("network_size: 24\n", &["red.yaml", "24", "21"]),
        ("network_size: 8\n", &["red.yaml", "8", "16"]),
        ("domains: [example.com]\n", &["red.yaml", "example.com", "example.org"]),
        ("flow_logs_days: 31\n", &["red.yaml", "31"]),
        ("vpn: {gateway: 10.1.2.300, routes: [10.15.0.0/16]}\n", &["red.yaml", "3"]),
        ("identity: {session_hours: 13}\n", &["red.yaml", "13", "12"]),
        ("identity: {saml_metadata: missing.xml}\n", &["missing.xml"]),
        ("identity: {account_alias: Not_An_Alias}\n", &["Not_An_Alias"]),
        ("tags: {\"aws:mine\": no}\n", &["aws:"]),
        ("tags: {\"overlord:team\": blue}\n", &["overlord:team"]),
        ("nat: single\nnat: none\n", &["red.yaml", "4", "nat"]),
        ("peers: [10.15.0.0]\n", &["red.yaml", "3"]),
    ] {
        estate.team("red", lines);
        for command in [&["team", "plan", "red"][..], &["team", "create", "red"]] {
            let run = estate.overlord(command).fails(2).says(words);
            assert!(run.took < Duration::from_secs(10), "{lines} took {:?}", run.took);
        }
    }
    estate.assert_as_before("bad team files");
}

#[test]
fn zones_that_a_region_does_not_have() {
    let estate = Estate::new();
    estate.team("red", "zones: 8\n");
    estate.overlord(&["team", "create", "red"]).fails(2).says(&["8", "3", "eu-west-1"]);
    estate.assert_as_before("zones that are not there");
}

#[test]
fn accounts_of_a_teams_file() {
    let estate = Estate::new();
    for (account, words) in [
        ("12345", &["12345", "quotes"][..]),
        ("123456789012", &["quotes"]),
        ("\"the usual\"", &["the usual"]),
        ("new", &["red.yaml", "`new`", "overlord.yaml"]),
    ] {
        estate.shell().file("teams/red.yaml", format!("team: red\naccount: {account}\n"));
        estate.overlord(&["team", "create", "red"]).fails_somehow().says(words);
    }
    estate.assert_as_before("accounts that are none");
}

#[test]
fn pools_that_cannot_be() {
    let estate = Estate::new();
    for (addresses, words) in [
        ("{pool: []}", &["overlord.yaml", "pool"][..]),
        ("{pool: [10.0.0.0/12, 10.1.0.0/16]}", &["overlord.yaml", "10.1.0.0/16", "10.0.0.0/12"]),
        ("{pool: [10.0.0.1/12]}", &["overlord.yaml", "10.0.0.1/12"]),
        ("{pool: [10.0.0.0/24]}", &["overlord.yaml", "10.0.0.0/24", "19"]),
        ("{pool: [10.0.0.0/33]}", &["overlord.yaml", "2"]),
        ("{pool: [10.0.0.0/12], network: 22}", &["overlord.yaml", "22", "21"]),
        ("{pool: [127.0.0.0/8]}", &["overlord.yaml", "127.0.0.0/8"]),
        ("{pol: [10.0.0.0/12]}", &["overlord.yaml", "2", "pol", "did you mean", "pool"]),
    ] {
        estate.organization_with(addresses, TEAMS, "");
        for command in [&["team", "plan", "red"][..], &["check"], &["addresses"]] {
            estate.overlord(command).fails(2).says(words);
        }
    }
    estate.assert_as_before("bad pools");
}

#[test]
fn a_pool_that_is_used_up() {
    let estate = Estate::new();
    estate.organization_with("{pool: [10.4.0.0/18], reserved: [10.4.0.0/19]}", TEAMS, "");
    estate.create("red");
    let shown = estate.overlord(&["team", "show", "red", "-o", "json"]).ok().json();
    assert_eq!(shown[0]["network"], "10.4.32.0/19");
    let before = estate.inventory();
    estate.overlord(&["team", "create", "blue"]).fails(1).says(&["pool", "/19", "overlord addresses"]);
    assert_eq!(estate.inventory(), before);
    // What a team gives back, another one gets.
    estate.delete("red");
    estate.create("blue");
    let shown = estate.overlord(&["team", "show", "blue", "-o", "json"]).ok().json();
    assert_eq!(shown[0]["network"], "10.4.32.0/19");
    estate.delete("blue");
    estate.assert_as_before("the last network of a pool");
}

#[test]
fn networks_that_are_there_already_are_not_given_out() {
    let mut estate = Estate::new();
    estate.organization_with("{pool: [10.4.0.0/18]}", TEAMS, "");
    let taken = serde_json::json!({ "CidrBlock": "10.4.0.0/20" });
    estate.call("red", "ec2", "create_vpc", taken);
    estate.remember();
    estate.create("red");
    let shown = estate.overlord(&["team", "show", "red", "-o", "json"]).ok().json();
    assert_eq!(shown[0]["network"], "10.4.32.0/19");
    estate.delete("red");
    estate.assert_as_before("a network beside somebody else's");
}

#[test]
fn files_that_are_not_there_or_contradict_each_other() {
    let estate = Estate::new();
    let file = estate.shell().home().join("teams/red.yaml").display().to_string();
    estate.overlord(&["team", "create", "blue", "-f", &file]).fails(2).says(&["red", "blue"]);
    estate.overlord(&["team", "create", "red", "-f", "missing.yaml"]).fails(2).says(&["missing.yaml"]);
    estate.overlord(&["--config", "missing.yaml", "team", "plan", "red"]).fails(2).says(&["missing.yaml"]);
    estate.shell().file("teams/again.yaml", "team: red\n");
    estate.overlord(&["team", "plan", "red"]).fails(2).says(&["red", "again.yaml"]);
    std::fs::remove_file(estate.shell().home().join("teams/again.yaml")).unwrap();
    estate.shell().file("overlord.yaml", "organization: [\n");
    estate.overlord(&["check"]).fails(2).says(&["overlord.yaml"]);
    std::fs::remove_file(estate.shell().home().join("overlord.yaml")).unwrap();
    estate.overlord(&["check"]).fails(2).says(&["overlord.yaml", "--config"]);
    estate.assert_as_before("files that are not there");
}

#[test]
fn the_file_is_found_upwards_or_named() {
    let mut estate = Estate::new();
    let below = estate.shell().home().join("teams/deeper");
    std::fs::create_dir_all(&below).unwrap();
    let mut command = estate.shell().command("overlord", &["team", "list", "-o", "json"]);
    command.current_dir(&below);
    let run = crate::support::Running::start(command).wait().ok();
    assert_eq!(run.json().as_array().unwrap().len(), 2);
    let moved = estate.shell().home().join("elsewhere.yaml");
    std::fs::rename(estate.shell().home().join("overlord.yaml"), &moved).unwrap();
    estate.overlord(&["--config", "elsewhere.yaml", "team", "list"]).ok();
    estate.set("OVERLORD_CONFIG", Some(moved.to_str().unwrap()));
    estate.overlord(&["team", "list"]).ok();
}

#[test]
fn names_and_words() {
    let estate = Estate::new();
    for name in ["UPPER", "-dash", "a_b", "", "a--b", &"a".repeat(33)] {
        estate.overlord(&["team", "plan", name]).fails(2);
    }
    for command in
        [&["nonsense"][..], &["team", "nonsense"], &["team", "create"], &["team", "import", "red"], &["--no"]]
    {
        estate.overlord(command).fails(2);
    }
    for command in [&["team", "show", "green"][..], &["team", "delete", "green", "--yes"], &["team", "update", "green"]]
    {
        estate.overlord(command).fails(1).says(&["green"]);
    }
    estate.overlord(&["check", "green"]).fails(1).says(&["green"]);
    estate.overlord(&["diagram", "red", "--format", "png"]).fails(2).says(&["png", "svg"]);
    estate.assert_as_before("words that are none");
}

#[test]
fn deleting_asks_and_without_a_terminal_names_the_flag() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.inventory();
    estate.overlord(&["team", "delete", "red"]).exits(2).says(&["--yes"]);
    assert_eq!(estate.inventory(), before);
    let plan = estate.overlord(&["team", "delete", "red", "--dry-run", "--detailed-exitcode"]).exits(5);
    assert!(plan.stdout.contains("- delete"), "{}", plan.stdout);
    assert_eq!(estate.inventory(), before);
    estate.delete("red");
    estate.assert_as_before("a question");
}

/// With another `home` every team would seem to be new, and every address free.
#[test]
fn records_that_are_looked_for_elsewhere() {
    let estate = Estate::new();
    estate.create("red");
    let before = estate.inventory();
    let file = estate.shell().home().join("overlord.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("region: eu-west-1}", "region: eu-central-1}")).unwrap();
    for command in ["create", "plan"] {
        estate.overlord(&["team", command, "red"]).fails(1).says(&["no record", "accounts.home"]);
    }
    assert_eq!(estate.inventory(), before, "something was made a second time");
    std::fs::write(&file, text.replace(", region: eu-west-1}", "}")).unwrap();
    estate.overlord(&["team", "list"]).fails(2).says(&["home: {region:"]);
    std::fs::write(&file, text).unwrap();
    estate.unchanged("red");
    estate.delete("red");
    estate.assert_as_before("records that were looked for elsewhere");
}
