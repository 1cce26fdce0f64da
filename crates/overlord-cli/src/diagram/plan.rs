//! The picture of what a team's file asks for.
use super::picture::{Exit, Interconnect, Nat, NatKind, Picture, RegionPicture, Source, Subnet, Vpn, Zone};
use crate::organization::types::{self, Team};
use aws_core::{
    model::Layer,
    registry::teams::{RegionRecord, TeamRecord},
};

/// The picture of what the team's file asks for, with the addresses of its record.
pub fn from_plan(team: &Team, record: &TeamRecord) -> Picture {
    Picture {
        organization: team.organization.to_string(),
        team: record.team.to_string(),
        account: record.account.clone(),
        domains: record.domains.iter().map(|d| d.name.clone()).collect(),
        regions: record.regions.iter().map(|r| region(team, r)).collect(),
        source: Source::File,
    }
}

fn region(team: &Team, record: &RegionRecord) -> RegionPicture {
    let nats = nats(team, record);
    let exit = |zone: &str| {
        let own = nats.iter().position(|n| n.zone == zone);
        own.or(if nats.is_empty() { None } else { Some(0) }).map_or(Exit::None, Exit::Nat)
    };
    let mut subnets = Vec::new();
    for zone in &record.zones {
        let layers = [(Layer::Public, zone.public), (Layer::Shared, zone.shared), (Layer::Private, zone.private)];
        for (layer, cidr) in layers {
            let Some(cidr) = cidr else { continue };
            let exit = if layer == Layer::Public { Exit::Internet } else { exit(&zone.name) };
            subnets.push(Subnet { layer, zone: zone.name.clone(), cidr: cidr.to_string(), exit });
        }
    }
    RegionPicture {
        region: record.region.clone(),
        vpc: record.vpc.clone(),
        cidrs: vec![record.cidr.to_string()],
        zones: record.zones.iter().map(|z| Zone { name: z.name.clone(), id: z.id.clone() }).collect(),
        subnets,
        internet: true,
        egress_only: team.ipv6,
        nats,
        s3: true,
        vpn: team.vpn.as_ref().map(|v| vec![vpn(v)]),
        interconnect: match team.interconnect {
            types::Interconnect::None => Interconnect::None,
            types::Interconnect::TransitGateway => {
                Interconnect::Transit { gateway: None, pool: team.pool.iter().map(ToString::to_string).collect() }
            }
            types::Interconnect::Peering => Interconnect::Peering { peers: Vec::new() },
        },
        balancers: Vec::new(),
        applications: Vec::new(),
    }
}

fn nats(team: &Team, record: &RegionRecord) -> Vec<Nat> {
    let in_zone = |kind| move |zone: &str| Nat { kind, zone: zone.to_owned(), address: None };
    // A NAT stands in a public subnet.
    let mut zones = record.zones.iter().filter(|z| z.public.is_some()).map(|z| z.name.as_str());
    match team.nat {
        types::Nat::PerAz => zones.map(in_zone(NatKind::Gateway)).collect(),
        types::Nat::Single => zones.next().map(in_zone(NatKind::Gateway)).into_iter().collect(),
        types::Nat::Instance => zones.next().map(in_zone(NatKind::Instance)).into_iter().collect(),
        types::Nat::None => Vec::new(),
    }
}

fn vpn(vpn: &types::Vpn) -> Vpn {
    Vpn {
        gateway: vpn.gateway.to_string(),
        asn: vpn.asn.to_string(),
        routes: vpn.routes.iter().map(ToString::to_string).collect(),
    }
}
