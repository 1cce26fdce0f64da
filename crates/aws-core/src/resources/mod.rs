//! One file for each kind of AWS resource: find, diff, create, update, delete.
pub mod application_manifest;
pub mod key_pair;
pub mod log_group;
pub mod role;
pub mod security_group;
mod tag_drift;
