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
    let mut zones = BTreeMap::new();
    for domain in &input.record.domains {
        let Some(parent) = input.places.parents.get(&domain.name).copied() else { continue };
        let (zone, made) = nodes(input, graph, domain, parent, true, &[]);
        zones.insert(domain.name.clone(), zone);
        for (region, certificate) in made {
            certificates.entry(region).or_insert(certificate);
        }
    }
    zones
}

/// A domain that should not exist any more, once `after` are done.
pub(super) fn without(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    domain: &DomainRecord,
    parent: Spot,
    after: &[NodeId],
) {
    nodes(input, graph, domain, parent, false, after);
}

/// One domain: its zone, and its certificate in each region.
fn nodes(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    domain: &DomainRecord,
    parent: Spot,
    wished: bool,
    after: &[NodeId],
) -> (Ref<ZoneId>, Vec<(String, Ref<CertificateArn>)>) {
    let (clouds, after) = (&input.places.clouds, || after.iter().copied());
    let (owner, name) = (&input.owner, &domain.name);
    let zone = HostedZone { owner: owner.clone(), domain: name.clone() };
    let zone = clouds.put(input.places.main(), zone).after(after()).wished(wished, graph);
    if domain.delegate {
        clouds.put(parent, delegation(domain, zone)).after(after()).wished(wished, graph);
    }
    let mut certificates = Vec::new();
    for (region, spot) in &input.places.team {
        let certificate = Certificate { owner: owner.clone(), domain: name.clone() };
        let certificate = clouds.put(*spot, certificate).after(after()).wished(wished, graph);
        let record = ValidationRecord { zone, certificate, domain: name.clone() };
        clouds.put(*spot, record).after(after()).wished(wished, graph);
        certificates.push((region.clone(), certificate));
    }
    (zone, certificates)
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
