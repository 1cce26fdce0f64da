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

use super::iam::{aws_tags, own_tags};

/// It was not there a moment ago: an earlier try of the very call made it.
const THERE: &str = "EntityAlreadyExists";

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
