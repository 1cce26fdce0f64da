//! Removes a thing of a network by its id.
use super::{Stray, StrayKind as Kind};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::TeamOwner,
    resources::network::{address, flow_log, lists, nat_gateway, nat_instance, peering, transit, vpn, waiting::undone},
};
use aws_sdk_ec2::types::{AttachmentStatus, Filter};

/// What goes away holds what it uses for a while.
const BUSY: &[&str] = &["DependencyViolation", "IncorrectState"];

fn busy(e: Error) -> Error {
    let held = e.code() == Some("DependencyViolation");
    let e = e.retry_on(BUSY);
    if held {
        e.hint("Something else is still in it, or uses it: remove that first, then run the same command.")
    } else {
        e
    }
}

pub(super) async fn remove(cloud: &Cloud, owner: &TeamOwner, stray: &Stray) -> Result<()> {
    let (id, name) = (stray.id.as_str(), stray.to_string());
    let name = name.as_str();
    let ec2 = cloud.ec2();
    match stray.kind {
        Kind::ElasticIp => address::release(cloud, name, id).await,
        Kind::SecurityGroup => nat_instance::remove_group(cloud, name, id).await,
        Kind::NatGateway => nat_gateway::remove(cloud, name, id).await,
        Kind::NatInstance => nat_instance::terminate(cloud, name, id).await,
        Kind::CustomerGateway => vpn::remove_customer(cloud, name, id).await,
        Kind::VpnConnection => vpn::remove_connection(cloud, name, id).await,
        Kind::TransitAttachment => transit::detach(cloud, id, name).await,
        Kind::Peering => peering::remove(cloud, id, name).await,
        Kind::FlowLog => flow_log::remove(cloud, name, id).await,
        Kind::InternetGateway => internet_gateway(cloud, owner, name, id).await,
        Kind::RouteTable => route_table(cloud, owner, name, id).await,
        Kind::Endpoint => endpoint(cloud, name, id).await,
        Kind::VpnGateway => {
            let all = vpn::gateways(cloud, owner).await?;
            match all.iter().find(|g| g.vpn_gateway_id() == Some(id)) {
                Some(live) => vpn::remove_gateway(cloud, name, live).await,
                None => Ok(()),
            }
        }
        Kind::DhcpOptions => {
            unset_dhcp(cloud, owner, name, id).await?;
            let done = ec2.delete_dhcp_options().dhcp_options_id(id).send().await;
            let gone = &["InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsID.NotFound"];
            done.told_unless(cloud, "ec2:DeleteDhcpOptions", name, gone).map_err(busy).map(drop)
        }
        Kind::Vpc => {
            let done = ec2.delete_vpc().vpc_id(id).send().await;
            done.told_unless(cloud, "ec2:DeleteVpc", name, &["InvalidVpcID.NotFound"]).map_err(busy).map(drop)
        }
        Kind::EgressOnlyGateway => {
            let done = ec2.delete_egress_only_internet_gateway().egress_only_internet_gateway_id(id).send().await;
            let gone = &["InvalidGatewayID.NotFound", "InvalidEgressOnlyInternetGatewayId.NotFound"];
            done.told_unless(cloud, "ec2:DeleteEgressOnlyInternetGateway", name, gone).map_err(busy).map(drop)
        }
        Kind::Subnet => {
            let done = ec2.delete_subnet().subnet_id(id).send().await;
            done.told_unless(cloud, "ec2:DeleteSubnet", name, &["InvalidSubnetID.NotFound"]).map_err(busy).map(drop)
        }
    }
}

/// A VPC that is to go later has them still: it gets AWS's own. Asked for anew, since one that stays may have been given
/// others by this very run.
async fn unset_dhcp(cloud: &Cloud, owner: &TeamOwner, name: &str, id: &str) -> Result<()> {
    let still = Filter::builder().name("dhcp-options-id").values(id).build();
    let found = cloud.ec2().describe_vpcs().filters(still).send().await.told(cloud, "ec2:DescribeVpcs", name)?;
    let ours = lists::vpcs(cloud, owner).await?;
    for vpc in found.vpcs().iter().filter(|v| ours.iter().any(|our| our.vpc_id() == v.vpc_id())) {
        let call = cloud.ec2().associate_dhcp_options().dhcp_options_id("default");
        let done = call.vpc_id(vpc.vpc_id().unwrap_or_default()).send().await;
        done.told_unless(cloud, "ec2:AssociateDhcpOptions", name, &["InvalidVpcID.NotFound"])?;
    }
    Ok(())
}

/// Detaches it first. It is busy while something in the VPC has a public address.
async fn internet_gateway(cloud: &Cloud, owner: &TeamOwner, name: &str, id: &str) -> Result<()> {
    let all = lists::internet_gateways(cloud, owner).await?;
    let live = all.iter().find(|g| g.internet_gateway_id() == Some(id));
    let attached = live.map(|g| g.attachments()).unwrap_or_default().iter();
    for vpc in attached.filter(|a| a.state() != Some(&AttachmentStatus::Detached)).filter_map(|a| a.vpc_id()) {
        let done = cloud.ec2().detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc).send().await;
        let gone = &["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"];
        done.told_unless(cloud, "ec2:DetachInternetGateway", name, gone).map_err(busy)?;
    }
    let done = cloud.ec2().delete_internet_gateway().internet_gateway_id(id).send().await;
    let gone = &["InvalidInternetGatewayID.NotFound"];
    done.told_unless(cloud, "ec2:DeleteInternetGateway", name, gone).map_err(busy).map(drop)
}

/// Takes its subnets away first; they fall back to the VPC's main table.
async fn route_table(cloud: &Cloud, owner: &TeamOwner, name: &str, id: &str) -> Result<()> {
    let all = lists::route_tables(cloud, owner).await?;
    let live = all.iter().find(|t| t.route_table_id() == Some(id));
    for association in live.map(|t| t.associations()).unwrap_or_default() {
        let association = association.route_table_association_id().unwrap_or_default();
        let done = cloud.ec2().disassociate_route_table().association_id(association).send().await;
        let gone = &["InvalidAssociationID.NotFound"];
        done.told_unless(cloud, "ec2:DisassociateRouteTable", name, gone)?;
    }
    let done = cloud.ec2().delete_route_table().route_table_id(id).send().await;
    done.told_unless(cloud, "ec2:DeleteRouteTable", name, &["InvalidRouteTableID.NotFound"]).map_err(busy).map(drop)
}

const NO_ENDPOINT: &[&str] = &["InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"];

async fn endpoint(cloud: &Cloud, name: &str, id: &str) -> Result<()> {
    let done = cloud.ec2().delete_vpc_endpoints().vpc_endpoint_ids(id).send().await;
    let done = done.told_unless(cloud, "ec2:DeleteVpcEndpoints", name, NO_ENDPOINT).map_err(busy)?;
    match done.and_then(|d| undone(cloud.region(), "ec2:DeleteVpcEndpoints", name, d.unsuccessful())) {
        Some(e) if !e.code().is_some_and(|c| NO_ENDPOINT.contains(&c)) => Err(busy(e)),
        _ => Ok(()),
    }
}
