//! The sweeps over a graph: look and write forwards, delete backwards.
use super::graph::{Opaque, Slot};
use super::{Action, Cancel, Change, Cx, Graph, NodeId, Ownership, Stop, Wanted, World};
use super::{Event, NodeReport, Observer, Outcome, Report};
use crate::{
    Error, Result,
    error::Kind,
    progress::{Note, heard},
};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{
    any::Any,
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Which way to go, and whether to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Make the world as the graph says.
    Apply,
    /// Say what `Apply` would do.
    Plan,
    /// Remove all that the graph owns.
    Destroy,
    /// Say what `Destroy` would do.
    PlanDestroy,
}
impl Mode {
    fn writes(self) -> bool {
        matches!(self, Self::Apply | Self::Destroy)
    }
    fn destroys(self) -> bool {
        matches!(self, Self::Destroy | Self::PlanDestroy)
    }
}

/// Bounds on a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Nodes at work at the same time, at most.
    pub parallel: usize,
    /// Time for one node, its retries included.
    pub deadline: Duration,
    /// Pause before the first retry; doubles up to ten seconds.
    pub pause: Duration,
    /// The operator's Ctrl-C.
    pub cancel: Cancel,
    /// What may not be looked at (no permission) keeps back only what needs it, instead of everything.
    pub around_denied: bool,
}
impl Default for Options {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { parallel: 16, deadline: 600 * second, pause: second, cancel: Cancel::default(), around_denied: false }
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

enum Node {
    /// Looked at: what is to be done, and what was found.
    Looked(Action, Option<Opaque>),
    /// No further work.
    Ended(Outcome),
}

/// What came of a visit: what was done, and what is there now.
type Visit = (Action, Option<Opaque>);

struct Run<'g, C> {
    graph: &'g Graph<C>,
    cloud: &'g C,
    mode: Mode,
    options: &'g Options,
    observer: &'g dyn Observer,
    outputs: Vec<Slot>,
    /// What was warned of, to say it once.
    warned: Mutex<BTreeSet<String>>,
}

/// Converges (or removes, or only looks at) everything in `graph`. Failures are in the report.
///
/// What can be known without a call is checked first ([`Resource::check`](super::Resource::check)), then all is looked at,
/// before anything is written: a fault, a look that fails, a thing that is not ours, or a change that AWS cannot make in
/// place leaves everything as it was.
pub async fn run<C: World>(
    graph: &Graph<C>,
    cloud: &C,
    mode: Mode,
    options: &Options,
    observer: &dyn Observer,
) -> Report {
    let _held = mode.writes().then(|| options.cancel.in_flight().hold("resources"));
    let outputs = graph.nodes.iter().map(|_| Slot::new()).collect();
    let mut run = Run { graph, cloud, mode, options, observer, outputs, warned: Mutex::default() };
    let unseen = graph.nodes.iter().map(|_| Node::Looked(Action::Keep, None));
    if !mode.destroys()
        && let Some((first, e)) = fault(graph)
    {
        let mut nodes: Vec<Node> = unseen.map(|_| Node::Ended(Outcome::Skipped(first))).collect();
        nodes[first.0] = Node::Ended(Outcome::Failed(e));
        return report(graph, nodes);
    }
    let (mut nodes, ()) = futures::join!(run.sweep(&graph.found_through, unseen.collect(), false), run.read_room());
    // What needs a node whose look failed is left as it is.
    for i in 0..nodes.len() {
        let ended = graph.needs[i].iter().find(|n| matches!(nodes[n.0], Node::Ended(_)));
        if let (Some(need), Node::Looked(..)) = (ended, &nodes[i]) {
            nodes[i] = Node::Ended(Outcome::Skipped(*need));
        }
    }
    run.plan(&mut nodes);
    run.judge_room(&mut nodes).await;
    let bearable = |e: &Error| options.around_denied && e.kind() == Kind::Access;
    let failed = nodes.iter().position(|n| matches!(n, Node::Ended(Outcome::Failed(e)) if !bearable(e)));
    let ended = |n: &Node| !options.around_denied && matches!(n, Node::Ended(_));
    let bad = failed.or_else(|| nodes.iter().position(|n| ended(n) || matches!(n, Node::Ended(Outcome::Cancelled))));
    if mode.destroys() {
        // What is not known keeps what it needs; all else goes.
        let mut needed_by = vec![Vec::new(); nodes.len()];
        for (i, needs) in graph.needs.iter().enumerate() {
            needs.iter().for_each(|need| needed_by[need.0].push(NodeId(i)));
        }
        nodes = run.sweep(&needed_by, nodes, true).await;
    } else if let (true, Some(bad)) = (mode.writes(), bad) {
        let interrupted = options.cancel.state() != Stop::No;
        for node in nodes.iter_mut().filter(|n| matches!(n, Node::Looked(..))) {
            *node = Node::Ended(if interrupted { Outcome::Cancelled } else { Outcome::Skipped(NodeId(bad)) });
        }
    } else if mode.writes() {
        // What exists already may be read by those that come after it; what is made, once it is made.
        run.outputs = graph.nodes.iter().map(|_| Slot::new()).collect();
        nodes = run.sweep(&graph.needs, nodes, true).await;
    }
    report(graph, nodes)
}

