//! A cloud in memory that counts, delays, fails, hangs and panics on demand, and is as strict as AWS: a
//! second create of a name and a delete of what others need are errors.
use crate::engine::{
    self, Change, Cx, Event, Graph, Identity, Mode, Needs, Observer, Options, Outcome, Ref, Report, Resource, World,
};
use crate::{Error, Result, error::Kind};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What is done with a graph: as it says, or all of it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Plan,
    Apply,
    PlanDestroy,
    Destroy,
}

pub(super) async fn run<C: World>(
    graph: &Graph<C>,
    cloud: &C,
    way: Way,
    options: &Options,
    observer: &dyn Observer,
) -> Report {
    match way {
        Way::Plan => engine::run(graph, cloud, Mode::Plan, options, observer).await,
        Way::Apply => engine::run(graph, cloud, Mode::Apply, options, observer).await,
        Way::PlanDestroy => engine::run(&graph.absence(|_| true), cloud, Mode::Plan, options, observer).await,
        Way::Destroy => engine::run(&graph.absence(|_| true), cloud, Mode::Apply, options, observer).await,
    }
}

/// What is wished of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Managed,
    External,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    Find,
    Diff,
    Create,
    Update,
    Delete,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// An error, and nothing happened. `true`: one that passes.
    Before(bool),
    /// An error, although the cloud acted. `true`: one that passes.
    After(bool),
    /// As `After(true)`, but not seen before so many seconds have passed.
    Unseen(u64),
    /// No permission, and nothing happened.
    Denied,
    /// An error that the run does without, and nothing happened.
    Tolerable,
    Hang,
    Panic,
}

#[derive(Default)]
pub(super) struct Fake {
    /// Name -> value and parents.
    pub(super) things: Mutex<BTreeMap<String, (String, Vec<String>)>>,
    faults: Mutex<BTreeMap<(Op, String), (Fault, usize)>>,
    delays: Mutex<BTreeMap<String, u64>>,
    pub(super) calls: Mutex<Vec<(Op, String)>>,
    pub(super) done: Mutex<Vec<(Op, String)>>,
    pub(super) forgotten: AtomicUsize,
    running: AtomicUsize,
    pub(super) peak: AtomicUsize,
}

impl World for Fake {
    fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }
}

impl Fake {
    /// The next `times` calls go wrong.
    pub(super) fn fail(&self, op: Op, name: &str, fault: Fault, times: usize) {
        self.faults.lock().unwrap().insert((op, name.into()), (fault, times));
    }
    pub(super) fn heal(&self) {
        self.faults.lock().unwrap().clear();
    }
    pub(super) fn delay(&self, name: &str, milliseconds: u64) {
        self.delays.lock().unwrap().insert(name.into(), milliseconds);
    }
    pub(super) fn put(&self, name: &str, value: &str) {
        self.things.lock().unwrap().insert(name.into(), (value.into(), Vec::new()));
    }
    pub(super) fn names(&self) -> Vec<String> {
        self.things.lock().unwrap().keys().cloned().collect()
    }
    pub(super) fn writes(&self) -> usize {
        self.calls.lock().unwrap().iter().filter(|c| matches!(c.0, Op::Create | Op::Update | Op::Delete)).count()
    }
    pub(super) fn count(&self, op: Op, name: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|c| **c == (op, name.into())).count()
    }
    fn fault(&self, op: Op, name: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (fault, left) = faults.get_mut(&(op, name.to_owned()))?;
        *left = left.checked_sub(1)?;
        Some(*fault)
    }
    async fn call<T>(&self, op: Op, name: &str, act: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.calls.lock().unwrap().push((op, name.into()));
        let error = |retry, words: &str| {
            let e = Error::failed(format!("{op:?} {name}: {words}"));
            if retry { e.retryable() } else { e }
        };
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        let delay = self.delays.lock().unwrap().get(name).copied().unwrap_or(5);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let fault = self.fault(op, name);
        match fault {
            Some(Fault::Before(retry)) => return Err(error(retry, "refused")),
            Some(Fault::Denied) => return Err(Error::new(Kind::Access, format!("{op:?} {name}: denied"))),
            Some(Fault::Tolerable) => return Err(error(false, "refused").tolerable()),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Panic) => panic!("boom in {name}"),
            _ => {}
        }
        let made = act(self)?;
        self.done.lock().unwrap().push((op, name.into()));
        match fault {
            Some(Fault::After(retry)) => Err(error(retry, "answer lost")),
            Some(Fault::Unseen(seconds)) => {
                Err(error(true, "answer lost").retryable_after(Duration::from_secs(seconds)))
            }
            _ => Ok(made),
        }
    }
}

