//! What became of a run.
use super::{Action, NodeId, Ref, graph::Slot};
use crate::Error;
use std::fmt;

/// What became of a node.
#[derive(Debug)]
pub enum Outcome {
    /// Done (or, in a dry run, what would be done).
    Done(Action),
    /// It should not exist, and stays all the same: why.
    Left(String),
    /// It failed; what depends on it is skipped.
    Failed(Error),
    /// It was not written, and the run is complete all the same ([`Error::tolerable`]); what depends on it is skipped.
    Tolerated(Error),
    /// Not tried, because that node did not get done.
    Skipped(NodeId),
    /// Not tried, because the operator interrupted.
    Cancelled,
}

/// One node in the [`Report`].
#[derive(Debug)]
pub struct NodeReport {
    /// The resource's kind.
    pub kind: &'static str,
    /// The resource's name.
    pub name: String,
    /// Whether it should not exist.
    pub absent: bool,
    /// What became of it.
    pub outcome: Outcome,
}
impl NodeReport {
    /// What became of one that should exist.
    pub fn new(kind: &'static str, name: impl Into<String>, outcome: Outcome) -> Self {
        Self { kind, name: name.into(), absent: false, outcome }
    }
}
impl fmt::Display for NodeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Each node's outcome, in the graph's order.
#[derive(Debug, Default)]
pub struct Report {
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    pub(super) outputs: Vec<Slot>,
}
impl From<Vec<NodeReport>> for Report {
    fn from(nodes: Vec<NodeReport>) -> Self {
        Self { nodes, outputs: Vec::new() }
    }
}
impl Report {
    /// The output of a node, when it is there.
    pub fn output<T: 'static>(&self, of: Ref<T>) -> Option<&T> {
        self.outputs.get(of.node().index())?.get()?.downcast_ref()
    }
    /// How many nodes were, or would be, written.
    pub fn changes(&self) -> usize {
        self.nodes.iter().filter(|n| matches!(&n.outcome, Outcome::Done(a) if !a.is_idle())).count()
    }
    /// Whether every node got done, but for those that a run completes without.
    pub fn complete(&self) -> bool {
        self.nodes.iter().all(|n| matches!(n.outcome, Outcome::Done(_) | Outcome::Left(_) | Outcome::Tolerated(_)))
    }
    /// The failures.
    pub fn failures(&self) -> impl Iterator<Item = (&NodeReport, &Error)> {
        self.nodes.iter().filter_map(|n| match &n.outcome {
            Outcome::Failed(e) => Some((n, e)),
            _ => None,
        })
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
