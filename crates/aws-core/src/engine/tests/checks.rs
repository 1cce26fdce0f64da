//! What can be known without a call is checked before the first one, the same in a dry run.
use super::fake::{Fake, NET, Way, Wish, go, is_skipped, net_with};
use crate::{Error, engine::Report, error::Kind};

fn fault(report: &Report) -> &Error {
    let (_, error) = report.failures().next().unwrap();
    assert_eq!((error.kind(), report.changes()), (Kind::Usage, 0));
    error
}

const BOTH: [Way; 2] = [Way::Plan, Way::Apply];

#[tokio::test]
async fn a_fault_is_told_before_the_first_call() {
    for mode in BOTH {
        let cloud = Fake::default();
        let graph = net_with(|t| t.wrong = (t.name == "fleet").then_some("too many"));
        let report = go(&graph, &cloud, mode).await;
        assert!(cloud.calls.lock().unwrap().is_empty(), "{mode:?}");
        assert!(NET.iter().all(|(name, _)| *name == "fleet" || is_skipped(&report, name)), "{mode:?}: {report:?}");
        let error = fault(&report);
        assert_eq!(error.to_string(), "thing fleet: too many");
        assert_eq!(error.hints(), ["Write another value."]);
    }
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_a_common_one_once() {
    for mode in BOTH {
        let graph = net_with(|t| {
            t.wrong = match t.name.as_str() {
                "vpc" => Some("one"),
                "group" | "lb" | "role" => Some("common"),
                _ => None,
            }
        });
        let report = go(&graph, &Fake::default(), mode).await;
        assert!(is_skipped(&report, "group") && is_skipped(&report, "subnet-a"));
        let error = fault(&report);
        assert_eq!(error.to_string(), "thing vpc: one\nthing group: common");
        assert_eq!(error.hints().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_ours_to_make_is_not_checked() {
    for wish in [Wish::External, Wish::Absent] {
        let cloud = Fake::default();
        cloud.put("fleet", "1");
        let graph = net_with(|t| {
            // Nothing needs it.
            if t.name == "fleet" {
                (t.wish, t.wrong) = (wish, Some("an old name"));
            }
        });
        assert!(go(&graph, &cloud, Way::Apply).await.complete(), "{wish:?}");
    }
}

#[tokio::test]
async fn what_goes_is_not_checked() {
    let cloud = Fake::default();
    assert!(go(&net_with(|_| {}), &cloud, Way::Apply).await.complete());
    let report = go(&net_with(|t| t.wrong = Some("an old name")), &cloud, Way::Destroy).await;
    assert!(report.complete() && cloud.names().is_empty(), "{report:?}");
}
