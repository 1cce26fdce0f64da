//! The sweeps over a graph: look, decide, write.
use super::graph::{self, Opaque, Slot, Wish};
use super::{Action, Cancel, Change, Cx, Graph, NodeId, Stop, Wanted, World};
use super::{Event, NodeReport, Observer, Outcome, Report};
use crate::{
    Error, Result,
    error::Kind,
    progress::{Note, heard},
    retry::{Bounds, retrying},
};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Whether to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Make the world as the graph says.
    Apply,
    /// Say what `Apply` would do.
    Plan,
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

/// Converges (or only looks at) everything in `graph`. Failures are in the report.
///
/// What can be known without a call is checked first ([`Resource::check`](super::Resource::check)), then all is looked at,
/// before anything is written: a fault, a look that fails, a thing that is not ours, or a change that AWS cannot make in
/// place leaves everything as it was. Of what should not exist, a look that fails keeps back what needs it, and of what it
/// needs, what should go too; all else goes.
pub async fn run<C: World>(
    graph: &Graph<C>,
    cloud: &C,
    mode: Mode,
    options: &Options,
    observer: &dyn Observer,
) -> Report {
    let _held = (mode == Mode::Apply).then(|| options.cancel.in_flight().hold("resources"));
    let outputs = graph.nodes.iter().map(|_| Slot::new()).collect();
    let mut run = Run { graph, cloud, mode, options, observer, outputs, warned: Mutex::default() };
    let unseen = graph.nodes.iter().map(|_| Node::Looked(Action::Keep, None));
    if let Some((first, e)) = fault(graph) {
        let mut nodes: Vec<Node> = unseen.map(|_| Node::Ended(Outcome::Skipped(first))).collect();
        nodes[first.0] = Node::Ended(Outcome::Failed(e));
        return report(graph, nodes, run.outputs);
    }
    let through: Vec<_> = graph.nodes.iter().map(|n| n.found_through.clone()).collect();
    let (mut nodes, ()) = futures::join!(run.sweep(&through, unseen.collect(), false), run.read_room());
    // What needs a node whose look failed is left as it is.
    for i in 0..nodes.len() {
        let ended = graph.nodes[i].needs.iter().find(|n| matches!(nodes[n.0], Node::Ended(_)));
        if let (Some(need), Node::Looked(..)) = (ended, &nodes[i]) {
            nodes[i] = Node::Ended(Outcome::Skipped(*need));
        }
    }
    run.plan(&mut nodes);
    run.judge_room(&mut nodes).await;
    if mode == Mode::Plan {
        return report(graph, nodes, run.outputs);
    }
    if let Some(bad) = run.hindrance(&nodes) {
        let interrupted = options.cancel.state() != Stop::No;
        for node in nodes.iter_mut().filter(|n| matches!(n, Node::Looked(..))) {
            *node = Node::Ended(if interrupted { Outcome::Cancelled } else { Outcome::Skipped(bad) });
        }
    } else {
        // What is managed may be read by those that come after it, once it is as it should be; what goes, as it was found.
        let managed = graph.nodes.iter().zip(&mut run.outputs).filter(|(n, _)| n.is_managed());
        managed.for_each(|(_, slot)| *slot = Slot::new());
        nodes = run.sweep(&graph.order(), nodes, true).await;
    }
    report(graph, nodes, run.outputs)
}

fn report<C: World>(graph: &Graph<C>, nodes: Vec<Node>, outputs: Vec<Slot>) -> Report {
    let reports = graph.nodes.iter().zip(nodes).map(|(n, node)| {
        let outcome = match node {
            Node::Looked(Action::Leave(why), _) => Outcome::Left(why),
            Node::Looked(action, _) => Outcome::Done(action),
            Node::Ended(outcome) => outcome,
        };
        NodeReport { kind: n.kind, name: n.name.clone(), absent: n.is_absent(), outcome }
    });
    Report { nodes: reports.collect(), outputs }
}

