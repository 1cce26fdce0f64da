//! What is known of operations is said in one table: sources name none, and do not say again what its rows say.
use crate::{
    calls_in_sources::{code, named},
    words::{is_action, quoted},
};
use aws_core::cloud::operations;
use std::collections::BTreeSet;

const SOURCES: [&str; 7] =
    ["aws-core/src", "docker/src", "files/src", "minion-cli/src", "overlord-cli/src", "sandbox/src", "terminal/src"];

/// The table, and those with policies that are written.
const NAMED: [&str; 6] = [
    "aws-core/src/cloud/operations",
    "aws-core/src/resources/guard/trail_bucket.rs",
    "aws-core/src/resources/identity/team_role.rs",
    "aws-core/src/resources/role/documents.rs",
    "minion-cli/src/graph/policy.rs",
    "overlord-cli/src/policies/",
];

#[test]
fn operations_are_named_in_the_table_alone() {
    let services: BTreeSet<&str> = operations::all().filter_map(|row| Some(row.name.split_once(':')?.0)).collect();
    let of_aws = |word: &&str| is_action(word) && word.split_once(':').is_some_and(|(s, _)| services.contains(s));
    for (file, code) in SOURCES.iter().flat_map(|source| code(source)) {
        if !NAMED.iter().any(|place| file.starts_with(place)) {
            let words: Vec<&str> = quoted(&code, '"').filter(of_aws).collect();
            assert!(words.is_empty(), "{file} names {words:?}: `cloud::operations` has a type for each operation");
        }
    }
}

/// A code that passes at one call alone has a name and a comment there.
#[test]
fn what_passes_is_in_the_table() {
    for (file, code) in SOURCES.iter().flat_map(|source| code(source)) {
        for codes in code.split(".retry_on(").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(!codes.contains('"'), "{file}: `retry_on({codes})` belongs to the operation's row");
        }
    }
}

/// A row that nothing calls is one that nobody would miss.
#[test]
fn every_row_is_called() {
    let called: BTreeSet<String> = named(&SOURCES).into_values().flatten().collect();
    let idle: Vec<&str> = operations::all().map(|row| row.name).filter(|name| !called.contains(*name)).collect();
    assert!(idle.is_empty(), "nothing calls {idle:?}");
}
