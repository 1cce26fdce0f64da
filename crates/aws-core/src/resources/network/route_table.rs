//! Route tables: their routes, their subnets, and what a VPN gateway tells them.
use super::ids::{
    AttachmentId, EgressGatewayId, GatewayId, NatGatewayId, NatInstanceId, PeeringId, SubnetId, TransitGatewayId,
    VpcId, VpnGatewayId,
};
use crate::{engine::Ref, model::TeamOwner};
use ipnet::IpNet;

/// A route table with its routes and subnets.
pub struct RouteTable {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is in.
    pub vpc: Ref<VpcId>,
    /// The routes that must be there.
    pub routes: Vec<Route>,
    /// The subnets that use it.
    pub subnets: Vec<Ref<SubnetId>>,
    /// The VPN gateway that adds routes of its own.
    pub propagate: Option<Ref<VpnGatewayId>>,
    /// Networks within which all routes are ours: others in there are removed. So are unwanted default routes.
    pub managed: Vec<IpNet>,
}

/// A route.
#[derive(Clone)]
pub struct Route {
    /// To these addresses.
    pub to: IpNet,
    /// Through this.
    pub via: Via,
}

/// What a route goes through.
#[derive(Clone, Copy)]
pub enum Via {
    /// An internet gateway.
    Internet(Ref<GatewayId>),
    /// An egress-only internet gateway.
    EgressOnly(Ref<EgressGatewayId>),
    /// A NAT gateway.
    Nat(Ref<NatGatewayId>),
    /// A NAT instance.
    Instance(Ref<NatInstanceId>),
    /// A transit gateway.
    Transit {
        /// The gateway.
        gateway: Ref<TransitGatewayId>,
        /// The attachment of the VPC, which must stand before the route does.
        attachment: Ref<AttachmentId>,
    },
    /// A peering connection.
    Peering {
        /// The connection.
        peering: Ref<PeeringId>,
        /// The other side's yes, which must have come before the route does.
        accepted: Ref<()>,
    },
}
