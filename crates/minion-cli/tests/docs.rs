//! The generated pages are what the code says, and the written ones name what the code does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]

#[path = "../../../tests/pages/mod.rs"]
mod pages;

use clap::CommandFactory as _;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_command_reference_is_checked_in() {
    pages::reference(&minion::cli::Cli::command());
}

#[test]
fn the_man_pages_are_checked_in() {
    pages::man_pages(minion::cli::Cli::command());
}

/// What these files name is for the instances' role, which minion writes, and does not call itself.
const OF_THE_ROLE: [&str; 3] = ["manifest/", "graph/policy.rs", "role/documents.rs"];

/// The permissions page has one table of the calls, and one policy with them and what AWS asks for beside.
#[test]
fn the_permissions_are_those_of_the_calls_that_are_made() {
    let mut called = BTreeSet::new();
    for source in ["aws-core/src", "minion-cli/src"] {
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(source)) {
            let path = file.display().to_string();
            if path.ends_with("tests.rs") || OF_THE_ROLE.iter().any(|part| path.contains(part)) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            called.extend(quoted(code, '"').filter(|word| is_action(word)).map(str::to_owned));
        }
    }
    assert!(called.len() > 80, "{called:?}");

    let page = fs::read_to_string(pages::docs().join("permissions.md")).unwrap();
    let rows: String = page.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>().join("\n");
    let listed: BTreeSet<String> = quoted(&rows, '`').filter(|w| is_action(w)).map(str::to_owned).collect();
    let missing: Vec<_> = called.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/permissions.md: the tables lack {missing:?}");

    let policy = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let allowed: BTreeSet<String> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    let beside: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("- `"))
        .flat_map(|line| quoted(line, '`').filter(|w| is_action(w)).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let gone: Vec<_> = listed.difference(&called).filter(|action| !beside.contains(*action)).collect();
    assert!(gone.is_empty(), "docs/permissions.md: nothing calls {gone:?} any more");
    let wanted: BTreeSet<String> = called.union(&beside).cloned().collect();
    let lacking: Vec<_> = wanted.difference(&allowed).collect();
    let more: Vec<_> = allowed.difference(&wanted).collect();
    assert!(lacking.is_empty() && more.is_empty(), "docs/permissions.md: the policy lacks {lacking:?}, has {more:?}");
}

/// `service:Operation`
fn is_action(word: &str) -> bool {
    word.split_once(':').is_some_and(|(service, operation)| {
        !service.is_empty()
            && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && operation.starts_with(|c: char| c.is_ascii_uppercase())
            && operation.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// What stands between quotes, and between the texts in quotes: words that are no actions do not matter.
fn quoted(text: &str, quote: char) -> impl Iterator<Item = &str> {
    text.split(quote)
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}
