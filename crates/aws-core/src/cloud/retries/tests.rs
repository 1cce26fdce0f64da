use super::*;
use crate::{
    Error, Result,
    cloud::{Cloud, ConnectOptions, Told as _, operations::ec2},
};
use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What the server does with a call.
#[derive(Clone)]
enum Answer {
    /// Hears it, and says nothing: the connection is gone.
    Lost,
    /// A status and an error code.
    Error(u16, &'static str),
    Good,
}
use Answer::{Error as Bad, Good, Lost as Gone};

/// A server that gives these answers, then good ones, and counts the calls.
fn aws(answers: &[Answer]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let (counted, mut answers) = (calls.clone(), VecDeque::from(answers.to_vec()));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = heard(&mut stream) else { continue };
            let action = request.split("action=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
            let operation = if action == "allocateaddress" { "AllocateAddress" } else { "DescribeAddresses" };
            counted.fetch_add(1, Ordering::SeqCst);
            let (status, body) = match answers.pop_front().unwrap_or(Good) {
                Gone => continue,
                Good => (200, format!("<{operation}Response></{operation}Response>")),
                Bad(status, code) => (
                    status,
                    format!(
                        "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
                    ),
                ),
            };
            let length = body.len();
            let _ =
                write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        }
    });
    (endpoint, calls)
}

/// A request, read to its end, in small letters.
fn heard(stream: &mut TcpStream) -> Option<String> {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|l| l.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return Some(text);
            }
        }
        match stream.read(&mut part) {
            Ok(n) if n > 0 => request.extend_from_slice(&part[..n]),
            _ => return None,
        }
    }
}

async fn cloud(endpoint: String, on_throttle: OnThrottle) -> Cloud {
    let credentials = Some(("id".to_owned(), "secret".to_owned()));
    let (region, endpoint) = (Some("eu-west-1".to_owned()), Some(endpoint));
    Cloud::connect(ConnectOptions { region, endpoint, credentials, on_throttle, ..ConnectOptions::default() })
        .await
        .unwrap()
}

async fn allocate(cloud: &Cloud) -> Result<()> {
    cloud.ec2().allocate_address().send().await.told(cloud, "a").map(drop)
}
async fn look(cloud: &Cloud) -> Result<()> {
    cloud.ec2().describe_addresses().send().await.told(cloud, "").map(drop)
}

fn passes(result: Result<()>) -> Option<(bool, u64)> {
    result.err().map(|e: Error| (e.is_retryable(), e.pause().as_secs()))
}

#[tokio::test]
async fn what_makes_a_thing_is_sent_once_unless_it_was_rejected() {
    for (answers, sent, told) in [
        // It may have acted: the engine is to look first, after a while.
        (&[Gone][..], 1, Some((true, 5))),
        (&[Bad(500, "InternalError")], 1, Some((true, 5))),
        (&[Bad(503, "Unavailable")], 1, Some((true, 5))),
        (&[Bad(502, "")], 1, Some((true, 5))),
        // It was rejected.
        (&[Bad(503, "RequestLimitExceeded")], 2, None),
        (&[Bad(400, "Throttling")], 2, None),
        (&[Bad(400, "Throttling"), Gone], 2, Some((true, 5))),
        (&[Bad(400, "AddressLimitExceeded")], 1, Some((false, 0))),
    ] {
        let (endpoint, calls) = aws(&[&[Good], answers].concat());
        let cloud = cloud(endpoint, OnThrottle::default()).await;
        look(&cloud).await.unwrap();
        assert_eq!(passes(allocate(&cloud).await), told);
        assert_eq!(calls.load(Ordering::SeqCst), sent + 1);
    }
}

#[tokio::test]
async fn what_reads_is_sent_again_a_few_times() {
    for (answers, sent, told) in [
        (&[Gone, Gone, Bad(500, "InternalError")][..], 4, None),
        (&[Gone, Gone, Gone, Gone, Gone], 4, Some((true, 0))),
        (&[Bad(400, "UnauthorizedOperation")], 1, Some((false, 0))),
        // What was rejected does not count.
        (&[Gone, Gone, Gone, Bad(400, "Throttling"), Good], 5, None),
    ] {
        let (endpoint, calls) = aws(&[&[Good], answers].concat());
        let cloud = cloud(endpoint, OnThrottle::default()).await;
        allocate(&cloud).await.unwrap();
        assert_eq!(passes(look(&cloud).await), told);
        assert_eq!(calls.load(Ordering::SeqCst), sent + 1);
    }
}

#[tokio::test]
async fn throttling_is_told_and_goes_on_until_it_passes() {
    let (endpoint, calls) = aws(&vec![Bad(503, "RequestLimitExceeded"); 8]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let on_throttle = OnThrottle::new(move |slow| heard.lock().unwrap().push(slow));
    let cloud = cloud(endpoint, on_throttle).await.in_region("eu-west-2");
    look(&cloud).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 9);
    assert_eq!(*told.lock().unwrap(), vec![Slow::Rate("EC2"); 8]);
}

