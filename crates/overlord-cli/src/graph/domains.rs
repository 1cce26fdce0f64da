//! A team's domains: zone, delegation, certificates.
use super::Input;
use aws_core::{
    cloud::{Clouds, Spot},
    engine::{Graph, NodeId, Ref},
    registry::teams::DomainRecord,
    resources::domain::{
        certificate::{Certificate, CertificateArn, ValidationRecord},
        delegation::Delegation,
        hosted_zone::{HostedZone, ZoneId},
    },
};
use std::collections::BTreeMap;

/// Adds the domains of the record, and returns their zones. `certificates` gets, for each region, the one of the first
/// domain.
pub(super) fn domains(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    certificates: &mut BTreeMap<String, Ref<CertificateArn>>,
) -> BTreeMap<String, Ref<ZoneId>> {
    let (clouds, mut zones) = (&input.places.clouds, BTreeMap::new());
    for domain in &input.record.domains {
        let Some(parent) = input.places.parents.get(&domain.name).copied() else { continue };
        let zone = clouds.put(input.places.main(), hosted_zone(input, domain)).to(graph);
        zones.insert(domain.name.clone(), zone);
        if domain.delegate {
            clouds.put(parent, delegation(domain, zone)).to(graph);
        }
        for (region, spot) in &input.places.team {
            let certificate = clouds.put(*spot, certificate(input, domain)).to(graph);
            let domain = domain.name.clone();
            clouds.put(*spot, ValidationRecord { zone, certificate, domain }).to(graph);
            certificates.entry(region.clone()).or_insert(certificate);
        }
    }
    zones
}

fn hosted_zone(input: &Input<'_>, domain: &DomainRecord) -> HostedZone {
    HostedZone { owner: input.owner.clone(), domain: domain.name.clone() }
}

fn certificate(input: &Input<'_>, domain: &DomainRecord) -> Certificate {
    Certificate { owner: input.owner.clone(), domain: domain.name.clone() }
}

pub(super) fn delegation(domain: &DomainRecord, zone: Ref<ZoneId>) -> Delegation {
    Delegation {
        zone,
        domain: domain.name.clone(),
        remembered: domain.name_servers.clone(),
        parent: domain.parent.clone(),
        parent_zone_id: domain.zone_id.clone(),
    }
}

/// A domain that should not exist any more, once `after` are done.
pub(super) fn without(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    domain: &DomainRecord,
    parent: Spot,
    after: &[NodeId],
) {
    let clouds = &input.places.clouds;
    let after = || after.iter().copied();
    let zone = clouds.put(input.places.main(), hosted_zone(input, domain)).after(after()).absent(graph);
    if domain.delegate {
        clouds.put(parent, delegation(domain, zone)).after(after()).absent(graph);
    }
    for (_, spot) in &input.places.team {
        let certificate = clouds.put(*spot, certificate(input, domain)).after(after()).absent(graph);
        let record = ValidationRecord { zone, certificate, domain: domain.name.clone() };
        clouds.put(*spot, record).after(after()).absent(graph);
    }
}
