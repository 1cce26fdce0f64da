//! Traffic that was moved although the answer was lost: it is told, waited for and written down as any other.
use crate::support::{Stage, Wire, endpoint, refusing};
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const NAME: &str = "hello.team.example.org";

/// How often it was asked whether all name servers know of a change.
type Looks = Arc<AtomicUsize>;

/// A wire on which the first change of records is carried out, and answered as if it were not: its second try is refused.
fn losing() -> (Wire, Looks) {
    let (looks, changes) = (Looks::default(), AtomicUsize::new(0));
    let seen = looks.clone();
    let wire = refusing(endpoint(), &[], move |request| {
        if request.service != "route53" {
            return None;
        }
        seen.fetch_add(
            usize::from(request.text.starts_with("GET") && request.text.contains("/change/")),
            Ordering::SeqCst,
        );
        let moves = request.text.starts_with("POST") && request.text.contains("/rrset");
        if !moves || changes.fetch_add(1, Ordering::SeqCst) > 0 {
            return None;
        }
        let mut server = TcpStream::connect(endpoint().strip_prefix("http://").unwrap()).unwrap();
        server.write_all(request.text.as_bytes()).unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
        Some(("Throttling", "Rate exceeded"))
    });
    (wire, looks)
}

/// What the newest run changed, as the history has it.
fn changes(stage: &Stage) -> Vec<String> {
    let runs = stage.minion(&["history", "hello", "-n", "1", "-o", "json"]).ok().json();
    let changes: &Vec<Value> = runs[0]["changes"].as_array().unwrap();
    changes.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn traffic_that_was_shared_out_is_told_and_waited_for() {
    let mut stage = Stage::of_two_versions();
    let (wire, looks) = losing();
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let run = stage.minion(&["traffic", "hello", "2.0", "30"]).ok();
    stage.set("AWS_ENDPOINT_URL", Some(endpoint()));
    run.says(&["Traffic of hello.team.example.org: 1.0 70%, 2.0 30%"]).hides(&["nothing to change"]);
    assert_eq!(stage.records(NAME), ["1.0 140", "2.0 60"]);
    assert!(looks.load(Ordering::SeqCst) > 0, "nobody waits for the name servers");
    let changes = changes(&stage);
    assert!(changes.len() == 1 && changes[0].contains("traffic of 2.0: 0% -> 30%"), "{changes:?}");
}

#[test]
fn a_version_is_not_deleted_before_clients_have_forgotten_it() {
    let mut stage = Stage::of_two_versions();
    let (wire, looks) = losing();
    stage.minion(&["traffic", "hello", "2.0", "30", "--no-wait"]).ok();
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let running = stage.start(&["ver", "delete", "hello", "1.0", "--force", "--yes"]);
    let began = Instant::now();
    while looks.load(Ordering::SeqCst) == 0 && began.elapsed() < Duration::from_secs(40) {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_secs(2));
    running.interrupt();
    running.wait().exits(130).says(&["clients may go to the version for 60 s yet"]);
    stage.set("AWS_ENDPOINT_URL", Some(endpoint()));
    assert_eq!(stage.records(NAME), ["2.0 200"]);
    stage.minion(&["ver", "show", "hello", "1.0"]).ok();
    // What was done before the interrupt is in the history.
    let changes = changes(&stage);
    assert!(changes.len() == 1 && changes[0].starts_with("~ traffic hello.team.example.org"), "{changes:?}");
    stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).ok();
}
