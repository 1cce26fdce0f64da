//! Failures, lost answers, retries, panics, hangs, Ctrl-C.
use super::fake::*;
use crate::engine::{Action, Options, Outcome, Stop};
use crate::error::Kind;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::Instant;

const FAULTS: [Fault; 6] =
    [Fault::Before(false), Fault::Before(true), Fault::After(false), Fault::After(true), Fault::Panic, Fault::Hang];

/// What the run does without is neither done nor failed; a look that fails so is a failure all the same.
#[tokio::test(start_paused = true)]
async fn what_is_tolerated_is_no_change_and_no_failure() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    cloud.fail(Op::Create, "role", Fault::Tolerable, 1);
    let notes = Notes::default();
    let report = run(&graph, &cloud, Way::Apply, &options(), &notes).await;
    assert!(matches!(outcome(&report, "role"), Outcome::Tolerated(_)), "{report:?}");
    assert!(notes.lines().iter().any(|line| line.ends_with("SKIPPED")), "{:?}", notes.lines());
    // What needs it is not done.
    assert!(is_skipped(&report, "fleet") && !report.complete());
    assert_eq!((report.changes(), report.failures().count()), (5, 0));

    let cloud = Fake::default();
    cloud.fail(Op::Create, "fleet", Fault::Tolerable, 1);
    let report = go(&graph, &cloud, Way::Apply).await;
    assert_eq!((report.complete(), report.changes(), untried(&report)), (true, 6, 0));
    // It is still missing.
    assert_eq!(go(&graph, &cloud, Way::Plan).await.changes(), 1);

    cloud.fail(Op::Find, "fleet", Fault::Tolerable, 1);
    assert!(matches!(outcome(&go(&graph, &cloud, Way::Apply).await, "fleet"), Outcome::Failed(_)));
}

