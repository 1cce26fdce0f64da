//! What a kind of thing must be able to do to be converged.
use super::{Cx, NodeId, Room, Use, Wanted};
use crate::{Error, Result};
use futures::{FutureExt as _, future::BoxFuture};
use std::fmt;

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

/// Whether a resource is ours to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Created, updated and deleted by us.
    Owned,
    /// Found and checked, never written, never deleted.
    Existing,
    /// No longer wanted: deleted where it is found, once what it needs is done.
    Unwanted,
}

/// One field that differs from what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field's name, as the user knows it.
    pub field: String,
    /// What is there now.
    pub from: String,
    /// What is wanted.
    pub to: String,
    /// Set when it cannot be changed in place: what to do instead.
    pub refused: Option<String>,
}

impl Change {
    /// A change that can be made in place.
    pub fn new(field: impl Into<String>, from: impl fmt::Display, to: impl fmt::Display) -> Self {
        Self { field: field.into(), from: from.to_string(), to: to.to_string(), refused: None }
    }
    /// A change that is refused; `hint` says what to do instead.
    pub fn refused(
        field: impl Into<String>,
        from: impl fmt::Display,
        to: impl fmt::Display,
        hint: impl Into<String>,
    ) -> Self {
        Self { refused: Some(hint.into()), ..Self::new(field, from, to) }
    }
    /// Pushes a change onto `list` when the two differ.
    pub fn compare<T: PartialEq + fmt::Display>(list: &mut Vec<Self>, field: &str, live: &T, wanted: &T) {
        if live != wanted {
            list.push(Self::new(field, live, wanted));
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.field, self.from, self.to)
    }
}

/// What is to be done with a node, or was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is as it should be (or, when deleting, not there).
    Keep,
    /// Make it.
    Create,
    /// Change these fields in place.
    Update(Vec<Change>),
    /// Remove it.
    Delete,
}

impl Action {
    /// The verb of a step line: `Creating`, `Updating`, ..
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Keep => "Checking",
            Self::Create => "Creating",
            Self::Update(_) => "Updating",
            Self::Delete => "Deleting",
        }
    }
}

/// A kind of thing that can be found, compared, created, updated and deleted.
/// An error that is [`Error::is_retryable`] is tried again until the node's deadline, after another `find`.
pub trait Resource: Send + Sync + 'static {
    /// The kind's name in plans: `security group`.
    const KIND: &'static str;
    /// What it acts on.
    type Cloud: World;
    /// What was found.
    type Live: Send + Sync + 'static;
    /// What other nodes need of it.
    type Output: Send + Sync + 'static;

    /// The name in plans, unique within the kind.
    fn name(&self) -> String;
    /// The noun phrase of step lines, e.g. `load balancer for myapp version 2.0`.
    fn noun(&self) -> String {
        format!("{} {}", Self::KIND, self.name())
    }
    /// The whole step line without its result.
    fn step(&self, action: &Action) -> String {
        format!("{} {}", action.verb(), self.noun())
    }
    /// The nodes whose outputs this one reads.
    fn needs(&self) -> Vec<NodeId> {
        Vec::new()
    }
    /// Of [`Resource::needs`], those whose outputs `find` reads; what is found by name or tag has none.
    fn found_through(&self) -> Vec<NodeId> {
        Vec::new()
    }
    /// Whether it is ours to write.
    fn ownership(&self) -> Ownership {
        Ownership::Owned
    }
    /// What it takes, once it is created, of what there is only so much of.
    fn uses(&self) -> Vec<Use> {
        Vec::new()
    }
    /// What to say when an [`Ownership::Existing`] one is not there.
    fn missing(&self) -> Error {
        Error::not_found(format!("{} {} does not exist", Self::KIND, self.name()))
    }
    /// Looks for it: by ownership tag first, then by name. A parent may be missing: use [`Cx::try_get`].
    fn find(&self, cx: &Cx<'_, Self::Cloud>) -> impl Future<Output = Result<Option<Self::Live>>> + Send;
    /// Compares, without any call, what the desired state sets; a parent may be still to be made ([`Cx::try_get`]).
    fn diff(&self, cx: &Cx<'_, Self::Cloud>, live: &Self::Live) -> Vec<Change>;
    /// Makes it, tags included.
    fn create(&self, cx: &Cx<'_, Self::Cloud>) -> impl Future<Output = Result<Self::Live>> + Send;
    /// Changes it in place.
    fn update(
        &self,
        cx: &Cx<'_, Self::Cloud>,
        live: &Self::Live,
        changes: &[Change],
    ) -> impl Future<Output = Result<Self::Live>> + Send;
    /// Removes it; what is gone already is no error.
    fn delete(&self, cx: &Cx<'_, Self::Cloud>, live: &Self::Live) -> impl Future<Output = Result<()>> + Send;
    /// What others need of it.
    fn output(&self, live: &Self::Live) -> Self::Output;
}
