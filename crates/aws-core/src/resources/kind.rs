//! What most resources are: of a kind, somebody's, and named.
use crate::{
    Result,
    cloud::Cloud,
    engine::{Cx, Identity, Needs, NodeId},
};
use std::marker::PhantomData;

/// A kind of resource that its owner's tags and its name identify.
pub trait Kind: Sized + Send + Sync + 'static {
    /// The kind's name in plans.
    const NAME: &'static str;
    /// Whose tags it carries.
    type Owner: Clone + Send + Sync + 'static;
    /// What was found.
    type Live: Send + Sync + 'static;
    /// What other nodes need of it.
    type Output: Send + Sync + 'static;

    /// The owner's of this name; a refusal when somebody else has one of the name, where names are unique.
    fn find(cloud: &Cloud, owner: &Self::Owner, name: &str) -> impl Future<Output = Result<Option<Self::Live>>> + Send;
    /// Removes it, and waits while it holds what it uses; what is gone already is no error.
    fn remove(
        cloud: &Cloud,
        owner: &Self::Owner,
        name: &str,
        live: &Self::Live,
    ) -> impl Future<Output = Result<()>> + Send;
    /// What others need of it.
    fn output(name: &str, live: &Self::Live) -> Self::Output;
}

/// Of a resource that says no more than what identifies it: the beginning of its `Resource`.
macro_rules! itself {
    () => {
        type Identity = Self;

        fn identity(&self) -> Self {
            self.clone()
        }
    };
}
pub(crate) use itself;

/// Of a resource that its owner and its name identify: the beginning of its `Resource`. `named!(noun)` where it says how it
/// stands in step lines.
macro_rules! named {
    ($($noun:ident)?) => {
        type Identity = $crate::resources::kind::Named<Self>;

        fn identity(&self) -> Self::Identity {
            $crate::resources::kind::Named::new(&self.owner, &self.name)$(.called(&self.$noun))?
        }
    };
}
pub(crate) use named;

/// Of a resource that is found through others: these fields refer to them.
macro_rules! found_through {
    ($($needed:ident),+) => {
        fn found_through(&self) -> Vec<$crate::engine::NodeId> {
            vec![$(self.$needed.node()),+]
        }
    };
}
pub(crate) use found_through;

/// One of a kind.
#[derive(Needs)]
pub struct Named<K: Kind> {
    owner: K::Owner,
    name: String,
    noun: Option<String>,
    after: Vec<NodeId>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Named<K> {
    /// The owner's of this name.
    pub fn new(owner: &K::Owner, name: impl Into<String>) -> Self {
        Self { owner: owner.clone(), name: name.into(), noun: None, after: Vec::new(), kind: PhantomData }
    }
    /// The same, as it stands in step lines.
    #[must_use]
    pub fn called(self, noun: impl Into<String>) -> Self {
        Self { noun: Some(noun.into()), ..self }
    }
    /// The same, to be absent before these are.
    #[must_use]
    pub fn before(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.after.extend(nodes);
        self
    }
}

impl<K: Kind> Identity for Named<K> {
    const KIND: &'static str = K::NAME;
    type Cloud = Cloud;
    type Live = K::Live;
    type Output = K::Output;

    fn name(&self) -> String {
        self.name.clone()
    }
    fn noun(&self) -> String {
        self.noun.clone().unwrap_or_else(|| format!("{} {}", K::NAME, self.name))
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<K::Live>> {
        K::find(cx.cloud, &self.owner, &self.name).await
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &K::Live) -> Result<()> {
        K::remove(cx.cloud, &self.owner, &self.name, live).await
    }
    fn output(&self, live: &K::Live) -> K::Output {
        K::output(&self.name, live)
    }
}
