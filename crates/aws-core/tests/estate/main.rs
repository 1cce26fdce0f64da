//! Kinds of resources of teams and of their organization, on an emulator of AWS.
//! One binary: each one more would be linked with the SDK, and start an emulator of its own.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod given;
mod organizations;
#[path = "../support/mod.rs"]
mod support;
mod team_domain;
mod team_gateways;
mod team_guard;
mod team_identity;
mod team_interconnect;
mod team_network;
mod team_parts;
mod teams;
