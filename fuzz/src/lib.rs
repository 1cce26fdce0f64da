//! Fuzz targets: what reads things that others wrote (files, command lines, registries, stored parameters), with what must
//! hold for any bytes at all.
//!
//! A target is a plain function that panics when something does not hold. libFuzzer calls it by way of `cargo xtask fuzz`;
//! `tests/corpus.rs` calls it for every file of `corpus/<target>`, in every test run and without libFuzzer.
pub mod input;
pub mod shell;
pub mod table;
pub mod targets;

pub use table::{TARGETS, Target, target};
