//! One file for each command: its arguments, whose comments are the help text, and what it does.
pub mod applications;
pub mod completions;
pub mod configure;
mod converge;
mod dispatch;
pub mod history;
pub mod image;
pub mod images;
pub mod instances;
pub mod sandbox;
pub mod traffic;
mod undertaking;
pub mod versions;

pub use dispatch::run;
