//! What stays in an account when all that was made goes.

/// Kinds of things that stay on purpose: bills of the past are still split by tags, and service-linked roles belong to
/// their services.
pub(crate) const STAYS: [&str; 2] = ["cost tag", "service-linked role"];
