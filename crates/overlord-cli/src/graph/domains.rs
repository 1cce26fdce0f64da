//! A team's domains: zone, delegation, certificates.
use super::Input;
use aws_core::{
    cloud::{Clouds, Spot},
    engine::{Graph, Ref},
    registry::teams::DomainRecord,
    resources::domain::{
        certificate::{Certificate, CertificateArn, ValidationRecord},
        delegation::Delegation,
        hosted_zone::HostedZone,
    },
};
use std::collections::BTreeMap;

/// Adds the domains of the record. `certificates` gets, for each region, the one of the first domain.
pub(super) fn domains(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    certificates: &mut BTreeMap<String, Ref<CertificateArn>>,
) {
    for domain in &input.record.domains {
        let Some(parent) = input.places.parents.get(&domain.name).copied() else { continue };
        for (region, arn) in domain_nodes(input, graph, domain, parent) {
            certificates.entry(region).or_insert(arn);
        }
    }
}

/// Adds one domain, and returns its certificate in each region.
pub(super) fn domain_nodes(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    domain: &DomainRecord,
    parent: Spot,
) -> Vec<(String, Ref<CertificateArn>)> {
    let clouds = &input.places.clouds;
    let (owner, name) = (input.owner.clone(), domain.name.clone());
    let zone = clouds.put(input.places.main(), HostedZone { owner: owner.clone(), domain: name.clone() }).to(graph);
    if domain.delegate {
        let delegation = Delegation {
            zone,
            domain: name.clone(),
            parent: domain.parent.clone(),
            parent_zone_id: domain.zone_id.clone(),
        };
        clouds.put(parent, delegation).to(graph);
    }
    let mut made = Vec::new();
    for (region, spot) in &input.places.team {
        let certificate = Certificate { owner: owner.clone(), domain: name.clone() };
        let certificate = clouds.put(*spot, certificate).to(graph);
        clouds.put(*spot, ValidationRecord { zone, certificate, domain: name.clone() }).to(graph);
        made.push((region.clone(), certificate));
    }
    made
}
