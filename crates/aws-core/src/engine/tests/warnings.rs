//! What a resource warns of, in its looks and in its writes.
use super::fake::{Fake, Way, run};
use crate::engine::{Cx, Event, Graph, Identity, Needs, Observer, Options, Resource};
use crate::{Result, progress::warn};
use std::sync::Mutex;

/// Warns of the same in each look, and of something else when it is created.
#[derive(Clone, Needs)]
struct Lamp(&'static str);

impl Identity for Lamp {
    const KIND: &'static str = "lamp";
    type Cloud = Fake;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.0.to_owned()
    }
    async fn find(&self, cx: &Cx<'_, Fake>) -> Result<Option<()>> {
        warn("dim");
        Ok(cx.cloud.names().contains(&self.name()).then_some(()))
    }
    async fn remove(&self, cx: &Cx<'_, Fake>, (): &()) -> Result<()> {
        cx.cloud.things.lock().unwrap().remove(self.0);
        Ok(())
    }
    fn output(&self, (): &()) {}
}

impl Resource for Lamp {
    type Identity = Self;

    fn identity(&self) -> Self {
        self.clone()
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn create(&self, cx: &Cx<'_, Fake>) -> Result<()> {
        cx.cloud.put(self.0, "on");
        warn(format!("{} is hot", self.0));
        Ok(())
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);
impl Observer for Heard {
    fn event(&self, _: Event<'_>) {}
    fn warn(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[tokio::test(start_paused = true)]
async fn each_warning_is_heard_once_in_a_run_and_none_when_all_goes() {
    let cloud = Fake::default();
    let mut graph = Graph::default();
    ["a", "b"].into_iter().for_each(|name| _ = graph.add(Lamp(name)));
    for (mode, expected) in [
        (Way::Plan, &["dim"][..]),
        (Way::Apply, &["a is hot", "b is hot", "dim"]),
        (Way::Apply, &["dim"]),
        (Way::PlanDestroy, &[]),
        (Way::Destroy, &[]),
    ] {
        let heard = Heard::default();
        let report = run(&graph, &cloud, mode, &Options::default(), &heard).await;
        assert!(report.complete(), "{mode:?}: {report:?}");
        let mut heard = heard.0.into_inner().unwrap();
        heard.sort();
        assert_eq!(heard, expected, "{mode:?}");
    }
}