/// Fail at every node in turn, in every way; the same command again converges; nothing is made twice.
#[tokio::test(start_paused = true)]
async fn any_failure_heals() {
    for op in [Op::Find, Op::Create, Op::Update, Op::Delete] {
        for (name, _) in NET {
            for fault in FAULTS {
                let (cloud, old, new) = (Fake::default(), graph(NET, "1"), graph(NET, "2"));
                if op != Op::Create {
                    go(&old, &cloud, Way::Apply).await;
                }
                let mode = if op == Op::Delete { Way::Destroy } else { Way::Apply };
                cloud.fail(op, name, fault, usize::MAX);
                let failed = go(&new, &cloud, mode).await;
                // A delete or create that happened although its answer was lost passes at the second look.
                let passes = fault == Fault::After(true) && op != Op::Find;
                assert_eq!(failed.complete(), passes, "{op:?} {name} {fault:?}: {failed:?}");
                let writes = cloud.writes();
                cloud.heal();
                assert!(go(&new, &cloud, mode).await.complete(), "{op:?} {name} {fault:?}");
                assert!(writes > 0 || op == Op::Find || cloud.writes() > 0);
                if op != Op::Delete {
                    assert_eq!(go(&new, &cloud, Way::Plan).await.changes(), 0);
                    assert_eq!(cloud.names().len(), 7);
                }
                assert!(go(&new, &cloud, Way::Destroy).await.complete());
                assert!(cloud.names().is_empty());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_its_descendants_only() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    cloud.fail(Op::Create, "group", Fault::Before(false), 1);
    let report = go(&graph, &cloud, Way::Apply).await;
    assert_eq!(failure(&report, "group"), "Create group: refused");
    assert!(["lb", "fleet"].iter().all(|n| is_skipped(&report, n)));
    assert!(["vpc", "subnet-a", "subnet-b", "role"].iter().all(|n| is_done(&report, n)));
    assert_eq!((report.failures().count(), untried(&report), report.changes()), (1, 2, 4));
}

/// A look that fails anywhere leaves everything as it was.
#[tokio::test(start_paused = true)]
async fn nothing_is_written_when_a_look_fails() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    cloud.fail(Op::Find, "role", Fault::Before(false), 1);
    let report = go(&graph, &cloud, Way::Apply).await;
    assert_eq!((cloud.writes(), failure(&report, "role").as_str()), (0, "Find role: refused"));
    assert_eq!(untried(&report), 6);
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_stops_all_with_its_hint() {
    let cloud = Fake::default();
    go(&graph(NET, "1"), &cloud, Way::Apply).await;
    let newer = net_with(|t| {
        t.value = "2".into();
        t.refuses = t.name == "fleet";
    });
    let before = cloud.writes();
    let report = go(&newer, &cloud, Way::Apply).await;
    let Outcome::Failed(e) = outcome(&report, "fleet") else { panic!("{report:?}") };
    assert_eq!((e.kind(), e.hints()), (Kind::Refused, &["make another one".to_owned()][..]));
    assert_eq!(e.to_string(), "thing fleet cannot change value: 1 -> 2");
    assert_eq!(cloud.writes(), before);
    let plan = go(&newer, &cloud, Way::Plan).await;
    let Outcome::Done(Action::Update(changes)) = outcome(&plan, "fleet") else { panic!("{plan:?}") };
    assert!(changes[0].refused.is_some(), "a dry run shows it");
}

/// The cloud acted, its answer was lost: found at the next look, told as what it was.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_nothing_twice() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    cloud.fail(Op::Create, "lb", Fault::After(true), 1);
    let report = go(&graph, &cloud, Way::Apply).await;
    assert!(matches!(outcome(&report, "lb"), Outcome::Done(Action::Create)));
    assert_eq!((cloud.count(Op::Create, "lb"), cloud.count(Op::Find, "lb")), (1, 2));
    cloud.fail(Op::Delete, "lb", Fault::After(true), 1);
    let report = go(&graph, &cloud, Way::Destroy).await;
    assert!(matches!(outcome(&report, "lb"), Outcome::Done(Action::Delete)));
    assert_eq!(cloud.count(Op::Delete, "lb"), 1);
}

/// What may have been made is not seen at once.
#[tokio::test(start_paused = true)]
async fn an_error_may_ask_for_a_longer_pause() {
    let (cloud, graph) = (Fake::default(), graph(&[("a", &[])], "1"));
    cloud.fail(Op::Create, "a", Fault::Unseen(5), 1);
    let start = Instant::now();
    assert!(go(&graph, &cloud, Way::Apply).await.complete());
    assert!(start.elapsed() >= Duration::from_secs(5));
    assert_eq!((cloud.count(Op::Create, "a"), cloud.count(Op::Find, "a")), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_retry_pauses_forgets_and_looks_again() {
    let (cloud, graph) = (Fake::default(), graph(&[("a", &[])], "1"));
    cloud.fail(Op::Create, "a", Fault::Before(true), 3);
    let start = Instant::now();
    assert!(go(&graph, &cloud, Way::Apply).await.complete());
    assert!(start.elapsed() >= Duration::from_millis(100 + 200 + 400));
    assert_eq!((cloud.count(Op::Find, "a"), cloud.count(Op::Create, "a")), (4, 4));
    assert_eq!(cloud.forgotten.load(Ordering::SeqCst), 3);
    cloud.fail(Op::Find, "a", Fault::Before(true), 2);
    assert!(go(&graph, &cloud, Way::Plan).await.complete(), "a look is tried again too");
}

/// What never passes ends at the deadline with its own words, not in ten thousand tries.
#[tokio::test(start_paused = true)]
async fn retries_end_at_the_deadline() {
    let (cloud, graph) = (Fake::default(), graph(&[("a", &[])], "1"));
    cloud.fail(Op::Create, "a", Fault::Before(true), usize::MAX);
    let start = Instant::now();
    let report = go(&graph, &cloud, Way::Apply).await;
    assert_eq!(failure(&report, "a"), "Create a: refused");
    assert!(start.elapsed() <= Duration::from_secs(61));
    assert!(cloud.count(Op::Create, "a") < 15);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_ends_at_the_deadline() {
    for op in [Op::Find, Op::Create, Op::Delete] {
        let (cloud, graph) = (Fake::default(), graph(&[("a", &[]), ("b", &[])], "1"));
        if op == Op::Delete {
            go(&graph, &cloud, Way::Apply).await;
        }
        cloud.fail(op, "a", Fault::Hang, 1);
        let report = go(&graph, &cloud, if op == Op::Delete { Way::Destroy } else { Way::Apply }).await;
        let Outcome::Failed(e) = outcome(&report, "a") else { panic!("{report:?}") };
        assert_eq!((e.kind(), e.to_string()), (Kind::Deadline, "thing a: not done within 60s".to_owned()));
        assert!(op == Op::Find || is_done(&report, "b"));
    }
    // Also when it is the look before another try of a delete that hangs.
    let (cloud, graph) = (Fake::default(), graph(&[("a", &[])], "1"));
    go(&graph, &cloud, Way::Apply).await;
    cloud.fail(Op::Delete, "a", Fault::Before(true), 1);
    let hang = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cloud.fail(Op::Find, "a", Fault::Hang, 1);
    };
    let (report, ()) = tokio::join!(go(&graph, &cloud, Way::Destroy), hang);
    assert_eq!(failure(&report, "a"), "thing a: not done within 60s");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_its_nodes_failure() {
    for op in [Op::Find, Op::Diff, Op::Create] {
        let (cloud, graph) = (Fake::default(), graph(NET, "1"));
        if op == Op::Diff {
            go(&graph, &cloud, Way::Apply).await;
        }
        cloud.fail(op, "role", Fault::Panic, 1);
        let report = go(&graph, &cloud, if op == Op::Diff { Way::Plan } else { Way::Apply }).await;
        assert!(failure(&report, "role").starts_with("internal error in thing role: "), "{report:?}");
        assert!(failure(&report, "role").contains("boom in role"), "{report:?}");
        assert_eq!(is_done(&report, "lb"), op != Op::Find, "{op:?}");
    }
}

/// Soon: what is in flight ends well, nothing else begins. Now: dropped at once.
#[tokio::test(start_paused = true)]
async fn ctrl_c_once_and_twice() {
    for twice in [false, true] {
        let (cloud, graph) = (Fake::default(), graph(&[("a", &[]), ("b", &["a"]), ("c", &[])], "1"));
        cloud.delay("a", 1000);
        cloud.delay("c", 10);
        let (options, notes) = (options(), Notes::default());
        let interrupt = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            assert_eq!(options.cancel.advance(), Stop::Soon);
            if twice {
                assert_eq!(options.cancel.advance(), Stop::Now);
            }
        };
        let start = Instant::now();
        let (report, ()) = tokio::join!(run(&graph, &cloud, Way::Apply, &options, &notes), interrupt);
        notes.assert_paired();
        assert!(report.cancelled() && is_done(&report, "c"));
        let a = outcome(&report, "a");
        if twice {
            assert!(matches!(a, Outcome::Failed(e) if e.kind() == Kind::Interrupted), "{a:?}");
            assert!(start.elapsed() < Duration::from_millis(1510));
            assert!(notes.lines().contains(&"end 0 INTERRUPTED".to_owned()));
            assert!(is_skipped(&report, "b"));
            assert_eq!(cloud.names(), ["c"]);
        } else {
            assert!(matches!(a, Outcome::Done(Action::Create)), "{a:?}");
            assert!(matches!(outcome(&report, "b"), Outcome::Cancelled));
            assert_eq!(cloud.names(), ["a", "c"]);
        }
        assert!(go(&graph, &cloud, Way::Apply).await.complete(), "the same command again");
    }
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_before_the_first_write_and_between_tries() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    let options = options();
    options.cancel.advance();
    let report = run(&graph, &cloud, Way::Apply, &options, &Notes::default()).await;
    assert!(report.cancelled() && cloud.calls.lock().unwrap().is_empty());

    let options = Options { pause: Duration::from_secs(30), ..Options::default() };
    cloud.fail(Op::Create, "vpc", Fault::Before(true), usize::MAX);
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        options.cancel.advance();
    };
    let start = Instant::now();
    let notes = Notes::default();
    let (report, ()) = tokio::join!(run(&graph, &cloud, Way::Apply, &options, &notes), interrupt);
    assert!(report.cancelled() && start.elapsed() < Duration::from_secs(6));
    assert!(failure(&report, "vpc").contains("Create vpc: refused"), "{report:?}");
}

/// What could not be looked at is kept, and so is what it needs; the rest goes.
#[tokio::test(start_paused = true)]
async fn destroy_keeps_what_a_failed_look_needs() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    go(&graph, &cloud, Way::Apply).await;
    cloud.fail(Op::Find, "subnet-a", Fault::Before(false), 1);
    let report = go(&graph, &cloud, Way::Destroy).await;
    assert_eq!(failure(&report, "subnet-a"), "Find subnet-a: refused");
    assert_eq!(report.failures().count(), 1);
    // `lb` and `fleet` are found through it; what they need must stay.
    assert_eq!(cloud.names(), ["fleet", "group", "lb", "role", "subnet-a", "subnet-b", "vpc"]);
    cloud.fail(Op::Find, "fleet", Fault::Before(false), 1);
    let other = [("fleet", &[][..]), ("alone", &[])];
    let alone = super::fake::graph(&other, "1");
    cloud.put("alone", "1");
    assert!(is_done(&go(&alone, &cloud, Way::Destroy).await, "alone"));
    assert!(!cloud.names().contains(&"alone".to_owned()));
    assert!(go(&graph, &cloud, Way::Destroy).await.complete());
    assert!(cloud.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn destroy_where_a_parent_is_gone_already() {
    let (cloud, graph) = (Fake::default(), graph(NET, "1"));
    go(&graph, &cloud, Way::Apply).await;
    cloud.things.lock().unwrap().remove("subnet-a");
    let report = go(&graph, &cloud, Way::Destroy).await;
    assert!(report.complete() && matches!(outcome(&report, "subnet-a"), Outcome::Done(Action::Keep)));
    assert!(cloud.names().is_empty());
}
