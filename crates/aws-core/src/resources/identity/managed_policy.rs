//! Customer managed policies: one JSON document, of which IAM keeps up to five versions.
use crate::model::TeamOwner;
use serde_json::Value;

/// A managed policy of the account.
pub struct ManagedPolicy {
    /// For whom.
    pub owner: TeamOwner,
    /// The name: at most 128 characters, unique in the account.
    pub name: String,
    /// What it is for: at most 1,000 characters. IAM never changes it.
    pub description: String,
    /// What it says: at most [`LIMIT`] characters without white space.
    pub document: Value,
}

/// The ARN of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyArn(pub String);

/// Size of a managed policy, in characters without white space (IAM quotas; fixed).
pub const LIMIT: usize = 6_144;
