//! What is to be done about the routes of a table.
use super::Target;
use aws_sdk_ec2::types::{Route as LiveRoute, RouteOrigin, RouteState};
use ipnet::IpNet;
use std::fmt;

/// A wanted route. The target is `None` while it is still to be made; then `noun` says what it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) to: IpNet,
    pub(super) target: Option<Target>,
    pub(super) noun: &'static str,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => f.write_str(target.id()),
            None => write!(f, "the {} to be made", self.noun),
        }
    }
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The route is not there.
    Create(Wanted),
    /// It goes through something else, or through something that is gone.
    Replace(String, Wanted),
    /// It is not wanted, and ours to remove.
    Delete(String, IpNet),
}

/// The destination; `None` for a prefix list.
fn destination(route: &LiveRoute) -> Option<IpNet> {
    route.destination_cidr_block().or(route.destination_ipv6_cidr_block())?.parse::<IpNet>().ok().map(|n| n.trunc())
}

/// What it goes through, by its id. EC2 tells a NAT instance's instance beside its interface.
fn through(route: &LiveRoute) -> &str {
    let ids = [
        route.network_interface_id(),
        route.nat_gateway_id(),
        route.transit_gateway_id(),
        route.vpc_peering_connection_id(),
        route.egress_only_internet_gateway_id(),
        route.gateway_id(),
        route.instance_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
    ];
    // A route whose target is gone has none.
    ids.into_iter().flatten().find(|id| !id.is_empty()).unwrap_or("nothing")
}

/// Whether it was told by a VPN gateway. Beside it a route of ours to the same destination can stand, and wins.
fn propagated(route: &LiveRoute) -> bool {
    route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation)
}

/// Whether it may be removed, once it is not wanted: neither AWS's own nor an endpoint's.
fn removable(route: &LiveRoute) -> bool {
    let own = route.origin() == Some(&RouteOrigin::CreateRouteTable) || through(route) == "local";
    !own && !propagated(route) && !through(route).starts_with("vpce-")
}

