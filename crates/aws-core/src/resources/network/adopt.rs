//! Taking over a network that exists: which parts are what, and the tags by which they are found afterwards.
use super::{
    dhcp_options::DhcpOptions as OptionsKind,
    endpoint::S3Endpoint,
    gateways::InternetGateway as GatewayKind,
    kinds::{self, Foreign, KindId, Part as _},
    lists::ec2_tags,
    nat_gateway::{NatGateway as NatKind, primary},
    nat_instance::{Machine, MachineGroup},
    route_table::RouteTable as RouteTableKind,
    subnet::Subnet as SubnetKind,
    vpc::Vpc,
    vpn::VpnGateway as VpnKind,
};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _, lookups,
        network::{self, Place, Subnet, tag_map},
    },
    model::{
        Layer, Owning as _, TeamOwner,
        tags::{LAYER, OVERLORD_TEAM, Whose},
    },
    registry::teams::ZoneRecord,
};
use aws_sdk_ec2::types::{ConnectivityType, DhcpOptions, NatGateway, RouteTable, Tag, VpnGateway};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};

/// A part of the network that was recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `subnet`
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The name that it gets.
    pub name: String,
    layer: Option<Layer>,
}

/// The kinds that a network to be taken over has, each with rules of its own; and instances with their groups, which are
/// no part of one.
const RECOGNIZED: [fn() -> KindId; 10] = [
    KindId::of::<Vpc>,
    KindId::of::<OptionsKind>,
    KindId::of::<GatewayKind>,
    KindId::of::<SubnetKind>,
    KindId::of::<RouteTableKind>,
    KindId::of::<NatKind>,
    KindId::of::<VpnKind>,
    KindId::of::<S3Endpoint>,
    KindId::of::<Machine>,
    KindId::of::<MachineGroup>,
];

/// What was recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The VPC's network: its first one.
    pub cidr: Ipv4Net,
    /// All its networks, the first one first.
    pub cidrs: Vec<Ipv4Net>,
    /// Its zones with their subnets, in the order of their addresses.
    pub zones: Vec<ZoneRecord>,
    /// What gets tags.
    pub parts: Vec<Part>,
    /// What does not fit the layout, and is left alone: whole sentences.
    pub notes: Vec<String>,
}

/// What the files say that matters to a network to be taken over.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Where teams' networks are taken from.
    pub pool: &'a [Ipv4Net],
    /// Whether the team has a VPN: a gateway that is taken over and not asked for would go with the next update.
    pub vpn: bool,
}

