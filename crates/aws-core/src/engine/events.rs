//! What the engine tells while it works, and at the end.
use super::{Action, NodeId};
use crate::Error;
use std::{fmt, time::Duration};

/// What became of a node.
#[derive(Debug)]
pub enum Outcome {
    /// Done (or, in a dry run, what would be done).
    Done(Action),
    /// It failed; what depends on it is skipped.
    Failed(Error),
    /// It was not written, and the run is complete all the same ([`Error::tolerable`]); what depends on it is skipped.
    Tolerated(Error),
    /// Not tried, because that node did not get done.
    Skipped(NodeId),
    /// Not tried, because the operator interrupted.
    Cancelled,
}

/// Something to tell the operator. Whoever listens decides on the words' looks, not on the words.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins. `text` is the step line without its result.
    Begin {
        /// Tells steps that run at the same time apart.
        step: u64,
        /// `Creating load balancer for myapp version 2.0`.
        text: &'a str,
        /// It fails when it takes longer.
        within: Duration,
    },
    /// A step still goes on; `note` says what it waits for.
    Tick {
        /// The step.
        step: u64,
        /// E.g. `1 of 2 targets healthy`.
        note: &'a str,
    },
    /// A step failed in a way that passes, and will be tried again.
    Retry {
        /// The step.
        step: u64,
        /// Why.
        error: &'a Error,
        /// When.
        pause: Duration,
    },
    /// A step ended.
    End {
        /// The step.
        step: u64,
        /// `Err` holds the words for the step line's end: `FAILED`, ..
        result: Result<&'a str, &'a str>,
    },
}

/// Whoever listens to [`Event`]s.
pub trait Observer: Send + Sync {
    /// Something happened. Called from many tasks; must not block for long.
    fn event(&self, event: Event<'_>);
    /// Something that the operator should know, of the plan or of one resource, once for each run.
    fn warn(&self, _: &str) {}
}

/// Listens and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;
impl Observer for Quiet {
    fn event(&self, _: Event<'_>) {}
}

/// One node in the [`Report`].
#[derive(Debug)]
pub struct NodeReport {
    /// The resource's kind.
    pub kind: &'static str,
    /// The resource's name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}
impl fmt::Display for NodeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Each node's outcome, in the graph's order.
#[derive(Debug)]
pub struct Report {
    /// The nodes.
    pub nodes: Vec<NodeReport>,
}
impl Report {
    /// How many nodes were, or would be, written.
    pub fn changes(&self) -> usize {
        self.nodes.iter().filter(|n| matches!(&n.outcome, Outcome::Done(a) if *a != Action::Keep)).count()
    }
    /// Whether every node got done, but for those that a run completes without.
    pub fn complete(&self) -> bool {
        self.nodes.iter().all(|n| matches!(n.outcome, Outcome::Done(_) | Outcome::Tolerated(_)))
    }
    /// The failures.
    pub fn failures(&self) -> impl Iterator<Item = (&NodeReport, &Error)> {
        self.nodes.iter().filter_map(|n| match &n.outcome {
            Outcome::Failed(e) => Some((n, e)),
            _ => None,
        })
    }
    /// How many nodes were not tried.
    pub fn untried(&self) -> usize {
        self.nodes.iter().filter(|n| matches!(n.outcome, Outcome::Skipped(_) | Outcome::Cancelled)).count()
    }
    /// Whether the operator interrupted.
    pub fn cancelled(&self) -> bool {
        self.nodes.iter().any(|n| match &n.outcome {
            Outcome::Cancelled => true,
            Outcome::Failed(e) => e.kind() == crate::error::Kind::Interrupted,
            _ => false,
        })
    }
}
