//! The container registry: is an image there, for which architectures, and what else is there.
//!
//! Speaks the OCI distribution protocol (and Docker's schema 2) over HTTPS. Plain HTTP only with loopback
//! hosts and with hosts that the settings name.
pub mod answers;
mod credentials;
mod ecr;
mod platforms;
mod registry;
#[cfg(test)]
mod tests;
mod wire;

pub use credentials::Credential;
pub use ecr::{ecr_region, is_ecr};
pub use registry::{Login, Registry, RegistryOptions, RepositoryImage, Resolved};
