//! The local container engine (Docker, or Podman through its compatible interface): images, containers, and what the
//! arguments of `docker run` mean.
mod engine;
mod errors;
pub mod run_line;
mod sockets;

pub use bollard;
pub use engine::Engine;
