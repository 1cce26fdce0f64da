//! The script that an instance runs once, at its first boot: it prepares file systems, reads secrets with the
//! instance's role, and starts the container with Docker's restart policy.
//!
//! It is POSIX `sh` (Amazon Linux's is bash, Debian's is dash). What it does not find (`systemctl`, `dnf`,
//! `sysctl`, ..) it does without where it can, so that it runs in an emulator's container too.
mod arguments;
mod login;
mod quote;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use quote::quote;

pub use arguments::{Arguments, Source, USER, Volume};
pub use render::{Instance, LIMIT, render};
