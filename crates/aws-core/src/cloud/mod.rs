//! One account and region: clients, what was read so far, errors, and waiting.
mod clouds;
mod connect;
mod denied;
pub mod dns;
pub mod egress;
pub mod errors;
pub mod lookups;
pub mod machines;
pub mod membership;
mod memory;
pub mod network;
pub mod operations;
pub mod organizations;
mod profile_files;
pub mod quotas;
mod retries;
mod role;
mod room;
pub mod secrets;
pub mod serving;
pub mod wait;

pub use clouds::{At, Clouds, Spot};
pub use connect::{Caller, Cloud, ConnectOptions};
pub(crate) use denied::is_denied;
pub use errors::Told;
pub use retries::{OnThrottle, Slow};
pub use role::AssumedRole;