#[derive(Clone, Needs)]
pub(super) struct Thing {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) needs: Vec<Ref<String>>,
    pub(super) wish: Wish,
    /// Why it stays although it should not exist.
    pub(super) left: Option<&'static str>,
    pub(super) refuses: bool,
    /// What is wrong with it, and can be known.
    pub(super) wrong: Option<&'static str>,
}

impl Identity for Thing {
    const KIND: &'static str = "thing";
    type Cloud = Fake;
    type Live = String;
    type Output = String;
    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Fake>) -> Result<Option<String>> {
        for need in &self.needs {
            cx.try_get(*need);
        }
        let look = |c: &Fake| Ok(c.things.lock().unwrap().get(&self.name).map(|t| t.0.clone()));
        cx.cloud.call(Op::Find, &self.name, look).await
    }
    fn accept(&self, live: Option<&String>) -> Result<()> {
        match live {
            None => Err(Error::not_found(format!("thing {} does not exist", self.name))),
            Some(live) if *live != self.value => Err(Error::refused(format!("not ours to change: {live}"))),
            Some(_) => Ok(()),
        }
    }
    fn left(&self, _: &Cx<'_, Fake>, _: &String) -> Option<String> {
        self.left.map(str::to_owned)
    }
    async fn remove(&self, cx: &Cx<'_, Fake>, _: &String) -> Result<()> {
        let act = |c: &Fake| {
            let mut things = c.things.lock().unwrap();
            if let Some((child, _)) = things.iter().find(|(_, t)| t.1.contains(&self.name)) {
                return Err(Error::failed(format!("DependencyViolation: {child} needs {}", self.name)));
            }
            things.remove(&self.name);
            Ok(())
        };
        cx.cloud.call(Op::Delete, &self.name, act).await
    }
    fn output(&self, _: &String) -> String {
        self.name.clone()
    }
}

impl Resource for Thing {
    type Identity = Self;

    fn identity(&self) -> Self {
        self.clone()
    }
    fn check(&self) -> Result<()> {
        self.wrong.map_or(Ok(()), |words| Err(Error::usage(words).hint("Write another value.")))
    }
    fn diff(&self, cx: &Cx<'_, Fake>, live: &String) -> Vec<Change> {
        let _parents: Vec<_> = self.needs.iter().map(|n| cx.try_get(*n)).collect();
        assert!(cx.cloud.fault(Op::Diff, &self.name).is_none(), "boom in {}", self.name);
        let mut changes = Vec::new();
        if self.refuses && *live != self.value {
            changes.push(Change::refused("value", live, &self.value, "make another one"));
        } else {
            Change::compare(&mut changes, "value", live, &self.value);
        }
        changes
    }
    async fn create(&self, cx: &Cx<'_, Fake>) -> Result<String> {
        let parents: Vec<String> = self.needs.iter().map(|n| cx.get(*n).clone()).collect();
        let act = |c: &Fake| {
            let mut things = c.things.lock().unwrap();
            assert!(parents.iter().all(|p| things.contains_key(p)), "created before its parent");
            if things.insert(self.name.clone(), (self.value.clone(), parents)).is_some() {
                return Err(Error::failed(format!("{} exists already", self.name)));
            }
            Ok(self.value.clone())
        };
        cx.cloud.call(Op::Create, &self.name, act).await
    }
    async fn update(&self, cx: &Cx<'_, Fake>, _: &String, _: &[Change]) -> Result<String> {
        let act = |c: &Fake| {
            c.things.lock().unwrap().get_mut(&self.name).unwrap().0 = self.value.clone();
            Ok(self.value.clone())
        };
        cx.cloud.call(Op::Update, &self.name, act).await
    }
}

