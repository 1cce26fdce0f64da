//! Ingress rules as a set: AWS merges rules of one protocol and port into one permission with several
//! ranges, in any order; so both sides are taken apart into single rules before they are compared.
use super::{GroupId, Ingress, OURS, Protocol, Source, TEXT};
use crate::engine::Ref;
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup, UserIdGroupPair};
use ipnet::IpNet;
use std::{collections::BTreeMap, fmt};

/// What tells one rule from another. The description does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// As AWS writes it: `tcp`, `-1` for all.
    protocol: String,
    /// First and last port; for ICMP, type and code. `None` where the protocol has none.
    ports: Option<(i32, i32)>,
    from: From,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Cidr(IpNet),
    Group(String),
    PrefixList(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.protocol.as_str(), self.ports) {
            ("-1", _) => write!(f, "all traffic")?,
            (p, None | Some((0, 65535))) => write!(f, "{p} all ports")?,
            (p, Some((a, b))) if a == b => write!(f, "{p} {a}")?,
            (p, Some((a, b))) => write!(f, "{p} {a}-{b}")?,
        }
        match &self.from {
            From::Cidr(net) => write!(f, " from {net}"),
            From::Group(id) | From::PrefixList(id) => write!(f, " from {id}"),
        }
    }
}

/// Single rules and their descriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules(BTreeMap<Key, String>);

/// One wanted rule of the group `itself`.
pub(super) fn wanted(ingress: &Ingress, itself: &str, group: impl Fn(Ref<GroupId>) -> String) -> (Key, String) {
    let (protocol, ports) = match ingress.protocol {
        Protocol::Tcp => ("tcp", Some(ingress.ports.map_or((0, 65535), |(first, last)| (first.into(), last.into())))),
        Protocol::All => ("-1", None),
    };
    let from = match &ingress.from {
        // AWS stores the network, whatever host bits were given.
        Source::Cidr(net) => From::Cidr(net.trunc()),
        Source::Group(r) => From::Group(group(*r)),
        Source::Itself => From::Group(itself.to_owned()),
    };
    let text = ingress.description.strip_prefix(OURS).unwrap_or(&ingress.description).trim();
    (Key { protocol: protocol.into(), ports, from }, sanitised(&format!("{OURS} {text}"), TEXT))
}

impl FromIterator<(Key, String)> for Rules {
    fn from_iter<T: IntoIterator<Item = (Key, String)>>(rules: T) -> Self {
        let mut set = BTreeMap::new();
        for (key, description) in rules {
            // AWS refuses a call that names one rule twice, also when the descriptions differ.
            set.entry(key).or_insert(description);
        }
        Self(set)
    }
}

impl Rules {
    /// The rules of a group as AWS shows it.
    pub(super) fn of(live: &SecurityGroup) -> Self {
        live.ip_permissions().iter().flat_map(single).collect()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// As AWS counts them against the quota: those for IPv4 and those for IPv6 each, those for groups as both.
    pub(super) fn count(&self) -> usize {
        let of = |v6: bool| {
            self.0.keys().filter(|k| !matches!(k.from, From::Cidr(net) if matches!(net, IpNet::V6(_)) != v6)).count()
        };
        of(false).max(of(true))
    }
    pub(super) fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|(k, _)| !other.0.contains_key(k)).map(|(k, d)| (k.clone(), d.clone())).collect())
    }
    /// Those that we wrote.
    pub(super) fn ours(&self) -> Self {
        Self(self.0.iter().filter(|(_, d)| d.starts_with(OURS)).map(|(k, d)| (k.clone(), d.clone())).collect())
    }
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.0.keys().map(ToString::to_string)
    }
    /// For the calls that add and revoke them. Revoking, AWS does without the description; emulators do not.
    pub(super) fn permissions(&self) -> Vec<IpPermission> {
        self.0.iter().map(|(k, d)| permission(k, d)).collect()
    }
    /// All of them, if there are any. AWS refuses the whole call when one of its rules is there already
    /// (or, revoking, gone already); then [`Self::one_by_one`] tells the others apart from it.
    pub(super) fn in_one_call(&self) -> impl Iterator<Item = Self> {
        (!self.is_empty()).then(|| self.clone()).into_iter()
    }
    /// Sets of one rule each, when there are several.
    pub(super) fn one_by_one(&self) -> impl Iterator<Item = Self> {
        let several = self.0.len() > 1;
        self.0.iter().filter(move |_| several).map(|(k, d)| Self(BTreeMap::from([(k.clone(), d.clone())])))
    }
}

