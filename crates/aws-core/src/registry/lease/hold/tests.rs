//! Letting go, at a Systems Manager that takes its time.
use super::*;
use crate::cloud::ConnectOptions;
use std::{collections::BTreeMap, thread};
use tiny_http::{Response, Server};

type Log = Arc<Mutex<Vec<String>>>;

/// Answers after what `pause` says of the call with this number; notes when it was asked and when it answers.
async fn slow(pause: fn(usize) -> Duration) -> (Cloud, Log) {
    let server = Server::http("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.server_addr().to_ip().unwrap());
    let log = Log::default();
    let notes = log.clone();
    thread::spawn(move || {
        for (n, request) in server.incoming_requests().enumerate() {
            let notes = notes.clone();
            let target = request.headers().iter().find(|h| h.field.equiv("x-amz-target")).unwrap().value.to_string();
            let operation = target.rsplit('.').next().unwrap().to_owned();
            notes.lock().unwrap().push(format!("{operation} asked"));
            thread::spawn(move || {
                thread::sleep(pause(n));
                notes.lock().unwrap().push(format!("{operation} done"));
                let _ = request.respond(Response::from_string(r#"{"Version": 2}"#));
            });
        }
    });
    let credentials = Some(("id".to_owned(), "secret".to_owned()));
    let (region, endpoint) = (Some("eu-west-1".to_owned()), Some(endpoint));
    let options = ConnectOptions { region, endpoint, credentials, ..ConnectOptions::default() };
    (Cloud::connect(options).await.unwrap(), log)
}

/// A lease taken so long ago.
fn taken(cloud: &Cloud, ago: i64) -> Lease {
    let place = Place { what: "application shop".into(), parameter: "/lease".into(), tags: BTreeMap::new() };
    let record = Record::new("t".into(), "anna", "minion x", Timestamp::now() - SignedDuration::from_secs(ago));
    Lease::hold(cloud, place, record, 1, false, false, &Cancel::default())
}

#[tokio::test]
async fn a_renewal_under_way_comes_to_its_end_before_anything_is_removed() {
    let (cloud, log) = slow(|_| Duration::from_millis(700)).await;
    let lease = taken(&cloud, 40);
    while log.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lease.release(true).await.unwrap();
    let log = log.lock().unwrap();
    let wanted = ["PutParameter asked", "PutParameter done", "DeleteParameters asked", "DeleteParameters done"];
    assert_eq!(log.as_slice(), wanted);
}

#[tokio::test]
async fn a_call_that_hangs_leaves_time_for_another_one() {
    let (cloud, log) = slow(|n| Duration::from_secs(if n == 0 { 60 } else { 0 })).await;
    taken(&cloud, 0).release(false).await.unwrap();
    assert_eq!(log.lock().unwrap().as_slice(), ["PutParameter asked", "PutParameter asked", "PutParameter done"]);
}
