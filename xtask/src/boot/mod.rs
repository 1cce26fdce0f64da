//! `cargo xtask boot`: the boot script of instances in a virtual machine, under real cloud-init, systemd and Docker.
mod image;
mod machine;
mod report;
mod run;
mod scenario;
mod script;

pub(crate) use run::{Args, run};
