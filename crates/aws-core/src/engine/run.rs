//! The sweeps over a graph: look and write forwards, delete backwards.
use super::graph::{Opaque, Slot};
use super::{
    Action, Cancel, Change, Cx, Event, Graph, NodeId, NodeReport, Observer, Outcome, Ownership, Report, Stop, World,
};
use crate::{Error, Result, error::Kind};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use std::{collections::BTreeSet, panic::AssertUnwindSafe, time::Duration};
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
}
impl Default for Options {
    fn default() -> Self {
        Self {
            parallel: 16,
            deadline: Duration::from_secs(600),
            pause: Duration::from_secs(1),
            cancel: Cancel::default(),
        }
    }
}

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A node's way through a run.
enum Node {
    /// Looked at: what is to be done, and what was found.
    Looked(Action, Option<Opaque>),
    /// No further work.
    Ended(Outcome),
}

struct Run<'g, C> {
    graph: &'g Graph<C>,
    cloud: &'g C,
    mode: Mode,
    options: &'g Options,
    observer: &'g dyn Observer,
    needs: Vec<Vec<NodeId>>,
    outputs: Vec<Slot>,
}

/// Converges (or removes, or only looks at) everything in `graph`. Failures are in the report.
///
/// All is looked at before anything is written: a look that fails, a thing that is not ours, or a change
/// that AWS cannot make in place leaves everything as it was.
pub async fn run<C: World>(
    graph: &Graph<C>,
    cloud: &C,
    mode: Mode,
    options: &Options,
    observer: &dyn Observer,
) -> Report {
    let needs: Vec<_> = graph.nodes.iter().map(|n| n.needs()).collect();
    let outputs = graph.nodes.iter().map(|_| Slot::new()).collect();
    let mut run = Run { graph, cloud, mode, options, observer, needs, outputs };
    let unseen = graph.nodes.iter().map(|_| Node::Looked(Action::Keep, None)).collect();
    let mut nodes = run.sweep(&run.needs, unseen, false).await;
    if !mode.destroys() {
        run.plan(&mut nodes);
        let bad = nodes.iter().position(|n| matches!(n, Node::Ended(_)));
        if let (true, Some(bad)) = (mode.writes(), bad) {
            for node in nodes.iter_mut().filter(|n| matches!(n, Node::Looked(..))) {
                *node = Node::Ended(Outcome::Skipped(NodeId(bad)));
            }
        } else if mode.writes() {
            // What exists already may be read by those that come after it; what is made, once it is made.
            run.outputs = graph.nodes.iter().map(|_| Slot::new()).collect();
            nodes = run.sweep(&run.needs, nodes, true).await;
        }
    } else {
        let mut needed_by = vec![Vec::new(); nodes.len()];
        for (i, needs) in run.needs.iter().enumerate() {
            needs.iter().for_each(|need| needed_by[need.0].push(NodeId(i)));
        }
        for (node, resource) in nodes.iter_mut().zip(&graph.nodes) {
            if let Node::Looked(action, Some(_)) = node
                && resource.ownership() == Ownership::Owned
            {
                *action = Action::Delete;
            }
        }
        nodes = run.sweep(&needed_by, nodes, true).await;
    }
    let reports = graph.nodes.iter().zip(nodes).map(|(n, node)| {
        let outcome = match node {
            Node::Looked(action, _) => Outcome::Done(action),
            Node::Ended(outcome) => outcome,
        };
        NodeReport { kind: n.kind(), name: n.name(), outcome }
    });
    Report { nodes: reports.collect() }
}

