//! The library behind the `minion` binary.
pub mod manifest;
pub mod user_data;
