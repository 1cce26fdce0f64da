//! What a graph acts on; and what there is only so much of: whether what a plan creates fits, judged before the first write.
use crate::Error;
use futures::{FutureExt as _, future::BoxFuture};

/// What the resources act on: one account and region, or a fake in tests.
pub trait World: Send + Sync + 'static {
    /// Drops everything remembered from earlier reads; called before a retry looks again.
    fn forget(&self) {}
    /// Whether what is wanted fits into what is left. Asked twice: beside the looks, as if all were to be written, so that
    /// the answer is known by then; and with the plan.
    fn room<'a>(&'a self, _: &'a [Wanted]) -> BoxFuture<'a, Room> {
        std::future::ready(Room::default()).boxed()
    }
}

/// What a resource takes of something of which the world has only so much, once it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The quota, by the name that the [`World`] knows.
    pub quota: &'static str,
    /// How much of it.
    pub amount: u64,
    /// The resource that has so much room for itself: listeners of a load balancer. `None`: all share the room.
    pub within: Option<String>,
    /// Which part of the world, where it has several.
    pub part: usize,
}

impl Use {
    /// So much of what all resources share.
    pub fn of(quota: &'static str, amount: u64) -> Self {
        Self { quota, amount, within: None, part: 0 }
    }
    /// So much of what `resource` has for itself.
    pub fn within(quota: &'static str, amount: u64, resource: impl Into<String>) -> Self {
        Self { within: Some(resource.into()), ..Self::of(quota, amount) }
    }
}

/// A node's use of a quota, in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The node's place in the graph.
    pub node: usize,
    /// Whether the plan creates the node.
    pub created: bool,
    /// Whether the plan writes to it at all.
    pub written: bool,
    /// The use.
    pub taken: Use,
}

/// Whether all that is wanted fits.
#[derive(Debug, Default)]
pub struct Room {
    /// The nodes for which there is no room.
    pub refused: Vec<(usize, Error)>,
    /// What the operator should know: little is left, or it could not be found out.
    pub warnings: Vec<String>,
}
