//! The VPC.
use super::ids::DhcpOptionsId;
use crate::{engine::Ref, model::TeamOwner};
use ipnet::Ipv4Net;

/// A VPC with DNS support and host names.
pub struct Vpc {
    /// For whom.
    pub owner: TeamOwner,
    /// Its name, unique in the region.
    pub name: String,
    /// Its IPv4 network.
    pub cidr: Ipv4Net,
    /// Whether it has an IPv6 network (/56) of Amazon's.
    pub ipv6: bool,
    /// Its DHCP options; `None` leaves what is there, unless that is ours.
    pub dhcp: Option<Ref<DhcpOptionsId>>,
}
