//! What a team had, and its files no longer ask for: graphs to be destroyed.
use super::{Input, account, domains::domain_nodes, interconnect, network};
use aws_core::{
    cloud::{Clouds, Spot},
    engine::Graph,
    registry::teams::{DomainRecord, Feature},
    resources::domain::{delegation::Delegation, hosted_zone::HostedZone},
};

/// What is not asked for any more.
pub struct Gone<'a> {
    /// Domains, with the places of their parents.
    pub domains: &'a [(DomainRecord, Spot)],
    /// Delegations of domains that stay, in zones that are no longer their parents.
    pub moved: &'a [(DomainRecord, Spot)],
    /// Whether the team has left the transit gateway.
    pub left_transit: bool,
    /// What is switched off.
    pub off: &'a [Feature],
}

/// What goes after the rest has been made as it should be.
pub fn gone(input: &Input<'_>, gone: &Gone<'_>) -> Graph<Clouds> {
    let mut graph = Graph::default();
    for (domain, parent) in gone.domains {
        domain_nodes(input, &mut graph, domain, *parent);
    }
    for (domain, parent) in gone.moved {
        moved(input, &mut graph, domain, *parent);
    }
    for feature in gone.off {
        match feature {
            Feature::AuditTrail => account::trail(input, &mut graph),
            Feature::Budget => account::no_budget(input, &mut graph),
            Feature::Saml => account::no_saml(input, &mut graph),
            Feature::FlowLogs => network::no_flow_logs(input, &mut graph),
        }
    }
    if gone.left_transit {
        interconnect::shared_transit(input, &mut graph);
    }
    graph
}

/// The delegation alone: the zone stays.
fn moved(input: &Input<'_>, graph: &mut Graph<Clouds>, domain: &DomainRecord, parent: Spot) {
    let clouds = &input.places.clouds;
    let zone = HostedZone { owner: input.owner.clone(), domain: domain.name.clone() };
    let zone = clouds.put(input.places.main(), zone).kept_if(true).to(graph);
    let delegation = Delegation {
        zone,
        domain: domain.name.clone(),
        parent: domain.parent.clone(),
        parent_zone_id: domain.zone_id.clone(),
    };
    clouds.put(parent, delegation).to(graph);
}

/// The peering connections of a team that does not peer any more, with the others' routes to it.
pub fn leaving(input: &Input<'_>) -> Graph<Clouds> {
    let mut graph = Graph::default();
    for region in &input.record.regions {
        let Some((_, spot)) = input.places.team.iter().find(|(r, _)| *r == region.region) else { continue };
        let vpc = network::vpc(input, region, None);
        let vpc = input.places.clouds.put(*spot, vpc).kept_if(true).to(&mut graph);
        interconnect::peering(input, &mut graph, *spot, region, vpc);
    }
    graph
}
