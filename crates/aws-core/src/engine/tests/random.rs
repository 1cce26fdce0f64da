//! Random graphs, failures and bounds.
use super::fake::*;
use crate::engine::Options;
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

type Nodes = Vec<(String, Vec<String>)>;

/// Each node needs some of the earlier ones.
fn nodes() -> impl Strategy<Value = Nodes> {
    prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..25).prop_map(|picks| {
        let needs = |i: usize, picks: Vec<prop::sample::Index>| -> Vec<String> {
            let earlier: BTreeSet<usize> =
                if i == 0 { BTreeSet::new() } else { picks.iter().map(|p| p.index(i)).collect() };
            earlier.into_iter().map(|n| format!("n{n}")).collect()
        };
        picks.into_iter().enumerate().map(|(i, p)| (format!("n{i}"), needs(i, p))).collect()
    })
}

fn ancestors_fail(nodes: &Nodes, bad: &BTreeSet<String>) -> BTreeSet<String> {
    let mut hit = BTreeSet::new();
    for (name, needs) in nodes {
        if needs.iter().any(|n| bad.contains(n) || hit.contains(n)) {
            hit.insert(name.clone());
        }
    }
    hit
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn random_graphs_converge(
        nodes in nodes(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..5),
        parallel in 1usize..6,
        delays in prop::collection::vec(1u64..50, 25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            // Virtual time: a hang ends here, not never.
            tokio::time::timeout(Duration::from_secs(3600), check(nodes, picks, parallel, delays)).await.unwrap();
        });
    }
}

async fn check(nodes: Nodes, picks: Vec<(prop::sample::Index, bool)>, parallel: usize, delays: Vec<u64>) {
    let (cloud, graph) = (Fake::default(), graph_with(&nodes, "1", |_| {}));
    let options = Options { parallel, ..options() };
    let bad: BTreeSet<String> = picks.iter().map(|(p, _)| nodes[p.index(nodes.len())].0.clone()).collect();
    for ((name, _), delay) in nodes.iter().zip(delays) {
        cloud.delay(name, delay);
    }
    for (pick, after) in &picks {
        let fault = if *after { Fault::After(false) } else { Fault::Before(false) };
        cloud.fail(Op::Create, &nodes[pick.index(nodes.len())].0, fault, usize::MAX);
        cloud.fail(Op::Delete, &nodes[pick.index(nodes.len())].0, Fault::Before(false), usize::MAX);
    }
    let notes = Notes::default();
    let report = run(&graph, &cloud, Way::Apply, &options, &notes).await;
    notes.assert_paired();
    assert!(cloud.peak.load(Ordering::SeqCst) <= parallel);
    let skipped = ancestors_fail(&nodes, &bad);
    for (name, _) in &nodes {
        assert_eq!(is_skipped(&report, name), skipped.contains(name), "{name}");
        assert_eq!(is_done(&report, name), !skipped.contains(name) && !bad.contains(name), "{name}");
    }
    cloud.heal();
    assert!(run(&graph, &cloud, Way::Apply, &options, &notes).await.complete());
    assert_eq!(cloud.names().len(), nodes.len());
    assert_eq!(run(&graph, &cloud, Way::Plan, &options, &notes).await.changes(), 0);

    // Deleting: what a failed node needs stays; the fake refuses a parent before its child.
    for name in &bad {
        cloud.fail(Op::Delete, name, Fault::Before(false), 1);
    }
    let report = run(&graph, &cloud, Way::Destroy, &options, &notes).await;
    assert_eq!(report.failures().count(), report.failures().filter(|(n, _)| bad.contains(&n.name)).count());
    for (name, needs) in &nodes {
        if !is_done(&report, name) {
            assert!(needs.iter().all(|n| !is_done(&report, n)), "a parent went before {name}");
        }
    }
    cloud.heal();
    assert!(run(&graph, &cloud, Way::Destroy, &options, &notes).await.complete());
    assert!(cloud.names().is_empty());
    notes.assert_paired();
}
