//! Who may do what in a team's account: policies, roles, the SAML provider.
pub(crate) mod account;
pub mod alias;
mod documents;
pub mod managed_policy;
pub mod password_policy;
pub mod saml_provider;
pub mod service_linked_role;
pub mod team_role;

pub use account::unbounded;

use crate::{Error, Result};
use aws_sdk_iam::{error::BuildError, types::Tag};
use std::collections::BTreeMap;

/// IAM's code for what is not there, or not visible yet.
const NOT_THERE: &str = "NoSuchEntity";
/// It was not there a moment ago: an earlier try of the very call made it.
const THERE: &str = "EntityAlreadyExists";

/// Tries again when IAM says that another write is still on its way.
fn settle(e: Error) -> Error {
    e.retry_on(&["ConcurrentModification", "EntityTemporarilyUnmodifiable"])
}

fn aws_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| {
        let tag: Result<Tag, BuildError> = Tag::builder().key(key).value(value).build();
        tag.map_err(|e| Error::failed("a tag lacks its key or value").caused_by(e))
    };
    tags.iter().map(tag).collect()
}

fn own_tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|t| (t.key().to_owned(), t.value().to_owned())).collect()
}

/// Whether IAM takes it as the name of a role, policy or SAML provider.
fn is_name(name: &str, longest: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    (1..=longest).contains(&name.len()) && name.bytes().all(allowed)
}

/// A description that IAM takes: at most 1,000 characters, which are none of control (`CreateRole`, `CreatePolicy`).
fn is_description(text: &str) -> bool {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}');
    text.chars().count() <= 1_000 && text.chars().all(allowed)
}
