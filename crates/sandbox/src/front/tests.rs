//! The front door on hand-made snapshots, with load balancers of our own on loopback.
mod connections;
mod looking;
mod requests;
mod resolving;

use super::resolve::{Balancer, Kind, Record, Snapshot, Target, Zone};

const APP: &str = "app.x.org";

fn record(name: &str, set: Option<(&str, u64)>, target: Target) -> Record {
    let kind = if matches!(target, Target::Name(_)) { Kind::Cname } else { Kind::A };
    let weight = set.map(|(_, weight)| weight);
    Record { name: name.into(), kind, set: set.map(|(id, _)| id.into()), weight, target }
}

fn alias(name: &str) -> Target {
    Target::Alias { name: name.into(), healthy: true }
}

fn balancer(name: &str, port: u16) -> Balancer {
    let (name, dns_name) = (name.into(), format!("{name}.elb.aws"));
    let (state, port) = ("active".into(), Some(port));
    Balancer { name, dns_name, state, healthy: true, port, ..Balancer::default() }
}

/// `app.x.org`, shared out among load balancers `lb-PORT` on these ports.
fn weighted(ports: &[(u16, u64)]) -> Snapshot {
    let name = |port| format!("lb-{port}");
    let of = |&(port, weight): &(u16, u64)| {
        record(APP, Some((&name(port), weight)), alias(&format!("dualstack.{}.elb.aws", name(port))))
    };
    let zone = Zone { name: "x.org".into(), private: false, records: ports.iter().map(of).collect() };
    let balancers = ports.iter().map(|&(port, _)| balancer(&name(port), port)).collect();
    Snapshot { zones: vec![zone], balancers }
}