/// Looks at a VPC and tells what its parts are.
///
/// # Errors
/// What AWS answers; a refusal when the VPC is another team's, has two subnets of a layer in one zone, or has a second
/// network within the pool.
pub async fn look(cloud: &Cloud, owner: &TeamOwner, team: &str, vpc: &str, asked: Asked<'_>) -> Result<Adoption> {
    let owned = async {
        let found = cloud.ec2().describe_vpcs().vpc_ids(vpc).send().await.told(cloud, vpc)?;
        Ok(found.vpcs.unwrap_or_default().into_iter().next())
    };
    let standing = async {
        futures::try_join!(
            kinds::in_vpc::<RouteTableKind>(cloud, vpc),
            kinds::in_vpc::<GatewayKind>(cloud, vpc),
            kinds::in_vpc::<NatKind>(cloud, vpc),
            kinds::in_vpc::<S3Endpoint>(cloud, vpc),
            kinds::in_vpc::<VpnKind>(cloud, vpc),
            kinds::in_vpc::<OptionsKind>(cloud, vpc),
        )
    };
    let others = KindId::all().filter(|kind| !RECOGNIZED.iter().any(|of| of() == *kind));
    let others = futures::future::try_join_all(others.map(|kind| kind.foreign(cloud, owner, vpc)));
    let (place, zones, owned, ours, standing, others) = futures::try_join!(
        network::load(cloud, vpc),
        lookups::zones_of_region(cloud),
        owned,
        kinds::owned::<Vpc>(cloud, owner),
        standing,
        others,
    )?;
    let (tables, gateways, nats, endpoints, vpns, options) = standing;
    let tags = owned.as_ref().map(|v| tag_map(v.tags())).unwrap_or_default();
    if let (true, Whose::Theirs(whose)) = (tags.contains_key(OVERLORD_TEAM), owner.whose(&tags)) {
        return Err(Error::refused(format!("{vpc} belongs to {whose} already")));
    }
    if let Some(other) = ours.iter().filter_map(|v| v.vpc_id()).find(|id| *id != vpc) {
        return Err(Error::refused(format!("team {team} has a VPC in {} already: {other}", cloud.region()))
            .hint("A team has one network in a region."));
    }
    let first = owned.as_ref().and_then(|v| v.cidr_block()).and_then(|c| c.parse().ok());
    let Some(cidr) = first.or(place.cidrs.first().copied()) else {
        return Err(Error::refused(format!("{vpc} has no IPv4 network")));
    };
    let mut cidrs = vec![cidr];
    cidrs.extend(place.cidrs.iter().filter(|c| **c != cidr));
    beside(vpc, &cidrs, asked.pool)?;
    let mut adoption = Adoption { cidr, cidrs, zones: slots(&place, &zones)?, parts: Vec::new(), notes: Vec::new() };
    adoption.part("vpc", vpc, team, None);
    for subnet in &place.subnets {
        adoption.part("subnet", &subnet.id, &format!("{}-{}", subnet.layer, subnet.zone), Some(subnet.layer));
    }
    for gateway in gateways.iter().filter_map(|g| g.internet_gateway_id()) {
        adoption.part("internet gateway", gateway, team, None);
    }
    adoption.tables(&place, &tables);
    adoption.nats(&place, &nats);
    adoption.vpns(vpc, team, &vpns, asked.vpn);
    adoption.options(owner, owned.as_ref().and_then(|v| v.dhcp_options_id()), &options);
    adoption.others(others.iter().flatten());
    let s3 = format!(".{}.s3", cloud.region());
    for endpoint in endpoints.iter().filter(|e| e.service_name().is_some_and(|n| n.ends_with(&s3))) {
        adoption.part("endpoint", endpoint.vpc_endpoint_id().unwrap_or_default(), "s3", None);
    }
    Ok(adoption)
}

/// Only a VPC's first network is claimed: one more within the pool would be given to another team some day.
fn beside(vpc: &str, cidrs: &[Ipv4Net], pool: &[Ipv4Net]) -> Result<()> {
    let overlaps = |c: &&Ipv4Net| pool.iter().any(|p| p.contains(*c) || c.contains(p));
    match cidrs.iter().skip(1).find(overlaps) {
        None => Ok(()),
        Some(second) => Err(Error::refused(format!(
            "{vpc} has a second network, {second}, within the organization's address pool: only the first one, {}, can be \
             claimed",
            cidrs[0]
        ))
        .hint("Take the second network away from the VPC, or out of `addresses.pool`.")),
    }
}

/// Whether AWS made these options, and every VPC of the region gets them: its own name servers, and its own domain.
fn is_default(options: &DhcpOptions) -> bool {
    options.dhcp_configurations().iter().all(|c| {
        let mut values = c.values().iter().filter_map(|v| v.value());
        match c.key() {
            Some("domain-name-servers") => values.all(|v| v == "AmazonProvidedDNS"),
            Some("domain-name") => values.all(|v| v == "ec2.internal" || v.ends_with(".compute.internal")),
            _ => false,
        }
    })
}

