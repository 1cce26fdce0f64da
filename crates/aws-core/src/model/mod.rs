//! The nouns that both tools share: values that are valid once they exist.
pub mod architecture;
pub mod image;
pub mod instance_type;
pub mod layers;
pub mod names;
pub mod policy_rules;
pub mod tag_rules;
pub mod tags;
pub mod team;

pub use architecture::Architecture;
pub use image::ImageRef;
pub use instance_type::DEFAULT_INSTANCE_TYPE;
pub use layers::Layer;
pub use names::{ApplicationName, VersionName};
pub use tags::{Owner, Owning};
pub use team::{OrganizationName, TeamName, TeamOwner};
