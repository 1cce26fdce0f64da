//! Two operators at once: one works, the other is told who, and waits or goes away.
use crate::support::{Run, Running, Stage, Wire, endpoint};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

fn parameter(stage: &Stage) -> String {
    format!("/minion/{}/leases/hello", stage.word("vpc"))
}

/// What the lease says; nothing when there is none.
fn lease(stage: &Stage) -> Option<Value> {
    let found = stage.call("ssm", "get_parameters", json!({ "Names": [parameter(stage)] }));
    let value = found["Parameters"].get(0)?["Value"].as_str()?.to_owned();
    Some(serde_json::from_str(&value).unwrap())
}

fn is_free(stage: &Stage) -> bool {
    lease(stage).is_none_or(|lease| lease["free"] == true)
}

fn time(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let time = i64::try_from(now).unwrap() + seconds;
    // Days since 1970 to a date, after Howard Hinnant.
    let (days, rest) = (time.div_euclid(86_400) + 719_468, time.rem_euclid(86_400));
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Somebody on another computer has the lease, for so many seconds yet.
fn held(stage: &Stage, seconds: i64) {
    let record = json!({
        "token": "theirs", "owner": "arn:aws:iam::123456789012:user/berta", "host": "berta@elsewhere",
        "command": "minion versions scale hello 1.0 9", "taken": time(seconds - 120), "expires": time(seconds),
    });
    let arguments = json!({
        "Name": parameter(stage), "Value": record.to_string(), "Type": "String", "Overwrite": true,
    });
    stage.call("ssm", "put_parameter", arguments);
}

fn let_go(stage: &Stage) {
    stage.call("ssm", "delete_parameter", json!({ "Name": parameter(stage) }));
}

/// Starts a command, and holds it up once it has the lease: until the wire lets it go on.
fn at_work(stage: &Stage, wire: &Wire, arguments: &[&str]) -> Running {
    let running = stage.start_held(arguments, wire, &["PutParameter", "/leases/"]);
    assert!(!is_free(stage), "it goes on without the lease");
    running
}

const HELD: [&str; 4] =
    ["application hello is being worked on", "berta@elsewhere", "versions scale hello 1.0 9", "--wait-lock"];

#[test]
fn whoever_is_second_is_told_who_is_first() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    stage.application(&manifest);
    stage.version("hello", "1.0");
    assert!(is_free(&stage));
    held(&stage, 110);
    let image = stage.image("hello-world:0.1");
    let before = stage.inventory();
    for command in [
        &["app", "create", &manifest][..],
        &["app", "update", &manifest],
        &["app", "delete", "hello", "--cascade", "--yes"],
        &["ver", "create", "hello", "2.0", &image],
        &["ver", "scale", "hello", "1.0", "3"],
        &["ver", "delete", "hello", "1.0", "--yes"],
        &["traffic", "hello", "1.0", "100"],
    ] {
        let run = stage.minion(command).fails(1).says(&HELD);
        assert!(run.took < Duration::from_secs(20), "it waits although nobody asked for it: {run:?}");
    }
    assert_eq!(stage.inventory(), before);
    // Who only looks needs no lease.
    for command in [
        &["app"][..],
        &["app", "show", "hello"],
        &["app", "update", &manifest, "--dry-run"],
        &["ver"],
        &["ver", "create", "hello", "2.0", &image, "--dry-run"],
        &["ver", "scale", "hello", "1.0", "3", "--dry-run"],
        &["ver", "delete", "hello", "1.0", "--dry-run"],
        &["traffic", "hello"],
        &["traffic", "hello", "1.0", "100", "--dry-run"],
        &["instances", "hello"],
        &["history", "hello"],
    ] {
        stage.minion(command).ok();
    }
    assert_eq!(lease(&stage).unwrap()["token"], "theirs");
    // Another application is nobody's business.
    stage.application(&stage.manifest("other", ""));
    let_go(&stage);
    stage.minion(&["app", "delete", "other", "--yes"]).ok();
    stage.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
    stage.assert_as_before("two operators");
}

