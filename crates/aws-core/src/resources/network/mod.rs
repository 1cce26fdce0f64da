//! A team's network: VPC, subnets, gateways, routes, and what joins it to others.
pub mod address;
pub mod default_group;
pub mod dhcp_options;
pub mod endpoint;
pub mod flow_log;
pub mod gateways;
pub mod ids;
pub(crate) mod lists;
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
