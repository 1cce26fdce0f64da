//! `cargo xtask record`: a terminal session as a picture, made from a real run.
mod chore;
mod picture;
mod screen;
mod session;
mod story;
#[cfg(test)]
mod tests;

pub(crate) use chore::{Args, run};
