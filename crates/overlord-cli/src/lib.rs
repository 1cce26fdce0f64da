//! `overlord`: gives each team its place on AWS.
pub mod cli;
pub mod diagram;
pub mod organization;

pub use cli::run;
