//! From a manifest to the graphs that the engine converges: one for an application, one for a version.
pub mod application;
pub mod policy;
pub mod version;
