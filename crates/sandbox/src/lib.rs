//! AWS on this computer: an emulator as a separate program, and what it lacks for carrying traffic.
mod answer;
pub mod autoscaling;
pub mod control;
pub mod emulator;
pub mod front;
mod gateway;
mod http;
pub mod image;
mod instance;
mod key_pairs;
mod log;
mod parameters;
pub mod place;
mod prepare;
mod serve;
mod status;

pub use answer::Answer;
pub use place::Place;
pub use serve::{connect, serve};
pub use status::Status;

/// Access key id and secret access key of a sandbox: valid nowhere else.
pub const KEY: (&str, &str) = ("minion-sandbox", "minion-sandbox");
