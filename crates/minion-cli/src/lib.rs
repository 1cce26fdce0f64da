//! The library behind the `minion` binary.
pub mod manifest;
