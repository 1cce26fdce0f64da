//! Subnets.
use super::ids::VpcId;
use crate::{
    engine::Ref,
    model::{Layer, TeamOwner},
};
use ipnet::Ipv4Net;

/// A subnet. Nothing in it gets a public address by itself.
pub struct Subnet {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is in.
    pub vpc: Ref<VpcId>,
    /// The id of its availability zone, e.g. `euw1-az1`: the same place in every account.
    pub zone_id: String,
    /// Its IPv4 network.
    pub cidr: Ipv4Net,
    /// Its layer, written as a tag.
    pub layer: Layer,
    /// Its IPv6 network: the one of this number (from 0) among the /64 of the VPC's /56.
    pub ipv6_index: Option<u8>,
}
