//! End to end: the released binaries against an AWS API on loopback.
//!
//! `cargo xtask test` sets up the emulator and runs these; see `tests/support` for what they stand on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]

mod bad_days;
mod bad_input;
mod calls;
mod deploys;
mod examples;
mod gates;
mod harness;
mod outages;
mod overlord_harness;
mod story;
mod support;
