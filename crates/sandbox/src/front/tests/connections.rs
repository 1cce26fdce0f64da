//! TCP through the doors.
use super::{
    super::{
        known::Known,
        reach::Reach,
        resolve::{Backend, Listener, Snapshot},
        tcp::Tcp,
    },
    APP, alias, record, weighted,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time,
};

/// Sends back what comes until the sender's end, and then its name.
async fn target(name: &'static str) -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await.unwrap();
                write.write_all(name.as_bytes()).await.unwrap();
            });
        }
    });
    backend(port, "healthy")
}

fn backend(port: u16, health: &str) -> Backend {
    Backend { id: "127.0.0.1".into(), port, health: health.into() }
}

/// A port that nobody listens on.
async fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn network(shares: &[(u64, u16, Vec<Backend>)]) -> Snapshot {
    let weights: Vec<(u16, u64)> = (1..).zip(shares.iter().map(|(weight, ..)| *weight)).collect();
    let mut snapshot = weighted(&weights);
    for (balancer, (_, port, backends)) in snapshot.balancers.iter_mut().zip(shares) {
        (balancer.network, balancer.port) = (true, None);
        balancer.listeners = vec![Listener { port: *port, backends: backends.clone() }];
    }
    snapshot
}

fn doors(snapshot: Snapshot) -> (Arc<Known>, Tcp) {
    let known = Arc::new(Known::new());
    known.put(Ok(snapshot));
    (Arc::clone(&known), Tcp::new(known, Reach::Addresses))
}

fn local_port(known: &Known) -> Option<u16> {
    known.opened(APP).first().and_then(|(_, opened)| opened.port)
}

async fn exchange(port: u16, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn connections_are_shared_out_and_half_closed_ones_go_on() {
    let wanted = closed().await;
    let (one, two) = (target("one").await, target("two").await);
    let (known, tcp) = doors(network(&[(140, wanted, vec![one]), (60, wanted, vec![two])]));
    // The version's own name is there first, and leaves the listener's own port alone.
    let shared = (*known.now()).clone();
    let mut first = shared.clone();
    first.zones[0].records = vec![record("app-1.x.org", None, alias("lb-1.elb.aws"))];
    known.put(Ok(first.clone()));
    tcp.fit().await;
    assert_ne!(known.opened("app-1.x.org")[0].1.port.unwrap(), wanted);
    first.zones[0].records.extend(shared.zones[0].records.clone());
    known.put(Ok(first));
    tcp.fit().await;
    assert_eq!(local_port(&known), Some(wanted));
    let mut hits = 0;
    for _ in 0..400 {
        let text = exchange(wanted, b"hello ").await;
        assert!(text == "hello one" || text == "hello two", "{text}");
        hits += usize::from(text == "hello two");
    }
    assert!((80..=160).contains(&hits), "{hits} of 400");
    let route = known.routes().remove(1);
    assert_eq!((route.url, route.problem), (format!("tcp://127.0.0.1:{wanted}"), None));
    tcp.close().await;
    assert!(TcpStream::connect(("127.0.0.1", wanted)).await.is_err());
}

#[tokio::test]
async fn a_target_that_refuses_is_passed_over() {
    let one = target("one").await;
    let (dead, unhealthy) = (backend(closed().await, "healthy"), backend(closed().await, "unhealthy"));
    let (known, tcp) = doors(network(&[(1, 80, vec![dead.clone(), one.clone(), unhealthy.clone()])]));
    tcp.fit().await;
    // Port 80 is not for everyone to open.
    let port = local_port(&known).unwrap();
    assert!(port >= 1024);
    for _ in 0..20 {
        assert_eq!(exchange(port, b"").await, "one");
    }
    // The door stays where it is; without a target a connection is closed, and status says why.
    known.put(Ok(network(&[(1, 80, vec![dead])])));
    tcp.fit().await;
    assert_eq!(local_port(&known), Some(port));
    assert_eq!(exchange(port, b"").await, "");
    assert!(known.routes()[0].problem.as_deref().is_some_and(|why| why.contains("does not answer")));
    // When nothing is healthy, all are tried.
    let sick = Backend { health: "unhealthy".into(), ..one };
    known.put(Ok(network(&[(1, 80, vec![unhealthy, sick])])));
    tcp.fit().await;
    assert_eq!(exchange(port, b"").await, "one");
    assert_eq!(known.routes()[0].problem, None);
}

#[tokio::test]
async fn connections_outlive_their_name_and_ports_do_not_collide() {
    let one = target("one").await;
    let wanted = closed().await;
    let holder = TcpListener::bind(("127.0.0.1", wanted)).await.unwrap();
    let (known, tcp) = doors(network(&[(1, wanted, vec![one])]));
    tcp.fit().await;
    let port = local_port(&known).unwrap();
    assert_ne!(port, wanted);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"a").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'a');

    known.put(Ok(Snapshot::default()));
    tcp.fit().await;
    time::sleep(Duration::from_millis(50)).await;
    assert_eq!(local_port(&known), None);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    stream.write_all(b"b").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "bone");
    drop(holder);
}
