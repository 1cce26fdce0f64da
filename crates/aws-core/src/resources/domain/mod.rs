//! A team's domains: hosted zones, their delegation, certificates.
pub mod certificate;
pub mod delegation;
pub mod hosted_zone;
mod records;
