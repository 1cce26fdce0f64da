//! One file for each kind of AWS resource: what it is (`kind::Kind`, a network's `Part`, or an `Identity`: found and removed),
//! and what one should be (`Resource`: diff, create, update). Those of `minion` stand here, those of `overlord` in the folders.
pub mod alias_record;
pub mod application_manifest;
pub mod auto_scaling_group;
mod compare;
pub mod domain;
pub mod guard;
mod iam;
pub mod identity;
pub mod key_pair;
pub mod kind;
pub mod launch_template;
pub mod leftover;
pub mod listener;
pub mod load_balancer;
pub mod log_group;
pub mod network;
pub mod place_settings;
pub mod role;
pub mod security_group;
mod tag_drift;
pub mod target_group;
