//! What resources compare in the same way.
use crate::engine::Change;
use std::{collections::BTreeSet, fmt};

/// Differences in fields that are never changed in place.
pub(super) struct Fixed {
    hint: String,
    pub(super) changes: Vec<Change>,
}

impl Fixed {
    /// None so far; `hint` says what to do about one.
    pub(super) fn new(hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), changes: Vec::new() }
    }
    /// Notes a difference. A field that is not wanted (`None`) is not compared.
    pub(super) fn compare<A: fmt::Display, B: fmt::Display>(
        &mut self,
        field: &str,
        live: Option<A>,
        wanted: Option<B>,
    ) {
        let Some(wanted) = wanted.map(|w| w.to_string()) else { return };
        let live = live.map_or_else(|| "-".into(), |l| l.to_string());
        if live != wanted {
            self.changes.push(Change::refused(field, live, wanted, &self.hint));
        }
    }
}

/// A set in a plan.
pub(super) fn join(set: &BTreeSet<String>) -> String {
    if set.is_empty() { "-".into() } else { set.iter().map(String::as_str).collect::<Vec<_>>().join(", ") }
}
