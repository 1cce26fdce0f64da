//! The generated pages are what the code says, and the written ones name what the code does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]

#[path = "../../../tests/pages/mod.rs"]
mod pages;
#[path = "../../../tests/pages/words.rs"]
mod words;

use aws_core::cloud::operations::checked_inside;
use clap::CommandFactory as _;
use pages::calls;
use std::{collections::BTreeSet, fs};
use words::{is_action, quoted};

#[test]
fn the_command_reference_is_checked_in() {
    pages::reference(&minion::cli::Cli::command());
}

#[test]
fn the_man_pages_are_checked_in() {
    pages::man_pages(minion::cli::Cli::command());
}

/// What these call is for `overlord` alone: see docs/overlord-permissions.md. `denied.rs` and `operations.rs` only name calls.
const OF_OVERLORD: [&str; 15] = [
    "aws-core/src/cloud/denied.rs",
    "aws-core/src/cloud/lookups/occupants.rs",
    "aws-core/src/cloud/lookups/regions.rs",
    "aws-core/src/cloud/lookups/sights.rs",
    "aws-core/src/cloud/membership.rs",
    "aws-core/src/cloud/operations.rs",
    "aws-core/src/cloud/organizations.rs",
    "aws-core/src/cloud/role.rs",
    "aws-core/src/cloud/room/network.rs",
    "aws-core/src/registry/teams.rs",
    "aws-core/src/resources/domain/",
    "aws-core/src/resources/guard/",
    "aws-core/src/resources/identity/",
    "aws-core/src/resources/network/",
    "aws-core/src/resources/place_settings.rs",
];

/// Lists of a network that `minion` reads, too: where instances find a way out.
const OF_BOTH: [&str; 3] = [
    "aws-core/src/resources/network/endpoint.rs",
    "aws-core/src/resources/network/route_table.rs",
    "aws-core/src/resources/network/subnet.rs",
];

/// The permissions page has one table of the calls, and one policy with them and what AWS checks inside them.
#[test]
fn the_permissions_are_those_of_the_calls_that_are_made() {
    let not_called = |file: &str| OF_OVERLORD.iter().any(|place| file.starts_with(place));
    let named = calls::named(&["aws-core/src", "minion-cli/src"]);
    let called: BTreeSet<String> =
        named.iter().filter(|(file, _)| !not_called(file)).flat_map(|(_, actions)| actions.clone()).collect();
    let lists = OF_BOTH.iter().flat_map(|file| named[*file].iter().filter(|action| action.contains(":Describe")));
    let called: BTreeSet<String> = called.into_iter().chain(lists.cloned()).collect();
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
    let inside: BTreeSet<String> =
        called.iter().flat_map(|call| checked_inside(call)).map(|inside| inside.action.to_owned()).collect();
    let missing: Vec<_> = inside.iter().filter(|a| !called.contains(*a) && !beside.contains(*a)).collect();
    let more: Vec<_> = beside.difference(&inside).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "docs/permissions.md: of what AWS checks inside the calls it lacks {missing:?}, and has {more:?}"
    );
    let gone: Vec<_> = listed.difference(&called).filter(|action| !beside.contains(*action)).collect();
    assert!(gone.is_empty(), "docs/permissions.md: nothing calls {gone:?} any more");
    let wanted: BTreeSet<String> = called.union(&beside).cloned().collect();
    let lacking: Vec<_> = wanted.difference(&allowed).collect();
    let more: Vec<_> = allowed.difference(&wanted).collect();
    assert!(lacking.is_empty() && more.is_empty(), "docs/permissions.md: the policy lacks {lacking:?}, has {more:?}");
}