#[tokio::test]
async fn an_earlier_change_is_waited_for_and_told_when_it_takes_long() {
    let (endpoint, calls) = aws(&[
        Bad(400, "PriorRequestNotComplete"),
        Bad(400, "PriorRequestNotComplete"),
        Bad(400, "PriorRequestNotComplete"),
    ]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let cloud = cloud(endpoint, OnThrottle::new(move |slow| heard.lock().unwrap().push(slow))).await;
    look(&cloud).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 4);
    assert_eq!(*told.lock().unwrap(), [Slow::Busy("EC2")]);
}

#[tokio::test]
async fn what_is_to_be_sent_once_is() {
    let (endpoint, calls) = aws(&[Gone]);
    let cloud = cloud(endpoint, OnThrottle::default()).await;
    let once = aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
    cloud.ec2().describe_addresses().customize().config_override(once).send().await.unwrap_err();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// Another setting of one call leaves all others as they are.
#[tokio::test]
async fn a_call_with_a_time_of_its_own_is_tried_again_as_others_are() {
    let (endpoint, calls) = aws(&[Gone, Bad(503, "RequestLimitExceeded"), Gone]);
    let cloud = cloud(endpoint, OnThrottle::default()).await;
    let time = aws_config::timeout::TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(5)).build();
    let prompt = aws_sdk_ec2::config::Builder::new().timeout_config(time);
    cloud.ec2().describe_addresses().customize().config_override(prompt).send().await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_client_token_stays_until_there_is_an_answer() {
    let refused = Bad(400, "AddressLimitExceeded");
    let mismatch = Bad(400, "IdempotentParameterMismatch");
    let (endpoint, _) = aws(&[Good, Gone, Bad(500, "InternalError"), refused, Good, Gone, Good, Gone, mismatch]);
    let cloud = cloud(endpoint, OnThrottle::default()).await;
    look(&cloud).await.unwrap();
    let token = || cloud.token::<ec2::AllocateAddress>("a");
    let first = token();
    assert!(first.len() == 32 && first.chars().all(|c| c.is_ascii_hexdigit()), "{first}");
    assert_ne!(first, cloud.token::<ec2::AllocateAddress>("b"));
    for _ in ["lost", "an internal error"] {
        assert_eq!(passes(allocate(&cloud).await), Some((true, 5)));
        assert_eq!(token(), first);
    }
    assert_eq!(passes(allocate(&cloud).await), Some((false, 0)));
    let second = token();
    assert_ne!(first, second, "it was refused");
    allocate(&cloud).await.unwrap();
    let third = token();
    assert_ne!(second, third, "it was made");
    assert_eq!(passes(allocate(&cloud).await), Some((true, 5)));
    cloud.ec2().delete_vpc().vpc_id("vpc-1").send().await.told(&cloud, "a").unwrap();
    assert_ne!(token(), third, "what it made was found, and is gone");
    // What is there was made with other words: it is looked for.
    assert_eq!(passes(allocate(&cloud).await), Some((true, 5)));
    assert_eq!(passes(allocate(&cloud).await), Some((true, 5)));
}

#[tokio::test]
async fn a_quota_is_no_throttle() {
    let (endpoint, calls) = aws(&[Bad(400, "LimitExceededException")]);
    let cloud = cloud(endpoint, OnThrottle::new(|_| panic!("no rate"))).await;
    assert_eq!(passes(allocate(&cloud).await), Some((false, 0)));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// Three times in a row, for the same thing; an answer in between ends the row.
#[tokio::test]
async fn a_dead_network_is_not_tried_for_ever() {
    let (endpoint, _) = aws(&[Gone, Good, Gone, Good, Gone, Gone, Gone]);
    let cloud = cloud(endpoint, OnThrottle::default()).await;
    // Nothing was ever answered: the address may be wrong.
    assert_eq!(passes(allocate(&cloud).await), Some((false, 0)));
    assert_eq!(passes(allocate(&cloud).await), None);
    assert_eq!(passes(allocate(&cloud).await), Some((true, 5)));
    assert_eq!(passes(allocate(&cloud).await), None);
    for again in [true, true, false] {
        let told = passes(allocate(&cloud).await).unwrap();
        assert_eq!(told.0, again);
    }
}

#[test]
fn what_may_be_repeated() {
    let sent = |service, name| row(&Metadata::new(name, service)).map(|row| (row.reads(), row.is_repeatable()));
    assert_eq!(sent("EC2", "DescribeVpcs"), Some((true, true)));
    assert_eq!(sent("STS", "AssumeRole"), Some((true, true)));
    assert_eq!(sent("SSM", "PutParameter"), Some((false, true)));
    assert_eq!(sent("EC2", "DeleteVpc"), Some((false, true)));
    assert_eq!(sent("Route 53", "ChangeResourceRecordSets"), Some((false, false)));
    assert_eq!(sent("EC2", "CreateVpc"), Some((false, false)));
    assert_eq!(sent("EC2", "DescribeCarrierGateways"), None, "without a row: sent once, and as one that writes");
}