/// The zones in the order of their addresses.
fn slots(place: &Place, zones: &[lookups::AvailabilityZone]) -> Result<Vec<ZoneRecord>> {
    let mut by_zone: BTreeMap<&str, Vec<&Subnet>> = BTreeMap::new();
    place.subnets.iter().for_each(|s| by_zone.entry(&s.zone).or_default().push(s));
    let mut records = Vec::new();
    for (zone, subnets) in by_zone {
        let of = |layer: Layer| -> Result<Option<Ipv4Net>> {
            let mut all = subnets.iter().filter(|s| s.layer == layer);
            match (all.next(), all.next()) {
                (Some(one), Some(two)) => Err(Error::refused(format!(
                    "{zone} has two {layer} subnets, {} and {}: a team has one of a layer in a zone",
                    one.id, two.id
                ))
                .hint("Tag the one that is not meant with another `layer`, or remove it.")),
                (one, _) => Ok(one.map(|s| s.cidr)),
            }
        };
        let id = zones.iter().find(|z| z.name == zone).map(|z| z.id.clone()).unwrap_or_default();
        records.push(ZoneRecord {
            id,
            name: zone.to_owned(),
            public: of(Layer::Public)?,
            shared: of(Layer::Shared)?,
            private: of(Layer::Private)?,
        });
    }
    records.sort_by_key(|z| z.public.or(z.shared).or(z.private));
    Ok(records)
}

impl Adoption {
    fn part(&mut self, kind: &'static str, id: &str, name: &str, layer: Option<Layer>) {
        self.parts.push(Part { kind, id: id.to_owned(), name: name.to_owned(), layer });
    }

    /// One table for all public subnets, one for each of the others: those that serve exactly that are taken.
    fn tables(&mut self, place: &Place, tables: &[RouteTable]) {
        let mut taken = BTreeSet::new();
        for table in tables {
            let Some(id) = table.route_table_id() else { continue };
            let on: Vec<&Subnet> = table
                .associations()
                .iter()
                .filter_map(|a| place.subnets.iter().find(|s| Some(s.id.as_str()) == a.subnet_id()))
                .collect();
            let name = match on.as_slice() {
                [] => continue,
                all if all.iter().all(|s| s.layer == Layer::Public) => "public".to_owned(),
                [one] => format!("{}-{}", one.layer, one.zone),
                _ => {
                    self.notes.push(format!("Route table {id} serves several subnets: each gets a table of its own."));
                    continue;
                }
            };
            if taken.insert(name.clone()) {
                self.part("route table", id, &name, None);
            } else {
                self.notes
                    .push(format!("Route table {id} is another one for the {name} subnets: they get a common one."));
            }
        }
    }

    /// One NAT gateway for each zone, with its address.
    fn nats(&mut self, place: &Place, nats: &[NatGateway]) {
        let mut taken = BTreeSet::new();
        for nat in nats {
            let Some(id) = nat.nat_gateway_id() else { continue };
            let subnet = place.subnets.iter().find(|s| Some(s.id.as_str()) == nat.subnet_id());
            let Some(zone) = subnet.map(|s| s.zone.clone()) else { continue };
            if nat.connectivity_type() == Some(&ConnectivityType::Private) {
                self.notes.push(format!("NAT gateway {id} is a private one: it is left alone."));
                continue;
            }
            if !taken.insert(zone.clone()) {
                self.notes.push(format!("NAT gateway {id} is the second one in {zone}: it is left alone."));
                continue;
            }
            let name = format!("nat-{zone}");
            self.part("NAT gateway", id, &name, None);
            // One name, one address: those that were added later stay whose they are.
            if let Some(address) = primary(nat).and_then(|a| a.allocation_id()) {
                self.part("elastic IP", address, &name, None);
            }
        }
    }

    /// The gateway that is attached: a VPC takes one only.
    fn vpns(&mut self, vpc: &str, team: &str, vpns: &[VpnGateway], asked: bool) {
        match vpns.iter().find(|g| VpnKind::stands_in(g, vpc)).and_then(|g| g.vpn_gateway_id()) {
            Some(id) if asked => self.part("VPN gateway", id, team, None),
            Some(id) => self.notes.push(format!("VPN gateway {id} is left alone: the team's file has no `vpn`.")),
            None => {}
        }
    }

