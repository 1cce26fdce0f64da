//! What a resource needs is found in its fields.
use super::fake::*;
use crate::engine::{Graph, Needs, NodeId, Ref};
use std::{fs, path::Path};

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
struct Pair(Ref<String>, u8, Option<(NodeId, Ref<String>)>);

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
    let all = things(3);
    assert_eq!(Pair(all[0], 1, Some((all[1].node(), all[2]))).needs(), [all[0].node(), all[1].node(), all[2].node()]);
    assert_eq!(Pair(all[1], 1, None).needs(), [all[1].node()]);
}

/// The structs and enums of a source: what stands above each, and its text.
fn types(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = source.lines();
    let mut above = String::new();
    while let Some(line) = lines.next() {
        let words =
            line.trim_start_matches("pub").trim_start_matches("(crate)").trim_start_matches("(super)").trim_start();
        if line.starts_with("#[") || line.starts_with("///") {
            above.push_str(line);
        } else if words.starts_with("struct ") || words.starts_with("enum ") {
            let mut text = line.to_owned();
            if !line.ends_with(';') && !line.ends_with('}') {
                text.extend(lines.by_ref().take_while(|l| *l != "}").map(|l| format!("\n{l}")));
            }
            found.push((std::mem::take(&mut above), text));
        } else {
            above.clear();
        }
    }
    found
}

fn sources(under: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(under).unwrap().map(Result::unwrap) {
        match entry.path() {
            path if path.is_dir() => sources(&path, found),
            path => found.push(fs::read_to_string(path).unwrap()),
        }
    }
}

/// The derive passes over fields of types that do not derive it: so whatever refers to a node does.
#[test]
fn whatever_refers_to_a_node_derives_it() {
    let mut all = Vec::new();
    for place in ["resources", "cloud"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(place), &mut all);
    }
    let refers = |text: &str| text.contains("Ref<") || text.contains("NodeId");
    let all: Vec<_> = all.iter().flat_map(|s| types(s)).filter(|(_, text)| refers(text)).collect();
    assert!(all.len() > 30, "{} types", all.len());
    // What was found, after the run: no part of a resource.
    let beside = |text: &str| text.contains("struct Searched");
    let not: Vec<_> = all.iter().filter(|(above, text)| !above.contains("Needs") && !beside(text)).collect();
    assert!(not.is_empty(), "these refer to a node and do not derive Needs: {not:#?}");
}