fn report<C: World>(graph: &Graph<C>, nodes: Vec<Node>) -> Report {
    let reports = graph.nodes.iter().zip(nodes).map(|(n, node)| {
        let outcome = match node {
            Node::Looked(action, _) => Outcome::Done(action),
            Node::Ended(outcome) => outcome,
        };
        NodeReport { kind: n.kind(), name: n.name(), outcome }
    });
    Report { nodes: reports.collect() }
}

/// What is wrong with the wanted state itself, all of it at once, and what nodes have in common once; and the first such node.
fn fault<C: World>(graph: &Graph<C>) -> Option<(NodeId, Error)> {
    let wanted = graph.nodes.iter().enumerate().filter(|(_, n)| n.ownership() == Ownership::Owned);
    let mut wrong: Vec<_> = wanted.filter_map(|(i, n)| n.check().err().map(|e| (i, e))).collect();
    let mut told = BTreeSet::new();
    wrong.retain(|(_, e)| told.insert(e.to_string()));
    let first = wrong.first()?.0;
    let named = |i: usize, e: Error| {
        if e.to_string().contains(&graph.nodes[i].name()) { e } else { e.context(label(graph, i)) }
    };
    let all = wrong.into_iter().map(|(i, e)| Err(named(i, e)));
    Error::together(all).err().map(|e| (NodeId(first), e))
}

fn label<C: World>(graph: &Graph<C>, i: usize) -> String {
    format!("{} {}", graph.nodes[i].kind(), graph.nodes[i].name())
}

