//! End to end: the released binaries against an AWS API on loopback.
//!
//! `cargo xtask test` sets up the emulator and runs these; see `tests/support` for what they stand on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]
#![expect(clippy::print_stderr, reason = "what a test tells is shown when it fails, and with --nocapture")]

// Tests start in the order of their names, and this is the longest one.
#[path = "sandbox_story.rs"]
mod a_sandbox;
mod bad_days;
mod bad_input;
mod calls;
mod concurrent_traffic;
mod deploys;
mod drift;
mod examples;
mod first_files;
mod gates;
mod harness;
mod history;
mod image;
mod interrupts;
mod leases;
mod limits;
mod lost_answers;
mod outages;
mod overlord_accounts;
mod overlord_bad_days;
mod overlord_bad_input;
mod overlord_damage;
mod overlord_harness;
mod overlord_history;
mod overlord_leaving;
mod overlord_minion;
mod overlord_options;
mod overlord_story;
mod overlord_switched;
mod overlord_zones;
mod quotas;
mod registries;
mod sandbox_example;
mod sandbox_inside;
mod sandbox_refused;
mod sandbox_tcp;
mod sandbox_traffic;
mod secrets;
mod small_inputs;
mod story;
mod support;
mod throttled;
mod upgrade;
mod zones;
