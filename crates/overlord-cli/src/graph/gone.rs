//! What a team had, and its file no longer asks for: a graph to be destroyed.
use super::{Input, account, domains::domain_nodes, interconnect};
use aws_core::{
    cloud::{Clouds, Spot},
    engine::Graph,
    registry::teams::DomainRecord,
};

/// Domains that were made and are not asked for any more, each with the place of its parent; the trail, when it is
/// switched off; and what a transit gateway needs, when the team has `left_transit`.
pub fn gone(input: &Input<'_>, domains: &[(DomainRecord, Spot)], left_transit: bool) -> Graph<Clouds> {
    let mut graph = Graph::default();
    for (domain, parent) in domains {
        domain_nodes(input, &mut graph, domain, *parent);
    }
    if input.team.account_wide && !input.team.audit_trail {
        account::trail(input, &mut graph);
    }
    if left_transit {
        interconnect::shared_transit(input, &mut graph);
    }
    graph
}
