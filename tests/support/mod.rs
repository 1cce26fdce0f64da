//! What the end-to-end tests stand on.
mod emulator;
mod engine;
mod estate;
mod refusals;
mod run;
mod shell;
mod stage;
mod wire;

pub(crate) use emulator::{ask, endpoint, registry};
pub(crate) use engine::Engine;
pub(crate) use estate::{Estate, LAYERS, REGIONS};
pub(crate) use refusals::{Request, refusing};
pub(crate) use run::{Run, Running};
pub(crate) use shell::Shell;
pub(crate) use stage::{Inventory, Options, Stage, workspace};
pub(crate) use wire::Wire;
