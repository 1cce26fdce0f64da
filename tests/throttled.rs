//! AWS limits the rate of calls: five a second, which is Route 53's own limit.
use crate::support::{Run, Stage, Wire, ask, endpoint, refusing};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Calls in a second.
const RATE: f64 = 5.0;
/// Calls that come at the same time, after a while without any.
const BURST: f64 = 2.0;
/// A listing of many pages takes its time under the limit.
const BOUND: Duration = Duration::from_secs(300);

/// A bucket of tokens, as AWS counts.
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn takes(&mut self) -> bool {
        self.tokens = (self.tokens + self.filled.elapsed().as_secs_f64() * RATE).min(BURST);
        self.filled = Instant::now();
        let there = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(there));
        there
    }
}

/// A wire on which five calls a second are answered: of each service, or of all together.
fn limited(together: bool) -> Wire {
    let buckets: Mutex<BTreeMap<String, Bucket>> = Mutex::default();
    refusing(endpoint(), &[], move |request| {
        let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket { tokens: BURST, filled: Instant::now() };
        if buckets.entry(if together { String::new() } else { request.service.to_owned() }).or_insert(full).takes() {
            return None;
        }
        // As the services spell it.
        let json = request.text.to_lowercase().contains("application/x-amz-json");
        Some(match request.service {
            "ec2" => ("RequestLimitExceeded", "Request limit exceeded."),
            _ if json => ("ThrottlingException", "Rate exceeded"),
            _ => ("Throttling", "Rate exceeded"),
        })
    })
}

fn run(stage: &Stage, arguments: &[&str]) -> Run {
    stage.start(arguments).within(BOUND)
}

/// How often it was said of each service.
fn told(run: &Run) -> BTreeMap<&str, usize> {
    let mut told = BTreeMap::new();
    let lines = run.stderr.lines().filter_map(|line| line.strip_prefix("AWS limits the rate of calls to "));
    for line in lines {
        *told.entry(line.split(" (").next().unwrap()).or_default() += 1;
    }
    told
}

#[test]
fn a_thousand_versions_are_listed_all_the_same() {
    let mut stage = Stage::new();
    let options = json!({
        "vpc": stage.place["vpc"], "subnets": stage.place["subnets"]["private"], "domain": stage.place["domain"],
        "zone": stage.place["zones"]["private"][0], "applications": 100, "versions": 10,
    });
    ask(&json!({ "do": "versions", "account": stage.account, "options": options }));
    let wire = limited(true);
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let listed = run(&stage, &["versions", "-o", "json"]).ok();
    assert_eq!(listed.json().as_array().unwrap().len(), 1000);
    let services = told(&listed);
    assert!(!services.is_empty() && services.values().all(|times| *times == 1), "{}", listed.stderr);
    let table = run(&stage, &["versions"]).ok();
    assert!(table.stdout.lines().count() >= 1000);
    eprintln!("a thousand versions under five calls a second: {:.1?}, {services:?}", listed.took);
}

#[test]
fn versions_are_made_and_traffic_moves_under_a_limit() {
    let mut stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    let wire = limited(false);
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let image = stage.image("hello-world:0.1");
    for arguments in [
        &["app", "create", &manifest][..],
        &["ver", "create", "hello", "1.0", &image],
        &["traffic", "hello", "1.0", "100"],
        &["app", "delete", "hello", "--cascade", "--yes"],
    ] {
        let ended = run(&stage, arguments).ok();
        assert!(told(&ended).values().all(|times| *times == 1), "{}", ended.stderr);
        eprintln!("{}: {:.1?}, {:?}", arguments[..2].join(" "), ended.took, told(&ended));
    }
    stage.assert_as_before("a create and a delete under a limit");
}
