//! What instances ask the sandbox process for: their `docker` and `curl` commands are scripts that send their
//! arguments here.
mod aws;
mod engine;
mod logs;
mod metadata;
mod request;
mod server;

pub(crate) use request::{Reply, Request};
pub(crate) use server::Instances;
