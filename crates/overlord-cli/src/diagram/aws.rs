//! The picture of what is on AWS.
use super::picture::{Application, Balancer, Exit, Interconnect, Nat, NatKind, Peer, RegionPicture, Subnet, Vpn, Zone};
use aws_core::{
    Result,
    cloud::{
        Cloud,
        lookups::sights::{Sights, SubnetSight, VpnSight, sights},
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

fn vpn(seen: &VpnSight) -> Vpn {
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::{
        cloud::lookups::sights::{BalancerSight, GroupSight, NatSight, PeeringSight, TransitSight},
        registry::teams::ZoneRecord,
    };

    fn seen() -> Sights {
        let subnet = |id: &str, zone: &str, layer, route: Option<&str>| SubnetSight {
            id: id.into(),
            zone: format!("eu-west-1{zone}"),
            zone_id: format!("euw1-az-{zone}"),
            cidr: "10.2.0.0/24".into(),
            layer,
            default_route: route.map(str::to_owned),
        };
        let ids = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>();
        let of = Some(("web".into(), "1.0".into()));
        Sights {
            vpc: "vpc-1".into(),
            cidrs: vec!["10.2.0.0/19".into()],
            subnets: vec![
                subnet("p-a", "a", Layer::Public, Some("igw-1")),
                subnet("s-a", "a", Layer::Shared, Some("nat-1")),
                subnet("i-a", "a", Layer::Private, Some("i-1")),
                subnet("i-b", "b", Layer::Private, Some("tgw-1")),
                subnet("i-c", "c", Layer::Private, None),
            ],
            internet_gateway: Some("igw-1".into()),
            nats: ["i-1", "nat-1"].map(|id| NatSight { id: id.into(), subnet: "p-a".into(), address: None }).into(),
            vpn_gateway: Some("vgw-1".into()),
            groups: vec![GroupSight {
                application: "web".into(),
                version: "1.0".into(),
                desired: 2,
                subnets: ids(&["i-b", "i-a", "gone"]),
            }],
            balancers: vec![
                BalancerSight { name: "foreign".into(), internal: false, subnets: ids(&["p-a"]), of: None },
                BalancerSight { name: "app-web-1-0".into(), internal: true, subnets: ids(&["s-a"]), of },
            ],
            ..Sights::default()
        }
    }

    fn record() -> RegionRecord {
        let zone =
            |name: &str| ZoneRecord { id: String::new(), name: name.into(), public: None, shared: None, private: None };
        RegionRecord {
            region: "eu-west-1".into(),
            cidr: "10.2.0.0/19".parse().unwrap(),
            zones: vec![zone("eu-west-1b"), zone("eu-west-1a")],
            vpc: Some("vpc-1".into()),
        }
    }

    #[test]
    fn routes_and_applications_as_they_are() {
        let picture = region("eu-west-1", &seen(), &record());
        let zones: Vec<&str> = picture.zones.iter().map(|z| z.name.as_str()).collect();
        assert_eq!(zones, ["eu-west-1b", "eu-west-1a", "eu-west-1c"]);
        let exits: Vec<Exit> = picture.subnets.iter().map(|s| s.exit).collect();
        assert_eq!(exits, [Exit::Internet, Exit::Nat(1), Exit::Nat(0), Exit::Elsewhere, Exit::None]);
        assert_eq!((picture.nats[0].kind, picture.nats[1].kind), (NatKind::Instance, NatKind::Gateway));
        assert_eq!(picture.nats[0].zone, "eu-west-1a");
        let balancers: Vec<(&str, Layer)> = picture.balancers.iter().map(|b| (b.name.as_str(), b.layer)).collect();
        assert_eq!(balancers, [("foreign", Layer::Public), ("web 1.0", Layer::Shared)]);
        let web = &picture.applications[0];
        assert_eq!((web.name.as_str(), web.instances, web.layer), ("web 1.0", 2, Layer::Private));
        assert_eq!(web.zones, ["eu-west-1a", "eu-west-1b"]);
        assert_eq!((picture.vpn, picture.s3, picture.interconnect), (Some(Vec::new()), false, Interconnect::None));
    }

    #[test]
    fn a_transit_gateway_or_peers() {
        let peering = PeeringSight {
            id: "pcx-1".into(),
            name: None,
            vpc: "vpc-2".into(),
            account: "1".into(),
            region: "eu-west-1".into(),
            cidrs: vec!["10.3.0.0/19".into()],
            state: "pending-acceptance".into(),
        };
        let with_peer = Sights { peerings: vec![peering], ..seen() };
        let Interconnect::Peering { peers } = interconnect(&with_peer) else { panic!("a peer") };
        assert_eq!((peers[0].name.as_str(), peers[0].active), ("vpc-2", false));
        let transit =
            TransitSight { gateway: "tgw-1".into(), state: "available".into(), routes: vec!["10.0.0.0/8".into()] };
        let both = Sights { transits: vec![transit], ..with_peer };
        let pool = vec!["10.0.0.0/8".to_owned()];
        assert_eq!(interconnect(&both), Interconnect::Transit { gateway: Some("tgw-1".into()), pool });
    }
}
