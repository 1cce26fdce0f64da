//! What a team had, and its files no longer ask for; and a team that goes as a whole.
use super::{Domain, Input, account, domains, network};
use aws_core::{
    cloud::{Clouds, Spot},
    engine::Graph,
    registry::teams::{DomainRecord, Feature},
};
use std::collections::BTreeMap;

/// What is not asked for any more.
#[derive(Default)]
pub struct Gone<'a> {
    /// Domains, with the places of their parents.
    pub domains: &'a [(DomainRecord, Spot)],
    /// Delegations of domains that stay, in zones that are no longer their parents.
    pub moved: &'a [(DomainRecord, Spot)],
    /// Whether the team has left the transit gateway.
    pub left_transit: bool,
    /// Whether the team peers no more.
    pub left_peering: bool,
    /// What is switched off.
    pub off: Vec<Feature>,
}

/// Adds what goes once all that stays is as it should be. What a network no longer has is with the network.
pub(super) fn gone(input: &Input<'_>, graph: &mut Graph<Clouds>, made: &BTreeMap<String, Domain>) {
    let after = graph.managed();
    for (domain, parent) in input.gone.domains {
        domains::without(input, graph, domain, *parent, &after);
    }
    for (domain, parent) in input.gone.moved {
        let Some(Domain { zone, .. }) = made.get(&domain.name) else { continue };
        let delegation = domains::delegation(domain, *zone);
        input.places.clouds.put(*parent, delegation).after(after.iter().copied()).absent(graph);
    }
    for feature in &input.gone.off {
        match feature {
            Feature::AuditTrail => account::without_trail(input, graph, true, &after),
            Feature::Budget => account::without_budget(input, graph, &after),
            Feature::Saml => drop(account::without_saml(input, graph, &after)),
            // Flow logs are a network's.
            Feature::FlowLogs => {}
        }
    }
}

/// Everything that the team has, to be removed.
pub fn deletion(input: &Input<'_>, keep_logs: bool) -> Graph<Clouds> {
    let mut graph = Graph::default();
    account::without(input, &mut graph, keep_logs);
    for domain in &input.record.domains {
        let Some(parent) = input.places.parents.get(&domain.name).copied() else { continue };
        domains::without(input, &mut graph, domain, parent, &[]);
    }
    for region in &input.record.regions {
        if let Some((_, spot)) = input.places.team.iter().find(|(r, _)| *r == region.region) {
            network::without(input, &mut graph, region, *spot);
        }
    }
    graph
}
