//! Programs that the chores need, pinned, and set up in a directory of their own.
mod directory;
mod engine;
mod fakecloud;
mod judges;
mod moto;
mod python;
mod registry;

pub(crate) use directory::Locked;
pub(crate) use engine::engine;
pub(crate) use fakecloud::{fakecloud, fakecloud_there};
pub(crate) use judges::iam_data;
pub(crate) use moto::moto_server;
pub(crate) use registry::{Registry, docker_registry, registry};
