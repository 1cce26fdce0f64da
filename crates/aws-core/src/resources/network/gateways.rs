//! The ways to the internet that cost nothing: internet gateways, both ways and, for IPv6, outwards only.
use super::ids::VpcId;
use crate::{engine::Ref, model::TeamOwner};

/// An internet gateway, attached to its VPC.
pub struct InternetGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is attached to.
    pub vpc: Ref<VpcId>,
}

/// An egress-only internet gateway: IPv6, outwards only.
pub struct EgressOnlyGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is attached to.
    pub vpc: Ref<VpcId>,
}
