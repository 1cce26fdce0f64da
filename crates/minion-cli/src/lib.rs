//! `minion`: deploys immutable versions of Docker applications on AWS.
//!
//! Data walks one way: arguments -> [`settings`] -> [`manifest`] -> [`graph`] -> plan -> apply -> events ->
//! terminal. Each command is a file under [`commands`].
pub mod boot;
pub mod cli;
pub mod commands;
pub mod deployed;
pub mod dns;
pub mod egress;
pub mod environment;
pub mod gate;
pub mod graph;
pub mod manifest;
mod profile_text;
pub mod settings;
pub mod site;
pub mod traffic;
pub mod user_data;

pub use commands::run;
