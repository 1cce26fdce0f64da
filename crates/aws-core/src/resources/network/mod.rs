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

use kinds::Entry;

/// The kinds of parts that a network has, in the order in which they are made.
static KINDS: &[Entry] = &[
    Entry::of::<dhcp_options::DhcpOptions>(),
    Entry::of::<vpc::Vpc>(),
    Entry::of::<gateways::InternetGateway>(),
    Entry::of::<egress::EgressOnlyGateway>(),
    Entry::of::<subnet::Subnet>(),
    Entry::of::<address::ElasticIp>(),
    Entry::of::<nat_instance::MachineGroup>(),
    Entry::of::<nat_gateway::NatGateway>(),
    Entry::of::<nat_instance::Machine>(),
    Entry::of::<vpn::VpnGateway>(),
    Entry::of::<vpn::CustomerGateway>(),
    Entry::of::<vpn::VpnConnection>(),
    Entry::of::<transit::TransitAttachment>(),
    Entry::of::<peering::PeeringConnection>(),
    Entry::of::<route_table::RouteTable>(),
    Entry::of::<endpoint::S3Endpoint>(),
    Entry::of::<flow_log::FlowLog>(),
];