    /// What a network may have beside, and stays as it is.
    fn others<'f>(&mut self, others: impl Iterator<Item = &'f Foreign>) {
        for (noun, id, _) in others {
            let (first, rest) = noun.split_at(1);
            self.notes.push(format!("{}{rest} {id} is left alone.", first.to_uppercase()));
        }
    }

    fn options(&mut self, owner: &TeamOwner, options: Option<&str>, all: &[DhcpOptions]) {
        let foreign = |tags: &[Tag]| owner.whose(&tag_map(tags)) != Whose::Ours;
        let used = all.iter().find(|o| o.dhcp_options_id().is_some() && o.dhcp_options_id() == options);
        if let Some(used) = used.filter(|o| foreign(o.tags()) && !is_default(o)) {
            let id = used.dhcp_options_id().unwrap_or_default();
            self.notes.push(format!(
                "DHCP options {id} are left alone, and used until the team's file asks for others with `dns_servers` or \
                 `internal_domain`."
            ));
        }
    }
}

/// Puts the team's tags on the parts. Doing it twice is harmless.
pub async fn take(cloud: &Cloud, owner: &TeamOwner, adoption: &Adoption) -> Result<()> {
    for part in &adoption.parts {
        let mut tags: Vec<Tag> = ec2_tags(&owner.tags(&part.name));
        tags.extend(part.layer.map(|l| Tag::builder().key(LAYER).value(l.as_str()).build()));
        let call = cloud.ec2().create_tags().resources(&part.id).set_tags(Some(tags));
        call.send().await.told(cloud, format!("{} {}", part.kind, part.id))?;
    }
    Ok(())
}

