//! The targets by name.
use crate::targets::{answers, dockerignore, manifest, names, organization, run_line, stored_text, user_data};

/// What is called with an input; it panics when something does not hold.
pub type Target = fn(&[u8]);

/// All of them. Each has a directory of its name in `corpus`.
pub const TARGETS: [(&str, Target); 8] = [
    ("answers", answers::fuzz),
    ("dockerignore", dockerignore::fuzz),
    ("manifest", manifest::fuzz),
    ("names", names::fuzz),
    ("organization", organization::fuzz),
    ("run_line", run_line::fuzz),
    ("stored_text", stored_text::fuzz),
    ("user_data", user_data::fuzz),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
