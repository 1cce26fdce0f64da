//! What is looked up on AWS and never written: VPCs, certificates, zones, instance types, images, health.
mod certificates;
mod compute;
mod occupants;
mod offerings;
mod regions;
pub mod sights;
pub(crate) mod zones;

pub use certificates::{Certificate, certificates_for};
pub use compute::{
    Activity, AmiDetails, Amis, Machine, Target, console_output, image_details, instances, last_words, machine,
    recommended_amis, scaling_activities, target_health,
};
pub use occupants::{Occupant, PEERING, occupants};
pub use offerings::{Offers, offers_by_zone_id, offers_by_zone_name};
pub use regions::{AvailabilityZone, check_region, vpc_networks, zones_of_region};
pub use zones::{Zone, all_zones, choose_zone, plain_id as plain_zone_id, zones};

use super::{Cloud, Told as _, network::tag_map};
use crate::Result;
use aws_sdk_ec2::types::Vpc;

/// A VPC in [`vpcs`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VpcSummary {
    /// Its id.
    pub id: String,
    /// Its name, when it has one.
    pub name: Option<String>,
    /// Its first address range.
    pub cidr: String,
    /// Whether it is the one that AWS makes in every region.
    pub is_default: bool,
}

/// All VPCs of this account and region, sorted by id.
pub async fn vpcs(cloud: &Cloud) -> Result<Vec<VpcSummary>> {
    let pages = cloud.ec2().describe_vpcs().into_paginator().items().send();
    let found = pages.collect::<Result<Vec<Vpc>, _>>().await.told(cloud, "")?;
    let mut list: Vec<VpcSummary> = found
        .into_iter()
        .filter_map(|v| {
            let name = tag_map(v.tags()).remove("Name").filter(|n| !n.is_empty());
            let cidr = v.cidr_block().unwrap_or_default().to_owned();
            Some(VpcSummary { id: v.vpc_id()?.to_owned(), name, cidr, is_default: v.is_default() == Some(true) })
        })
        .collect();
    list.sort();
    Ok(list)
}
