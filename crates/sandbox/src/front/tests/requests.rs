//! HTTP through the door.
use super::{
    super::{http::Http, known::Known, resolve::Snapshot},
    APP, weighted,
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time,
};

/// A load balancer that answers with its name, or with the body when there is one.
struct Balanced {
    port: u16,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

async fn balanced(delay: Duration) -> Balanced {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let service = service_fn(move |request: Request<Incoming>| async move {
                time::sleep(delay).await;
                let seen =
                    format!("{:?} {:?}", request.headers().get("host"), request.headers().get("x-forwarded-for"));
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let body = if body.is_empty() { Bytes::from(format!("lb-{port}")) } else { body };
                Ok::<_, Infallible>(Response::builder().header("seen", seen).body(Full::new(body)).unwrap())
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Balanced { port, connections, task }
}

struct Door {
    known: Arc<Known>,
    port: u16,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn door(snapshot: Snapshot) -> Door {
    let known = Arc::new(Known::new());
    known.put(Ok(snapshot));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopping) = watch::channel(false);
    let task = tokio::spawn(Http::new(Arc::clone(&known)).serve(listener, stopping));
    Door { known, port, stop, task }
}

impl Door {
    fn client(&self) -> reqwest::Client {
        let address = ([127, 0, 0, 1], self.port).into();
        let client = reqwest::Client::builder().no_proxy();
        client.resolve(APP, address).resolve("other.x.org", address).build().unwrap()
    }
    fn url(&self, name: &str) -> String {
        format!("http://{name}:{}/path?a=b", self.port)
    }
    async fn get(&self, client: &reqwest::Client) -> (u16, String) {
        let answer = client.get(self.url(APP)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn requests_are_shared_out_by_the_weights() {
    let (one, two) = (balanced(Duration::ZERO).await, balanced(Duration::ZERO).await);
    let door = door(weighted(&[(one.port, 140), (two.port, 60)])).await;
    let client = door.client();
    let mut hits = 0;
    for _ in 0..2000 {
        let (status, text) = door.get(&client).await;
        assert_eq!(status, 200);
        hits += usize::from(text == format!("lb-{}", two.port));
    }
    assert!((520..=680).contains(&hits), "{hits} of 2000");
    // Connections are kept on both sides.
    let made = one.connections.load(Ordering::Relaxed) + two.connections.load(Ordering::Relaxed);
    assert!(made <= 8, "{made} connections");
}

#[tokio::test]
async fn a_change_under_load_fails_no_request() {
    let (one, two) = (balanced(Duration::from_millis(5)).await, balanced(Duration::from_millis(5)).await);
    let door = Arc::new(door(weighted(&[(one.port, 200)])).await);
    let over = Arc::new(AtomicBool::new(false));
    let load = |_| {
        let (door, over) = (Arc::clone(&door), Arc::clone(&over));
        tokio::spawn(async move {
            let client = door.client();
            let mut done = 0;
            while !over.load(Ordering::Relaxed) {
                let (status, text) = door.get(&client).await;
                assert_eq!(status, 200, "{text}");
                done += 1;
            }
            done
        })
    };
    let load: Vec<JoinHandle<usize>> = (0..8).map(load).collect();
    for weights in [[140, 60], [0, 200], [200, 0], [100, 100], [0, 200]] {
        time::sleep(Duration::from_millis(100)).await;
        door.known.put(Ok(weighted(&[(one.port, weights[0]), (two.port, weights[1])])));
    }
    time::sleep(Duration::from_millis(50)).await;
    // The first one has no traffic any more, and goes at once.
    one.task.abort();
    door.known.put(Ok(weighted(&[(two.port, 200)])));
    time::sleep(Duration::from_millis(100)).await;
    over.store(true, Ordering::Relaxed);
    let mut done = 0;
    for task in load {
        done += task.await.unwrap();
    }
    assert!(done > 200, "only {done} requests");
}

#[tokio::test]
async fn a_load_balancer_that_has_gone_is_looked_for_again() {
    let (gone, two) = (balanced(Duration::ZERO).await, balanced(Duration::ZERO).await);
    gone.task.abort();
    let _ = gone.task.await;
    let door = door(weighted(&[(gone.port, 200)])).await;
    let known = Arc::clone(&door.known);
    let port = two.port;
    let looker = tokio::spawn(async move {
        known.wanted.notified().await;
        known.put(Ok(weighted(&[(port, 200)])));
    });
    // With a body, of which nothing was sent.
    let answer = door.client().post(door.url(APP)).body("body").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "body"));
    looker.await.unwrap();
}

#[tokio::test]
async fn bodies_are_streamed_both_ways_and_headers_kept() {
    let one = balanced(Duration::ZERO).await;
    let door = door(weighted(&[(one.port, 1)])).await;
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let answer = door.client().put(door.url(APP)).body(body.clone()).send().await.unwrap();
    assert_eq!(answer.headers()["seen"].to_str().unwrap(), format!("Some(\"{APP}:{}\") None", door.port));
    assert!(answer.bytes().await.unwrap() == body);
}

#[tokio::test]
async fn an_answer_is_passed_on_while_it_is_made() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = door(weighted(&[(listener.local_addr().unwrap().port(), 1)])).await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nkeep-alive: 5\r\n\r\n2\r\nab\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    });
    let mut answer = door.client().get(door.url(APP)).send().await.unwrap();
    assert!(answer.headers().get("keep-alive").is_none());
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "ab");
    let mut stream = server.await.unwrap();
    stream.write_all(b"1\r\nc\r\n0\r\n\r\n").await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "c");
    assert_eq!(answer.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn another_protocol_is_passed_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = door(weighted(&[(listener.local_addr().unwrap().port(), 1)])).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer[..n]).to_lowercase().contains("upgrade: echo"));
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let mut stream = TcpStream::connect(("127.0.0.1", door.port)).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: {APP}\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    stream.write_all(b"hello").await.unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"hello");
}

