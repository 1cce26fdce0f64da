//! What the arguments of `docker run` mean: those that the script of an instance gives.
mod amounts;
mod parse;
#[cfg(test)]
mod tests;

pub use parse::{RunLine, parse};
