//! One account and region: clients, what was read so far, errors, and waiting.
mod clouds;
mod connect;
pub mod dns;
pub mod egress;
pub mod errors;
pub mod lookups;
pub mod machines;
mod memory;
pub mod network;
pub mod organizations;
pub mod quotas;
mod retries;
mod role;
pub mod secrets;
pub mod serving;
pub mod wait;

pub use clouds::{At, Clouds, Spot};
pub use connect::{Caller, Cloud, ConnectOptions};
pub use errors::Told;
pub use retries::{OnThrottle, Slow};
pub use role::AssumedRole;
