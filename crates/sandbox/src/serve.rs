//! The sandbox process: starts the emulator, and runs what it lacks until told to stop.
use crate::{
    KEY,
    autoscaling::AutoScaling,
    control::{PROCESSES, Processes},
    emulator,
    front::Front,
    gateway::Gateway,
    http,
    instance::Instances,
    log::Log,
    place::{CONTAINER_CLI, Emulator, LOG, Place, RUNNING, Running, WANTED, Wanted},
    prepare,
};
use aws_core::{
    Error, Result,
    cloud::{Cloud, ConnectOptions},
};
use docker::Engine;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// What the parts of a sandbox process share.
pub(crate) struct Parts {
    /// The sandbox's id.
    pub(crate) id: String,
    /// The engine of this computer.
    pub(crate) engine: Engine,
    /// A connection to the emulator.
    pub(crate) cloud: Arc<Cloud>,
    /// The emulator's address.
    pub(crate) emulator: url::Url,
    /// For what has no client of its own.
    pub(crate) http: reqwest::Client,
    /// AWS's public parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Auto Scaling groups.
    pub(crate) groups: AutoScaling,
    /// The front door.
    pub(crate) front: Front,
    /// What the process says.
    pub(crate) log: Log,
}

/// Runs a sandbox until it is told to stop, also while it is starting.
///
/// # Errors
/// When a port is taken, or the emulator does not start.
pub async fn serve(place: &Place) -> Result<()> {
    let path = place.file(LOG);
    let log = Log::open(&path).map_err(|e| Error::failed(format!("{} cannot be written: {e}", path.display())))?;
    place.write(PROCESSES, &Processes { own: std::process::id(), emulator: None })?;
    let done = run(place, &log).await;
    if let Err(error) = &done {
        log.say(&format!("error: {error}"));
        for hint in error.hints() {
            log.say(&format!("hint: {hint}"));
        }
    }
    done
}

/// Takes back what this process wrote down of itself; another one may have taken its place.
fn gone(place: &Place) -> Result<()> {
    match place.read::<Running>(RUNNING)? {
        Some(running) if running.pid == std::process::id() => place.forget(RUNNING),
        _ => Ok(()),
    }
}

async fn run(place: &Place, log: &Log) -> Result<()> {
    let wanted: Wanted = place.read(WANTED)?.ok_or_else(|| Error::failed("`minion sandbox up` starts this process"))?;
    let engine = Engine::connect().await?;
    let near = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let bridge = bridge(&engine).await;
    let gateway = bind(near, wanted.port, "--port").await?;
    let front = bind(near, wanted.front_port, "--front-port").await?;
    let instances = bind(bridge, 0, "").await?;
    let address = SocketAddr::new(bridge, free_port(bridge).await?);
    let token = token();
    let port = local(&instances)?.port();
    // Where the engine is a virtual machine, this name of it leads to this computer.
    let reached = if bridge.is_loopback() { "host-gateway".to_owned() } else { bridge.to_string() };
    let script =
        include_str!("container_cli.sh").replace("@docker@", &shell_word(&wanted.docker.display().to_string()));
    let script = script.replace("@label@", &format!("{}={}", crate::place::LABEL, place.id()));
    let script = script.replace("@address@", &reached).replace("@port@", &port.to_string()).replace("@token@", &token);
    place.write_text(CONTAINER_CLI, &script, true)?;

    let http_client = reqwest::Client::builder().no_proxy().build();
    let http_client = http_client.map_err(|e| Error::failed(format!("no HTTP client: {e}")))?;
    let url = url::Url::parse(&format!("http://{address}/")).map_err(|e| Error::failed(e.to_string()))?;
    let mut child = emulator::start(place, &wanted, &engine, address)?;
    let word = match &wanted.emulator {
        Emulator::Program(program) => program.display().to_string(),
        Emulator::Image(_) => place.id(),
    };
    // Before it is ready: whatever happens from here on, `down` finds it.
    let own = std::process::id();
    place.write(PROCESSES, &Processes { own, emulator: child.id().map(|pid| (pid, word)) })?;
    log.say(&format!("fakecloud starts at {address}, process {:?}", child.id()));
    let mut signals = Signals::listen()?;
    tokio::select! {
        ready = emulator::ready(place, &mut child, &http_client, &url) => ready?,
        () = signals.heard() => {
            emulator::end(child).await;
            return Err(Error::interrupted("told to stop before the sandbox was ready"));
        }
    }
    let cloud = Arc::new(connect(url.as_str(), &wanted.region).await?);
    let parameters = prepare::prepare(&cloud).await?;
    prepare::zone(&cloud, &wanted.domain).await?;

    let (stopper, stop) = watch::channel(false);
    let groups = AutoScaling::new(cloud.clone(), engine.clone(), place.id());
    let door = Front::new(cloud.clone(), engine.clone(), url.clone());
    let parts = Arc::new(Parts {
        id: place.id(),
        engine,
        cloud,
        emulator: url,
        http: http_client,
        parameters,
        groups: groups.clone(),
        front: door.clone(),
        log: log.clone(),
    });
    let running = Running {
        pid: std::process::id(),
        emulator_pid: child.id(),
        endpoint: format!("http://{}", local(&gateway)?),
        front: format!("http://{}", local(&front)?),
        region: wanted.region.clone(),
        domain: wanted.domain.clone(),
        since: jiff::Timestamp::now(),
    };
    let entrance = Gateway::new(parts.clone(), stopper.clone());
    let behind = Instances::new(parts, token);
    let tasks = [
        tokio::spawn(groups.run(stop.clone())),
        tokio::spawn(door.clone().run(stop.clone())),
        tokio::spawn(door.serve_http(front, stop.clone())),
        tokio::spawn(http::serve(gateway, stop.clone(), move |whole| {
            let entrance = entrance.clone();
            async move { entrance.answer(whole).await }
        })),
        tokio::spawn(http::serve(instances, stop.clone(), move |whole| {
            let behind = behind.clone();
            async move { behind.answer(whole).await }
        })),
    ];
    place.write(RUNNING, &running)?;
    log.say(&format!("ready: {} and {}", running.endpoint, running.front));
    let ended = until_stopped(stop, &mut child, &mut signals).await;
    log.say(&ended.told);
    if ended.wanted {
        gone(place)?;
    }
    let _ = stopper.send(true);
    // Open requests get a few seconds, as long as there is somebody to answer them.
    let patience = std::time::Duration::from_secs(if ended.wanted { 6 } else { 0 });
    let _ = tokio::time::timeout(patience, futures::future::join_all(tasks)).await;
    emulator::end(child).await;
    place.forget(PROCESSES)
}

