//! Who did what, when, from where, and how it ended: written whatever becomes of a command.
use crate::support::{Stage, Wire, endpoint, refusing};
use serde_json::{Value, json};

fn history(stage: &Stage, more: &[&str]) -> Vec<Value> {
    let arguments = [&["history", "hello", "-o", "json"], more].concat();
    stage.minion(&arguments).ok().json().as_array().unwrap().clone()
}

fn of(run: &Value, field: &str) -> String {
    run[field].as_str().unwrap_or_default().to_owned()
}

#[test]
fn everything_that_is_done_is_written_down() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    stage.minion(&["history", "hello"]).fails(1).says(&["nothing was ever done"]);
    stage.application(&manifest);
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image, "-e", "PASSWORD=hunter2", "--env=OTHER=hunter2"];
    stage.minion(&create).ok();
    stage.minion(&["ver", "create", "hello", "2.0", &stage.image("no-such-image:1")]).fails(1);
    stage.minion(&["app", "delete", "hello", "--yes"]).fails(1).says(&["has versions"]);
    stage.manifest("hello", "instance_type: t3.large\n");
    stage.minion(&["app", "update", &manifest]).ok();
    stage.minion(&["app", "update", &manifest, "--dry-run"]).ok();
    stage.minion(&["ver", "scale", "hello", "1.0", "3"]).ok();
    stage.minion(&["traffic", "hello", "1.0", "100"]).ok();
    stage.minion(&["traffic", "hello"]).ok();
    stage.minion(&["app", "delete", "hello", "--cascade", "--yes"]).ok();
    stage.assert_as_before("all that is in the history");

    let runs = history(&stage, &[]);
    let told: Vec<_> = runs.iter().rev().map(|run| (of(run, "command"), of(run, "result"))).collect();
    let told: Vec<_> = told.iter().map(|(command, result)| (command.as_str(), result.as_str())).collect();
    let create = format!("minion ver create hello 1.0 {image} -e PASSWORD=... --env=OTHER=...");
    let other = format!("minion ver create hello 2.0 {}", stage.image("no-such-image:1"));
    let (made, changed) = (format!("minion applications create {manifest}"), format!("minion app update {manifest}"));
    assert_eq!(told[..2].to_vec(), [(made.as_str(), "done"), (create.as_str(), "done")],);
    assert!(told[2].0 == other && told[2].1 != "done", "{told:?}");
    assert_eq!(
        told[3..].to_vec(),
        [
            ("minion app delete hello --yes", "refused"),
            (changed.as_str(), "done"),
            ("minion ver scale hello 1.0 3", "done"),
            ("minion traffic hello 1.0 100", "done"),
            ("minion app delete hello --cascade --yes", "done"),
        ]
    );
    for run in &runs {
        assert!(of(run, "who").starts_with("arn:aws:"), "{run}");
        assert!(!of(run, "from").is_empty() && of(run, "tool").starts_with("minion "), "{run}");
        assert!(of(run, "time") <= of(run, "end"), "{run}");
    }
    assert!(runs[4]["error"].as_str().unwrap().contains("has versions"), "{}", runs[4]);
    assert!(runs[2]["changes"][0].as_str().unwrap().contains("desired: "), "{}", runs[2]);
    assert_eq!(runs[3]["documents"]["manifest"].as_str().unwrap().lines().last().unwrap(), "instance_type: t3.large");
    assert!(runs[2]["documents"].as_object().unwrap().is_empty());
    let all = stage.minion(&["history", "hello", "--diff"]).ok();
    all.says(&["+instance_type: t3.large", "--- /dev/null", "+application_name: hello"]).hides(&["hunter2"]);
    // Fewer, and still with what the manifest was before.
    let one = stage.minion(&["history", "hello", "--diff", "-n", "4"]).ok();
    let one = one.says(&["+instance_type: t3.large"]).hides(&["/dev/null"]);
    assert_eq!(one.stdout.matches("minion app update").count(), 1);
    assert_eq!(history(&stage, &["-n", "2"]).len(), 2);
    stage.minion(&["history", "hello"]).ok().says(&["When (UTC)", "refused: ", "minion ver scale hello 1.0 3"]);
    // Nothing secret in what was stored, either.
    let group = format!("/minion/{}/history", stage.word("vpc"));
    let stored = stage.call("logs", "get_log_events", json!({ "logGroupName": group, "logStreamName": "hello" }));
    assert!(!stored.to_string().contains("hunter2"));
}

#[test]
fn what_does_not_end_well_is_written_down_too() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let wire = Wire::straight(endpoint());
    // Held up at its first change, before which it has written down that it begins.
    let killed = stage.start_held(&["app", "create", &manifest], &wire, &["Action=Create"]);
    killed.kill();
    killed.wait();
    wire.go_on();
    let runs = history(&stage, &[]);
    assert_eq!((runs.len(), &runs[0]["result"], &runs[0]["end"]), (1, &Value::Null, &Value::Null), "{runs:?}");
    stage.minion(&["history", "hello"]).ok().says(&["no end"]);
    stage.application(&manifest);

    let interrupted = stage.start_held(&["app", "delete", "hello", "--yes"], &wire, &["Action=Delete"]);
    interrupted.interrupt();
    wire.go_on();
    let code = interrupted.wait().code;
    let runs = history(&stage, &[]);
    let wanted = if code == Some(130) { ("interrupted", 130) } else { ("done", 0) };
    assert_eq!((of(&runs[0], "result").as_str(), runs[0]["exit"].as_i64().unwrap()), wanted, "{runs:?}");
}

#[test]
fn a_history_that_cannot_be_written_keeps_nobody_from_working() {
    let mut stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let denied = ("AccessDeniedException", "not authorized to perform: logs:PutLogEvents");
    let wire = refusing(endpoint(), &[], move |request| request.is("PutLogEvents").then_some(denied));
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let run = stage.minion(&["app", "create", &manifest]).ok();
    assert_eq!(run.stderr.matches("not written into the history").count(), 1, "{run:?}");
    stage.set("AWS_ENDPOINT_URL", Some(endpoint()));
    stage.minion(&["history", "hello"]).fails(1);
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("commands without a history");
}
