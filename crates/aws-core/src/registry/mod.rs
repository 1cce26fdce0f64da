//! What has no place in a tag, kept in Systems Manager parameters: settings of a VPC and manifests.
pub mod encoding;
pub mod parameters;
pub mod settings;
pub mod teams;

pub use parameters::{
    Start, delete_application, list_applications, read_application, read_start, write_application, write_settings,
};
pub use settings::VpcSettings;
