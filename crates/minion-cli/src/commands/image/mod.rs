//! `minion image`: Docker images, from a directory to a registry, with this computer's engine.
mod build;
mod command;
mod health;
mod local;
mod push;
mod run;
mod secrets;
mod stage;

pub use command::{ImageArgs, run};
