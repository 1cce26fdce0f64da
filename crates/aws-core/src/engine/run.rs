//! The sweeps over a graph: look and write forwards, delete backwards.
use super::graph::{Erased, Opaque, Slot};
use super::{Action, Cancel, Cx, Event, Graph, NodeId, NodeReport, Observer, Outcome, Ownership, Report, Stop, World};
use crate::{Error, Result};
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

struct Sweep<'g, C> {
    graph: &'g Graph<C>,
    cloud: &'g C,
    mode: Mode,
    options: &'g Options,
    observer: &'g dyn Observer,
    needs: Vec<Vec<NodeId>>,
    outputs: Vec<Slot>,
}

/// What the sweep knows of a node.
enum State {
    Open,
    /// The sweep's first half of a deletion: looked at.
    Ended(Outcome),
}

/// Converges (or removes, or only looks at) everything in `graph`. Failures are in the report.
pub async fn run<C: World>(
    graph: &Graph<C>,
    cloud: &C,
    mode: Mode,
    options: &Options,
    observer: &dyn Observer,
) -> Report {
    let count = graph.nodes.len();
    let sweep = Sweep {
        graph,
        cloud,
        mode,
        options,
        observer,
        needs: graph.nodes.iter().map(|n| n.needs()).collect(),
        outputs: (0..count).map(|_| Slot::new()).collect(),
    };
    if !mode.destroys() {
        let (outcomes, _) = sweep.walk(&sweep.needs, None).await;
        return sweep.report(outcomes);
    }
    // Forwards to find (some things are found through their parents), then backwards to delete.
    let (mut looked, live) = sweep.walk(&sweep.needs, None).await;
    let mut needed_by = vec![Vec::new(); count];
    for (i, needs) in sweep.needs.iter().enumerate() {
        for need in needs {
            needed_by[need.0].push(NodeId(i));
        }
    }
    let found: Vec<Found> = looked
        .iter_mut()
        .zip(live)
        .map(|(outcome, live)| match outcome {
            Outcome::Done(_) => Ok(live),
            other => Err(std::mem::replace(other, Outcome::Cancelled)),
        })
        .collect();
    let (outcomes, _) = sweep.walk(&needed_by, Some(found)).await;
    sweep.report(outcomes)
}

/// What the look before a deletion brought: the live thing, or why there was no look.
type Found = Result<Option<Opaque>, Outcome>;

