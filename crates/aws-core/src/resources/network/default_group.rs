//! A VPC's default security group, without any rule: what is in no other group talks to nobody.
use super::ids::VpcId;
use crate::{engine::Ref, model::TeamOwner};

/// The default security group of a VPC, emptied.
pub struct DefaultGroup {
    /// For whom.
    pub owner: TeamOwner,
    /// The VPC it belongs to.
    pub vpc: Ref<VpcId>,
}
