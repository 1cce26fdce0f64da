//! Several accounts and regions in one run: a graph whose resources live in different places.
use super::Cloud;
use crate::{
    Result,
    engine::{Action, Change, Cx, Graph, Identity, LiveOf, Needs, NodeId, Ref, Resource, Room, Use, Wanted, World},
};
use futures::{FutureExt as _, future::BoxFuture};
use std::sync::Arc;

/// One of the places of [`Clouds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot(usize);

/// The accounts and regions of a run, each with its connection and what was read there.
#[derive(Default)]
pub struct Clouds(Vec<(Arc<Cloud>, Option<String>)>);

impl Clouds {
    /// Adds a place. With a label, plans and steps name it: `subnet public-a in eu-west-1`.
    pub fn add(&mut self, cloud: Arc<Cloud>, label: Option<String>) -> Spot {
        self.0.push((cloud, label));
        Spot(self.0.len() - 1)
    }
    /// The connection of a place.
    ///
    /// # Panics
    /// When the spot is another value's.
    pub fn at(&self, spot: Spot) -> &Arc<Cloud> {
        &self.0[spot.0].0
    }
    /// The connection of the place of this number.
    pub(super) fn part(&self, part: usize) -> &Cloud {
        &self.0[part].0
    }
    /// A resource in a place, to be added to a graph.
    pub fn put<R: Needs>(&self, spot: Spot, resource: R) -> At<R> {
        At { spot, label: self.0[spot.0].1.clone(), resource, after: Vec::new(), left: None }
    }
}

impl World for Clouds {
    fn forget(&self) {
        self.0.iter().for_each(|(cloud, _)| cloud.forget());
    }
    fn room<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Room> {
        self.room_for(wanted).boxed()
    }
}

/// A resource, or what identifies one, in one of the places.
#[derive(Clone, Needs)]
pub struct At<R: Needs> {
    spot: Spot,
    label: Option<String>,
    resource: R,
    after: Vec<NodeId>,
    left: Option<String>,
}

impl<R: Needs> At<R> {
    /// Written only once these are done, though it reads nothing of them.
    #[must_use]
    pub fn after(mut self, after: impl IntoIterator<Item = NodeId>) -> Self {
        self.after.extend(after);
        self
    }
    /// Where it should be absent, and there is a reason: left as it is.
    #[must_use]
    pub fn kept(mut self, why: Option<impl Into<String>>) -> Self {
        self.left = why.map(Into::into);
        self
    }
    fn labelled(&self, text: String) -> String {
        match &self.label {
            Some(label) => format!("{text} in {label}"),
            None => text,
        }
    }
    fn here<'a>(&self, cx: &Cx<'a, Clouds>) -> Cx<'a, Cloud> {
        cx.on(cx.cloud.at(self.spot))
    }
}

impl<R: Resource<Identity: Identity<Cloud = Cloud>>> At<R> {
    /// Adds it.
    pub fn to(self, graph: &mut Graph<Clouds>) -> Ref<<R::Identity as Identity>::Output> {
        graph.add(self)
    }
}

impl<R: Resource<Identity = R> + Identity<Cloud = Cloud>> At<R> {
    /// Adds it as one that should exist, or should not.
    pub fn wished(self, exists: bool, graph: &mut Graph<Clouds>) -> Ref<<R as Identity>::Output> {
        if exists { graph.add(self) } else { graph.absent(self) }
    }
}

impl<I: Identity<Cloud = Cloud>> At<I> {
    /// Adds it as one that should not exist.
    pub fn absent(self, graph: &mut Graph<Clouds>) -> Ref<I::Output> {
        graph.absent(self)
    }
}

impl<I: Identity<Cloud = Cloud>> Identity for At<I> {
    const KIND: &'static str = I::KIND;
    type Cloud = Clouds;
    type Live = I::Live;
    type Output = I::Output;

    fn kind(&self) -> &'static str {
        self.resource.kind()
    }
    fn name(&self) -> String {
        self.labelled(self.resource.name())
    }
    fn noun(&self) -> String {
        self.labelled(self.resource.noun())
    }
    fn step(&self, action: &Action) -> String {
        self.labelled(self.resource.step(action))
    }
    fn found_through(&self) -> Vec<NodeId> {
        self.resource.found_through()
    }
    fn accept(&self, live: Option<&I::Live>) -> Result<()> {
        self.resource.accept(live)
    }
    fn left(&self, cx: &Cx<'_, Clouds>, live: &I::Live) -> Option<String> {
        self.left.clone().or_else(|| self.resource.left(&self.here(cx), live))
    }
    async fn find(&self, cx: &Cx<'_, Clouds>) -> Result<Option<I::Live>> {
        self.resource.find(&self.here(cx)).await
    }
    async fn remove(&self, cx: &Cx<'_, Clouds>, live: &I::Live) -> Result<()> {
        self.resource.remove(&self.here(cx), live).await
    }
    fn output(&self, live: &I::Live) -> I::Output {
        self.resource.output(live)
    }
}

impl<R: Resource<Identity: Identity<Cloud = Cloud>>> Resource for At<R> {
    type Identity = At<R::Identity>;

    fn identity(&self) -> Self::Identity {
        At {
            spot: self.spot,
            label: self.label.clone(),
            resource: self.resource.identity(),
            after: self.after.clone(),
            left: self.left.clone(),
        }
    }
    fn check(&self) -> Result<()> {
        self.resource.check()
    }
    fn uses(&self) -> Vec<Use> {
        let here = |taken| Use { part: self.spot.0, ..taken };
        self.resource.uses().into_iter().map(here).collect()
    }
    fn diff(&self, cx: &Cx<'_, Clouds>, live: &LiveOf<R>) -> Vec<Change> {
        self.resource.diff(&self.here(cx), live)
    }
    async fn create(&self, cx: &Cx<'_, Clouds>) -> Result<LiveOf<R>> {
        self.resource.create(&self.here(cx)).await
    }
    async fn update(&self, cx: &Cx<'_, Clouds>, live: &LiveOf<R>, changes: &[Change]) -> Result<LiveOf<R>> {
        self.resource.update(&self.here(cx), live, changes).await
    }
}
