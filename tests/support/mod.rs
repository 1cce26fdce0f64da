//! What the end-to-end tests stand on.
mod emulator;
mod run;
mod stage;
mod wire;

pub(crate) use run::{Run, Running};
pub(crate) use stage::{Options, Stage};
pub(crate) use wire::Wire;
