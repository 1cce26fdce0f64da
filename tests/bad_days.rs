//! Days on which AWS, the network or the operator does not play along.
use crate::support::{Running, Stage, Wire};
use std::time::Duration;

#[test]
fn no_credentials() {
    let mut stage = Stage::new();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        stage.set(name, None);
    }
    let run = stage.minion(&["app"]).fails(1).says(&["credentials"]);
    assert!(run.took < Duration::from_secs(15), "{:?}", run.took);
}

#[test]
fn expired_credentials() {
    let mut stage = Stage::new();
    let wire = Wire::expired_token();
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    for command in [&["app"][..], &["ver"], &["instances"]] {
        let run = stage.minion(command).fails(1).says(&["expired"]);
        assert!(run.took < Duration::from_secs(15), "retried what never gets better: {:?}", run.took);
    }
}

#[test]
fn an_endpoint_that_nobody_listens_at() {
    let mut stage = Stage::new();
    stage.set("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1"));
    stage.minion(&["app"]).fails(1);
}

#[test]
fn ctrl_c_at_any_moment_and_then_the_same_command() {
    let mut stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let image = stage.image("hello-world:0.1");
    let endpoint = crate::support::endpoint();
    let wire = Wire::slow(endpoint, Duration::from_millis(150));
    let create = ["ver", "create", "hello", "1.0", image.as_str()];
    for wait in [20, 250, 500, 750, 1000, 1500] {
        stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
        interrupt(&stage, &["app", "create", &manifest], wait);
        stage.set("AWS_ENDPOINT_URL", Some(endpoint));
        stage.minion(&["app", "create", &manifest]).ok();

        stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
        interrupt(&stage, &create, wait);
        stage.set("AWS_ENDPOINT_URL", Some(endpoint));
        stage.minion(&create).ok();
        stage.minion(&["app", "create", &manifest, "--dry-run", "--detailed-exitcode"]).ok();

        stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
        interrupt(&stage, &["app", "delete", "hello", "--cascade", "--yes"], wait);
        stage.set("AWS_ENDPOINT_URL", Some(endpoint));
        let run = stage.minion(&["app", "delete", "hello", "--cascade", "--yes"]);
        // The interrupted one may have come to its end.
        assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
        stage.assert_as_before("interrupted commands and what finished them");
    }
}

/// Starts a command and interrupts it after so many milliseconds: it ends as interrupted, unless it
/// was quicker.
fn interrupt(stage: &Stage, arguments: &[&str], wait: u64) {
    let running = Running::start(stage.command(arguments));
    std::thread::sleep(Duration::from_millis(wait));
    running.interrupt();
    let run = running.wait();
    // On a busy computer it may come before anybody listens: that ends it, too.
    let at_once = run.code.is_none() && run.stderr.is_empty();
    assert!(at_once || matches!(run.code, Some(0 | 130)), "{run:?}");
    assert!(!run.stderr.contains("panicked"), "{run:?}");
}

#[test]
fn a_connection_that_dies_on_the_way_and_then_the_same_command() {
    let mut stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let endpoint = crate::support::endpoint();
    for pieces in [1, 4, 8, 12] {
        let wire = Wire::cut_after(endpoint, pieces);
        stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
        let run = stage.minion(&["app", "create", &manifest]);
        assert!(matches!(run.code, Some(1 | 4)) || (wire.pieces() < pieces && run.code == Some(0)), "{run:?}");
        stage.set("AWS_ENDPOINT_URL", Some(endpoint));
        stage.minion(&["app", "create", &manifest]).ok();
        stage.minion(&["app", "create", &manifest, "--dry-run", "--detailed-exitcode"]).ok();
        stage.minion(&["app", "delete", "hello", "--yes"]).ok();
        stage.assert_as_before("a create that was cut off and its repair");
    }
}
