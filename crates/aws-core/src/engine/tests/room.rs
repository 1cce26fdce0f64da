//! What there is only so much of: asked beside the looks, judged before the first write.
use super::fake::{Way, run};
use crate::engine::{
    Action, Cancel, Cx, Event, Graph, Identity, Needs, Observer, Options, Outcome, Report, Resource, Room, Use, Wanted,
    World,
};
use crate::{Error, Result};
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// A room with so many chairs.
#[derive(Default)]
struct Hall {
    most: u64,
    chairs: Mutex<Vec<&'static str>>,
    /// How many were asked for, each time.
    asked: Mutex<Vec<u64>>,
    slow: Duration,
}

impl Hall {
    fn chairs(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.chairs.lock().unwrap()
    }
}

impl World for Hall {
    fn room<'a>(&'a self, wanted: &'a [Wanted]) -> BoxFuture<'a, Room> {
        async move {
            let first = self.asked.lock().unwrap().is_empty();
            if first {
                tokio::time::sleep(self.slow).await;
            }
            let created: Vec<&Wanted> = wanted.iter().filter(|w| w.created).collect();
            let need: u64 = created.iter().map(|w| w.taken.amount).sum();
            self.asked.lock().unwrap().push(need);
            let total = self.chairs().len() as u64 + need;
            let refused = (total > self.most).then(|| (created[0].node, Error::refused("no room")));
            let warnings = (total == self.most).then(|| "the last one".to_owned());
            Room { refused: refused.into_iter().collect(), warnings: warnings.into_iter().collect() }
        }
        .boxed()
    }
}

#[derive(Clone, Needs)]
struct Chair(&'static str);

impl Identity for Chair {
    const KIND: &'static str = "chair";
    type Cloud = Hall;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.0.to_owned()
    }
    async fn find(&self, cx: &Cx<'_, Hall>) -> Result<Option<()>> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(cx.cloud.chairs().contains(&self.0).then_some(()))
    }
    async fn remove(&self, cx: &Cx<'_, Hall>, (): &()) -> Result<()> {
        cx.cloud.chairs().retain(|c| *c != self.0);
        Ok(())
    }
    fn output(&self, (): &()) {}
}

impl Resource for Chair {
    type Identity = Self;

    fn identity(&self) -> Self {
        self.clone()
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn uses(&self) -> Vec<Use> {
        vec![Use::of("chairs", 1)]
    }
    async fn create(&self, cx: &Cx<'_, Hall>) -> Result<()> {
        cx.cloud.chairs().push(self.0);
        Ok(())
    }
}

#[derive(Default)]
struct Warned(Mutex<Vec<String>>);
impl Observer for Warned {
    fn event(&self, _: Event<'_>) {}
    fn warn(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

async fn go(hall: &Hall, mode: Way) -> (Report, Vec<String>) {
    let (mut graph, warned) = (Graph::default(), Warned::default());
    ["a", "b", "c"].into_iter().for_each(|name| _ = graph.add(Chair(name)));
    let report = run(&graph, hall, mode, &Options::default(), &warned).await;
    (report, warned.0.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn without_room_nothing_is_written_and_a_dry_run_says_the_same() {
    let hall = Hall { most: 2, ..Hall::default() };
    for mode in [Way::Plan, Way::Apply] {
        let (report, _) = go(&hall, mode).await;
        let failures: Vec<String> = report.failures().map(|(n, e)| format!("{}: {e}", n.name)).collect();
        assert_eq!((failures, hall.chairs().len()), (vec!["a: no room".to_owned()], 0), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_exists_takes_no_more_room_and_the_warning_is_heard_before_the_writes() {
    let hall = Hall { most: 3, chairs: Mutex::new(vec!["b"]), ..Hall::default() };
    let (report, warned) = go(&hall, Way::Apply).await;
    assert_eq!((report.changes(), warned), (2, vec!["the last one".to_owned()]));
    // All of it beside the looks, then what the plan creates.
    assert_eq!(*hall.asked.lock().unwrap(), [3, 2]);
    // Nothing is created: nothing is judged.
    let (report, warned) = go(&hall, Way::Apply).await;
    assert_eq!((report.changes(), warned), (0, Vec::new()));
    assert!(matches!(report.nodes[0].outcome, Outcome::Done(Action::Keep)));
    assert_eq!(*hall.asked.lock().unwrap(), [3, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_beside_the_looks_and_deleting_asks_nothing() {
    let hall = Hall { most: 3, slow: Duration::from_secs(1), ..Hall::default() };
    let began = tokio::time::Instant::now();
    go(&hall, Way::Plan).await;
    assert!(began.elapsed() < Duration::from_millis(1500), "a look and the answer at the same time");
    go(&hall, Way::Destroy).await;
    assert_eq!(hall.asked.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_does_not_wait_for_the_answer() {
    let hall = Hall { most: 3, slow: Duration::from_secs(3600), ..Hall::default() };
    let mut graph = Graph::default();
    graph.add(Chair("a"));
    let cancel = Cancel::default();
    let options = Options { cancel: cancel.clone(), ..Options::default() };
    let began = tokio::time::Instant::now();
    let run = run(&graph, &hall, Way::Apply, &options, &crate::engine::Quiet);
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cancel.advance();
    };
    let (report, ()) = tokio::join!(run, interrupt);
    assert!(report.cancelled() && hall.chairs().is_empty(), "{report:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}
