//! What watches over an account: audit trail, safe defaults, budget.
use crate::engine::Action;

pub mod budget;
pub mod cost_tags;
pub mod ebs_encryption;
pub mod metadata_defaults;
pub mod public_access;
pub mod trail;
pub mod trail_bucket;

/// The step line of a setting, which goes back to AWS's default when the team goes.
fn step(action: &Action, noun: &str) -> String {
    match action {
        Action::Delete => format!("Taking back {noun}"),
        other => format!("{} {noun}", other.verb()),
    }
}
/// Why a setting stays as it is when the team goes.
pub(super) fn found(restore: bool) -> Option<String> {
    (!restore).then(|| "it was set before the team was created".to_owned())
}
