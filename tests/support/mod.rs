//! What the end-to-end tests stand on.
mod docker;
mod emulator;
mod engine;
mod estate;
mod guarded;
mod moto;
mod refusals;
mod registry_server;
mod run;
mod sandbox;
mod shell;
mod stage;
mod traffic;
mod wire;

pub(crate) use docker::docker;
pub(crate) use emulator::{ask, endpoint, registry};
pub(crate) use engine::Engine;
pub(crate) use estate::{Estate, LAYERS, REGIONS};
pub(crate) use guarded::Guarded;
pub(crate) use refusals::{Request, refusing};
pub(crate) use run::{Run, Running};
pub(crate) use sandbox::{Sandbox, eventually};
pub(crate) use shell::Shell;
pub(crate) use stage::{Inventory, Options, Stage, workspace};
pub(crate) use traffic::{Address, Traffic, sample};
pub(crate) use wire::Wire;
