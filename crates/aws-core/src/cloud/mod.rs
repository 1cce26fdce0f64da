//! One account and region: clients, what was read so far, errors, and waiting.
mod connect;
pub mod errors;
mod memory;
pub mod network;
pub mod wait;

pub use connect::{Cloud, ConnectOptions};
pub use errors::Told;
