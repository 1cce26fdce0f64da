//! The pool that networks are taken from.
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Docker's own network on every instance, whose routes lead to no other host; some services of AWS use it as well (VPC
/// User Guide, "VPC CIDR blocks"). No team gets a part of it.
pub const DOCKERS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(172, 17, 0, 0), 16);

/// First and last address of a stretch, both inside.
type Range = (u64, u64);

/// What is left of the pool once `taken` is taken, in as few networks as can be; in the order of addresses.
pub fn free_space(pool: &[Ipv4Net], taken: &[Ipv4Net]) -> Vec<Ipv4Net> {
    let nets = free_ranges(pool, taken).into_iter().flat_map(networks).collect();
    // Stretches that touch, such as two halves that the pool names one by one, are one.
    let mut nets = Ipv4Net::aggregate(&nets);
    nets.sort();
    nets
}

/// The first free network of this prefix length, in the order of the pool's parts; `None` when there is none.
pub fn first_free(pool: &[Ipv4Net], taken: &[Ipv4Net], prefix: u8) -> Option<Ipv4Net> {
    let size = size(prefix)?;
    let place = |(first, last): Range| {
        let start = first.next_multiple_of(size);
        (start + size - 1 <= last).then(|| network(start, prefix))?
    };
    let within = |pool: &[Ipv4Net]| free_ranges(pool, taken).into_iter().find_map(place);
    // One that spans several parts, which only together are large enough, comes last.
    pool.iter().find_map(|part| within(&[*part])).or_else(|| within(pool))
}

/// How much of the pool is used, in networks of one prefix length: for a listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shares {
    /// Networks of this prefix length that the pool has, used or not.
    pub networks: u64,
    /// Of those, the ones that still can be taken.
    pub free: u64,
    /// Of those, the ones that cannot: taken, reserved, or with a part that is.
    pub used: u64,
}

/// How much of the pool is used, in networks of this prefix length.
pub fn shares(pool: &[Ipv4Net], taken: &[Ipv4Net], prefix: u8) -> Shares {
    let fit = |taken: &[Ipv4Net]| -> u64 {
        let Some(size) = size(prefix) else { return 0 };
        let count = |(first, last): Range| {
            let start = first.next_multiple_of(size);
            (last + 1).saturating_sub(start) / size
        };
        free_ranges(pool, taken).into_iter().map(count).sum()
    };
    let (networks, free) = (fit(&[]), fit(taken));
    Shares { networks, free, used: networks - free }
}

/// Addresses of a network; `None` when there is no such prefix length.
fn size(prefix: u8) -> Option<u64> {
    32u32.checked_sub(u32::from(prefix)).map(|bits| 1u64 << bits)
}

fn network(start: u64, prefix: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(Ipv4Addr::from(u32::try_from(start).ok()?), prefix).ok()
}

fn range(net: &Ipv4Net) -> Range {
    (u32::from(net.network()).into(), u32::from(net.broadcast()).into())
}

