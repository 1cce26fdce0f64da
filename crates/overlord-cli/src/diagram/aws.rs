//! The picture of what is on AWS.
use super::picture::{Application, Balancer, Exit, Interconnect, Nat, NatKind, Peer, RegionPicture, Subnet, Vpn, Zone};
use aws_core::{
    Result,
    cloud::{
        Cloud,
        lookups::sights::{Sights, SubnetSight, sights},
    },
    model::Layer,
    registry::teams::RegionRecord,
};
use std::collections::BTreeMap;

/// The picture of this VPC as it is. The record gives zones their order, and none of the rest.
///
/// # Errors
/// Not found, when there is no such VPC in the region and account of `cloud`; what AWS answers otherwise.
pub async fn from_aws(cloud: &Cloud, vpc: &str, record: &RegionRecord) -> Result<RegionPicture> {
    Ok(region(cloud.region(), &sights(cloud, vpc).await?, record))
}

fn region(region: &str, seen: &Sights, record: &RegionRecord) -> RegionPicture {
    let by_id: BTreeMap<&str, &SubnetSight> = seen.subnets.iter().map(|s| (s.id.as_str(), s)).collect();
    let zones_of = |ids: &[String]| {
        let mut zones: Vec<String> = ids.iter().filter_map(|id| Some(by_id.get(id.as_str())?.zone.clone())).collect();
        zones.sort();
        zones.dedup();
        zones
    };
    let layer_of =
        |ids: &[String], otherwise| ids.iter().find_map(|id| by_id.get(id.as_str())).map_or(otherwise, |s| s.layer);
    let balancers = seen.balancers.iter().map(|b| Balancer {
        name: b.of.as_ref().map_or_else(|| b.name.clone(), |(application, version)| format!("{application} {version}")),
        internal: b.internal,
        layer: layer_of(&b.subnets, if b.internal { Layer::Shared } else { Layer::Public }),
        zones: zones_of(&b.subnets),
    });
    let applications = seen.groups.iter().map(|g| Application {
        name: format!("{} {}", g.application, g.version),
        instances: g.desired,
        layer: layer_of(&g.subnets, Layer::Private),
        zones: zones_of(&g.subnets),
    });
    let nats = seen.nats.iter().map(|n| Nat {
        kind: if n.id.starts_with("nat-") { NatKind::Gateway } else { NatKind::Instance },
        zone: by_id.get(n.subnet.as_str()).map(|s| s.zone.clone()).unwrap_or_default(),
        address: n.address.clone(),
    });
    let mut balancers: Vec<Balancer> = balancers.collect();
    balancers.sort_by(|a, b| a.name.cmp(&b.name));
    RegionPicture {
        region: region.to_owned(),
        vpc: Some(seen.vpc.clone()),
        cidrs: seen.cidrs.clone(),
        zones: zones(seen, record),
        subnets: seen.subnets.iter().map(|s| subnet(s, seen)).collect(),
        internet: seen.internet_gateway.is_some(),
        egress_only: seen.egress_only.is_some(),
        nats: nats.collect(),
        s3: seen.s3_endpoint.is_some(),
        vpn: seen.vpn_gateway.is_some().then(|| seen.vpns.iter().map(vpn).collect()),
        interconnect: interconnect(seen),
        balancers,
        applications: applications.collect(),
    }
}

fn subnet(subnet: &SubnetSight, seen: &Sights) -> Subnet {
    let exit = match subnet.default_route.as_deref() {
        None => Exit::None,
        Some(id) if id.starts_with("igw-") => Exit::Internet,
        Some(id) => seen.nats.iter().position(|n| n.id == id).map_or(Exit::Elsewhere, Exit::Nat),
    };
    Subnet { layer: subnet.layer, zone: subnet.zone.clone(), cidr: subnet.cidr.clone(), exit }
}

/// Zones in the order of the record's slots, then those that only AWS knows of.
fn zones(seen: &Sights, record: &RegionRecord) -> Vec<Zone> {
    let there: BTreeMap<&str, &str> = seen.subnets.iter().map(|s| (s.zone.as_str(), s.zone_id.as_str())).collect();
    let slot = |name: &str| record.zones.iter().position(|z| z.name == name).unwrap_or(usize::MAX);
    let mut zones: Vec<Zone> =
        there.into_iter().map(|(name, id)| Zone { name: name.to_owned(), id: id.to_owned() }).collect();
    zones.sort_by_key(|z| (slot(&z.name), z.name.clone()));
    zones
}

fn vpn(seen: &aws_core::cloud::lookups::sights::VpnSight) -> Vpn {
    Vpn {
        gateway: seen.address.clone().unwrap_or_default(),
        asn: seen.asn.clone().unwrap_or_default(),
        routes: seen.routes.clone(),
    }
}

fn interconnect(seen: &Sights) -> Interconnect {
    if let Some(transit) = seen.transits.first() {
        return Interconnect::Transit { gateway: Some(transit.gateway.clone()), pool: transit.routes.clone() };
    }
    if seen.peerings.is_empty() {
        return Interconnect::None;
    }
    let peers = seen.peerings.iter().map(|p| Peer {
        name: p.name.clone().unwrap_or_else(|| p.vpc.clone()),
        vpc: p.vpc.clone(),
        cidrs: p.cidrs.clone(),
        active: p.state == "active",
    });
    Interconnect::Peering { peers: peers.collect() }
}
