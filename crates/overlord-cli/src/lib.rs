//! `overlord`: gives each team its place on AWS.
//!
//! Data walks one way: arguments -> [`organization`] (files) -> [`survey`] (record, accounts, what is there) -> [`graph`] ->
//! plan -> apply -> events -> terminal. Each command is a file under [`commands`].
#![recursion_limit = "256"]
pub mod accounts;
pub mod addresses;
pub mod cli;
pub mod commands;
pub mod diagram;
pub mod graph;
pub mod networks;
pub mod new_account;
pub mod organization;
pub mod places;
pub mod policies;
pub mod session;
pub mod survey;
pub mod zones;

pub use commands::run;