impl<C: World> Sweep<'_, C> {
    fn report(&self, outcomes: Vec<Outcome>) -> Report {
        let nodes = self.graph.nodes.iter().zip(outcomes);
        Report { nodes: nodes.map(|(n, outcome)| NodeReport { kind: n.kind(), name: n.name(), outcome }).collect() }
    }

    /// Visits every node once all of its `before` nodes are done, at most `parallel` at a time.
    /// With `found`, deletes; without, looks, and writes if the mode says so.
    async fn walk(&self, before: &[Vec<NodeId>], found: Option<Vec<Found>>) -> (Vec<Outcome>, Vec<Option<Opaque>>) {
        let count = self.graph.nodes.len();
        let deleting = found.is_some();
        let mut found: Vec<Found> = found.unwrap_or_else(|| (0..count).map(|_| Ok(None)).collect());
        let mut live: Vec<Option<Opaque>> = (0..count).map(|_| None).collect();
        let mut states: Vec<State> = (0..count).map(|_| State::Open).collect();
        let mut todo: BTreeSet<usize> = (0..count).collect();
        let mut flying = FuturesUnordered::new();
        loop {
            let mut settled = false;
            for i in todo.clone() {
                let waits = before[i].iter().any(|b| matches!(states[b.0], State::Open));
                let blocked = before[i]
                    .iter()
                    .find(|b| matches!(&states[b.0], State::Ended(o) if !matches!(o, Outcome::Done(_))));
                let outcome = if waits {
                    continue;
                } else if let Some(because) = blocked {
                    Outcome::Skipped(*because)
                } else if self.options.cancel.state() != Stop::No {
                    Outcome::Cancelled
                } else if let Err(o) = &mut found[i] {
                    std::mem::replace(o, Outcome::Cancelled)
                } else if flying.len() < self.options.parallel.max(1) {
                    todo.remove(&i);
                    let mine = std::mem::replace(&mut found[i], Ok(None)).unwrap_or_default();
                    flying.push(async move { (i, self.guarded(i, mine, deleting).await) });
                    continue;
                } else {
                    continue;
                };
                todo.remove(&i);
                states[i] = State::Ended(outcome);
                settled = true;
            }
            if settled {
                continue;
            }
            let Some((i, result)) = flying.next().await else { break };
            states[i] = State::Ended(match result {
                Ok((action, thing)) => {
                    if let (Some(thing), false) = (&thing, deleting) {
                        let fresh = self.outputs[i].set(self.graph.nodes[i].output(thing));
                        debug_assert!(fresh.is_ok(), "a node is visited once");
                    }
                    live[i] = thing;
                    Outcome::Done(action)
                }
                Err(e) => Outcome::Failed(e),
            });
        }
        let outcomes = states.into_iter().map(|s| match s {
            State::Ended(o) => o,
            State::Open => unreachable!("the loop ends when no node is open"),
        });
        (outcomes.collect(), live)
    }

    /// One node, with a bound on its time, and its panic kept its own.
    async fn guarded(&self, i: usize, found: Option<Opaque>, deleting: bool) -> Result<(Action, Option<Opaque>)> {
        let node = &self.graph.nodes[i];
        let label = || format!("{} {}", node.kind(), node.name());
        let mut begun = false;
        let work = AssertUnwindSafe(self.one(i, found, deleting, &mut begun)).catch_unwind();
        let result = tokio::select! {
            biased;
            () = self.options.cancel.reached(Stop::Now) => Err(Error::interrupted(format!("interrupted while working on {}", label()))),
            done = work => done.unwrap_or_else(|panic| Err(Error::failed(format!("internal error in {}: {}", label(), panic_text(&*panic))))),
        };
        if begun {
            let words = match &result {
                Ok(_) => Ok("OK"),
                Err(e) if e.kind() == crate::error::Kind::Interrupted => Err("INTERRUPTED"),
                Err(_) => Err("FAILED"),
            };
            self.observer.event(Event::End { step: i as u64, result: words });
        }
        result
    }

    async fn one(
        &self,
        i: usize,
        found: Option<Opaque>,
        deleting: bool,
        begun: &mut bool,
    ) -> Result<(Action, Option<Opaque>)> {
        let node = &*self.graph.nodes[i];
        let cx = Cx { cloud: self.cloud, outputs: &self.outputs, allowed: &self.needs[i] };
        let deadline = Instant::now() + self.options.deadline;
        let mut pause = self.options.pause;
        let mut live = found;
        let mut planned = None;
        loop {
            let tried = self.attempt(node, &cx, deleting, &mut live, &mut planned, i, begun);
            let error = match tokio::time::timeout_at(deadline, tried).await {
                Ok(Ok(action)) => return Ok((action, live)),
                Ok(Err(e)) => e,
                Err(_) => Error::deadline(format!(
                    "{} {}: not done within {:?}",
                    node.kind(),
                    node.name(),
                    self.options.deadline
                )),
            };
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
            // What failed may have half happened: forget what was read, and look again.
            self.cloud.forget();
            live = if deleting { node.find(&cx).await? } else { None };
        }
    }

    /// Looks, decides, and writes, once. `planned` keeps the first decision, so that a create which
    /// succeeded on AWS but failed on its way back is still told as a create.
    #[expect(clippy::too_many_arguments, reason = "private, and each is one fact of the node's visit")]
    async fn attempt(
        &self,
        node: &dyn Erased<C>,
        cx: &Cx<'_, C>,
        deleting: bool,
        live: &mut Option<Opaque>,
        planned: &mut Option<Action>,
        i: usize,
        begun: &mut bool,
    ) -> Result<Action> {
        let action = if deleting {
            if live.is_some() && node.ownership() == Ownership::Owned { Action::Delete } else { Action::Keep }
        } else {
            let blind = self.needs[i].iter().any(|n| self.outputs[n.0].get().is_none());
            if !blind || self.mode.destroys() {
                *live = node.find(cx).await?;
            }
            match (self.mode.destroys(), blind) {
                (true, _) => Action::Keep,
                (false, true) => Action::Create,
                (false, false) => node.plan(cx, live.as_ref())?,
            }
        };
        let first = planned.get_or_insert_with(|| action.clone()).clone();
        if action == Action::Keep {
            return Ok(first);
        }
        if self.mode.writes() {
            if let Action::Update(changes) = &action
                && let Some(c) = changes.iter().find(|c| c.refused.is_some())
            {
                let hint = c.refused.clone().unwrap_or_default();
                return Err(Error::refused(format!("{} {} cannot change {c}", node.kind(), node.name())).hint(hint));
            }
            if !std::mem::replace(begun, true) {
                self.observer.event(Event::Begin { step: i as u64, text: &node.step(&first) });
            }
            *live = node.apply(cx, &action, live.take()).await?;
        }
        Ok(first)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
}
