//! The graph, its typed references, and the erasure of the resource types.
use super::{Action, Ownership, Resource, Use, World};
use crate::{Error, Result};
use futures::{FutureExt as _, future::BoxFuture};
use std::{any::Any, marker::PhantomData, sync::OnceLock};

/// A node's place in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) usize);
impl NodeId {
    /// Its place in the report, which has the graph's order.
    pub fn index(self) -> usize {
        self.0
    }
}

/// A typed promise: the output of that node. Only [`Graph::add`] makes one.
pub struct Ref<T> {
    node: NodeId,
    kind: PhantomData<fn() -> T>,
}
impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ref<T> {}
impl<T> Ref<T> {
    /// The node behind it, for [`Resource::needs`].
    pub fn node(self) -> NodeId {
        self.node
    }
}
impl<T> From<Ref<T>> for NodeId {
    fn from(r: Ref<T>) -> Self {
        r.node
    }
}

pub(super) type Opaque = Box<dyn Any + Send + Sync>;
pub(super) type Slot = OnceLock<Opaque>;

/// What a resource sees while it is looked at or written: the cloud, and the outputs it asked for.
pub struct Cx<'a, C> {
    /// What it acts on.
    pub cloud: &'a C,
    pub(super) outputs: &'a [Slot],
    pub(super) allowed: &'a [NodeId],
}
impl<'a, C> Cx<'a, C> {
    /// The same view of the graph, on a part of the world.
    pub fn on<D>(&self, part: &'a D) -> Cx<'a, D> {
        Cx { cloud: part, outputs: self.outputs, allowed: self.allowed }
    }
    /// The output of a node that this one needs.
    ///
    /// # Panics
    /// When the node was not declared in [`Resource::needs`], or does not exist (deleting).
    pub fn get<T: 'static>(&self, r: Ref<T>) -> &T {
        self.try_get(r).expect("the engine runs what a node needs before the node")
    }
    /// The output of a node that this one needs, if it exists.
    ///
    /// # Panics
    /// When the node was not declared in [`Resource::needs`].
    pub fn try_get<T: 'static>(&self, r: Ref<T>) -> Option<&T> {
        assert!(self.allowed.contains(&r.node), "read of an output that is not among the node's needs");
        self.outputs[r.node.0].get().map(|o| o.downcast_ref().expect("a Ref carries its output's type"))
    }
}

/// The object-safe face of [`Resource`]: one blanket implementation.
pub(super) trait Erased<C>: Send + Sync {
    fn kind(&self) -> &'static str;
    fn name(&self) -> String;
    fn step(&self, action: &Action) -> String;
    fn ownership(&self) -> Ownership;
    fn uses(&self) -> Vec<Use>;
    fn find<'a>(&'a self, cx: &'a Cx<'a, C>) -> BoxFuture<'a, Result<Option<Opaque>>>;
    fn plan(&self, cx: &Cx<'_, C>, live: Option<&Opaque>) -> Result<Action>;
    fn apply<'a>(
        &'a self,
        cx: &'a Cx<'a, C>,
        action: &'a Action,
        live: Option<Opaque>,
    ) -> BoxFuture<'a, Result<Option<Opaque>>>;
    fn output(&self, live: &Opaque) -> Opaque;
}

fn typed<R: Resource>(live: &Opaque) -> &R::Live {
    live.downcast_ref().expect("a node is only given what it found or made")
}

impl<C: World, R: Resource<Cloud = C>> Erased<C> for R {
    fn kind(&self) -> &'static str {
        R::KIND
    }
    fn name(&self) -> String {
        Resource::name(self)
    }
    fn step(&self, action: &Action) -> String {
        Resource::step(self, action)
    }
    fn ownership(&self) -> Ownership {
        Resource::ownership(self)
    }
    fn uses(&self) -> Vec<Use> {
        Resource::uses(self)
    }
    fn find<'a>(&'a self, cx: &'a Cx<'a, C>) -> BoxFuture<'a, Result<Option<Opaque>>> {
        async move { Ok(Resource::find(self, cx).await?.map(|l| Box::new(l) as Opaque)) }.boxed()
    }
    fn plan(&self, cx: &Cx<'_, C>, live: Option<&Opaque>) -> Result<Action> {
        match (live, Resource::ownership(self)) {
            (None, Ownership::Owned) => Ok(Action::Create),
            (None, Ownership::Existing) => Err(self.missing()),
            (live, Ownership::Unwanted) => Ok(if live.is_some() { Action::Delete } else { Action::Keep }),
            (Some(live), ownership) => {
                let changes = self.diff(cx, typed::<R>(live));
                match (changes.first(), ownership) {
                    (None, _) => Ok(Action::Keep),
                    (Some(c), Ownership::Existing) => Err(Error::refused(format!(
                        "{} {} is not what is needed, and not ours to change: {c}",
                        R::KIND,
                        Resource::name(self)
                    ))),
                    (Some(_), _) => Ok(Action::Update(changes)),
                }
            }
        }
    }
    fn apply<'a>(
        &'a self,
        cx: &'a Cx<'a, C>,
        action: &'a Action,
        live: Option<Opaque>,
    ) -> BoxFuture<'a, Result<Option<Opaque>>> {
        async move {
            Ok(match (action, live) {
                (Action::Create, _) => Some(Box::new(self.create(cx).await?) as Opaque),
                (Action::Update(changes), Some(l)) => {
                    Some(Box::new(self.update(cx, typed::<R>(&l), changes).await?) as Opaque)
                }
                (Action::Delete, Some(l)) => {
                    self.delete(cx, typed::<R>(&l)).await?;
                    None
                }
                (_, live) => live,
            })
        }
        .boxed()
    }
    fn output(&self, live: &Opaque) -> Opaque {
        Box::new(Resource::output(self, typed::<R>(live)))
    }
}

/// Resources, in an order in which each comes after what it needs.
pub struct Graph<C> {
    pub(super) nodes: Vec<Box<dyn Erased<C>>>,
    pub(super) needs: Vec<Vec<NodeId>>,
    pub(super) found_through: Vec<Vec<NodeId>>,
}
impl<C: World> Default for Graph<C> {
    fn default() -> Self {
        Self { nodes: Vec::new(), needs: Vec::new(), found_through: Vec::new() }
    }
}
impl<C: World> Graph<C> {
    /// Adds a resource. What it needs must come from this graph, which the order of the ids shows.
    ///
    /// # Panics
    /// When it needs a node that this graph does not hold yet.
    pub fn add<R: Resource<Cloud = C>>(&mut self, resource: R) -> Ref<R::Output> {
        let node = NodeId(self.nodes.len());
        let needs = resource.needs();
        assert!(needs.iter().all(|n| *n < node), "a node needs only nodes of its own graph");
        self.needs.push(needs);
        self.found_through.push(resource.found_through());
        self.nodes.push(Box::new(resource));
        Ref { node, kind: PhantomData }
    }
}