/// What an operator or the system sends to end a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|e| Error::failed(format!("signals cannot be heard: {e}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }
    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Why a sandbox process ends.
struct Ended {
    told: String,
    /// Whether somebody asked for it. If not, what it wrote down of itself stays, so that the next command can say so.
    wanted: bool,
}

/// Waits for a signal, a request to stop, or the emulator's end.
async fn until_stopped(
    mut stop: watch::Receiver<bool>,
    emulator: &mut tokio::process::Child,
    signals: &mut Signals,
) -> Ended {
    tokio::select! {
        () = signals.heard() => Ended { told: "told to stop".to_owned(), wanted: true },
        _ = stop.wait_for(|stop| *stop) => Ended { told: "asked to stop".to_owned(), wanted: true },
        ended = emulator.wait() => {
            let status = ended.map_or_else(|e| e.to_string(), |status| status.to_string());
            Ended { told: format!("error: fakecloud ended: {status}"), wanted: false }
        }
    }
}

/// A connection to a sandbox, with credentials that are valid nowhere else.
///
/// # Errors
/// None that a region's name can cause.
pub async fn connect(endpoint: &str, region: &str) -> Result<Cloud> {
    Cloud::connect(ConnectOptions {
        region: Some(region.to_owned()),
        tool: "minion",
        endpoint: Some(endpoint.trim_end_matches('/').to_owned()),
        credentials: Some((KEY.0.to_owned(), KEY.1.to_owned())),
        ..ConnectOptions::default()
    })
    .await
}

/// The address of this computer that containers reach: the engine's bridge, where it is here; loopback where the engine
/// is a virtual machine that leads there.
async fn bridge(engine: &Engine) -> IpAddr {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let Ok(network) = engine.client().inspect_network("bridge", None).await else { return loopback };
    let configured = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let found = configured.iter().find_map(|c| c.gateway.as_deref()?.parse::<IpAddr>().ok());
    let found = found.or_else(|| configured.iter().find_map(|c| first_of(c.subnet.as_deref()?)));
    match found {
        Some(address) if TcpListener::bind((address, 0)).await.is_ok() => address,
        _ => loopback,
    }
}

/// The first address of a network: the gateway's, where the engine does not say.
fn first_of(network: &str) -> Option<IpAddr> {
    let address: Ipv4Addr = network.split('/').next()?.parse().ok()?;
    Some(IpAddr::V4(Ipv4Addr::from(u32::from(address) + 1)))
}

async fn bind(address: IpAddr, port: u16, flag: &str) -> Result<TcpListener> {
    TcpListener::bind((address, port)).await.map_err(|e| {
        let error = Error::failed(format!("port {port} of {address} cannot be used: {e}"));
        if flag.is_empty() {
            error
        } else {
            error.hint(format!("Choose another one with {flag}; 0 is any that is free."))
        }
    })
}

async fn free_port(address: IpAddr) -> Result<u16> {
    Ok(local(&bind(address, 0, "").await?)?.port())
}

fn local(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|e| Error::failed(format!("a port has no address: {e}")))
}

/// What only this sandbox's instances know.
fn token() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    let part = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", part(), part())
}

/// A word of a shell script.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
