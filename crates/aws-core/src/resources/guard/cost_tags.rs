//! The tags that bills are split by.

/// Cost allocation tags that are active. Acts in the management account.
pub struct CostTags {
    /// Their keys.
    pub keys: Vec<String>,
}
