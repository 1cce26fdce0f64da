//! Ctrl-C while a call hangs: the first lets finish what writes, and waits for nothing that only reads; the second stops
//! at once, and says what may have happened.
use crate::support::{Request, Run, Stage, Wire, endpoint, refusing};
use nix::sys::termios::tcgetattr;
use std::{
    fs::File,
    io::Read as _,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
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

#[test]
fn a_question_does_not_hold_up_the_end() {
    let stage = stage();
    let pty = nix::pty::openpty(None, None).unwrap();
    let before = tcgetattr(&pty.slave).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut command = stage.command(&["ver", "delete", "hello", "1.0"]);
    command.env("TERM", "xterm").stdin(end()).stdout(Stdio::null()).stderr(end());
    let mut child = command.spawn().unwrap();
    let (send, receive) = mpsc::channel();
    let mut screen = File::from(pty.master);
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = screen.read(&mut bytes) {
            if send.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).is_err() {
                break;
            }
        }
    });
    let mut said = String::new();
    while !said.contains("[y/N]") {
        said += &receive.recv_timeout(HANGS).unwrap_or_else(|_| panic!("it does not ask: {said}"));
    }
    // Until it waits for a key.
    thread::sleep(Duration::from_millis(500));
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > HANGS {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(10));
    };
    said.extend(receive.try_iter());
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(began.elapsed() < HANGS, "{said}");
    // Whoever types next sees it.
    assert_eq!(tcgetattr(&pty.slave).unwrap().local_flags, before.local_flags);
    stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).ok();
}