/// What makes the routes as wanted, in this order: missing and wrong ones first, those to be removed last.
pub(super) fn steps(wanted: &[Wanted], managed: &[IpNet], live: &[LiveRoute]) -> Vec<Step> {
    let live: Vec<(IpNet, &LiveRoute)> =
        live.iter().filter(|r| !propagated(r)).filter_map(|r| Some((destination(r)?, r))).collect();
    let dead = |r: &LiveRoute| r.state() == Some(&RouteState::Blackhole);
    let mut steps = Vec::new();
    for want in wanted {
        let Some((_, there)) = live.iter().find(|(to, _)| *to == want.to) else {
            steps.push(Step::Create(want.clone()));
            continue;
        };
        if dead(there) {
            steps.push(Step::Replace(format!("{}, which is gone", through(there)), want.clone()));
        } else if want.target.as_ref().map(Target::id) != Some(through(there)) {
            steps.push(Step::Replace(through(there).to_owned(), want.clone()));
        }
    }
    let inside = |to: &IpNet| managed.iter().any(|m| m.contains(to));
    let ours = |to: &IpNet, r: &LiveRoute| to.prefix_len() == 0 || managed.contains(to) || (dead(r) && inside(to));
    for (to, route) in &live {
        if !wanted.iter().any(|w| w.to == *to) && ours(to, route) && removable(route) {
            steps.push(Step::Delete(through(route).to_owned(), *to));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(s: &str) -> IpNet {
        s.parse().unwrap()
    }
    fn want(to: &str, target: Option<Target>) -> Wanted {
        Wanted { to: net(to), target, noun: "NAT gateway" }
    }
    fn route(to: &str) -> aws_sdk_ec2::types::builders::RouteBuilder {
        let route = LiveRoute::builder().state(RouteState::Active).origin(RouteOrigin::CreateRoute);
        if to.contains(':') { route.destination_ipv6_cidr_block(to) } else { route.destination_cidr_block(to) }
    }
    fn local(to: &str) -> LiveRoute {
        route(to).gateway_id("local").origin(RouteOrigin::CreateRouteTable).build()
    }

    #[test]
    fn missing_wrong_and_dead_routes_are_put_right() {
        let nat = want("0.0.0.0/0", Some(Target::Nat("nat-1".into())));
        let there = |id: &str| [local("10.0.0.0/19"), route("0.0.0.0/0").nat_gateway_id(id).build()];
        let of = |live: &[LiveRoute]| steps(std::slice::from_ref(&nat), &[], live);
        assert_eq!(of(&there("nat-1")), []);
        assert_eq!(of(&there("nat-1")[..1]), [Step::Create(nat.clone())]);
        assert_eq!(of(&there("nat-2")), [Step::Replace("nat-2".into(), nat.clone())]);
        let dead = route("0.0.0.0/0").nat_gateway_id("nat-1").state(RouteState::Blackhole).build();
        assert_eq!(of(&[dead]), [Step::Replace("nat-1, which is gone".into(), nat.clone())]);
        let to_be_made = want("0.0.0.0/0", None);
        let changed = steps(std::slice::from_ref(&to_be_made), &[], &there("nat-1"));
        assert_eq!(changed, [Step::Replace("nat-1".into(), to_be_made.clone())]);
        assert_eq!(to_be_made.to_string(), "the NAT gateway to be made");
    }

    #[test]
    fn an_instance_is_known_by_its_interface() {
        let wanted = [want("0.0.0.0/0", Some(Target::Interface("eni-1".into())))];
        let live = [route("0.0.0.0/0").instance_id("i-1").network_interface_id("eni-1").build()];
        assert_eq!(steps(&wanted, &[], &live), []);
    }

    #[test]
    fn ipv6_is_compared_as_addresses() {
        let wanted = [want("2a05:d018:0:0::/56", Some(Target::Peering("pcx-1".into())))];
        let live = [route("2a05:d018::/56").vpc_peering_connection_id("pcx-1").build()];
        assert_eq!(steps(&wanted, &[], &live), []);
    }

    #[test]
    fn only_what_is_managed_is_removed() {
        let live = [
            local("10.0.0.0/19"),
            route("0.0.0.0/0").gateway_id("igw-9").build(),
            route("::/0").egress_only_internet_gateway_id("eigw-9").build(),
            route("10.0.0.0/8").transit_gateway_id("tgw-9").build(),
            // Somebody's own, within the pool.
            route("10.77.0.0/16").vpc_peering_connection_id("pcx-8").build(),
            route("10.1.0.0/19").vpc_peering_connection_id("pcx-7").state(RouteState::Blackhole).build(),
            route("192.168.0.0/24").vpc_peering_connection_id("pcx-9").build(),
            route("10.2.0.0/19").gateway_id("vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation).build(),
            route("10.3.0.0/19").gateway_id("vpce-1").build(),
            LiveRoute::builder().destination_prefix_list_id("pl-1").gateway_id("vpce-2").build(),
        ];
        let removed = [
            Step::Delete("igw-9".into(), net("0.0.0.0/0")),
            Step::Delete("eigw-9".into(), net("::/0")),
            Step::Delete("tgw-9".into(), net("10.0.0.0/8")),
            Step::Delete("pcx-7".into(), net("10.1.0.0/19")),
        ];
        assert_eq!(steps(&[], &[net("10.0.0.0/8")], &live), removed);
        assert_eq!(steps(&[], &[], &live), removed[..2]);
    }

    #[test]
    fn a_propagated_route_does_not_stand_for_ours() {
        let wanted = [want("10.2.0.0/19", Some(Target::Transit("tgw-1".into())))];
        let told = route("10.2.0.0/19").gateway_id("vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation).build();
        assert_eq!(steps(&wanted, &[], &[told]), [Step::Create(wanted[0].clone())]);
    }
}
