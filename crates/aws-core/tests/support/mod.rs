//! An AWS emulator for this test binary, and the life of a graph on it.
//!
//! One emulator is shared by all tests of a binary, which run at the same time: let each make its own
//! VPC ([`vpc`]) and names, and never reset the emulator.
#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test binary uses a part of this")]
use aws_core::{
    cloud::{Cloud, ConnectOptions},
    engine::{Action, Event, Graph, Mode, NodeId, Observer, Options, Outcome, Quiet, Report, World, run},
    error::Kind,
    model::Owner,
};
use aws_sdk_ssm::types::ParameterType;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

#[path = "../../../../tests/support/moto.rs"]
mod moto;

/// Where the tests live.
pub const REGION: &str = "eu-west-1";
/// Starting takes some seconds; a busy machine, more.
const START: Duration = Duration::from_secs(120);

/// The emulator. It ends when its guard's standard input closes: when this is dropped, and also when
/// the test process ends in whatever way.
struct Moto {
    address: SocketAddr,
    guard: Child,
    home: TempDir,
}

impl Moto {
    fn start() -> Self {
        let (python, server) = moto::program("plain.py");
        let home = tempfile::tempdir().expect("a directory for temporary files");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("a bound socket has an address");
        assert!(address.ip().is_loopback());
        drop(free);
        let log = fs::File::create(home.path().join("log")).expect("a log file");
        let guard = Command::new("/bin/sh")
            .arg("-c")
            .arg(r#""$0" "$@" </dev/null & m=$!; trap '' INT; (while kill -0 $m 2>/dev/null; do sleep 1; done; kill $$ 2>/dev/null) & w=$!; cat >/dev/null; kill $m $w 2>/dev/null; wait $m"#)
            .arg(&python)
            .arg("-B")
            .arg(&server)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .env_clear()
            .envs(env::vars_os().filter(|(k, _)| k == "PATH" || k == "LANG"))
            .env("HOME", home.path())
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("MOTO_ENABLE_AMI_VALIDATION", "1")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "1")
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "1")
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle of the log"))
            .stderr(log)
            .spawn()
            .expect("/bin/sh runs");
        let mut moto = Self { address, guard, home };
        moto.wait();
        moto
    }

    fn wait(&mut self) {
        let end = Instant::now() + START;
        while !self.answers() {
            let gone = self.guard.try_wait().expect("the guard is our child").is_some();
            if gone || Instant::now() > end {
                let log = fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
                panic!(
                    "the AWS emulator moto_server does not start: `cargo xtask test` installs it, and so tells \
                     the tests where it is (MINION_MOTO). It said:\n{log}"
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut connection) = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)) else {
            return false;
        };
        let mut answer = String::new();
        connection.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
            && connection.write_all(b"GET /moto-api/ HTTP/1.0\r\n\r\n").is_ok()
            && connection.read_to_string(&mut answer).is_ok()
            && answer.contains("200 OK")
    }
}
impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// `http://127.0.0.1:<port>` of this binary's emulator, which is started by the first who asks.
pub fn endpoint() -> String {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    let moto = MOTO.get_or_init(Moto::start);
    format!("http://{}", moto.address)
}

/// A connection to the emulator; nothing is remembered from other tests.
pub async fn cloud() -> Cloud {
    cloud_at(&endpoint()).await
}

/// The same through something on loopback.
pub async fn cloud_at(endpoint: &str) -> Cloud {
    assert!(endpoint.starts_with("http://127.0.0.1:"), "tests never leave this machine");
    let options = ConnectOptions {
        region: Some(REGION.into()),
        tool: "minion",
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(("testing".into(), "testing".into())),
        ..ConnectOptions::default()
    };
    Cloud::connect(options).await.expect("a region is given")
}

/// Another VPC (10.<n>.0.0/16) for a test of its own.
pub async fn vpc(cloud: &Cloud) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed) % 250;
    let made = cloud.ec2().create_vpc().cidr_block(format!("10.{n}.0.0/16")).send().await.expect("CreateVpc");
    made.vpc().and_then(|v| v.vpc_id()).expect("a VPC has an id").to_owned()
}

/// Subnets of such a VPC, in two Availability Zones.
pub async fn subnets(cloud: &Cloud, vpc: &str) -> Vec<String> {
    let described = cloud.ec2().describe_vpcs().vpc_ids(vpc).send().await.expect("DescribeVpcs");
    let cidr = described.vpcs()[0].cidr_block().expect("a VPC has a network").replace(".0.0/16", "");
    let mut ids = Vec::new();
    for (n, zone) in ["a", "b"].into_iter().enumerate() {
        let call = cloud.ec2().create_subnet().vpc_id(vpc).cidr_block(format!("{cidr}.{n}.0/24"));
        let made = call.availability_zone(format!("{REGION}{zone}")).send().await.expect("CreateSubnet");
        ids.push(made.subnet().and_then(|s| s.subnet_id()).expect("a subnet has an id").to_owned());
    }
    ids
}