/// What is wrong with the wanted state itself, all of it at once, and what nodes have in common once; and the first such node.
fn fault<C: World>(graph: &Graph<C>) -> Option<(NodeId, Error)> {
    let fault = |(i, n): (usize, &graph::Entry<C>)| match &n.wish {
        Wish::Managed(wanted) => wanted.check().err().map(|e| (i, e)),
        _ => None,
    };
    let mut wrong: Vec<_> = graph.nodes.iter().enumerate().filter_map(fault).collect();
    let mut told = BTreeSet::new();
    wrong.retain(|(_, e)| told.insert(e.to_string()));
    let first = wrong.first()?.0;
    let named = |i: usize, e: Error| {
        if e.to_string().contains(&graph.nodes[i].name) { e } else { e.context(label(graph, i)) }
    };
    let all = wrong.into_iter().map(|(i, e)| Err(named(i, e)));
    Error::together(all).err().map(|e| (NodeId(first), e))
}

fn label<C: World>(graph: &Graph<C>, i: usize) -> String {
    format!("{} {}", graph.nodes[i].kind, graph.nodes[i].name)
}

impl<C: World> Run<'_, C> {
    fn cx(&self, i: usize) -> Cx<'_, C> {
        Cx { cloud: self.cloud, outputs: &self.outputs, allowed: &self.graph.nodes[i].needs }
    }

    fn label(&self, i: usize) -> String {
        label(self.graph, i)
    }

    /// Decides on every node, without any call.
    fn plan(&self, nodes: &mut [Node]) {
        for (i, node) in nodes.iter_mut().enumerate() {
            let Node::Looked(action, live) = node else { continue };
            let decided = catch_unwind(AssertUnwindSafe(|| self.decide(i, live.as_ref())));
            match decided.unwrap_or_else(|panic| Err(Error::panicked(&self.label(i), &*panic))) {
                Ok(decided) => *action = decided,
                Err(e) => *node = Node::Ended(Outcome::Failed(e)),
            }
        }
    }

    /// What the nodes use of what there is only so much of, by what is to be done with each.
    fn uses(&self, action: impl Fn(usize) -> Option<Action>) -> Vec<Wanted> {
        let of = |(i, entry): (usize, &graph::Entry<C>)| {
            let action = action(i);
            let (created, written) = (action == Some(Action::Create), action.is_some_and(|a| !a.is_idle()));
            entry.uses.clone().into_iter().map(move |taken| Wanted { node: i, created, written, taken })
        };
        self.graph.nodes.iter().enumerate().flat_map(of).collect()
    }

    /// The first node because of which nothing is written. What should not exist and could not be looked at is none.
    fn hindrance(&self, nodes: &[Node]) -> Option<NodeId> {
        let around = self.options.around_denied;
        let weight = |i: usize| match &nodes[i] {
            Node::Ended(Outcome::Cancelled) => 1,
            Node::Ended(_) if self.graph.nodes[i].is_absent() => 0,
            Node::Ended(Outcome::Failed(e)) if !around || e.kind() != Kind::Access => 2,
            Node::Ended(_) if !around => 1,
            _ => 0,
        };
        [2, 1].into_iter().find_map(|least| (0..nodes.len()).find(|i| weight(*i) >= least)).map(NodeId)
    }

    /// Finds out how much room is left, beside the looks: what is read is remembered.
    async fn read_room(&self) {
        let wanted = self.uses(|_| Some(Action::Create));
        if wanted.is_empty() {
            return;
        }
        tokio::select! {
            biased;
            () = self.options.cancel.reached(Stop::Soon) => {}
            _ = self.cloud.room(&wanted) => {}
        }
    }

    /// Fails the nodes for which there is no room.
    async fn judge_room(&self, nodes: &mut [Node]) {
        if self.options.cancel.state() != Stop::No {
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

    /// Once for each text.
    fn warn(&self, text: &str) {
        if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
            self.observer.warn(text);
        }
    }

    fn decide(&self, i: usize, live: Option<&Opaque>) -> Result<Action> {
        let (node, cx) = (&self.graph.nodes[i], self.cx(i));
        let (wanted, live) = match (&node.wish, live) {
            (Wish::External, live) => return node.known.accept(live).map(|()| Action::Keep),
            (Wish::Absent, None) => return Ok(Action::Keep),
            (Wish::Absent, Some(live)) => return Ok(node.known.left(&cx, live).map_or(Action::Delete, Action::Leave)),
            (Wish::Managed(_), None) => return Ok(Action::Create),
            (Wish::Managed(wanted), Some(live)) => (wanted, live),
        };
        let changes = wanted.diff(&cx, live);
        if changes.is_empty() {
            // It is there; perhaps something that it refers to is still to be made.
            let missing = node.needs.iter().find(|n| self.outputs[n.0].get().is_none());
            let refers = missing.map(|n| vec![Change::new("refers to", "missing", self.label(n.0))]);
            return Ok(refers.map_or(Action::Keep, Action::Update));
        }
        if self.mode == Mode::Apply {
            Change::allowed(&changes, self.label(i))?;
        }
        Ok(Action::Update(changes))
    }

    async fn carry_out(&self, i: usize, action: &Action, live: Option<Opaque>) -> Result<Option<Opaque>> {
        let (node, cx) = (&self.graph.nodes[i], self.cx(i));
        Ok(match (action, live, &node.wish) {
            (Action::Create, _, Wish::Managed(wanted)) => Some(wanted.create(&cx).await?),
            (Action::Update(changes), Some(l), Wish::Managed(wanted)) => Some(wanted.update(&cx, &l, changes).await?),
            (Action::Delete, Some(live), _) => node.known.remove(&cx, &live).await.map(|()| None)?,
            (_, live, _) => live,
        })
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
                // What the run is complete without keeps nothing that should go.
                let passed = |b: NodeId| matches!(nodes[b.0], Node::Ended(Outcome::Tolerated(_)));
                let goes = self.graph.nodes[i].is_absent();
                let ended = |b: &&NodeId| matches!(nodes[b.0], Node::Ended(_)) && !(goes && passed(**b));
                let blocked = before[i].iter().find(ended);
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
            // What goes needs no advice.
            Note::Warning(_) if self.graph.nodes[i].is_absent() => {}
            Note::Warning(text) => self.warn(&text),
        };
        let visit = AssertUnwindSafe(heard(self.visit(i, live, write, &mut begun), told));
        let result = tokio::select! {
            biased;
            () = self.options.cancel.reached(Stop::Now) => Err(Error::interrupted(format!("interrupted while working on {}", self.label(i)))),
            done = visit.catch_unwind() => done.unwrap_or_else(|panic| Err(Error::panicked(&self.label(i), &*panic))),
        };
        if begun {
            self.observer.event(Event::End { step: i as u64, error: result.as_ref().err() });
        }
        result
    }

    /// Looks; or writes, with the real outputs of what came before, and looks only before another try.
    async fn visit(&self, i: usize, mut live: Option<Opaque>, write: bool, begun: &mut bool) -> Result<Visit> {
        let (known, cx) = (&self.graph.nodes[i].known, self.cx(i));
        // What is told in the end: a create that AWS carried out although its answer was lost is a create.
        let mut told = Action::Keep;
        let Options { deadline, pause, cancel, .. } = self.options;
        let told_of = |error: &Error, pause| self.observer.event(Event::Retry { step: i as u64, error, pause });
        let bounds = Bounds { what: self.label(i), deadline: *deadline, pause: *pause, cancel };
        retrying(&bounds, told_of, async |again| {
            // What failed may have half happened.
            if again {
                self.cloud.forget();
            }
            if again || !write {
                live = known.find(&cx).await?;
            }
            let action = if write { self.decide(i, live.as_ref())? } else { Action::Keep };
            if !again || matches!(action, Action::Leave(_)) {
                told = action.clone();
            }
            if !action.is_idle() {
                if !std::mem::replace(begun, true) {
                    let text = &known.step(&action);
                    self.observer.event(Event::Begin { step: i as u64, text, within: *deadline });
                }
                live = self.carry_out(i, &action, live.take()).await?;
            }
            Ok(())
        })
        .await?;
        if let Some(live) = &live {
            // Of what goes they stand there already: removing reads them.
            let _ = self.outputs[i].set(known.output(live));
        }
        Ok((told, live))
    }
}
