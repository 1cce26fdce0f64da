//! The script that an instance runs once, at its first boot: it prepares file systems, reads secrets with the
//! instance's role, and starts the container with Docker's restart policy.
//!
//! It is POSIX `sh` (Amazon Linux's is bash, Debian's is dash). It installs nothing: `script/programs.txt` lists what it
//! calls. What it does not find (`systemctl`, `sysctl`, ..) it does without where it can, so that it runs in an
//! emulator's container too; what it cannot do without is looked for first.
mod arguments;
mod login;
mod parts;
mod quote;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use quote::quote;

pub use arguments::{Arguments, Source, USER, Volume};
pub use render::{EcrRegistry, Instance, LIMIT, render};
