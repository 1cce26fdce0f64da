//! The application manifest: a YAML file that says what an application is.
//!
//! [`types`] are its keys (their documentation is the reference that users read), [`values`] the values
//! that are valid once they exist, [`check`] what only several keys together can tell, [`limits`] what AWS would refuse of
//! an application that is created or changed and of a new version, [`codes`] and `log_options` values that are lists of their own, [`mod@parse`]
//! the way from a file to a [`Manifest`] (the `files` crate shows the line that is wrong), and [`mod@reference`] the
//! generated documentation.
pub mod check;
pub mod codes;
pub mod limits;
mod log_options;
pub mod parse;
pub mod policy;
pub mod reference;
pub mod registries;
pub mod secrets;
#[cfg(test)]
mod tests;
pub mod types;
pub mod values;

pub use parse::{Loaded, load, parse, parse_for_version, parse_new};
pub use policy::{Effect, ManagedPolicy, Statement};
pub use reference::{reference, schema};
pub use secrets::SecretRef;
pub use types::{
    EbsVolume, Filesystem, FilesystemKind, HealthCheck, Logging, Manifest, Memory, Protocol, Scaling, VolumeType,
};
pub use values::{
    AmiId, Capability, Cpus, EnvName, EnvValue, HttpPath, InstanceType, LogDriver, Mountpoint, Port, RegistryHost,
    SecretName, TagKey, TagValue,
};