impl<C: World> Run<'_, C> {
    fn cx(&self, i: usize) -> Cx<'_, C> {
        Cx { cloud: self.cloud, outputs: &self.outputs, allowed: &self.needs[i] }
    }

    fn label(&self, i: usize) -> String {
        format!("{} {}", self.graph.nodes[i].kind(), self.graph.nodes[i].name())
    }

    /// Decides on every node, without any call.
    fn plan(&self, nodes: &mut [Node]) {
        for (i, node) in nodes.iter_mut().enumerate() {
            let Node::Looked(action, live) = node else { continue };
            match self.decide(i, live.as_ref()) {
                Ok(decided) => *action = decided,
                Err(e) => *node = Node::Ended(Outcome::Failed(e)),
            }
        }
    }

    fn decide(&self, i: usize, live: Option<&Opaque>) -> Result<Action> {
        let resource = &self.graph.nodes[i];
        // It is there, but something that it refers to is still to be made: compared in full after that.
        if let (Some(_), Some(parent)) = (live, self.needs[i].iter().find(|n| self.outputs[n.0].get().is_none())) {
            return Ok(Action::Update(vec![Change::new("refers to", "missing", self.label(parent.0))]));
        }
        let action = resource.plan(&self.cx(i), live)?;
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
                let blocked = before[i].iter().find(|b| matches!(&nodes[b.0], Node::Ended(_)));
                let (action, live) = match &mut nodes[i] {
                    Node::Looked(action, live) => (action, live),
                    Node::Ended(_) => {
                        settled |= open.remove(&i);
                        continue;
                    }
                };
                let outcome = match blocked {
                    Some(because) => Outcome::Skipped(*because),
                    None if self.options.cancel.state() != Stop::No => Outcome::Cancelled,
                    None if flying.len() < self.options.parallel.max(1) => {
                        let visit = self.guarded(i, action.clone(), live.take(), write);
                        flying.push(async move { (i, visit.await) });
                        open.remove(&i);
                        busy.insert(i);
                        continue;
                    }
                    None => continue,
                };
                nodes[i] = Node::Ended(outcome);
                settled |= open.remove(&i);
            }
            if settled {
                continue;
            }
            let Some((i, result)) = flying.next().await else { break };
            busy.remove(&i);
            nodes[i] = match result {
                Ok((action, live)) => {
                    if let Some(live) = &live {
                        // Deleting reads outputs too, and there they stand already.
                        let _ = self.outputs[i].set(self.graph.nodes[i].output(live));
                    }
                    Node::Looked(action, live)
                }
                Err(e) => Node::Ended(Outcome::Failed(e)),
            };
        }
        nodes
    }

    /// One visit, with its panic kept its own, and its end told.
    async fn guarded(
        &self,
        i: usize,
        action: Action,
        live: Option<Opaque>,
        write: bool,
    ) -> Result<(Action, Option<Opaque>)> {
        let mut begun = false;
        let visit = AssertUnwindSafe(async {
            if write { self.write(i, action, live, &mut begun).await } else { self.look(i).await }
        });
        let result = tokio::select! {
            biased;
            () = self.options.cancel.reached(Stop::Now) => Err(Error::interrupted(format!("interrupted while working on {}", self.label(i)))),
            done = visit.catch_unwind() => done
                .unwrap_or_else(|panic| Err(Error::failed(format!("internal error in {}: {}", self.label(i), panic_text(&*panic))))),
        };
        if begun {
            let words = match &result {
                Ok(_) => Ok("OK"),
                Err(e) if e.kind() == Kind::Interrupted => Err("INTERRUPTED"),
                Err(_) => Err("FAILED"),
            };
            self.observer.event(Event::End { step: i as u64, result: words });
        }
        result
    }

    async fn look(&self, i: usize) -> Result<(Action, Option<Opaque>)> {
        let mut live = None;
        self.retrying(i, async |_| {
            live = self.graph.nodes[i].find(&self.cx(i)).await?;
            Ok(())
        })
        .await?;
        Ok((Action::Keep, live))
    }

    async fn write(
        &self,
        i: usize,
        planned: Action,
        live: Option<Opaque>,
        begun: &mut bool,
    ) -> Result<(Action, Option<Opaque>)> {
        let (resource, cx) = (&self.graph.nodes[i], self.cx(i));
        let mut live = live;
        // What is told in the end: a create that AWS carried out although its answer was lost is a create.
        let mut told = planned.clone();
        self.retrying(i, async |again| {
            if again {
                live = resource.find(&cx).await?;
            }
            let action = match (&planned, &live) {
                (Action::Delete, None) => return Ok(()),
                (Action::Delete, Some(_)) => Action::Delete,
                _ if self.mode.destroys() => return Ok(()),
                _ => self.decide(i, live.as_ref())?,
            };
            if !again {
                told = action.clone();
            }
            if action == Action::Keep || !self.mode.writes() {
                return Ok(());
            }
            if !std::mem::replace(begun, true) {
                self.observer.event(Event::Begin { step: i as u64, text: &resource.step(&action) });
            }
            live = resource.apply(&cx, &action, live.take()).await?;
            Ok(())
        })
        .await?;
        Ok((told, live))
    }

    /// Tries until it works, fails for good, the node's deadline passes, or the operator interrupts. What
    /// failed may have half happened: before each new try, all that was read is forgotten.
    async fn retrying(&self, i: usize, mut attempt: impl AsyncFnMut(bool) -> Result<()>) -> Result<()> {
        let deadline = Instant::now() + self.options.deadline;
        let mut pause = self.options.pause;
        let mut again = false;
        loop {
            let Ok(tried) = tokio::time::timeout_at(deadline, attempt(again)).await else {
                return Err(Error::deadline(format!("{}: not done within {:?}", self.label(i), self.options.deadline)));
            };
            let Err(error) = tried else { return Ok(()) };
            let interrupted = self.options.cancel.state() != Stop::No;
            if !error.is_retryable() || interrupted || Instant::now() + pause >= deadline {
                return Err(error);
            }
            self.observer.event(Event::Retry { step: i as u64, error: &error, pause });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.options.cancel.reached(Stop::Soon) => return Err(error),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.cloud.forget();
            again = true;
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
}
