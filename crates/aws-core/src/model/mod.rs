//! The nouns that both tools share: values that are valid once they exist.
pub mod image;
pub mod names;
pub mod tags;

pub use image::ImageRef;
pub use names::{ApplicationName, VersionName};
pub use tags::Owner;
