//! Certificates that ACM issues once it sees our records in the domain's zone.
use super::hosted_zone::ZoneId;
use crate::{engine::Ref, model::TeamOwner};

/// A certificate for a domain and every name one label below it.
pub struct Certificate {
    /// For whom.
    pub owner: TeamOwner,
    /// The domain, without a final dot.
    pub domain: String,
}

/// A certificate that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateArn {
    /// Its ARN.
    pub arn: String,
    /// The CNAME records that ACM wants to see: name and value, without final dots.
    pub records: Vec<(String, String)>,
}

/// The records that ACM wants to see, in the domain's zone.
pub struct ValidationRecord {
    /// The domain's zone.
    pub zone: Ref<ZoneId>,
    /// The certificate.
    pub certificate: Ref<CertificateArn>,
    /// The domain, without a final dot.
    pub domain: String,
}
