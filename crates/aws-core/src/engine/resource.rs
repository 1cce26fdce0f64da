//! What a kind of thing must be able to do to be converged.
use super::{Action, Change, Cx, Needs, NodeId, Use, World};
use crate::{Error, Result};

/// What a resource is: what it takes to find it and to remove it, whatever it should be.
/// An error that is [`Error::is_retryable`] is tried again until the node's deadline, after another `find`.
pub trait Identity: Needs + Send + Sync + 'static {
    /// The kind's name in plans: `security group`.
    const KIND: &'static str;
    /// What it acts on.
    type Cloud: World;
    /// What was found.
    type Live: Send + Sync + 'static;
    /// What other nodes need of it.
    type Output: Send + Sync + 'static;

    /// The kind's name in plans, where it is not the same for all.
    fn kind(&self) -> &'static str {
        Self::KIND
    }
    /// The name in plans, unique within the kind.
    fn name(&self) -> String;
    /// The noun phrase of step lines, e.g. `load balancer for myapp version 2.0`.
    fn noun(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }
    /// The whole step line without its result.
    fn step(&self, action: &Action) -> String {
        format!("{} {}", action.verb(), self.noun())
    }
    /// Of the nodes that it refers to, those whose outputs `find` reads; what is found by name or tag has none.
    fn found_through(&self) -> Vec<NodeId> {
        Vec::new()
    }
    /// Looks for it: by ownership tag first, then by name. A parent may be missing: use [`Cx::try_get`].
    fn find(&self, cx: &Cx<'_, Self::Cloud>) -> impl Future<Output = Result<Option<Self::Live>>> + Send;
    /// What others need of it.
    fn output(&self, live: &Self::Live) -> Self::Output;
    /// Whether an external one can be used as it is.
    ///
    /// # Errors
    /// What is missing.
    fn accept(&self, live: Option<&Self::Live>) -> Result<()> {
        let missing = || Error::not_found(format!("{} {} does not exist", Self::KIND, self.name()));
        live.map(drop).ok_or_else(missing)
    }
    /// Why it stays although it should not exist. Without any call.
    fn left(&self, _: &Cx<'_, Self::Cloud>, _: &Self::Live) -> Option<String> {
        None
    }
    /// Removes it; what is gone already is no error.
    fn remove(&self, cx: &Cx<'_, Self::Cloud>, live: &Self::Live) -> impl Future<Output = Result<()>> + Send;
}

/// What a resource finds of its kind.
pub type LiveOf<R> = <<R as Resource>::Identity as Identity>::Live;
/// What it acts on.
pub type CloudOf<R> = <<R as Resource>::Identity as Identity>::Cloud;

/// What a resource should be: compared, created, updated. What it is, its [`Identity`] says.
pub trait Resource: Needs + Send + Sync + 'static {
    /// What it is.
    type Identity: Identity;

    /// What it is.
    fn identity(&self) -> Self::Identity;
    /// What can be known of the wanted state without AWS: names, sizes, counts, characters. Asked of every managed node
    /// before the first look, in a dry run too; a usage error with all that is wrong ([`Error::together`]).
    fn check(&self) -> Result<()>;
    /// What it takes, once it is created, of what there is only so much of.
    fn uses(&self) -> Vec<Use> {
        Vec::new()
    }
    /// Compares, without any call, what the desired state sets; a parent may be still to be made ([`Cx::try_get`]). By
    /// default it is right when it is there.
    fn diff(&self, _: &Cx<'_, CloudOf<Self>>, _: &LiveOf<Self>) -> Vec<Change> {
        Vec::new()
    }
    /// Makes it, tags included.
    fn create(&self, cx: &Cx<'_, CloudOf<Self>>) -> impl Future<Output = Result<LiveOf<Self>>> + Send;
    /// Changes it in place. By default as it is made, for what may be made twice.
    fn update(
        &self,
        cx: &Cx<'_, CloudOf<Self>>,
        _: &LiveOf<Self>,
        _: &[Change],
    ) -> impl Future<Output = Result<LiveOf<Self>>> + Send {
        self.create(cx)
    }
}
