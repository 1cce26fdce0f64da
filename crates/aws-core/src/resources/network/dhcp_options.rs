//! DHCP options: what instances are told of name servers and their domain.
use crate::model::TeamOwner;
use std::net::IpAddr;

/// A set of DHCP options.
pub struct DhcpOptions {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The name servers, in this order; empty for Amazon's.
    pub servers: Vec<IpAddr>,
    /// The domain in which instances look up unqualified names.
    pub domain: Option<String>,
}