/// Stretches in order, without overlaps and with those that touch put together.
fn merged(nets: &[Ipv4Net]) -> Vec<Range> {
    let mut ranges: Vec<Range> = nets.iter().map(range).collect();
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

fn free_ranges(pool: &[Ipv4Net], taken: &[Ipv4Net]) -> Vec<Range> {
    let taken = merged(taken);
    let mut free = Vec::new();
    for (first, last) in merged(pool) {
        let mut next = first;
        for (from, to) in taken.iter().filter(|(from, to)| *from <= last && *to >= first) {
            if *from > next {
                free.push((next, from - 1));
            }
            next = to + 1;
        }
        if next <= last {
            free.push((next, last));
        }
    }
    free
}

/// A stretch in as few networks as can be.
fn networks((mut first, last): Range) -> Vec<Ipv4Net> {
    let mut nets = Vec::new();
    while first <= last {
        // The largest network that begins here and does not reach too far.
        let fits = |prefix: &u8| size(*prefix).is_some_and(|s| first.is_multiple_of(s) && first + s - 1 <= last);
        let Some(net) = (0..=32).find(fits).and_then(|prefix| network(first, prefix)) else { break };
        first = range(&net).1 + 1;
        nets.push(net);
    }
    nets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nets(all: &[&str]) -> Vec<Ipv4Net> {
        all.iter().map(|s| s.parse().unwrap()).collect()
    }

    #[test]
    fn networks_are_taken_in_order() {
        let pool = nets(&["10.2.0.0/16", "10.0.0.0/18"]);
        let mut taken = nets(&["10.2.0.0/24", "10.2.64.0/19"]);
        let mut got = Vec::new();
        while let Some(net) = first_free(&pool, &taken, 19) {
            taken.push(net);
            got.push(net.to_string());
        }
        let wanted = ["10.2.32.0", "10.2.96.0", "10.2.128.0", "10.2.160.0", "10.2.192.0", "10.2.224.0"];
        let wanted = wanted.into_iter().chain(["10.0.0.0", "10.0.32.0"]).map(|a| format!("{a}/19"));
        assert_eq!(got, wanted.collect::<Vec<_>>());
    }

    #[test]
    fn a_network_may_span_parts_that_touch() {
        let pool = nets(&["10.0.0.0/20", "10.0.16.0/20"]);
        assert_eq!(first_free(&pool, &[], 19), Some("10.0.0.0/19".parse().unwrap()));
        assert_eq!(first_free(&pool, &nets(&["10.0.31.0/24"]), 19), None);
    }

    #[test]
    fn the_whole_address_space_has_no_overflow() {
        let all = nets(&["0.0.0.0/0"]);
        assert_eq!(free_space(&all, &[]), all);
        assert_eq!(first_free(&all, &[], 0), Some(all[0]));
        assert_eq!(first_free(&all, &nets(&["0.0.0.0/1", "128.0.0.0/2"]), 2), Some("192.0.0.0/2".parse().unwrap()));
        assert_eq!(free_space(&all, &all), vec![]);
        assert_eq!(first_free(&all, &[], 33), None);
        assert_eq!(shares(&all, &[], 33), Shares::default());
    }

    #[test]
    fn numbers_for_a_listing() {
        let pool = nets(&["10.0.0.0/8"]);
        let taken = nets(&["10.0.0.0/19", "10.1.0.0/24"]);
        assert_eq!(shares(&pool, &taken, 19), Shares { networks: 2048, free: 2046, used: 2 });
        assert_eq!(
            free_space(&nets(&["10.0.0.0/16"]), &nets(&["10.0.0.0/19"])),
            nets(&["10.0.32.0/19", "10.0.64.0/18", "10.0.128.0/17"])
        );
    }

    /// Small pools: networks within 10.0.0.0/24, so that every address can be tried.
    fn small() -> impl Strategy<Value = Ipv4Net> {
        (any::<u8>(), 24u8..=32)
            .prop_map(|(last, prefix)| Ipv4Net::new(Ipv4Addr::new(10, 0, 0, last), prefix).unwrap().trunc())
    }

    fn free_by_force(pool: &[Ipv4Net], taken: &[Ipv4Net]) -> Vec<Ipv4Addr> {
        let inside = |nets: &[Ipv4Net], a: &Ipv4Addr| nets.iter().any(|n| n.contains(a));
        (0..=255).map(|n| Ipv4Addr::new(10, 0, 0, n)).filter(|a| inside(pool, a) && !inside(taken, a)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn as_by_force(
            pool in prop::collection::vec(small(), 0..4),
            taken in prop::collection::vec(small(), 0..6),
            prefix in 24u8..=32,
        ) {
            let free = free_by_force(&pool, &taken);
            let all = Ipv4Net::new(Ipv4Addr::new(10, 0, 0, 0), 24).unwrap();
            let fits = |n: &Ipv4Net| n.hosts().chain([n.network(), n.broadcast()]).all(|a| free.contains(&a));
            let possible: Vec<_> = all.subnets(prefix).unwrap().filter(fits).collect();
            let found = first_free(&pool, &taken, prefix);
            prop_assert_eq!(found.is_some(), !possible.is_empty());
            if let Some(found) = found {
                prop_assert!(possible.contains(&found), "{found}");
                prop_assert!(!taken.iter().any(|t| t.contains(&found) || found.contains(t)));
            }
            let numbers = shares(&pool, &taken, prefix);
            prop_assert_eq!(numbers.free, possible.len() as u64);
            prop_assert_eq!(numbers.free + numbers.used, numbers.networks);
            let space = free_space(&pool, &taken);
            prop_assert_eq!(&Ipv4Net::aggregate(&space), &space);
            let listed: Vec<_> = (0..=255).map(|n| Ipv4Addr::new(10, 0, 0, n))
                .filter(|a| space.iter().any(|n| n.contains(a))).collect();
            prop_assert_eq!(listed, free);
        }
    }
}