#[test]
fn waiting_for_whoever_is_first() {
    let stage = Stage::new();
    let wire = Wire::straight(endpoint());
    let manifest = stage.manifest("hello", "");
    stage.application(&manifest);
    held(&stage, 110);
    let late = stage.minion(&["app", "update", &manifest, "--wait-lock=1s"]).fails(1);
    late.says(&["waited 1 second for application hello", "berta@elsewhere", "--wait-lock=30m"]);
    // It has seen who has the lease, and looks again.
    let waiting = stage.start_held(&["app", "update", &manifest, "--wait-lock"], &wire, &["/leases/"]);
    let_go(&stage);
    wire.go_on();
    waiting.wait().ok().says(&[
        "is being worked on by",
        "berta@elsewhere",
        "Waiting for the lease",
        "nothing to change",
    ]);
    // Interrupted while it waits: nothing was begun.
    held(&stage, 110);
    let wait = ["app", "delete", "hello", "--yes", "--wait-lock=50s"];
    let waiting = stage.start_held(&wait, &wire, &["/leases/"]);
    wire.go_on();
    waiting.interrupt();
    waiting.wait().exits(130).says(&["nothing was begun"]);
    assert_eq!(lease(&stage).unwrap()["token"], "theirs");
    // It ran out a while ago: whoever had it is gone.
    held(&stage, -40);
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("a lease that ran out");
}

#[test]
fn two_operators_at_once() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let (wire, other) = (Wire::straight(endpoint()), Wire::straight(endpoint()));
    let first = at_work(&stage, &wire, &["app", "create", &manifest]);
    let refused = stage.minion(&["app", "create", &manifest]).fails(1);
    refused.says(&["application hello is being worked on by arn:aws:", "minion app create", "--wait-lock"]);
    // It has seen who has the lease.
    let wait = ["app", "create", &manifest, "--wait-lock"];
    let second = stage.start_held(&wait, &other, &["/leases/"]);
    other.go_on();
    wire.go_on();
    first.wait().ok();
    second.wait().ok().says(&["exists already", "nothing to change"]);
    assert!(is_free(&stage));

    // The first one is interrupted: it finishes what is in flight, and lets go.
    let changed = stage.file("changed.yaml", "application_name: hello\nteam_name: team\nexposed_ports: [9090]\n");
    let first = at_work(&stage, &wire, &["app", "update", &changed]);
    let wait = ["app", "update", &changed, "--wait-lock"];
    let second = stage.start_held(&wait, &other, &["/leases/"]);
    other.go_on();
    first.interrupt();
    wire.go_on();
    let run = first.wait();
    assert!(matches!(run.code, Some(0 | 130)), "{run:?}");
    second.wait().ok();
    assert!(is_free(&stage));
    stage.minion(&["app", "update", &changed, "--dry-run", "--detailed-exitcode"]).ok();
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("two operators at once");
}

/// A killed command can be repeated at once, on the computer where it was killed.
#[test]
fn a_killed_command_holds_nobody_up() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let wire = Wire::straight(endpoint());
    let first = at_work(&stage, &wire, &["app", "create", &manifest]);
    first.kill();
    let killed: Run = first.wait();
    assert_eq!(killed.code, None, "{killed:?}");
    wire.go_on();
    assert!(!is_free(&stage));
    let run = stage.minion(&["app", "create", &manifest]).ok();
    assert!(run.took < Duration::from_secs(30), "{run:?}");
    // Interrupted twice is as good as killed.
    let mut first = at_work(&stage, &wire, &["app", "delete", "hello", "--yes"]);
    // Two signals may be one on a busy computer.
    while !first.has_ended() {
        first.interrupt();
        thread::sleep(Duration::from_millis(100));
    }
    let run = first.wait();
    assert!(matches!(run.code, Some(0 | 130)), "{run:?}");
    wire.go_on();
    let run = stage.minion(&["app", "delete", "hello", "--yes"]);
    assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
    stage.assert_as_before("killed commands, and what came after them");
}

#[test]
fn what_is_not_there_leaves_no_lease() {
    let stage = Stage::new();
    stage.minion(&["ver", "scale", "nothing", "1.0", "2"]).fails(1).says(&["nothing"]);
    stage.minion(&["app", "delete", "nothing", "--yes"]).fails(1).says(&["does not exist"]);
    stage.minion(&["ver", "create", "nothing", "1.0", &stage.image("hello-world:0.1")]).fails(1);
    stage.assert_as_before("commands about nothing");
}
