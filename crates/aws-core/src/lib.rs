//! Everything of Overlord & Minion that talks to AWS.
//!
//! Prints nothing, asks nothing, reads no home directory: settings come in as values, and what happens
//! goes out as [`engine::Event`]s and [`Error`]s. See `ARCHITECTURE.md` for how the parts fit.
// `#[derive(Needs)]` writes paths that begin with `::aws_core`, inside of this crate too.
extern crate self as aws_core;

mod cancel;
mod change;
pub mod cloud;
pub mod engine;
pub mod error;
pub mod images;
pub mod model;
pub mod needs;
mod progress;
pub mod registry;
pub mod resources;
mod retry;
mod world;

pub use error::{Error, Result};
