//! A team's domains: zone, delegation, certificates.
use super::Input;
use aws_core::{
    cloud::{Clouds, Spot},
    engine::{Graph, NodeId, Outcome, Ref, Report},
    registry::teams::DomainRecord,
    resources::domain::{
        certificate::{Certificate, CertificateArn, ValidationRecord},
        delegation::Delegation,
        hosted_zone::{HostedZone, ZoneId},
    },
};
use std::collections::BTreeMap;

/// A domain's nodes.
pub struct Domain {
    /// Its zone.
    pub(super) zone: Ref<ZoneId>,
    delegation: Option<NodeId>,
    certificates: Vec<(String, Ref<CertificateArn>)>,
}

impl Domain {
    /// The servers to remember after a run, when they are not those of `before`: the zone's, once the parent names them.
    pub fn name_servers(&self, report: &Report, before: &DomainRecord) -> Option<Vec<String>> {
        let delegated = self.delegation.is_none_or(|d| matches!(report.nodes[d.index()].outcome, Outcome::Done(_)));
        let zone = report.output(self.zone).filter(|_| delegated || before.name_servers.is_empty())?;
        Some(zone.name_servers.clone())
    }
}

/// Adds the domains of the record. `certificates` gets, for each region, the one of the first domain.
pub(super) fn domains(
    input: &Input<'_>,
    graph: &mut Graph<Clouds>,
    certificates: &mut BTreeMap<String, Ref<CertificateArn>>,
) -> BTreeMap<String, Domain> {
    let mut domains = BTreeMap::new();
    for domain in &input.record.domains {
        let Some(parent) = input.places.parents.get(&domain.name).copied() else { continue };
        let made = nodes(input, graph, domain, parent, true, &[]);
        for (region, certificate) in &made.certificates {
            certificates.entry(region.clone()).or_insert(*certificate);
        }
        domains.insert(domain.name.clone(), made);
    }
    domains
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
) -> Domain {
    let (clouds, after) = (&input.places.clouds, || after.iter().copied());
    let (owner, name) = (&input.owner, &domain.name);
    let zone = HostedZone { owner: owner.clone(), domain: name.clone() };
    let zone = clouds.put(input.places.main(), zone).after(after()).wished(wished, graph);
    let put = || clouds.put(parent, delegation(domain, zone)).after(after()).wished(wished, graph).node();
    let delegation = domain.delegate.then(put);
    let mut certificates = Vec::new();
    for (region, spot) in &input.places.team {
        let certificate = Certificate { owner: owner.clone(), domain: name.clone() };
        let certificate = clouds.put(*spot, certificate).after(after()).wished(wished, graph);
        let record = ValidationRecord { zone, certificate, domain: name.clone() };
        clouds.put(*spot, record).after(after()).wished(wished, graph);
        certificates.push((region.clone(), certificate));
    }
    Domain { zone, delegation, certificates }
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
