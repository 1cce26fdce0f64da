//! Good days: plan, apply, change, delete; order and bounds.
use super::fake::*;
use crate::engine::{Action, Options, Outcome};
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn plan_apply_plan_destroy_destroy() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    let plan = go(&graph, &cloud, Way::Plan).await;
    assert_eq!((plan.changes(), cloud.writes()), (7, 0));
    assert!(plan.nodes.iter().all(|n| matches!(n.outcome, Outcome::Done(Action::Create))));
    let applied = go(&graph, &cloud, Way::Apply).await;
    assert_eq!((applied.changes(), applied.complete(), cloud.names().len()), (7, true, 7));
    assert_eq!(go(&graph, &cloud, Way::Plan).await.changes(), 0);
    assert_eq!(go(&graph, &cloud, Way::Apply).await.changes(), 0);
    assert_eq!(cloud.writes(), 7);
    let plan = go(&graph, &cloud, Way::PlanDestroy).await;
    assert_eq!((plan.changes(), cloud.writes()), (7, 7));
    assert!(plan.nodes.iter().all(|n| matches!(n.outcome, Outcome::Done(Action::Delete))));
    assert_eq!(go(&graph, &cloud, Way::Destroy).await.changes(), 7);
    assert!(cloud.names().is_empty());
    let again = go(&graph, &cloud, Way::Destroy).await;
    assert_eq!((again.changes(), again.complete(), cloud.writes()), (0, true, 14));
}

/// One look at each node, in every mode: a plan costs what the finds cost, and an apply no more.
#[tokio::test(start_paused = true)]
async fn everything_is_looked_at_once_and_first() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    go(&graph, &cloud, Way::Apply).await;
    let calls = cloud.calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 14);
    assert!(calls[..7].iter().all(|c| c.0 == Op::Find), "{calls:?}");
    assert!(calls[7..].iter().all(|c| c.0 == Op::Create), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_field_is_updated_in_place() {
    let cloud = Fake::default();
    go(&graph(NET, "1"), &cloud, Way::Apply).await;
    let newer = net_with(|t| t.value = if t.name == "lb" { "2".into() } else { "1".into() });
    let plan = go(&newer, &cloud, Way::Plan).await;
    let Outcome::Done(Action::Update(changes)) = outcome(&plan, "lb") else { panic!("{plan:?}") };
    assert_eq!((plan.changes(), changes[0].to_string()), (1, "value: 1 -> 2".to_owned()));
    assert_eq!(cloud.writes(), 7);
    assert_eq!(go(&newer, &cloud, Way::Apply).await.changes(), 1);
    assert_eq!(cloud.things.lock().unwrap()["lb"].0, "2");
}

/// A thing that exists although what it refers to does not: both are put right, the thing not made twice.
#[tokio::test(start_paused = true)]
async fn a_lost_parent_is_made_again() {
    let (cloud, graph) = (Fake::default(), graph(&[("a", &[]), ("b", &["a"])], "1"));
    cloud.put("b", "1");
    let plan = go(&graph, &cloud, Way::Plan).await;
    assert!(matches!(outcome(&plan, "a"), Outcome::Done(Action::Create)));
    assert!(matches!(outcome(&plan, "b"), Outcome::Done(Action::Update(_))));
    assert!(go(&graph, &cloud, Way::Apply).await.complete());
    assert_eq!(cloud.count(Op::Create, "b"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_bound_is_reached_and_never_exceeded() {
    let names: Vec<(String, Vec<String>)> = (0..40).map(|n| (format!("n{n}"), Vec::new())).collect();
    for (parallel, peak) in [(0, 1), (1, 1), (3, 3), (16, 16), (100, 40)] {
        for mode in [Way::Plan, Way::Apply, Way::Destroy] {
            let (cloud, graph) = (Fake::default(), graph_with(&names, "1", |_| {}));
            let options = Options { parallel, ..options() };
            assert!(run(&graph, &cloud, mode, &options, &Notes::default()).await.complete());
            assert_eq!(cloud.peak.load(Ordering::SeqCst), peak);
        }
    }
}

/// No waves: the whole chain is written while one independent node is still at work.
#[tokio::test(start_paused = true)]
async fn a_fast_chain_overtakes_a_slow_node() {
    let (cloud, graph) =
        (Fake::default(), graph(&[("slow", &[]), ("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["c"])], "1"));
    cloud.delay("slow", 1000);
    go(&graph, &cloud, Way::Apply).await;
    let done = cloud.done.lock().unwrap().clone();
    let names: Vec<&str> = done.iter().filter(|d| d.0 == Op::Create).map(|d| d.1.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "slow"]);
}

#[tokio::test(start_paused = true)]
async fn an_existing_one_is_never_written() {
    let graph = net_with(|t| {
        if t.name == "vpc" {
            t.wish = Wish::External;
        }
    });
    let cloud = Fake::default();
    for mode in [Way::Plan, Way::Apply] {
        let missing = go(&graph, &cloud, mode).await;
        assert_eq!(failure(&missing, "vpc"), "thing vpc does not exist");
    }
    assert_eq!(cloud.writes(), 0, "nor anything else");
    cloud.put("vpc", "other");
    let differs = go(&graph, &cloud, Way::Apply).await;
    assert!(failure(&differs, "vpc").contains("not ours to change: other"), "{differs:?}");
    assert_eq!(cloud.writes(), 0);
    cloud.put("vpc", "1");
    assert_eq!(go(&graph, &cloud, Way::Apply).await.changes(), 6);
    assert_eq!(go(&graph, &cloud, Way::PlanDestroy).await.changes(), 6);
    assert_eq!(go(&graph, &cloud, Way::Destroy).await.changes(), 6);
    assert_eq!(cloud.names(), ["vpc"]);
    assert!([Op::Create, Op::Update, Op::Delete].iter().all(|op| cloud.count(*op, "vpc") == 0));
}

#[tokio::test(start_paused = true)]
async fn steps_are_told_in_pairs() {
    let (cloud, graph) = (Fake::default(), graph(&[("a", &[]), ("b", &["a"])], "1"));
    cloud.fail(Op::Create, "b", Fault::Before(true), 1);
    let notes = Notes::default();
    assert!(run(&graph, &cloud, Way::Apply, &options(), &notes).await.complete());
    assert_eq!(
        notes.lines(),
        [
            "begin 0 Creating thing a",
            "end 0 OK",
            "begin 1 Creating thing b",
            "retry 1 Create b: refused in 100ms",
            "end 1 OK"
        ]
    );
    let notes = Notes::default();
    run(&graph, &cloud, Way::Plan, &options(), &notes).await;
    run(&graph, &cloud, Way::PlanDestroy, &options(), &notes).await;
    assert!(notes.lines().is_empty(), "a dry run begins no step");
}
