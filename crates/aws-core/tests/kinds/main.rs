//! Kinds of resources of an application, leases and parameters, on an emulator of AWS.
//! One binary: each one more would be linked with the SDK, and start an emulator of its own.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod alias_record;
mod auto_scaling_group;
mod key_pair;
mod leases;
mod load_balancer;
mod log_group;
mod network;
mod parameters;
mod role;
mod security_group;
mod sights;
#[path = "../support/mod.rs"]
mod support;
