//! Ctrl-C while a call hangs: the first lets finish what writes, and waits for nothing that only reads; the second stops
//! at once, and says what may have happened.
use crate::support::{Request, Run, Stage, Wire, endpoint, refusing};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Whoever waits for the call has not heeded the interrupt.
const HANGS: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_secs(8);

/// A wire on which calls that `which` names take so long, and whether one is on its way.
fn slow(which: fn(&Request<'_>) -> bool, time: Duration) -> (Wire, Arc<AtomicBool>) {
    let begun = Arc::new(AtomicBool::new(false));
    let seen = begun.clone();
    let wire = refusing(endpoint(), &[], move |request| {
        if which(request) {
            seen.store(true, Ordering::SeqCst);
            thread::sleep(time);
        }
        None
    });
    (wire, begun)
}

fn changes_records(request: &Request<'_>) -> bool {
    request.service == "route53" && request.text.starts_with("POST") && request.text.contains("/rrset")
}
fn lists_groups(request: &Request<'_>) -> bool {
    request.is("DescribeAutoScalingGroups")
}

/// Runs a command and interrupts it so many times once the call is on its way.
fn interrupted(
    stage: &mut Stage,
    arguments: &[&str],
    which: fn(&Request<'_>) -> bool,
    hangs: Duration,
    times: u32,
) -> Run {
    let (wire, begun) = slow(which, hangs);
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let running = stage.start(arguments);
    let began = Instant::now();
    while !begun.load(Ordering::SeqCst) && began.elapsed() < HANGS {
        thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..times {
        running.interrupt();
        thread::sleep(Duration::from_millis(200));
    }
    let run = running.wait();
    stage.set("AWS_ENDPOINT_URL", Some(endpoint()));
    run
}

fn stage() -> Stage {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    stage.version("hello", "1.0");
    stage
}

#[test]
fn reading_is_not_waited_for() {
    let mut stage = stage();
    for arguments in [
        &["ver", "scale", "hello", "1.0", "2"][..],
        &["traffic", "hello", "1.0", "100"],
        &["traffic", "hello"],
        &["versions"],
        &["ver", "delete", "hello", "1.0", "--yes"],
    ] {
        let run = interrupted(&mut stage, arguments, lists_groups, HANGS, 1).exits(130);
        assert!(run.took < SOON, "{run:?}");
        run.says(&["nothing was in flight", "same command again"]);
    }
    // Nothing was begun, and nothing is in the way of the same command.
    assert!(stage.records("hello.team.example.org").is_empty());
    stage.minion(&["traffic", "hello", "1.0", "100", "--no-wait"]).ok();
    assert_eq!(stage.records("hello.team.example.org"), ["1.0 200"]);
}

#[test]
fn a_change_under_way_is_finished_at_the_first() {
    let mut stage = stage();
    let command = ["traffic", "hello", "1.0", "100"];
    let run = interrupted(&mut stage, &command, changes_records, Duration::from_secs(2), 1).exits(130);
    run.says(&["finishing what is in flight", "Traffic of hello.team.example.org: 1.0 100%"]);
    assert_eq!(stage.records("hello.team.example.org"), ["1.0 200"]);
    stage.minion(&command).ok().says(&["already"]);
}

#[test]
fn the_second_says_what_may_have_happened() {
    let mut stage = stage();
    let command = ["traffic", "hello", "1.0", "100"];
    let run = interrupted(&mut stage, &command, changes_records, HANGS, 2).exits(130);
    assert!(run.took < SOON, "{run:?}");
    run.says(&["may have happened: the traffic of hello, Route 53: ChangeResourceRecordSets", "same command again"]);
    stage.minion(&[&command[..], &["--wait-lock"]].concat()).ok();
    assert_eq!(stage.records("hello.team.example.org"), ["1.0 200"]);
}
