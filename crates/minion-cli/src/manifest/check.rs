//! What only several keys of a manifest together can tell.
use super::{Manifest, locate::Step};

/// Something wrong, and where.
pub(super) struct Problem {
    pub(super) path: Vec<Step>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

pub(super) fn problem(_m: &Manifest) -> Option<Problem> {
    None
}

/// What is allowed, and probably not meant.
pub fn warnings(_m: &Manifest) -> Vec<String> {
    Vec::new()
}
