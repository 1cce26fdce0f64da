//! What watches over an account: audit trail, safe defaults, budget.
use crate::engine::Action;

pub mod budget;
pub mod cost_tags;
pub mod ebs_encryption;
pub mod metadata_defaults;
pub mod public_access;
pub mod trail;
pub mod trail_bucket;

/// The step line of a setting, which deleting may leave as it is.
fn step(action: &Action, noun: &str, restore: bool) -> String {
    match action {
        Action::Delete if !restore => format!("Leaving {noun} as it is"),
        Action::Delete => format!("Taking back {noun}"),
        other => format!("{} {noun}", other.verb()),
    }
}