impl<C: World> Run<'_, C> {
    fn cx(&self, i: usize) -> Cx<'_, C> {
        Cx { cloud: self.cloud, outputs: &self.outputs, allowed: &self.graph.needs[i] }
    }

    fn label(&self, i: usize) -> String {
        label(self.graph, i)
    }

    /// Decides on every node, without any call.
    fn plan(&self, nodes: &mut [Node]) {
        for (i, node) in nodes.iter_mut().enumerate() {
            let Node::Looked(action, live) = node else { continue };
            let decided = catch_unwind(AssertUnwindSafe(|| self.decide(i, live.as_ref())));
            match decided.unwrap_or_else(|panic| self.panicked(i, &*panic)) {
                Ok(decided) => *action = decided,
                Err(e) => *node = Node::Ended(Outcome::Failed(e)),
            }
        }
    }

    /// What the nodes use of what there is only so much of, by what is to be done with each.
    fn uses(&self, action: impl Fn(usize) -> Option<Action>) -> Vec<Wanted> {
        let owned = |i: &usize| self.graph.nodes[*i].ownership() == Ownership::Owned;
        let of = |i: usize| {
            let action = action(i);
            let (created, written) = (action == Some(Action::Create), action.is_some_and(|a| a != Action::Keep));
            let uses = self.graph.nodes[i].uses().into_iter();
            uses.map(move |taken| Wanted { node: i, created, written, taken })
        };
        (0..self.graph.nodes.len()).filter(owned).flat_map(of).collect()
    }

    /// Finds out how much room is left, beside the looks: what is read is remembered.
    async fn read_room(&self) {
        if self.mode.destroys() {
            return;
        }
        let wanted = self.uses(|_| Some(Action::Create));
        tokio::select! {
            biased;
            () = self.options.cancel.reached(Stop::Soon) => {}
            _ = self.cloud.room(&wanted) => {}
        }
    }

    /// Fails the nodes for which there is no room.
    async fn judge_room(&self, nodes: &mut [Node]) {
        if self.mode.destroys() || self.options.cancel.state() != Stop::No {
            return;
        }
        let planned = |i: usize| match &nodes[i] {
            Node::Looked(action, _) => Some(action.clone()),
            Node::Ended(_) => None,
        };
        let wanted = self.uses(planned);
        if !wanted.iter().any(|w| w.written) {
            return;
        }
        let room = self.cloud.room(&wanted).await;
        room.warnings.iter().for_each(|text| self.warn(text));
        for (node, error) in room.refused {
            nodes[node] = Node::Ended(Outcome::Failed(error));
        }
    }

    /// Once for each text. What goes needs no advice.
    fn warn(&self, text: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.mode.destroys() && warned.insert(text.to_owned()) {
            self.observer.warn(text);
        }
    }

    fn panicked<T>(&self, i: usize, panic: &(dyn Any + Send)) -> Result<T> {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
        Err(Error::failed(format!("internal error in {}: {text}", self.label(i))))
    }

    fn decide(&self, i: usize, live: Option<&Opaque>) -> Result<Action> {
        let resource = &self.graph.nodes[i];
        if self.mode.destroys() {
            let ours = live.is_some() && resource.ownership() != Ownership::Existing;
            return Ok(if ours { Action::Delete } else { Action::Keep });
        }
        let mut action = resource.plan(&self.cx(i), live)?;
        // It is there, but something that it refers to is still to be made.
        let missing = self.graph.needs[i].iter().find(|n| self.outputs[n.0].get().is_none());
        if let (Some(parent), Action::Keep, true) = (missing, &action, live.is_some()) {
            action = Action::Update(vec![Change::new("refers to", "missing", self.label(parent.0))]);
        }
        if let (true, Action::Update(changes)) = (self.mode.writes(), &action)
            && let Some(change) = changes.iter().find(|c| c.refused.is_some())
        {
            let hint = change.refused.clone().unwrap_or_default();
            return Err(Error::refused(format!("{} cannot change {change}", self.label(i))).hint(hint));
        }
        Ok(action)
    }

    /// Visits every node once all of its `before` nodes are done, at most [`Options::parallel`] at a time:
    /// to write what is planned, or to look.
    async fn sweep(&self, before: &[Vec<NodeId>], mut nodes: Vec<Node>, write: bool) -> Vec<Node> {
        let mut open: BTreeSet<usize> = (0..nodes.len()).collect();
        let mut busy: BTreeSet<usize> = BTreeSet::new();
        let mut flying = FuturesUnordered::new();
        loop {
            let mut settled = false;
            for i in open.clone() {
                if before[i].iter().any(|b| open.contains(&b.0) || busy.contains(&b.0)) {
                    continue;
                }
                let blocked = before[i].iter().find(|b| matches!(nodes[b.0], Node::Ended(_)));
                if let Node::Looked(_, live) = &mut nodes[i] {
                    let outcome = match blocked {
                        Some(because) => Outcome::Skipped(*because),
                        None if self.options.cancel.state() != Stop::No => Outcome::Cancelled,
                        None if flying.len() < self.options.parallel.max(1) => {
                            let visit = self.guarded(i, live.take(), write);
                            flying.push(async move { (i, visit.await) });
                            open.remove(&i);
                            busy.insert(i);
                            continue;
                        }
                        None => continue,
                    };
                    nodes[i] = Node::Ended(outcome);
                }
                settled |= open.remove(&i);
            }
            if settled {
                continue;
            }
            let Some((i, result)) = flying.next().await else { break };
            busy.remove(&i);
            nodes[i] = match result {
                Ok((action, live)) => Node::Looked(action, live),
                Err(e) if write && e.is_tolerable() => Node::Ended(Outcome::Tolerated(e)),
                Err(e) => Node::Ended(Outcome::Failed(e)),
            };
        }
        nodes
    }

    /// One visit, with its panic kept its own, and its end told.
    async fn guarded(&self, i: usize, live: Option<Opaque>, write: bool) -> Result<Visit> {
        let mut begun = false;
        let told = |note: Note| match note {
            Note::Waiting(note) => self.observer.event(Event::Tick { step: i as u64, note: &note }),
            Note::Warning(text) => self.warn(&text),
        };
        let visit = AssertUnwindSafe(heard(self.visit(i, live, write, &mut begun), told));
        let result = tokio::select! {
            biased;
            () = self.options.cancel.reached(Stop::Now) => Err(Error::interrupted(format!("interrupted while working on {}", self.label(i)))),
            done = visit.catch_unwind() => done.unwrap_or_else(|panic| self.panicked(i, &*panic)),
        };
        if begun {
            let words = match &result {
                Ok(_) => Ok("OK"),
                Err(e) if e.kind() == Kind::Interrupted => Err("INTERRUPTED"),
                Err(e) if e.is_tolerable() => Err("SKIPPED"),
                Err(_) => Err("FAILED"),
            };
            self.observer.event(Event::End { step: i as u64, result: words });
        }
        result
    }

    /// Looks; or writes, with the real outputs of what came before, and looks only before another try.
    async fn visit(&self, i: usize, mut live: Option<Opaque>, write: bool, begun: &mut bool) -> Result<Visit> {
        let (resource, cx) = (&self.graph.nodes[i], self.cx(i));
        // What is told in the end: a create that AWS carried out although its answer was lost is a create.
        let mut told = Action::Keep;
        self.retrying(i, async |again| {
            if again || !write {
                live = resource.find(&cx).await?;
            }
            let action = if write { self.decide(i, live.as_ref())? } else { Action::Keep };
            if !again {
                told = action.clone();
            }
            if action != Action::Keep && self.mode.writes() {
                if !std::mem::replace(begun, true) {
                    let (text, within) = (&resource.step(&action), self.options.deadline);
                    self.observer.event(Event::Begin { step: i as u64, text, within });
                }
                live = resource.apply(&cx, &action, live.take()).await?;
            }
            Ok(())
        })
        .await?;
        if let Some(live) = &live {
            // Deleting reads outputs too, and there they stand already.
            let _ = self.outputs[i].set(resource.output(live));
        }
        Ok((told, live))
    }

    /// Tries until it works, fails for good, the node's deadline passes, or the operator interrupts. What
    /// failed may have half happened: before each new try, all that was read is forgotten.
    async fn retrying(&self, i: usize, mut attempt: impl AsyncFnMut(bool) -> Result<()>) -> Result<()> {
        let deadline = Instant::now() + self.options.deadline;
        let (mut pause, mut again) = (self.options.pause, false);
        loop {
            let Ok(tried) = tokio::time::timeout_at(deadline, attempt(again)).await else {
                return Err(Error::deadline(format!("{}: not done within {:?}", self.label(i), self.options.deadline)));
            };
            let Err(error) = tried else { return Ok(()) };
            pause = pause.max(error.pause());
            if !error.is_retryable() || Instant::now() + pause >= deadline {
                return Err(error);
            }
            self.observer.event(Event::Retry { step: i as u64, error: &error, pause });
            tokio::select! {
                biased;
                () = self.options.cancel.reached(Stop::Soon) => {
                    let text = format!("{}: interrupted before another try: {error}", self.label(i));
                    return Err(Error::interrupted(text).caused_by(error));
                }
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.cloud.forget();
            again = true;
        }
    }
}
