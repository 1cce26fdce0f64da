//! Judges of what we write, by what AWS says of itself.
//!
//! `cargo xtask test` installs AWS's service authorization reference (`package.json`) and names its directory.
mod arns;
mod policy;
mod reference;

pub(crate) use policy::{faults, looks_denied};
pub(crate) use reference::Reference;