#[tokio::test]
async fn what_cannot_be_answered_is_explained() {
    let one = balanced(Duration::ZERO).await;
    let door = door(weighted(&[(one.port, 140), (1, 60)])).await;
    let answer = door.client().get(door.url("other.x.org")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 404);
    let text = answer.text().await.unwrap();
    assert!(text.contains("other.x.org") && text.contains(&format!("http://{APP}:{}/", door.port)), "{text}");
    assert!(text.contains("70%") && text.contains("30%"), "{text}");

    let mut starting = weighted(&[(one.port, 200)]);
    starting.balancers[0].port = None;
    door.known.put(Ok(starting.clone()));
    let (status, text) = door.get(&door.client()).await;
    assert_eq!((status, text.contains("has no port yet")), (503, true), "{text}");
    let route = door.known.routes().remove(0);
    assert_eq!((route.versions[0].state.as_str(), route.versions[0].percent), ("starting", 100.0));
    assert!(route.problem.is_some());

    starting.balancers.clear();
    door.known.put(Ok(starting));
    let (status, text) = door.get(&door.client()).await;
    assert_eq!((status, text.contains("is not there")), (503, true), "{text}");

    // A failed look changes nothing, and is remembered.
    door.known.put(Ok(weighted(&[(one.port, 200)])));
    door.known.put(Err("no answer".into()));
    assert_eq!(door.get(&door.client()).await.0, 200);
    assert_eq!(door.known.problem().as_deref(), Some("no answer"));
}

#[tokio::test]
async fn stopping_lets_open_requests_end() {
    let slow = balanced(Duration::from_millis(500)).await;
    let door = door(weighted(&[(slow.port, 1)])).await;
    let client = door.client();
    let idle = TcpStream::connect(("127.0.0.1", door.port)).await.unwrap();
    let request = tokio::spawn(client.get(door.url(APP)).send());
    time::sleep(Duration::from_millis(150)).await;
    let began = Instant::now();
    door.stop.send_replace(true);
    assert_eq!(request.await.unwrap().unwrap().status().as_u16(), 200);
    door.task.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(idle);
    assert!(TcpStream::connect(("127.0.0.1", door.port)).await.is_err());
}
