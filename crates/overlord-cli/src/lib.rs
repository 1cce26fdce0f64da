//! `overlord`: gives each team its place on AWS.
pub mod addresses;
pub mod cli;
pub mod organization;

pub use cli::run;
