//! What is no longer wanted, and what one may not look at.
use super::fake::*;
use crate::engine::{Action, Graph, Options, Outcome, Quiet};

/// A route that pointed to the old exit points to the new one; then the old one goes.
fn moved(exit: &'static str) -> Graph<Fake> {
    let nodes = [("new", vec![]), ("route", vec!["new"]), ("old", vec!["route"])];
    let nodes: Vec<(String, Vec<String>)> =
        nodes.into_iter().map(|(n, d)| (n.to_owned(), d.into_iter().map(str::to_owned).collect())).collect();
    graph_with(&nodes, exit, |t| {
        if t.name == "old" {
            t.wish = Wish::Absent;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_goes_last() {
    let cloud = Fake::default();
    cloud.put("old", "1");
    cloud.put("route", "1");
    let plan = go(&moved("2"), &cloud, Way::Plan).await;
    assert_eq!(cloud.writes(), 0);
    assert!(matches!(outcome(&plan, "old"), Outcome::Done(Action::Delete)));
    let report = go(&moved("2"), &cloud, Way::Apply).await;
    assert!(report.complete(), "{report:?}");
    assert_eq!(cloud.names(), ["new", "route"]);
    let done = cloud.done.lock().unwrap().clone();
    let written: Vec<_> = done.into_iter().filter(|(op, _)| *op != Op::Find).map(|(_, name)| name).collect();
    assert_eq!(written, ["new", "route", "old"]);
    assert_eq!(go(&moved("2"), &cloud, Way::Apply).await.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_stays_while_its_place_is_not_taken() {
    let cloud = Fake::default();
    cloud.put("old", "1");
    cloud.put("route", "1");
    cloud.fail(Op::Update, "route", Fault::Before(false), 1);
    let report = go(&moved("2"), &cloud, Way::Apply).await;
    assert!(is_skipped(&report, "old"));
    assert!(cloud.names().contains(&"old".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn destroying_takes_the_unwanted_too() {
    let cloud = Fake::default();
    for name in ["new", "route", "old"] {
        cloud.put(name, "1");
    }
    assert!(go(&moved("1"), &cloud, Way::Destroy).await.complete());
    assert!(cloud.names().is_empty());
}

/// With `around_denied` the rest is written; without it, or with any other failure, nothing is.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_looked_at_keeps_back_what_needs_it() {
    for (around, fault, writes) in
        [(true, Fault::Denied, 5), (false, Fault::Denied, 0), (true, Fault::Before(false), 0)]
    {
        let (cloud, graph) = (Fake::default(), graph(NET, "1"));
        cloud.fail(Op::Find, "role", fault, 1);
        let options = Options { around_denied: around, ..options() };
        let report = run(&graph, &cloud, Way::Apply, &options, &Quiet).await;
        assert_eq!(cloud.writes(), writes, "{around} {fault:?}: {report:?}");
        assert_eq!(report.failures().count(), 1);
        assert!(is_skipped(&report, "fleet"));
        assert_eq!(is_done(&report, "lb"), writes > 0);
    }
}

/// A refused change stops everything all the same.
#[tokio::test(start_paused = true)]
async fn a_refused_change_stops_even_those_around_the_denied() {
    let cloud = Fake::default();
    cloud.put("vpc", "old");
    let graph = net_with(|t| t.refuses = t.name == "vpc");
    cloud.fail(Op::Find, "role", Fault::Denied, 1);
    let options = Options { around_denied: true, ..options() };
    let report = run(&graph, &cloud, Way::Apply, &options, &Quiet).await;
    assert_eq!(cloud.writes(), 0, "{report:?}");
}

/// Of what should not exist, each thing is on its own: what may not be looked at stays, with what it needs.
#[tokio::test(start_paused = true)]
async fn what_goes_and_cannot_be_looked_at_holds_up_no_other() {
    let cloud = Fake::default();
    for name in ["new", "route", "old"] {
        cloud.put(name, "1");
    }
    cloud.fail(Op::Find, "old", Fault::Before(false), 1);
    let report = go(&moved("2"), &cloud, Way::Apply).await;
    assert_eq!((report.failures().count(), report.changes()), (1, 2), "{report:?}");
    assert_eq!(cloud.names(), ["new", "old", "route"]);
}

/// The run is complete without it: then what goes waits for nothing, in this run or in a later one.
#[tokio::test(start_paused = true)]
async fn what_is_tolerated_keeps_nothing_that_should_go() {
    let cloud = Fake::default();
    cloud.put("old", "1");
    cloud.put("route", "1");
    cloud.fail(Op::Update, "route", Fault::Tolerable, usize::MAX);
    let report = go(&moved("2"), &cloud, Way::Apply).await;
    assert!(matches!(outcome(&report, "route"), Outcome::Tolerated(_)), "{report:?}");
    assert!(report.complete(), "{report:?}");
    assert_eq!(cloud.names(), ["new", "route"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_told_and_holds_up_no_other() {
    let cloud = Fake::default();
    for (name, _) in NET {
        cloud.put(name, "1");
    }
    let graph = net_with(|t| t.left = (t.name == "role").then_some("others use it")).absence(|_| true);
    for mode in [Way::Plan, Way::Apply] {
        let report = go(&graph, &cloud, mode).await;
        assert!(matches!(outcome(&report, "role"), Outcome::Left(why) if why == "others use it"), "{report:?}");
        assert!(report.complete());
        assert_eq!(report.changes(), NET.len() - 1);
    }
    assert_eq!(cloud.names(), ["role"]);
}

#[test]
#[should_panic(expected = "what should exist needs nothing that should not")]
fn what_should_exist_needs_nothing_that_should_not() {
    let nodes = [("old".to_owned(), Vec::new()), ("new".to_owned(), vec!["old".to_owned()])];
    graph_with(&nodes, "1", |t| {
        if t.name == "old" {
            t.wish = Wish::Absent;
        }
    });
}
