//! One file for each kind of AWS resource: find, diff, create, update, delete.
pub mod alias_record;
pub mod listener;
pub mod load_balancer;
pub mod security_group;
mod tag_drift;
pub mod target_group;