/// A graph from `(name, needs)`; the names' order is the graph's.
pub(super) fn graph(nodes: &[(&str, &[&str])], value: &str) -> Graph<Fake> {
    let nodes: Vec<(String, Vec<String>)> =
        nodes.iter().map(|(n, d)| ((*n).into(), d.iter().map(|s| (*s).into()).collect())).collect();
    graph_with(&nodes, value, |_| {})
}

/// As [`graph`], with a last touch on each thing.
pub(super) fn graph_with(nodes: &[(String, Vec<String>)], value: &str, touch: impl Fn(&mut Thing)) -> Graph<Fake> {
    let mut graph = Graph::default();
    let mut refs: BTreeMap<String, Ref<String>> = BTreeMap::new();
    for (name, needs) in nodes {
        let needs = needs.iter().map(|n| refs[n]).collect();
        let mut thing = Thing {
            name: name.clone(),
            value: value.into(),
            needs,
            wish: Wish::Managed,
            left: None,
            refuses: false,
            wrong: None,
        };
        touch(&mut thing);
        let node = match thing.wish {
            Wish::Managed => graph.add(thing),
            Wish::External => graph.external(thing),
            Wish::Absent => graph.absent(thing),
        };
        refs.insert(name.clone(), node);
    }
    graph
}

/// A network with what stands in it: shared parents, a diamond, an independent one.
pub(super) const NET: &[(&str, &[&str])] = &[
    ("vpc", &[]),
    ("group", &["vpc"]),
    ("subnet-a", &["vpc"]),
    ("subnet-b", &["vpc"]),
    ("lb", &["group", "subnet-a", "subnet-b"]),
    ("role", &[]),
    ("fleet", &["lb", "role"]),
];

/// As [`NET`], with a touch on one of its nodes.
pub(super) fn net_with(touch: impl Fn(&mut Thing)) -> Graph<Fake> {
    let nodes: Vec<_> =
        NET.iter().map(|(n, d)| ((*n).to_owned(), d.iter().map(|s| (*s).to_owned()).collect())).collect();
    graph_with(&nodes, "1", touch)
}

/// Writes events down as lines, and knows whether steps pair up.
#[derive(Default)]
pub(super) struct Notes(pub(super) Mutex<Vec<String>>);
impl Observer for Notes {
    fn event(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Begin { step, text, .. } => format!("begin {step} {text}"),
            Event::End { step, error } => format!("end {step} {}", error.map_or("OK", Error::word)),
            Event::Retry { step, error, pause } => format!("retry {step} {error} in {pause:?}"),
            other => format!("{other:?}"),
        });
    }
}
impl Notes {
    pub(super) fn assert_paired(&self) {
        let mut open = BTreeSet::new();
        let lines = self.lines();
        for line in &lines {
            let mut words = line.split(' ');
            match (words.next().unwrap(), words.next().unwrap()) {
                ("begin", step) => assert!(open.insert(step), "{line}: begun twice"),
                ("end", step) => assert!(open.remove(step), "{line}: not begun"),
                _ => {}
            }
        }
        assert!(open.is_empty(), "not ended: {open:?}");
    }
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(super) fn options() -> Options {
    Options { pause: Duration::from_millis(100), deadline: Duration::from_secs(60), ..Options::default() }
}

/// Runs, and checks that events pair up.
pub(super) async fn go(graph: &Graph<Fake>, cloud: &Fake, mode: Way) -> Report {
    let notes = Notes::default();
    let report = run(graph, cloud, mode, &options(), &notes).await;
    notes.assert_paired();
    report
}

pub(super) fn outcome<'a>(report: &'a Report, name: &str) -> &'a Outcome {
    &report.nodes.iter().find(|n| n.name == name).unwrap().outcome
}
pub(super) fn is_done(report: &Report, name: &str) -> bool {
    matches!(outcome(report, name), Outcome::Done(_))
}
pub(super) fn untried(report: &Report) -> usize {
    report.nodes.iter().filter(|n| matches!(n.outcome, Outcome::Skipped(_) | Outcome::Cancelled)).count()
}
pub(super) fn is_skipped(report: &Report, name: &str) -> bool {
    matches!(outcome(report, name), Outcome::Skipped(_))
}
pub(super) fn failure(report: &Report, name: &str) -> String {
    match outcome(report, name) {
        Outcome::Failed(e) => e.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}
