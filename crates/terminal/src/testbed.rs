//! A world of one kind of thing, for the tests of what the terminal says about a run.
use crate::Terminal;
use aws_core::{
    Error, Result,
    engine::{self, Cancel, Change, Cx, Graph, Identity, Mode, Needs, Options, Ref, Report, Resource, World},
};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) cancel: Cancel,
}
impl World for Fake {}

#[derive(Default, Clone, Needs)]
pub(crate) struct Thing {
    name: &'static str,
    there: bool,
    changes: Vec<Change>,
    fails: bool,
    unseen: bool,
    interrupts: bool,
    wrong: Option<&'static str>,
    says: Option<&'static str>,
    on: Option<&'static str>,
    needs: Option<Ref<()>>,
}

impl Thing {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }
    pub(crate) fn there(name: &'static str) -> Self {
        Self { name, there: true, ..Self::default() }
    }
    pub(crate) fn differs(mut self) -> Self {
        self.changes = vec![Change::new("size", 1, 2), Change::new("team", "x", "y")];
        self
    }
    pub(crate) fn refuses(mut self) -> Self {
        self.changes = vec![Change::refused("image", "old", "new", "Create another version.")];
        self
    }
    pub(crate) fn fails(mut self) -> Self {
        self.fails = true;
        self
    }
    pub(crate) fn unseen(mut self) -> Self {
        self.unseen = true;
        self
    }
    pub(crate) fn interrupts(mut self) -> Self {
        self.interrupts = true;
        self
    }
    pub(crate) fn wrong(mut self, words: &'static str) -> Self {
        self.wrong = Some(words);
        self
    }
    pub(crate) fn says(mut self, error: &'static str) -> Self {
        self.says = Some(error);
        self
    }
    pub(crate) fn on(mut self, other: &'static str) -> Self {
        self.on = Some(other);
        self
    }
}

impl Identity for Thing {
    const KIND: &'static str = "thing";
    type Cloud = Fake;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.name.into()
    }
    async fn find(&self, _: &Cx<'_, Fake>) -> Result<Option<()>> {
        if self.unseen {
            return Err(Error::failed(self.says.unwrap_or("no permission")).hint("Ask for it."));
        }
        Ok(self.there.then_some(()))
    }
    async fn remove(&self, _: &Cx<'_, Fake>, (): &()) -> Result<()> {
        Ok(())
    }
    fn output(&self, (): &()) {}
}

impl Resource for Thing {
    type Identity = Self;

    fn identity(&self) -> Self {
        self.clone()
    }
    fn check(&self) -> Result<()> {
        self.wrong.map_or(Ok(()), |words| Err(Error::usage(words)))
    }
    fn diff(&self, _: &Cx<'_, Fake>, (): &()) -> Vec<Change> {
        self.changes.clone()
    }
    async fn create(&self, cx: &Cx<'_, Fake>) -> Result<()> {
        if self.interrupts {
            cx.cloud.cancel.advance();
        }
        if self.fails { Err(Error::failed(self.says.unwrap_or("broken")).hint("Mend it.")) } else { Ok(()) }
    }
}

pub(crate) fn graph(things: Vec<Thing>) -> Graph<Fake> {
    let mut graph = Graph::default();
    let mut refs = BTreeMap::new();
    for mut thing in things {
        thing.needs = thing.on.map(|on| refs[on]);
        let name = thing.name;
        refs.insert(name, graph.add(thing));
    }
    graph
}

pub(crate) async fn run(graph: &Graph<Fake>, fake: &Fake, mode: Mode, terminal: &Terminal) -> Report {
    let options = Options { cancel: fake.cancel.clone(), ..Options::default() };
    engine::run(graph, fake, mode, &options, terminal).await
}
