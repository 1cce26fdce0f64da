//! What a resource needs is found in its fields.
use super::fake::*;
use crate::engine::{Graph, Needs, NodeId, Ref};

#[derive(Needs)]
enum Way {
    Closed,
    Through(Ref<String>),
    Both { out: Ref<String>, back: NodeId },
}

#[derive(Needs)]
struct Turn {
    to: &'static str,
    way: Way,
}

#[derive(Needs)]
struct Everything<S: Needs, T> {
    one: Ref<String>,
    perhaps: Option<Ref<String>>,
    nobody: Option<Ref<String>>,
    turns: Vec<Turn>,
    after: Vec<NodeId>,
    names: Vec<String>,
    inner: S,
    other: T,
}

#[derive(Needs)]
struct Pair(Ref<String>, u8, Option<NodeId>);

fn things(n: usize) -> Vec<Ref<String>> {
    let mut graph = Graph::default();
    let thing = |i: usize| Thing {
        name: i.to_string(),
        value: "1".into(),
        needs: Vec::new(),
        wish: Wish::Managed,
        left: None,
        refuses: false,
        wrong: None,
    };
    (0..n).map(|i| graph.add(thing(i))).collect()
}

#[test]
fn every_field_is_asked_however_deep() {
    let all = things(8);
    let turns = [Way::Closed, Way::Through(all[2]), Way::Both { out: all[3], back: all[4].node() }];
    let it = Everything {
        one: all[0],
        perhaps: Some(all[1]),
        nobody: None,
        turns: turns.into_iter().map(|way| Turn { to: "there", way }).collect(),
        after: vec![all[5].node(), all[6].node()],
        names: vec!["name".into()],
        inner: all[7],
        other: "refers to nothing",
    };
    let wanted: Vec<NodeId> = all.iter().map(|r| r.node()).collect();
    assert_eq!(it.needs(), wanted);
    assert_eq!(it.other, "refers to nothing");
}

#[test]
fn fields_without_names_are_asked_too() {
    let all = things(2);
    assert_eq!(Pair(all[0], 1, Some(all[1].node())).needs(), [all[0].node(), all[1].node()]);
    assert_eq!(Pair(all[1], 1, None).needs(), [all[1].node()]);
}
