//! The local container engine (Docker, or Podman through its compatible interface): images, containers, and what the
//! arguments of `docker run` mean.
mod buildkit;
mod configuration;
mod container;
pub mod context;
mod engine;
mod errors;
pub mod ignore;
mod image;
mod labels;
pub mod run_line;
mod sockets;

pub use bollard;
pub use configuration::build_arguments;
pub use container::{LogLine, State};
pub use engine::Engine;
pub use image::{Build, Credential, ImageDetails, Progress};
pub use labels::Removed;