/// The id of a team's VPC in this region.
pub async fn vpc_of(cloud: &Cloud, owner: &TeamOwner, name: &str) -> Result<Option<String>> {
    Ok(kinds::named::<Vpc>(cloud, owner, name).await?.and_then(|v| v.vpc_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{
        AttachmentStatus, AttributeValue, DhcpConfiguration, NatGatewayAddress, VpcAttachment, VpnState,
    };

    const VPC: &str = "vpc-1";

    fn nets(all: &[&str]) -> Vec<Ipv4Net> {
        all.iter().map(|n| n.parse().unwrap()).collect()
    }

    fn empty() -> Adoption {
        let cidrs = nets(&["10.2.0.0/19"]);
        Adoption { cidr: cidrs[0], cidrs, zones: Vec::new(), parts: Vec::new(), notes: Vec::new() }
    }

    fn taken(adoption: &Adoption) -> Vec<(&str, &str, &str)> {
        adoption.parts.iter().map(|p| (p.kind, p.id.as_str(), p.name.as_str())).collect()
    }

    fn owner() -> TeamOwner {
        TeamOwner { organization: "acme".parse().unwrap(), team: Some("red".parse().unwrap()), extra: BTreeMap::new() }
    }

    #[test]
    fn a_second_network_is_beside_the_pool() {
        let pool = nets(&["10.0.0.0/8"]);
        beside(VPC, &nets(&["10.2.0.0/19"]), &pool).unwrap();
        beside(VPC, &nets(&["10.2.0.0/19", "100.64.0.0/16"]), &pool).unwrap();
        for second in ["10.3.0.0/19", "8.0.0.0/6"] {
            let e = beside(VPC, &nets(&["10.2.0.0/19", second]), &pool).unwrap_err();
            assert!(e.to_string().contains(second) && e.hints()[0].contains("addresses.pool"), "{e}");
        }
    }

    #[test]
    fn a_nat_gateway_gives_its_primary_address() {
        let subnet = |id: &str, zone: &str| Subnet {
            id: id.into(),
            name: None,
            zone: zone.into(),
            cidr: "10.2.0.0/24".parse().unwrap(),
            layer: Layer::Public,
        };
        let place = Place {
            vpc: VPC.into(),
            account: "1".into(),
            cidrs: Vec::new(),
            config_tag: None,
            name: None,
            subnets: vec![subnet("s1", "z1"), subnet("s2", "z2"), subnet("s3", "z3")],
        };
        let nat = |id: &str, subnet: &str, kind: ConnectivityType, addresses: &[(&str, Option<bool>)]| {
            let address = |(id, primary): &(&str, Option<bool>)| {
                NatGatewayAddress::builder().allocation_id(*id).set_is_primary(*primary).build()
            };
            NatGateway::builder()
                .nat_gateway_id(id)
                .subnet_id(subnet)
                .connectivity_type(kind)
                .set_nat_gateway_addresses(Some(addresses.iter().map(address).collect()))
                .build()
        };
        let mut adoption = empty();
        let public = ConnectivityType::Public;
        adoption.nats(
            &place,
            &[
                nat("private", "s1", ConnectivityType::Private, &[]),
                nat("n1", "s1", public.clone(), &[("a", Some(false)), ("b", Some(true))]),
                nat("n2", "s2", public.clone(), &[("c", None), ("d", None)]),
                nat("n3", "s3", public, &[]),
            ],
        );
        assert_eq!(
            taken(&adoption),
            [
                ("NAT gateway", "n1", "nat-z1"),
                ("elastic IP", "b", "nat-z1"),
                ("NAT gateway", "n2", "nat-z2"),
                ("elastic IP", "c", "nat-z2"),
                ("NAT gateway", "n3", "nat-z3"),
            ]
        );
        assert_eq!(adoption.notes, ["NAT gateway private is a private one: it is left alone."]);
    }

    #[test]
    fn the_attached_vpn_gateway_is_the_teams() {
        let gateway = |id: &str, vpc: &str, state: AttachmentStatus| {
            let attachment = VpcAttachment::builder().vpc_id(vpc).state(state).build();
            VpnGateway::builder().vpn_gateway_id(id).state(VpnState::Available).vpc_attachments(attachment).build()
        };
        let gateways = [
            gateway("left", VPC, AttachmentStatus::Detached),
            gateway("other", "vpc-2", AttachmentStatus::Attached),
            gateway("here", VPC, AttachmentStatus::Attached),
        ];
        let mut adoption = empty();
        adoption.vpns(VPC, "red", &gateways, false);
        assert_eq!(taken(&adoption), []);
        assert_eq!(adoption.notes, ["VPN gateway here is left alone: the team's file has no `vpn`."]);
        let mut adoption = empty();
        adoption.vpns(VPC, "red", &gateways, true);
        assert_eq!(taken(&adoption), [("VPN gateway", "here", "red")]);
    }

    #[test]
    fn what_is_not_ours_stays_with_a_note() {
        let options = |id: &str, server: &str, tags: Vec<Tag>| {
            let server = AttributeValue::builder().value(server).build();
            let servers = DhcpConfiguration::builder().key("domain-name-servers").values(server).build();
            let domain = AttributeValue::builder().value("eu-west-1.compute.internal").build();
            let domain = DhcpConfiguration::builder().key("domain-name").values(domain).build();
            let options = DhcpOptions::builder().dhcp_options_id(id).dhcp_configurations(servers);
            options.dhcp_configurations(domain).set_tags(Some(tags)).build()
        };
        let ours = || ec2_tags(&owner().tags("red"));
        let all = [
            options("default", "AmazonProvidedDNS", Vec::new()),
            options("own", "10.0.0.2", ours()),
            options("foreign", "10.0.0.2", Vec::new()),
        ];
        for (used, noted) in [("default", false), ("own", false), ("foreign", true)] {
            let mut adoption = empty();
            adoption.options(&owner(), Some(used), &all);
            assert_eq!(adoption.notes.iter().any(|n| n.starts_with("DHCP options foreign")), noted, "{used}");
            assert_eq!(adoption.notes.len(), usize::from(noted));
        }
        let mut adoption = empty();
        adoption.others([("egress-only internet gateway", "eigw-1".to_owned(), BTreeMap::new())].iter());
        assert_eq!(adoption.notes, ["Egress-only internet gateway eigw-1 is left alone."]);
    }
}
