//! TCP doors: the emulator's network load balancers have no ports, so their listeners are opened here, one loopback
//! port for each listener port of each name.
use super::{
    http::GRACE,
    known::{Known, Opened},
    reach::Reach,
    resolve::{Backend, End, Snapshot, pick},
};
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    io,
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::{AbortHandle, JoinSet},
    time,
};

/// A target that does not take a connection within this is passed over.
const CONNECT: Duration = Duration::from_secs(2);
/// Ports below belong to the system's administrator.
const FIRST_FREE_PORT: u16 = 1024;
/// After an error of the listener (too many open files), the next try.
const BREATH: Duration = Duration::from_millis(100);

/// All TCP doors.
pub(super) struct Tcp {
    door: Arc<Door>,
    listening: Mutex<Listening>,
}

#[derive(Default)]
struct Listening {
    doors: BTreeMap<(String, u16), AbortHandle>,
    closed: bool,
}

/// What every connection needs.
struct Door {
    known: Arc<Known>,
    reach: Reach,
    connections: std::sync::Mutex<JoinSet<()>>,
}

impl Tcp {
    pub(super) fn new(known: Arc<Known>, reach: Reach) -> Self {
        Self {
            door: Arc::new(Door { known, reach, connections: std::sync::Mutex::default() }),
            listening: Mutex::default(),
        }
    }

    /// Opens a door for what is new, closes those whose name is gone; open connections go on. A door keeps its port.
    /// The listener's own port is for the name that the versions share, not for the version's own, which is there first.
    pub(super) async fn fit(&self) {
        let wanted = listeners(&self.door.known.now());
        let mut listening = self.listening.lock().await;
        if listening.closed {
            return;
        }
        let gone: Vec<_> = listening.doors.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
        for key in gone {
            if let Some(door) = listening.doors.remove(&key) {
                door.abort();
            }
            self.door.known.with_opened(|opened| opened.remove(&key));
        }
        for (key, shared) in wanted {
            if listening.doors.contains_key(&key) {
                continue;
            }
            let opened = match bind(if shared { key.1 } else { 0 }).await {
                Ok((listener, port)) => {
                    let task = tokio::spawn(Arc::clone(&self.door).accept(listener, key.clone()));
                    listening.doors.insert(key.clone(), task.abort_handle());
                    Opened { port: Some(port), problem: None }
                }
                Err(e) => Opened { port: None, problem: Some(format!("no port could be opened on 127.0.0.1: {e}")) },
            };
            self.door.known.with_opened(|all| all.insert(key, opened));
        }
    }

    /// Closes all doors; open connections have [`GRACE`] to end.
    pub(super) async fn close(&self) {
        let mut listening = self.listening.lock().await;
        listening.closed = true;
        for (key, door) in std::mem::take(&mut listening.doors) {
            door.abort();
            self.door.known.with_opened(|opened| opened.remove(&key));
        }
        drop(listening);
        let mut connections = std::mem::take(&mut *self.door.connections());
        let _ = time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }
}

/// The listener ports of all names that lead to network load balancers; true where records share the name.
fn listeners(snapshot: &Snapshot) -> BTreeMap<(String, u16), bool> {
    let mut all = BTreeMap::new();
    for name in snapshot.names() {
        for lead in snapshot.leads(name).unwrap_or_default() {
            let End::Balancer(balancer) = lead.end else { continue };
            for listener in balancer.listeners.iter().filter(|_| balancer.network) {
                all.insert((name.to_owned(), listener.port), lead.set.is_some());
            }
        }
    }
    all
}

async fn bind(port: u16) -> io::Result<(TcpListener, u16)> {
    let own = match port >= FIRST_FREE_PORT {
        true => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.ok(),
        false => None,
    };
    let listener = match own {
        Some(listener) => listener,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

impl Door {
    fn connections(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.connections.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener, key: (String, u16)) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let connection = Arc::clone(&self).connection(stream, key.clone());
                    let mut connections = self.connections();
                    while connections.try_join_next().is_some() {}
                    connections.spawn(connection);
                }
                Err(_) => time::sleep(BREATH).await,
            }
        }
    }

    async fn connection(self: Arc<Self>, mut client: TcpStream, key: (String, u16)) {
        let connected = self.connect(&key).await;
        let problem = connected.as_ref().err().cloned();
        self.known.with_opened(|all| {
            if let Some(opened) = all.get_mut(&key) {
                opened.problem = problem;
            }
        });
        // Without a target the client's connection is closed, as a load balancer would.
        let Ok(mut target) = connected else { return };
        let _ = (client.set_nodelay(true), target.set_nodelay(true));
        // Whoever ends first ends the other one, and half an end is passed on.
        let _ = io::copy_bidirectional(&mut client, &mut target).await;
    }

    async fn connect(&self, key: &(String, u16)) -> Result<TcpStream, String> {
        let mut problem = String::new();
        for last in [false, true] {
            match self.backends(key) {
                Ok(backends) => {
                    for backend in backends {
                        match self.connect_to(&backend).await {
                            Ok(stream) => return Ok(stream),
                            Err(why) => problem = why,
                        }
                    }
                }
                Err(why) => problem = why,
            }
            if !last {
                self.known.newer().await;
            }
        }
        Err(problem)
    }

    async fn connect_to(&self, backend: &Backend) -> Result<TcpStream, String> {
        let mut problem = format!("there is no way to {}, port {}", backend.id, backend.port);
        for address in self.reach.addresses(backend).await {
            match time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(e)) => problem = format!("{} does not answer at {address}: {e}", backend.id),
                Err(_) => problem = format!("{} does not answer at {address}", backend.id),
            }
        }
        Err(problem)
    }

    /// The targets of the load balancer that the name leads to this time, in the order to try them.
    fn backends(&self, (name, port): &(String, u16)) -> Result<Vec<Backend>, String> {
        let now = self.known.now();
        let leads = now.leads(name).unwrap_or_default();
        let lead = pick(&leads, fastrand::f64()).ok_or_else(|| format!("{name} leads nowhere any more"))?;
        let End::Balancer(balancer) = &lead.end else { return Err(format!("{name} leads to no load balancer")) };
        let listener = balancer.listeners.iter().find(|listener| listener.port == *port);
        let listener = listener.ok_or_else(|| format!("load balancer {} has no port {port}", balancer.name))?;
        let backends = in_order(&listener.backends);
        match backends.is_empty() {
            true => Err(format!("load balancer {} has no target", balancer.name)),
            false => Ok(backends),
        }
    }
}

/// The healthy ones in random order; when there are none, all that are not on their way out, as a network load balancer
/// does ("fail open").
fn in_order(backends: &[Backend]) -> Vec<Backend> {
    let of = |chosen: fn(&Backend) -> bool| backends.iter().filter(|b| chosen(b)).cloned().collect::<Vec<_>>();
    let mut order = of(|b| b.health == "healthy");
    if order.is_empty() {
        order = of(|b| !matches!(b.health.as_str(), "draining" | "unused"));
    }
    fastrand::shuffle(&mut order);
    order
}
