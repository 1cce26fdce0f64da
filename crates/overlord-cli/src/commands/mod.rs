//! The commands, a file each.
pub mod addresses;
pub mod check;
pub mod completions;
pub mod diagram;
mod dispatch;
pub mod history;
pub mod team;
mod undertaking;

pub use dispatch::run;
