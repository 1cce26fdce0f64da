//! AWS on this computer: an emulator as a separate program, and what it lacks for carrying traffic.
mod answer;
pub mod front;

pub use answer::Answer;
