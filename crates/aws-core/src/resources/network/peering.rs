//! Peering connections: two VPCs joined directly, across accounts and regions.
mod acceptance;
mod connection;
mod routes;

pub use acceptance::PeeringAcceptance;
pub use connection::PeeringConnection;
pub use routes::PeerRoutes;

use super::kinds;
use crate::{
    Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_ec2::types::{VpcPeeringConnection as Live, VpcPeeringConnectionStateReasonCode as State};

/// Active peering connections of a VPC, by default (quota "Active VPC peering connections per VPC", L-7E9ECCDB).
pub const PEERINGS: usize = 50;

/// The VPC on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// `vpc-..`
    pub vpc: String,
    /// Its account's number.
    pub account: String,
    /// Its region.
    pub region: String,
}

/// The peering connections of a VPC that are active, or will be once the other side accepts. To be compared with
/// [`PEERINGS`].
pub async fn peerings_of(cloud: &Cloud, vpc: &str) -> Result<usize> {
    Ok(peers_of(cloud, vpc).await?.len())
}

/// A VPC's peering connections, each with the VPC on its other side.
pub(crate) async fn peers_of(cloud: &Cloud, vpc: &str) -> Result<Vec<(Live, String)>> {
    let other = |p: &Live| match sides(p) {
        [Some(asking), Some(asked)] if asking == vpc => Some(asked.to_owned()),
        [Some(asking), Some(asked)] if asked == vpc => Some(asking.to_owned()),
        _ => None,
    };
    Ok(kinds::all::<PeeringConnection>(cloud).await?.iter().filter_map(|p| Some((p.clone(), other(p)?))).collect())
}

async fn read(cloud: &Cloud, id: &str, name: &str) -> Result<Option<Live>> {
    let told = cloud.ec2().describe_vpc_peering_connections().vpc_peering_connection_ids(id).send().await;
    let found = told.unless_gone(cloud, name)?;
    Ok(found.and_then(|f| f.vpc_peering_connections.unwrap_or_default().into_iter().next()))
}

fn state(connection: &Live) -> Option<&State> {
    connection.status()?.code()
}

/// Those that are over stay visible for hours.
fn alive(connection: &Live) -> bool {
    let over = [State::Deleting, State::Deleted, State::Rejected, State::Expired, State::Failed];
    state(connection).is_some_and(|s| !over.contains(s))
}

/// The VPC that asked, and the one that was asked.
fn sides(connection: &Live) -> [Option<&str>; 2] {
    let asked = connection.requester_vpc_info().and_then(|v| v.vpc_id());
    [asked, connection.accepter_vpc_info().and_then(|v| v.vpc_id())]
}

fn id(connection: &Live) -> &str {
    connection.vpc_peering_connection_id().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::VpcPeeringConnectionStateReason as Status;

    #[test]
    fn what_is_over_is_not_there() {
        let alive = |state| alive(&Live::builder().status(Status::builder().code(state).build()).build());
        for there in [State::InitiatingRequest, State::PendingAcceptance, State::Provisioning, State::Active] {
            assert!(alive(there.clone()), "{there:?}");
        }
        for gone in [State::Deleting, State::Deleted, State::Rejected, State::Expired, State::Failed] {
            assert!(!alive(gone.clone()), "{gone:?}");
        }
        assert!(!super::alive(&Live::builder().build()));
    }
}
