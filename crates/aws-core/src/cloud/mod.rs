//! One account and region: clients, what was read so far, errors, and waiting.
mod connect;
pub mod errors;
pub mod lookups;
mod memory;
pub mod network;
pub mod wait;

pub use connect::{Cloud, ConnectOptions};
pub use errors::Told;
