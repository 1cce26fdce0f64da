//! Teams: two operators at once, and who did what.
use crate::support::{Estate, Wire, endpoint};
use serde_json::{Value, json};

fn history(estate: &Estate) -> Vec<Value> {
    estate.overlord(&["history", "red", "-o", "json"]).ok().json().as_array().unwrap().clone()
}

#[test]
fn what_is_done_to_a_team_is_written_down() {
    let estate = Estate::new();
    estate.overlord(&["history", "red"]).fails(1).says(&["nothing was ever done"]);
    estate.create("red");
    estate.team("red", "tags: {cost-center: \"7\"}\n");
    estate.overlord(&["team", "plan", "red"]).ok();
    estate.overlord(&["team", "update", "red"]).ok();
    estate.overlord(&["team", "update", "blue"]).fails(1).says(&["does not exist"]);
    estate.delete("red");
    estate.assert_as_before("what is in the history");
    let runs = history(&estate);
    let told: Vec<_> = runs.iter().rev().map(|run| (&run["command"], &run["result"])).collect();
    let wanted = [
        ("overlord team create red", "done"),
        ("overlord team update red", "done"),
        ("overlord team delete red --delete-audit-logs --yes", "done"),
    ];
    assert_eq!(
        told,
        wanted.map(|(command, result)| (json!(command), json!(result))).iter().map(|(c, r)| (c, r)).collect::<Vec<_>>()
    );
    for run in &runs {
        assert!(run["who"].as_str().unwrap().starts_with("arn:aws:"), "{run}");
        assert!(!run["from"].as_str().unwrap().is_empty(), "{run}");
    }
    assert!(runs[2]["documents"]["organization"].as_str().unwrap().starts_with("organization: acme"));
    assert!(runs[0]["documents"].as_object().unwrap().is_empty(), "deleting goes by the record");
    assert!(runs[2]["changes"].as_array().unwrap().len() > 10, "{}", runs[2]);
    let diff = estate.overlord(&["history", "red", "--diff"]).ok();
    diff.says(&["+tags: {cost-center: \"7\"}", "organization: as before", "+team: red", "--- /dev/null"]);
    let refused = estate.overlord(&["history", "blue", "-o", "json"]).ok().json();
    assert_eq!(refused[0]["result"], "refused");
}

#[test]
fn two_operators_at_one_team() {
    let estate = Estate::new();
    let (wire, other) = (Wire::straight(endpoint()), Wire::straight(endpoint()));
    // Held up once it has the lease.
    let first = estate.start_held(&["team", "create", "red"], &wire, &["PutParameter", "/leases/"]);
    let lease = || {
        let names = json!({ "Names": ["/overlord/acme/leases/red"] });
        let found = estate.call("home", "ssm", "get_parameters", names);
        found["Parameters"].get(0).and_then(|p| p["Value"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    assert!(lease().contains("token"), "{}", lease());
    let refused = estate.overlord(&["team", "delete", "red", "--yes"]).fails(1);
    refused.says(&["team red is being worked on by arn:aws:", "overlord team create red", "--wait-lock"]);
    // Another team, and looking, are not held up.
    estate.overlord(&["team", "plan", "red"]).ok();
    estate.overlord(&["team", "list"]).ok();
    // It has seen who has the lease.
    let second = estate.start_held(&["team", "update", "red", "--wait-lock"], &other, &["/leases/"]);
    other.go_on();
    wire.go_on();
    first.wait().ok();
    second.wait().ok().says(&["is being worked on by", "nothing to change"]);
    assert!(lease().contains("free"), "{}", lease());
    estate.delete("red");
    assert_eq!(lease(), "");
    estate.assert_as_before("two operators at one team");
}
