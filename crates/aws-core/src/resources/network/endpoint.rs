//! The gateway endpoint through which S3 is reached without the internet.
use super::ids::{RouteTableId, VpcId};
use crate::{engine::Ref, model::TeamOwner};

/// A gateway endpoint for S3, in all of these route tables.
pub struct S3Endpoint {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is in.
    pub vpc: Ref<VpcId>,
    /// The route tables that lead to it.
    pub route_tables: Vec<Ref<RouteTableId>>,
}
