//! A network, split in layers and slots.
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Availability zones that a network has room for.
pub const SLOTS: u8 = 8;
/// The longest prefix of a subnet: EC2 `CreateSubnet` wants 16 addresses at least.
pub const SMALLEST_SUBNET: u8 = 28;

/// A slot's network in layer and number: the prefix that eight of a quarter have.
const QUARTERS_SLOT: u8 = 5;

/// The subnets of one availability zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// For load balancers and NAT gateways.
    pub public: Ipv4Net,
    /// For what other teams may use.
    pub shared: Ipv4Net,
    /// For everything else.
    pub private: Ipv4Net,
}

/// The slot of this number, from 0; `None` when there is none of this number, or when its subnets would be smaller
/// than AWS allows ([`SMALLEST_SUBNET`]).
pub fn slot(network: Ipv4Net, number: u8) -> Option<Slot> {
    let small = network.prefix_len() + QUARTERS_SLOT;
    if number >= SLOTS || small > SMALLEST_SUBNET {
        return None;
    }
    // The network has 32 of the small ones: 8 public, 8 shared, and in the second half 8 of twice the size.
    let small_size = 1u64 << (32 - small);
    let first = u64::from(u32::from(network.network()));
    let at = |start: u64, prefix: u8| {
        let address = u32::try_from(first + start * small_size).ok()?;
        Ipv4Net::new(Ipv4Addr::from(address), prefix).ok()
    };
    let number = u64::from(number);
    let slots = u64::from(SLOTS);
    Some(Slot {
        public: at(number, small)?,
        shared: at(slots + number, small)?,
        private: at(2 * slots + 2 * number, small - 1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(s: &str) -> Ipv4Net {
        s.parse().unwrap()
    }

    #[test]
    fn the_predecessors_networks() {
        let of = |n| slot(net("10.2.0.0/19"), n).unwrap();
        assert_eq!(
            of(0),
            Slot { public: net("10.2.0.0/24"), shared: net("10.2.8.0/24"), private: net("10.2.16.0/23") }
        );
        assert_eq!(
            of(1),
            Slot { public: net("10.2.1.0/24"), shared: net("10.2.9.0/24"), private: net("10.2.18.0/23") }
        );
        assert_eq!(
            of(7),
            Slot { public: net("10.2.7.0/24"), shared: net("10.2.15.0/24"), private: net("10.2.30.0/23") }
        );
        assert_eq!(slot(net("10.2.0.0/19"), 8), None);
    }

    #[test]
    fn the_smallest_and_the_largest() {
        assert_eq!(slot(net("10.0.0.0/21"), 0).unwrap().public, net("10.0.0.0/26"));
        assert_eq!(slot(net("10.0.0.0/23"), 7).unwrap().private, net("10.0.1.224/27"));
        assert_eq!(slot(net("10.0.0.0/24"), 0), None);
        assert_eq!(slot(net("255.255.0.0/16"), 7).unwrap().private, net("255.255.240.0/20"));
        // The host part of a network says nothing.
        assert_eq!(slot(net("10.2.3.4/19"), 0), slot(net("10.2.0.0/19"), 0));
    }

    proptest! {
        #[test]
        fn subnets_lie_inside_and_apart_and_fill_the_network(address: u32, prefix in 8u8..=23) {
            let network = Ipv4Net::new(Ipv4Addr::from(address), prefix).unwrap().trunc();
            let slots: Vec<Slot> = (0..SLOTS).map(|n| slot(network, n).unwrap()).collect();
            let all: Vec<Ipv4Net> = slots.iter().flat_map(|s| [s.public, s.shared, s.private]).collect();
            for (n, one) in all.iter().enumerate() {
                prop_assert!(network.contains(one));
                prop_assert!(one.prefix_len() <= SMALLEST_SUBNET);
                for other in &all[n + 1..] {
                    prop_assert!(!one.contains(other) && !other.contains(one), "{one} {other}");
                }
            }
            prop_assert_eq!(Ipv4Net::aggregate(&all), vec![network]);
            // A quarter, a quarter, half.
            let share = |of: fn(&Slot) -> Ipv4Net| Ipv4Net::aggregate(&slots.iter().map(of).collect());
            prop_assert_eq!(share(|s| s.public)[0].prefix_len(), prefix + 2);
            prop_assert_eq!(share(|s| s.shared)[0].prefix_len(), prefix + 2);
            prop_assert_eq!(share(|s| s.private)[0].prefix_len(), prefix + 1);
        }

        /// Adding a zone moves no other: a slot is a function of network and number, and grows with it.
        #[test]
        fn slots_are_in_order(third in 0u8..32, n in 1u8..SLOTS) {
            let network = Ipv4Net::new(Ipv4Addr::new(10, 2, third / 32 * 32, 0), 19).unwrap();
            let (before, this) = (slot(network, n - 1).unwrap(), slot(network, n).unwrap());
            let next = |a: Ipv4Net| u32::from(a.broadcast()) + 1;
            prop_assert_eq!(next(before.public), u32::from(this.public.network()));
            prop_assert_eq!(next(before.shared), u32::from(this.shared.network()));
            prop_assert_eq!(next(before.private), u32::from(this.private.network()));
        }
    }
}
