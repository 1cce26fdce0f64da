//! What a region has: availability zones, and the networks that are taken.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, ec2::filter},
};
use aws_sdk_ec2::types::{AvailabilityZoneState, Vpc, VpcCidrBlockStateCode};
use ipnet::Ipv4Net;

/// An availability zone, as this account sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AvailabilityZone {
    /// The same for all accounts: `euw1-az1`.
    pub id: String,
    /// This account's name for it: `eu-west-1a`.
    pub name: String,
}

/// The region's own zones (no Local or Wavelength Zones) that are available, by id.
pub async fn zones_of_region(cloud: &Cloud) -> Result<Vec<AvailabilityZone>> {
    let load = async {
        let kind = filter("zone-type", "availability-zone");
        let found = cloud.ec2().describe_availability_zones().filters(kind).send().await.told(cloud, "")?;
        let available = found
            .availability_zones()
            .iter()
            .filter(|z| z.state().is_none_or(|s| *s == AvailabilityZoneState::Available));
        let mut zones: Vec<AvailabilityZone> = available
            .filter_map(|z| Some(AvailabilityZone { id: z.zone_id()?.to_owned(), name: z.zone_name()?.to_owned() }))
            .collect();
        zones.sort();
        Ok(zones)
    };
    Ok(cloud.once("zones of the region", load).await?.as_ref().clone())
}

/// Checks that AWS has this region, and that the account of `cloud` may use it. Asked in the region of `cloud`.
///
/// # Errors
/// A usage error, when it is no region; a refusal, when the account has not opted in to it.
pub async fn check_region(cloud: &Cloud, region: &str) -> Result<()> {
    let load = async {
        Ok(cloud.ec2().describe_regions().all_regions(true).send().await.told(cloud, "")?.regions.unwrap_or_default())
    };
    let all = cloud.once("regions", load).await?;
    let Some(found) = all.iter().find(|r| r.region_name() == Some(region)) else {
        let names = all.iter().filter_map(|r| r.region_name());
        let near = names.max_by(|a, b| strsim::jaro_winkler(a, region).total_cmp(&strsim::jaro_winkler(b, region)));
        let hint = near.map_or_else(String::new, |near| format!("Did you mean {near}?"));
        return Err(Error::usage(format!("`{region}` is no region of AWS")).hint(hint));
    };
    if found.opt_in_status() == Some("not-opted-in") {
        let of = cloud.known_account().map_or_else(|| "the account".to_owned(), |number| format!("account {number}"));
        return Err(Error::refused(format!("{of} has not opted in to region {region}")).hint(format!(
            "Enable the Region, with credentials of {of}: `aws account enable-region --region-name {region}`. It takes \
             minutes to hours. See docs/new-accounts.md#regions."
        )));
    }
    Ok(())
}

/// The IPv4 networks of all VPCs of this account and region. The default VPC counts: what runs in it is reached by these
/// addresses, so a team that has the same ones never reaches it, by peering or otherwise.
pub async fn vpc_networks(cloud: &Cloud) -> Result<Vec<Ipv4Net>> {
    let load = async {
        let pages = cloud.ec2().describe_vpcs().into_paginator().items().send();
        let found = pages.collect::<Result<Vec<Vpc>, _>>().await.told(cloud, "")?;
        Ok(found.iter().flat_map(networks).collect::<Vec<Ipv4Net>>())
    };
    Ok(cloud.once("networks of all VPCs", load).await?.as_ref().clone())
}

fn networks(vpc: &Vpc) -> Vec<Ipv4Net> {
    let associated = vpc.cidr_block_association_set().iter().filter(|a| {
        let state = a.cidr_block_state().and_then(|s| s.state());
        state.is_none_or(|s| *s == VpcCidrBlockStateCode::Associated)
    });
    let mut all: Vec<Ipv4Net> = vpc
        .cidr_block()
        .into_iter()
        .chain(associated.filter_map(|a| a.cidr_block()))
        .filter_map(|c| c.parse().ok())
        .collect();
    all.sort();
    all.dedup();
    all
}