fn single(permission: &IpPermission) -> Vec<(Key, String)> {
    let protocol = permission.ip_protocol().unwrap_or("-1").to_owned();
    let ports = if protocol == "-1" { None } else { permission.from_port().zip(permission.to_port()) };
    let rule = |from, description: Option<&str>| {
        (Key { protocol: protocol.clone(), ports, from }, description.unwrap_or_default().to_owned())
    };
    let cidr = |text: Option<&str>| Some(From::Cidr(text?.parse::<IpNet>().ok()?.trunc()));
    let mut rules = Vec::new();
    for range in permission.ip_ranges() {
        rules.extend(cidr(range.cidr_ip()).map(|c| rule(c, range.description())));
    }
    for range in permission.ipv6_ranges() {
        rules.extend(cidr(range.cidr_ipv6()).map(|c| rule(c, range.description())));
    }
    for pair in permission.user_id_group_pairs() {
        rules.extend(pair.group_id().map(|id| rule(From::Group(id.to_owned()), pair.description())));
    }
    for list in permission.prefix_list_ids() {
        rules.extend(list.prefix_list_id().map(|id| rule(From::PrefixList(id.to_owned()), list.description())));
    }
    rules
}

fn permission(key: &Key, description: &str) -> IpPermission {
    let description = Some(description.to_owned()).filter(|d| !d.is_empty());
    let base = IpPermission::builder()
        .ip_protocol(&key.protocol)
        .set_from_port(key.ports.map(|p| p.0))
        .set_to_port(key.ports.map(|p| p.1));
    match &key.from {
        From::Cidr(net @ IpNet::V4(_)) => {
            base.ip_ranges(IpRange::builder().cidr_ip(net.to_string()).set_description(description).build())
        }
        From::Cidr(net @ IpNet::V6(_)) => {
            base.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(net.to_string()).set_description(description).build())
        }
        From::Group(id) => {
            base.user_id_group_pairs(UserIdGroupPair::builder().group_id(id).set_description(description).build())
        }
        From::PrefixList(id) => {
            base.prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(description).build())
        }
    }
    .build()
}

/// Whether AWS takes this character in a group's name and in descriptions (EC2 `IpRange`,
/// `CreateSecurityGroup`).
pub(super) fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c)
}

