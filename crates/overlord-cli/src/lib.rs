//! `overlord`: gives each team its place on AWS.
pub mod cli;
pub mod organization;
pub mod policies;

pub use cli::run;
