//! Which Availability Zones offer an instance type.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_ec2::types::{Filter, InstanceTypeOffering, LocationType};
use std::collections::{BTreeMap, BTreeSet};

/// The zones of a region that offer each of some instance types. A type that none offers is not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers(BTreeMap<String, BTreeSet<String>>);

impl Offers {
    /// Whether anything is known of this type: some zone offers it. Where none does, the region lacks the type, or who
    /// answers does not keep such lists.
    pub fn is_known(&self, instance_type: &str) -> bool {
        self.0.contains_key(instance_type)
    }
    /// Whether this zone offers this type.
    pub fn has(&self, instance_type: &str, zone: &str) -> bool {
        self.0.get(instance_type).is_some_and(|zones| zones.contains(zone))
    }
    /// The zones that offer this type.
    pub fn zones(&self, instance_type: &str) -> impl Iterator<Item = &str> {
        self.0.get(instance_type).into_iter().flatten().map(String::as_str)
    }
}

impl<T: Into<String>, Z: Into<String>> FromIterator<(T, Z)> for Offers {
    fn from_iter<I: IntoIterator<Item = (T, Z)>>(all: I) -> Self {
        let mut offers = Self::default();
        for (instance_type, zone) in all {
            offers.0.entry(instance_type.into()).or_default().insert(zone.into());
        }
        offers
    }
}

/// The ids of the zones that offer these instance types, in one call.
pub async fn offers_by_zone_id(cloud: &Cloud, instance_types: &[&str]) -> Result<Offers> {
    offers(cloud, instance_types, LocationType::AvailabilityZoneId).await
}

/// The names of the zones, in this account, that offer an instance type. Asked once in each run.
pub async fn offers_by_zone_name(cloud: &Cloud, instance_type: &str) -> Result<Offers> {
    offers(cloud, &[instance_type], LocationType::AvailabilityZone).await
}

async fn offers(cloud: &Cloud, instance_types: &[&str], by: LocationType) -> Result<Offers> {
    let what = instance_types.join(", ");
    let key = format!("offers of {what} by {}", by.as_str());
    let load = async {
        let wanted = instance_types.iter().map(ToString::to_string).collect();
        let filter = Filter::builder().name("instance-type").set_values(Some(wanted)).build();
        let call = cloud.ec2().describe_instance_type_offerings().location_type(by).filters(filter);
        let all = call.into_paginator().items().send().collect::<Result<Vec<InstanceTypeOffering>, _>>().await;
        let all = all.told(cloud, &what)?;
        let pair = |o: InstanceTypeOffering| Some((o.instance_type?.as_str().to_owned(), o.location?));
        Ok(all.into_iter().filter_map(pair).collect::<Offers>())
    };
    Ok(cloud.once(key, load).await?.as_ref().clone())
}
