//! One file for each kind of AWS resource: find, diff, create, update, delete.
pub mod alias_record;
pub mod application_manifest;
pub mod auto_scaling_group;
pub mod key_pair;
pub mod launch_template;
pub mod leftover;
pub mod listener;
pub mod load_balancer;
pub mod log_group;
pub mod role;
pub mod security_group;
mod tag_drift;
pub mod target_group;
