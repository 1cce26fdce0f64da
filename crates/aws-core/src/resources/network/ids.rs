//! What the parts of a network need of each other.
use ipnet::Ipv6Net;

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcId {
    /// `vpc-..`
    pub id: String,
    /// Its IPv6 network (/56), when it has one.
    pub ipv6: Option<Ipv6Net>,
}

/// A transit gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitGatewayId {
    /// `tgw-..`
    pub id: String,
    /// Its ARN, under which it is shared.
    pub arn: String,
}

/// An instance that forwards packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatInstanceId {
    /// `i-..`
    pub instance: String,
    /// Its network interface, `eni-..`: what routes point to.
    pub interface: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
            pub struct $name(pub String);
        )*
    };
}
ids! {
    /// A subnet, `subnet-..`.
    SubnetId;
    /// An internet gateway, `igw-..`.
    GatewayId;
    /// A route table, `rtb-..`.
    RouteTableId;
    /// An elastic IP address, `eipalloc-..`.
    AllocationId;
    /// A NAT gateway, `nat-..`.
    NatGatewayId;
    /// A set of DHCP options, `dopt-..`.
    DhcpOptionsId;
    /// A VPN gateway, `vgw-..`.
    VpnGatewayId;
    /// A customer gateway, `cgw-..`.
    CustomerGatewayId;
    /// The attachment of a VPC to a transit gateway, `tgw-attach-..`.
    AttachmentId;
    /// A peering connection, `pcx-..`.
    PeeringId;
    /// The ARN of a resource share.
    ShareArn;
}