/// `text` with what AWS refuses replaced, at most `limit` characters, and never empty.
pub(super) fn sanitised(text: &str, limit: usize) -> String {
    let clean: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).take(limit).collect();
    match clean.trim() {
        "" => "-".into(),
        clean => clean.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tcp(port: Option<u16>, net: &str) -> Ingress {
        let ports = port.map(|p| (p, p));
        Ingress { protocol: Protocol::Tcp, ports, from: Source::Cidr(net.parse().unwrap()), description: "test".into() }
    }
    fn itself(protocol: Protocol) -> Ingress {
        Ingress { protocol, ports: None, from: Source::Itself, description: "minion: members".into() }
    }
    fn set(ingress: &[Ingress]) -> Rules {
        ingress.iter().map(|i| wanted(i, "sg-1", |_| "sg-2".into())).collect()
    }
    fn shown(rules: &Rules) -> Vec<String> {
        rules.names().collect()
    }
    /// As AWS would show the rules: those of one protocol and port in one permission.
    fn merged(rules: &Rules) -> SecurityGroup {
        let mut by_ports: BTreeMap<_, IpPermission> = BTreeMap::new();
        for p in rules.permissions() {
            let key = (p.ip_protocol().map(str::to_owned), p.from_port(), p.to_port());
            let all = by_ports.entry(key).or_insert_with(|| {
                IpPermission::builder()
                    .set_ip_protocol(p.ip_protocol.clone())
                    .set_from_port(p.from_port)
                    .set_to_port(p.to_port)
                    .build()
            });
            all.ip_ranges.get_or_insert_default().extend(p.ip_ranges.unwrap_or_default());
            all.ipv6_ranges.get_or_insert_default().extend(p.ipv6_ranges.unwrap_or_default());
            all.user_id_group_pairs.get_or_insert_default().extend(p.user_id_group_pairs.unwrap_or_default());
        }
        SecurityGroup::builder().set_ip_permissions(Some(by_ports.into_values().collect())).build()
    }

    #[test]
    fn rules_read_as_people_say_them() {
        let rules =
            set(&[tcp(Some(8080), "10.1.2.3/16"), tcp(None, "::/0"), itself(Protocol::All), itself(Protocol::Tcp)]);
        assert_eq!(
            shown(&rules),
            [
                "all traffic from sg-1",
                "tcp all ports from ::/0",
                "tcp all ports from sg-1",
                "tcp 8080 from 10.1.0.0/16"
            ]
        );
    }

    #[test]
    fn ranges_and_families_count_as_aws_counts_them() {
        let range = Ingress { ports: Some((20_000, 20_044)), ..tcp(None, "10.0.0.0/8") };
        assert_eq!(shown(&set(std::slice::from_ref(&range))), ["tcp 20000-20044 from 10.0.0.0/8"]);
        let rules = [range, tcp(Some(80), "::/0"), tcp(Some(443), "::/0"), itself(Protocol::All)];
        assert_eq!(set(&rules).count(), 3);
        assert_eq!(set(&rules[..1]).count(), 1);
        assert_eq!(set(&[]).count(), 0);
    }

    #[test]
    fn all_traffic_has_no_ports_however_aws_writes_it() {
        let pair = UserIdGroupPair::builder().group_id("sg-1").build();
        let all = IpPermission::builder().ip_protocol("-1").from_port(-1).to_port(-1).user_id_group_pairs(pair).build();
        let live = SecurityGroup::builder().ip_permissions(all).build();
        assert!(set(&[itself(Protocol::All)]).minus(&Rules::of(&live)).is_empty());
    }

    #[test]
    fn only_rules_that_say_so_are_ours() {
        let ours = set(&[tcp(Some(80), "10.0.0.0/8")]);
        let by_hand = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(22)
            .to_port(22)
            .ip_ranges(IpRange::builder().cidr_ip("10.0.0.1/32").description("admin").build())
            .build();
        let mut live = merged(&ours);
        live.ip_permissions.get_or_insert_default().push(by_hand);
        assert_eq!(shown(&Rules::of(&live).minus(&ours)), ["tcp 22 from 10.0.0.1/32"]);
        assert!(Rules::of(&live).ours().minus(&ours).is_empty());
    }

    #[test]
    fn descriptions_fit() {
        assert_eq!(sanitised("für `a`\n", 255), "f_r _a__");
        assert_eq!(sanitised("  ", 255), "-");
        let (_, long) =
            wanted(&Ingress { description: "ä".repeat(300), ..itself(Protocol::All) }, "sg-1", |_| String::new());
        assert_eq!(long.len(), 255);
        assert!(long.starts_with("minion: "));
        let (_, once) = wanted(&itself(Protocol::All), "sg-1", |_| String::new());
        assert_eq!(once, "minion: members");
    }

    proptest! {
        #[test]
        fn merging_order_and_repetition_do_not_matter(
            rules in prop::collection::vec((prop::option::of(0u16..4), 0u8..4, 8u8..=32), 0..12),
            turn in 0usize..12,
        ) {
            let list: Vec<Ingress> = rules.iter().map(|(p, n, len)| tcp(*p, &format!("10.{n}.7.7/{len}"))).collect();
            let mut other = list.clone();
            other.extend(list.iter().take(3).cloned());
            let middle = turn.min(other.len());
            other.rotate_left(middle);
            let (a, b) = (set(&list), set(&other));
            prop_assert_eq!(&a, &b);
            prop_assert_eq!(&Rules::of(&merged(&a)), &b);
        }
    }
}
