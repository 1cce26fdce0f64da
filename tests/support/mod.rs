//! What the end-to-end tests stand on.
mod emulator;
mod run;
mod stage;
mod wire;

pub(crate) use emulator::endpoint;
pub(crate) use run::Running;
pub(crate) use stage::{Options, Stage, workspace};
pub(crate) use wire::Wire;
