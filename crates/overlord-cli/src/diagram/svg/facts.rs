//! What the picture says in words: counts, sizes, and a description for those who do not see it.
use crate::diagram::picture::{Exit, Interconnect, NatKind, Picture, RegionPicture};
use aws_core::model::Layer;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

/// Addresses of each subnet that AWS keeps for itself (VPC guide, "Subnet CIDR blocks").
const KEPT: u64 = 5;

/// What a layer is for, in few words.
pub(super) fn purpose(layer: Layer) -> [&'static str; 2] {
    match layer {
        Layer::Public => ["open to", "the internet"],
        Layer::Shared => ["open to", "other teams"],
        Layer::Private => ["instances", "and data"],
    }
}

/// `3 × /24`, the subnets of a layer.
fn sizes(region: &RegionPicture, layer: Layer) -> String {
    let mut count: BTreeMap<u8, usize> = BTreeMap::new();
    for net in nets(region, layer) {
        *count.entry(net.prefix_len()).or_default() += 1;
    }
    count.iter().map(|(prefix, n)| format!("{n} × /{prefix}")).collect::<Vec<_>>().join(", ")
}

/// How many addresses instances and load balancers can have in a layer.
fn usable(region: &RegionPicture, layer: Layer) -> u64 {
    nets(region, layer).map(|n| (1u64 << (32 - u32::from(n.prefix_len()))).saturating_sub(KEPT)).sum()
}

fn nets(region: &RegionPicture, layer: Layer) -> impl Iterator<Item = Ipv4Net> {
    region.subnets.iter().filter(move |s| s.layer == layer).filter_map(|s| s.cidr.parse().ok())
}

/// `8192` as `8,192`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The subnets of a layer, and how many addresses they offer.
pub(super) fn room(region: &RegionPicture, layer: Layer) -> String {
    format!("{}, {} addresses", sizes(region, layer), thousands(usable(region, layer)))
}

/// Addresses of the VPC that no subnet has.
pub(super) fn free(region: &RegionPicture) -> Option<String> {
    let size = |cidr: &String| cidr.parse::<Ipv4Net>().ok().map(|n| 1u64 << (32 - u32::from(n.prefix_len())));
    let all: u64 = region.cidrs.iter().filter_map(size).sum();
    let taken: u64 = region.subnets.iter().filter_map(|s| size(&s.cidr)).sum();
    let free = all.checked_sub(taken).filter(|n| *n > 0)?;
    Some(format!("{} of {} addresses", thousands(free), thousands(all)))
}

/// The picture in a few sentences.
pub(super) fn sentence(picture: &Picture) -> String {
    let mut parts = vec![format!(
        "Organization {}, account {}. DNS zones: {}.",
        picture.organization,
        picture.account,
        if picture.domains.is_empty() { "none".into() } else { picture.domains.join(", ") }
    )];
    for r in &picture.regions {
        let layers: Vec<String> = r.layers().iter().map(|l| format!("{l} {}", sizes(r, *l))).collect();
        let gateways = r.nats.iter().filter(|n| n.kind == NatKind::Gateway).count();
        let nat = match (gateways, r.nats.len() - gateways) {
            (0, 0) => "no NAT".to_owned(),
            (0, _) => "a NAT instance".into(),
            (n, _) => format!("{n} NAT {}", if n == 1 { "gateway" } else { "gateways" }),
        };
        let way = if r.subnets.iter().any(|s| s.exit == Exit::Internet) {
            "an internet gateway"
        } else {
            "no internet gateway"
        };
        let others = match &r.interconnect {
            Interconnect::None => "no way to other teams".to_owned(),
            Interconnect::Transit { pool, .. } => format!("a transit gateway to {}", pool.join(", ")),
            Interconnect::Peering { peers } if peers.is_empty() => "peering with other teams".into(),
            Interconnect::Peering { peers } => {
                let names: Vec<&str> = peers.iter().map(|p| p.name.as_str()).collect();
                format!("peering with {}", names.join(", "))
            }
        };
        parts.push(format!(
            "{}: VPC {} in {} availability zones; subnets: {}; {way}, {nat}, {others}; {} load balancers, {} versions \
             of applications.",
            r.region,
            r.cidrs.join(", "),
            r.zones.len(),
            if layers.is_empty() { "none".into() } else { layers.join(", ") },
            r.balancers.len(),
            r.applications.len(),
        ));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_marked() {
        assert_eq!([0, 999, 1000, 65_536, 1_048_576].map(thousands), ["0", "999", "1,000", "65,536", "1,048,576"]);
    }
}
