//! `overlord`: gives each team its place on AWS.
pub mod cli;

pub use cli::run;
