//! What watches over an account: audit trail, safe defaults, budget.
pub mod budget;
pub mod cost_tags;
pub mod ebs_encryption;
pub mod metadata_defaults;
pub mod public_access;
pub mod trail;
pub mod trail_bucket;

/// Why a setting stays as it is when the team goes.
pub(super) fn found(restore: bool) -> Option<String> {
    (!restore).then(|| "it was set before the team was created".to_owned())
}
