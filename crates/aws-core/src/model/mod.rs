//! The nouns that both tools share: values that are valid once they exist.
pub mod names;
pub mod tags;

pub use names::{ApplicationName, VersionName};
pub use tags::Owner;
