//! The graph, its typed references, and the erasure of the resource types.
use super::{Action, Change, Identity, Resource, Use, World};
use crate::Result;
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    any::Any,
    collections::BTreeSet,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

/// A node's place in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) usize);
impl NodeId {
    /// Its place in the report, which has the graph's order.
    pub fn index(self) -> usize {
        self.0
    }
}

/// A typed promise: the output of that node. Only a [`Graph`] makes one.
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
    /// The node behind it.
    pub fn node(self) -> NodeId {
        self.node
    }
}
pub(super) type Opaque = Box<dyn Any + Send + Sync>;
pub(super) type Slot = OnceLock<Opaque>;
pub(super) type Later<'a, T> = BoxFuture<'a, Result<T>>;

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
    /// When the node is not referred to in a field that [`super::Needs`] finds, or does not exist (removing).
    pub fn get<T: 'static>(&self, r: Ref<T>) -> &T {
        self.try_get(r).expect("the engine runs what a node needs before the node")
    }
    /// The output of a node that this one needs, if it exists.
    ///
    /// # Panics
    /// When the node is not referred to in a field that [`super::Needs`] finds.
    pub fn try_get<T: 'static>(&self, r: Ref<T>) -> Option<&T> {
        assert!(self.allowed.contains(&r.node), "read of an output that is not among the node's needs");
        self.outputs[r.node.0].get().map(|o| o.downcast_ref().expect("a Ref carries its output's type"))
    }
}

/// The object-safe face of [`Identity`]: one blanket implementation.
pub(super) trait Known<C>: Send + Sync {
    fn step(&self, action: &Action) -> String;
    fn accept(&self, live: Option<&Opaque>) -> Result<()>;
    fn left(&self, cx: &Cx<'_, C>, live: &Opaque) -> Option<String>;
    fn find<'a>(&'a self, cx: &'a Cx<'a, C>) -> Later<'a, Option<Opaque>>;
    fn remove<'a>(&'a self, cx: &'a Cx<'a, C>, live: &'a Opaque) -> Later<'a, ()>;
    fn output(&self, live: &Opaque) -> Opaque;
}

/// The object-safe face of [`Resource`]: one blanket implementation.
pub(super) trait Wanted<C>: Send + Sync {
    fn check(&self) -> Result<()>;
    fn diff(&self, cx: &Cx<'_, C>, live: &Opaque) -> Vec<Change>;
    fn create<'a>(&'a self, cx: &'a Cx<'a, C>) -> Later<'a, Opaque>;
    fn update<'a>(&'a self, cx: &'a Cx<'a, C>, live: &'a Opaque, changes: &'a [Change]) -> Later<'a, Opaque>;
}

fn typed<I: Identity>(live: &Opaque) -> &I::Live {
    live.downcast_ref().expect("a node is only given what it found or made")
}

impl<C: World, I: Identity<Cloud = C>> Known<C> for I {
    fn step(&self, action: &Action) -> String {
        Identity::step(self, action)
    }
    fn accept(&self, live: Option<&Opaque>) -> Result<()> {
        Identity::accept(self, live.map(typed::<I>))
    }
    fn left(&self, cx: &Cx<'_, C>, live: &Opaque) -> Option<String> {
        Identity::left(self, cx, typed::<I>(live))
    }
    fn find<'a>(&'a self, cx: &'a Cx<'a, C>) -> Later<'a, Option<Opaque>> {
        async move { Ok(Identity::find(self, cx).await?.map(|l| Box::new(l) as Opaque)) }.boxed()
    }
    fn remove<'a>(&'a self, cx: &'a Cx<'a, C>, live: &'a Opaque) -> Later<'a, ()> {
        Identity::remove(self, cx, typed::<I>(live)).boxed()
    }
    fn output(&self, live: &Opaque) -> Opaque {
        Box::new(Identity::output(self, typed::<I>(live)))
    }
}

impl<C: World, R: Resource> Wanted<C> for R
where
    R::Identity: Identity<Cloud = C>,
{
    fn check(&self) -> Result<()> {
        Resource::check(self)
    }
    fn diff(&self, cx: &Cx<'_, C>, live: &Opaque) -> Vec<Change> {
        Resource::diff(self, cx, typed::<R::Identity>(live))
    }
    fn create<'a>(&'a self, cx: &'a Cx<'a, C>) -> Later<'a, Opaque> {
        async move { Ok(Box::new(Resource::create(self, cx).await?) as Opaque) }.boxed()
    }
    fn update<'a>(&'a self, cx: &'a Cx<'a, C>, live: &'a Opaque, changes: &'a [Change]) -> Later<'a, Opaque> {
        async move { Ok(Box::new(Resource::update(self, cx, typed::<R::Identity>(live), changes).await?) as Opaque) }
            .boxed()
    }
}