/// Names of all parameters below a path.
pub async fn parameters(cloud: &Cloud, path: &str) -> Vec<String> {
    let pages = cloud.ssm().get_parameters_by_path().path(path).recursive(true).into_paginator().send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await.expect("GetParametersByPath");
    pages.into_iter().flat_map(|p| p.parameters.unwrap_or_default()).filter_map(|p| p.name).collect()
}

/// Writes a parameter, whether it is there or not.
pub async fn put_parameter(cloud: &Cloud, name: String, value: &str) {
    let call = cloud.ssm().put_parameter().name(name).value(value).r#type(ParameterType::String);
    call.overwrite(true).send().await.expect("PutParameter");
}

/// A name that no other test of this binary has: `<stem><n>`.
pub fn unique(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{stem}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An owner without team and version.
pub fn owner(vpc: &str, application: &str) -> Owner {
    Owner {
        tool: "minion",
        vpc: vpc.into(),
        team: Some("red".into()),
        application: application.into(),
        version: None,
        extra: BTreeMap::new(),
    }
}

/// Bounds that fail a test soon.
pub fn options() -> Options {
    Options { deadline: Duration::from_secs(60), pause: Duration::from_millis(50), ..Options::default() }
}

/// What is done with a graph: as it says, or all of it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Plan,
    Apply,
    PlanDestroy,
    Destroy,
}

impl Way {
    /// As the engine is told.
    pub fn mode(self) -> Mode {
        if matches!(self, Self::Plan | Self::PlanDestroy) { Mode::Plan } else { Mode::Apply }
    }
    /// Runs a graph.
    pub async fn run<C: World>(self, graph: &Graph<C>, cloud: &C, observer: &dyn Observer) -> Report {
        cloud.forget();
        match self {
            Self::Plan | Self::Apply => run(graph, cloud, self.mode(), &options(), observer).await,
            Self::PlanDestroy | Self::Destroy => {
                run(&graph.absence(|_| true), cloud, self.mode(), &options(), observer).await
            }
        }
    }
}

/// Runs with a fresh memory of the cloud.
pub async fn go<C: World>(graph: &Graph<C>, cloud: &C, way: Way) -> Report {
    way.run(graph, cloud, &Quiet).await
}

/// A report as text, one line a node: for assertions, and to be read when they fail.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for node in &report.nodes {
        let outcome = match &node.outcome {
            Outcome::Done(Action::Keep | Action::Leave(_)) => "= keep".to_owned(),
            Outcome::Done(Action::Create) => "+ create".to_owned(),
            Outcome::Done(Action::Delete) => "- delete".to_owned(),
            Outcome::Done(Action::Update(changes)) => {
                let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
                format!("~ {}", changes.join("; "))
            }
            Outcome::Left(why) => format!("= left, because {why}"),
            Outcome::Failed(e) => format!("! {e:?}"),
            Outcome::Tolerated(_) => "tolerated".to_owned(),
            Outcome::Skipped(_) => "skipped".to_owned(),
            Outcome::Cancelled => "cancelled".to_owned(),
        };
        writeln!(text, "{node}: {outcome}").expect("a String takes all");
    }
    text
}

/// Runs, and fails the test unless every node got done. Returns the report.
pub async fn done<C: World>(graph: &Graph<C>, cloud: &C, mode: Way) -> Report {
    let report = go(graph, cloud, mode).await;
    assert!(report.complete(), "{mode:?}:\n{}", text(&report));
    report
}

/// Applies; then a plan must be empty, and so must another apply.
pub async fn apply<C: World>(graph: &Graph<C>, cloud: &C) -> Report {
    let report = done(graph, cloud, Way::Apply).await;
    for mode in [Way::Plan, Way::Apply] {
        let again = done(graph, cloud, mode).await;
        assert_eq!(again.changes(), 0, "{mode:?} after apply:\n{}", text(&again));
    }
    report
}

/// Destroys; then nothing of it may be left, and another destroy is a no-op.
pub async fn destroy<C: World>(graph: &Graph<C>, cloud: &C) -> Report {
    let report = done(graph, cloud, Way::Destroy).await;
    for mode in [Way::PlanDestroy, Way::Destroy] {
        let again = done(graph, cloud, mode).await;
        assert_eq!(again.changes(), 0, "{mode:?} after destroy:\n{}", text(&again));
    }
    report
}

