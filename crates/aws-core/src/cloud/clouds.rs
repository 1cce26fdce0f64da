//! Several accounts and regions in one run: a graph whose resources live in different places.
use super::Cloud;
use crate::{
    Error, Result,
    engine::{Action, Change, Cx, Graph, NodeId, Ownership, Ref, Resource, Room, Use, Wanted, World},
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
    pub fn put<R>(&self, spot: Spot, resource: R) -> At<R> {
        At { spot, label: self.0[spot.0].1.clone(), resource, after: Vec::new(), unwanted: false, kept: false }
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

/// A resource in one of the places.
pub struct At<R> {
    spot: Spot,
    label: Option<String>,
    resource: R,
    after: Vec<NodeId>,
    unwanted: bool,
    kept: bool,
}

impl<R> At<R> {
    /// No longer wanted: deleted where it is found, once `after` are done.
    #[must_use]
    pub fn unwanted(mut self, after: Vec<NodeId>) -> Self {
        self.unwanted = true;
        self.after.extend(after);
        self
    }
    /// Written (and, the other way round, deleted) only once these are done, though it reads nothing of them.
    #[must_use]
    pub fn after(mut self, after: impl IntoIterator<Item = NodeId>) -> Self {
        self.after.extend(after);
        self
    }
    /// With `kept`: found and checked only, never written.
    #[must_use]
    pub fn kept_if(mut self, kept: bool) -> Self {
        self.kept = kept;
        self
    }
    fn labelled(&self, text: String) -> String {
        match &self.label {
            Some(label) => format!("{text} in {label}"),
            None => text,
        }
    }
}

impl<R: Resource<Cloud = Cloud>> At<R> {
    /// Adds it.
    pub fn to(self, graph: &mut Graph<Clouds>) -> Ref<R::Output> {
        graph.add(self)
    }
}

impl<R: Resource<Cloud = Cloud>> Resource for At<R> {
    const KIND: &'static str = R::KIND;
    type Cloud = Clouds;
    type Live = R::Live;
    type Output = R::Output;

    fn name(&self) -> String {
        self.labelled(self.resource.name())
    }
    fn noun(&self) -> String {
        self.labelled(self.resource.noun())
    }
    fn step(&self, action: &Action) -> String {
        self.labelled(self.resource.step(action))
    }
    fn needs(&self) -> Vec<NodeId> {
        let mut needs = self.resource.needs();
        needs.extend(&self.after);
        needs
    }
    fn found_through(&self) -> Vec<NodeId> {
        self.resource.found_through()
    }
    fn ownership(&self) -> Ownership {
        match (self.unwanted, self.kept) {
            (true, _) => Ownership::Unwanted,
            (_, true) => Ownership::Existing,
            _ => self.resource.ownership(),
        }
    }
    fn uses(&self) -> Vec<Use> {
        let here = |taken| Use { part: self.spot.0, ..taken };
        self.resource.uses().into_iter().map(here).collect()
    }
    fn missing(&self) -> Error {
        self.resource.missing()
    }
    fn output(&self, live: &R::Live) -> R::Output {
        self.resource.output(live)
    }
    fn diff(&self, cx: &Cx<'_, Clouds>, live: &R::Live) -> Vec<Change> {
        self.resource.diff(&cx.on(cx.cloud.at(self.spot)), live)
    }
    async fn find(&self, cx: &Cx<'_, Clouds>) -> Result<Option<R::Live>> {
        self.resource.find(&cx.on(cx.cloud.at(self.spot))).await
    }
    async fn create(&self, cx: &Cx<'_, Clouds>) -> Result<R::Live> {
        self.resource.create(&cx.on(cx.cloud.at(self.spot))).await
    }
    async fn update(&self, cx: &Cx<'_, Clouds>, live: &R::Live, changes: &[Change]) -> Result<R::Live> {
        self.resource.update(&cx.on(cx.cloud.at(self.spot)), live, changes).await
    }
    async fn delete(&self, cx: &Cx<'_, Clouds>, live: &R::Live) -> Result<()> {
        self.resource.delete(&cx.on(cx.cloud.at(self.spot)), live).await
    }
}
