//! The harness itself: what the other tests believe about it.
use crate::support::{Address, Options, Stage, Wire, endpoint, sample};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

#[test]
fn the_usual_place_is_as_described() {
    let stage = Stage::new();
    let now = stage.inventory();
    let count = |kind: &str| now.get(kind).map_or(0, Vec::len);
    assert_eq!((count("vpc"), count("subnet"), count("nat gateway")), (1, 9, 3));
    assert_eq!((count("hosted zone"), count("certificate"), count("parameter")), (2, 1, 0));
    stage.assert_as_before("nothing at all");
}

#[test]
fn accounts_are_apart_and_the_inventory_sees_what_comes_and_goes() {
    let (one, other) = (Stage::new(), Stage::with(Options::usual().with("layers", json!(["public"])).with("zones", 1)));
    one.call("ec2", "create_key_pair", json!({ "KeyName": "key" }));
    assert_eq!(one.added(), [("key pair".to_owned(), vec!["key".to_owned()])].into());
    other.assert_as_before("a key pair in another account");
    assert_eq!(other.inventory()["subnet"].len(), 1);
    one.call("ec2", "delete_key_pair", json!({ "KeyName": "key" }));
    one.assert_as_before("a key pair that is gone");
}

#[test]
fn the_binary_starts_and_sees_nothing_of_our_environment() {
    let stage = Stage::new();
    let run = stage.minion(&["--version"]).ok();
    assert!(run.took.as_secs() < 5);
    assert!(stage.command(&[]).get_envs().all(|(name, _)| name != "PATH"));
}

/// One HTTP request over a connection of its own; the whole answer.
pub(crate) fn ask(endpoint: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).unwrap();
    // A wire that was cut may end in a reset.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn wires_are_slow_or_cut_or_refuse() {
    let request = "GET /moto-api/seed?a=1 HTTP/1.0\r\n\r\n";
    let (slow, cut) = (Wire::slow(endpoint(), Duration::from_millis(100)), Wire::cut_after(endpoint(), 1));
    let began = Instant::now();
    assert!(ask(&slow.endpoint, request).starts_with("HTTP/1."));
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert!(ask(&cut.endpoint, request).starts_with("HTTP/1."));
    assert_eq!(ask(&cut.endpoint, request), "");
    assert_eq!((slow.pieces(), cut.pieces()), (1, 2));

    let expired = Wire::expired_token();
    let json = "POST / HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}";
    assert!(ask(&expired.endpoint, json).contains(r#""__type":"ExpiredTokenException""#));
    let ec2 = "POST / HTTP/1.1\r\nAuthorization: Credential=A/1/r/ec2/aws4_request\r\nContent-Length: 0\r\n\r\n";
    assert!(ask(&expired.endpoint, ec2).contains("<Response><Errors><Error>"));
}

#[test]
fn the_registry_has_images_of_both_kinds() {
    let stage = Stage::new();
    let image = stage.image("hello-world");
    let (registry, repository) = image.split_once('/').unwrap();
    let get = |what: &str| ask(registry, &format!("GET /v2/{repository}/{what} HTTP/1.1\r\nConnection: close\r\n\r\n"));
    assert!(get("manifests/0.1").contains("application/vnd.oci.image.index.v1+json"));
    assert!(get("manifests/0.1").contains("arm64"));
    assert!(get("manifests/single").contains("application/vnd.oci.image.manifest.v1+json"));
    assert!(get("tags/list").contains("0.2"));
    assert!(get("manifests/9.9").contains("MANIFEST_UNKNOWN"));
}

/// A server that gives these answers, one for each connection.
fn answering(answers: &'static [&'static str]) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = listener.local_addr().unwrap();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    Address { front, host: "hello.example.org".to_owned(), path: "/".to_owned() }
}

#[test]
fn users_notice_every_failure() {
    const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nversion: 1.0\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nversion: 2.0\n\r\n0\r\n\r\n";
    assert_eq!(answering(&[GOOD]).page().word("version"), Some("1.0"));
    let fails = [
        "HTTP/1.1 502 Bad Gateway\r\n\r\nno target\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nversion: 1.0\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nversion: 1.0\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-En",
        "",
    ];
    let answers: Vec<&'static str> = [GOOD, chunked, GOOD].into_iter().chain(fails).collect();
    let requests = answers.len();
    let tally = sample(&answering(answers.leak()), requests);
    assert_eq!((tally.requests(), tally.failures.len()), (requests, fails.len()), "{tally}");
    assert_eq!(tally.versions, [("1.0".to_owned(), 2), ("2.0".to_owned(), 1)].into());
    assert_eq!(tally.percent("1.0"), 25.0);
    assert!(tally.to_string().contains("502 no target"), "{tally}");
}
