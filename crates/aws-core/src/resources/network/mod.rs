//! A team's network: VPC, subnets, gateways, routes, and what joins it to others.
pub mod address;
pub mod adopt;
pub mod default_group;
pub mod dhcp_options;
pub mod egress;
pub mod endpoint;
pub mod flow_log;
mod fresh;
pub mod gateways;
pub mod ids;
pub mod kinds;
pub mod lists;
pub mod nat_gateway;
pub mod nat_instance;
pub mod peering;
pub mod route_table;
pub mod stray;
pub mod subnet;
pub mod transit;
pub mod vpc;
pub mod vpn;
mod waiting;

use kinds::{Erased, kinds};

/// The kinds of parts that a network has, in the order in which they are made.
static KINDS: &[&dyn Erased] = kinds![
    dhcp_options::DhcpOptions,
    vpc::Vpc,
    gateways::InternetGateway,
    egress::EgressOnlyGateway,
    subnet::Subnet,
    address::ElasticIp,
    nat_instance::MachineGroup,
    nat_gateway::NatGateway,
    nat_instance::Machine,
    vpn::VpnGateway,
    vpn::CustomerGateway,
    vpn::VpnConnection,
    transit::TransitAttachment,
    peering::PeeringConnection,
    route_table::RouteTable,
    endpoint::S3Endpoint,
    flow_log::FlowLog,
];