/// What is wished of a node.
pub(super) enum Wish<C> {
    /// Created and updated by us: as this says.
    Managed(Arc<dyn Wanted<C>>),
    /// Found and checked, never written.
    External,
    /// Removed where it is found.
    Absent,
}

/// A node.
pub(super) struct Entry<C> {
    pub(super) wish: Wish<C>,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) uses: Vec<Use>,
    pub(super) known: Arc<dyn Known<C>>,
    pub(super) needs: Vec<NodeId>,
    pub(super) found_through: Vec<NodeId>,
}
impl<C> Entry<C> {
    pub(super) fn is_managed(&self) -> bool {
        matches!(self.wish, Wish::Managed(_))
    }
    pub(super) fn is_absent(&self) -> bool {
        matches!(self.wish, Wish::Absent)
    }
}

/// Resources, in an order in which each comes after what it needs.
pub struct Graph<C> {
    pub(super) nodes: Vec<Entry<C>>,
}
impl<C> Default for Graph<C> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}
impl<C: World> Graph<C> {
    /// Adds a resource that is to be as it says. What it needs must come from this graph, which the order of the ids
    /// shows.
    ///
    /// # Panics
    /// When it needs a node that this graph does not hold yet, or one that is to be absent.
    pub fn add<R: Resource>(&mut self, resource: R) -> Ref<<R::Identity as Identity>::Output>
    where
        R::Identity: Identity<Cloud = C>,
    {
        let (identity, needs, uses) = (resource.identity(), resource.needs(), resource.uses());
        self.push(Wish::Managed(Arc::new(resource)), identity, needs, uses)
    }
    /// Adds one that somebody else makes and removes: found and checked, never written.
    ///
    /// # Panics
    /// As [`Graph::add`].
    pub fn external<I: Identity<Cloud = C>>(&mut self, identity: I) -> Ref<I::Output> {
        self.push(Wish::External, identity, Vec::new(), Vec::new())
    }
    /// Adds one that should not exist: removed where it is found, once what it needs is as it should be, and what needs it
    /// and should not exist either is gone.
    ///
    /// # Panics
    /// When it needs a node that this graph does not hold yet.
    pub fn absent<I: Identity<Cloud = C>>(&mut self, identity: I) -> Ref<I::Output> {
        self.push(Wish::Absent, identity, Vec::new(), Vec::new())
    }

    fn push<I>(&mut self, wish: Wish<C>, identity: I, mut needs: Vec<NodeId>, uses: Vec<Use>) -> Ref<I::Output>
    where
        I: Identity<Cloud = C>,
    {
        let node = NodeId(self.nodes.len());
        needs.extend(identity.needs());
        assert!(needs.iter().all(|n| *n < node), "a node needs only nodes of its own graph");
        let stays = needs.iter().all(|n| !self.nodes[n.0].is_absent());
        assert!(stays || matches!(wish, Wish::Absent), "what should exist needs nothing that should not");
        let (kind, name, found_through) = (identity.kind(), identity.name(), identity.found_through());
        self.nodes.push(Entry { wish, kind, name, uses, known: Arc::new(identity), needs, found_through });
        Ref { node, kind: PhantomData }
    }

    /// The same nodes: those that `goes` picks should not exist; the others must, and are not written.
    #[must_use]
    pub fn absence(&self, goes: impl Fn(NodeId) -> bool) -> Self {
        let entry = |(i, n): (usize, &Entry<C>)| Entry {
            wish: if matches!(n.wish, Wish::External) || !goes(NodeId(i)) { Wish::External } else { Wish::Absent },
            name: n.name.clone(),
            uses: Vec::new(),
            known: n.known.clone(),
            needs: n.needs.clone(),
            found_through: n.found_through.clone(),
            kind: n.kind,
        };
        Self { nodes: self.nodes.iter().enumerate().map(entry).collect() }
    }
    /// A node, and all that needs it.
    pub fn needing(&self, node: NodeId) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::from([node]);
        for (i, n) in self.nodes.iter().enumerate() {
            if n.needs.iter().any(|need| found.contains(need)) {
                found.insert(NodeId(i));
            }
        }
        found
    }

    /// The nodes that it manages: what goes only once all of it is done needs them.
    pub fn managed(&self) -> Vec<NodeId> {
        (0..self.nodes.len()).filter(|i| self.nodes[*i].is_managed()).map(NodeId).collect()
    }

    /// For each node, those that are written before it: what it needs; among those to be absent the other way round.
    pub(super) fn order(&self) -> Vec<Vec<NodeId>> {
        let mut before = vec![Vec::new(); self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            for need in &node.needs {
                let turned = node.is_absent() && self.nodes[need.0].is_absent();
                let (first, then) = if turned { (NodeId(i), *need) } else { (*need, NodeId(i)) };
                before[then.0].push(first);
            }
        }
        before
    }
}