/// The whole life: a plan of all creates, apply, an empty plan, destroy, nothing left, destroy again; and each resource
/// disappears, alone.
pub async fn lifecycle(graph: &Graph<Cloud>, cloud: &Cloud) {
    lifecycle_with(graph, cloud, &[]).await;
}

/// The same; those of these kinds AWS removes only together with what needs them.
pub async fn lifecycle_with(graph: &Graph<Cloud>, cloud: &Cloud, held: &[&str]) {
    lives_and_dies(graph, cloud).await;
    disappears(graph, cloud, held).await;
}

/// A plan of all creates, apply, an empty plan, destroy, nothing left, destroy again.
pub async fn lives_and_dies<C: World>(graph: &Graph<C>, cloud: &C) {
    let plan = done(graph, cloud, Way::Plan).await;
    assert_eq!(plan.changes(), plan.nodes.len(), "at first nothing is there:\n{}", text(&plan));
    let applied = apply(graph, cloud).await;
    assert_eq!(text(&applied), text(&plan), "what was planned is what was done");
    let destroyed = destroy(graph, cloud).await;
    assert_eq!(destroyed.changes(), destroyed.nodes.len(), "all of it was there to delete:\n{}", text(&destroyed));
}

/// Each resource is removed behind the tool's back: a plan says so, the same apply creates it again, and deleting the rest
/// leaves nothing. What is never removed cannot disappear. Those of kinds that AWS removes only after what needs them
/// (`held`) go together with that.
pub async fn disappears<C: World>(graph: &Graph<C>, cloud: &C, held: &[&str]) {
    for node in graph.managed() {
        let together = held.contains(&apply(graph, cloud).await.nodes[node.index()].kind);
        if !vanish(graph, cloud, node, together).await {
            continue;
        }
        let plan = done(graph, cloud, Way::Plan).await;
        assert!(plan.changes() > 0, "{} is missing, and no plan says so", plan.nodes[node.index()]);
        let report = go(graph, cloud, Way::Apply).await;
        if let Some((_, error)) = report.failures().next() {
            // What refers to it and never changes has to go first; the refusal comes before any write.
            assert_eq!((error.kind(), report.changes()), (Kind::Refused, 0), "{}", text(&report));
            let refused = report.nodes.iter().position(|n| matches!(n.outcome, Outcome::Failed(_))).unwrap();
            let needs = graph.needing(node).into_iter().any(|n| n != node && n.index() == refused);
            assert!(needs, "what refuses needs what is missing:\n{}", text(&report));
            assert!(vanish(graph, cloud, node, true).await);
        }
        apply(graph, cloud).await;
        assert!(vanish(graph, cloud, node, together).await);
        destroy(graph, cloud).await;
    }
}

/// Removes a node's resource, alone or together with all that needs it. Returns whether it is gone.
async fn vanish<C: World>(graph: &Graph<C>, cloud: &C, node: NodeId, together: bool) -> bool {
    let goes = if together { graph.needing(node) } else { BTreeSet::from([node]) };
    cloud.forget();
    let report = run(&graph.absence(|n| goes.contains(&n)), cloud, Mode::Apply, &options(), &Quiet).await;
    assert!(report.complete(), "cannot be removed:\n{}", text(&report));
    !matches!(report.nodes[node.index()].outcome, Outcome::Left(_))
}

/// Listens and keeps the step lines, with their results.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<String>>);
impl Recorder {
    /// What was told so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no listener panics").clone()
    }
}
impl Observer for Recorder {
    fn event(&self, event: Event<'_>) {
        let line = match event {
            Event::Begin { text, .. } => text.to_owned(),
            Event::Retry { error, .. } => format!("retry: {error}"),
            Event::End { error, .. } => error.map_or("OK", aws_core::Error::word).to_owned(),
            Event::Tick { note, .. } => note.to_owned(),
        };
        self.0.lock().expect("no listener panics").push(line);
    }
}

/// What a run warns of.
#[derive(Default)]
pub struct Warned(Mutex<Vec<String>>);
impl Warned {
    /// All of it.
    pub fn texts(self) -> Vec<String> {
        self.0.into_inner().expect("no listener panics")
    }
}
impl Observer for Warned {
    fn event(&self, _: Event<'_>) {}
    fn warn(&self, text: &str) {
        self.0.lock().expect("no listener panics").push(text.to_owned());
    }
}
