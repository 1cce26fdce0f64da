//! Taking over a network that exists: which parts are what, and the tags by which they are found afterwards.
use super::lists::{ec2_tags, filters};
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
use aws_sdk_ec2::types::{Filter, InternetGateway, NatGateway, RouteTable, Tag, VpcEndpoint};
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

/// What was recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The VPC's network.
    pub cidr: Ipv4Net,
    /// Its zones with their subnets, in the order of their addresses.
    pub zones: Vec<ZoneRecord>,
    /// What gets tags.
    pub parts: Vec<Part>,
    /// What does not fit the layout, and is left alone: whole sentences.
    pub notes: Vec<String>,
}

/// Looks at a VPC and tells what its parts are.
///
/// # Errors
/// What AWS answers; a refusal when the VPC is another team's, or has two subnets of a layer in one zone.
pub async fn look(cloud: &Cloud, owner: &TeamOwner, team: &str, vpc: &str) -> Result<Adoption> {
    let of_vpc = |name: &str| Filter::builder().name(name).values(vpc).build();
    let ec2 = cloud.ec2();
    let tables = async {
        let pages = ec2.describe_route_tables().filters(of_vpc("vpc-id")).into_paginator().items().send();
        pages.collect::<Result<Vec<RouteTable>, _>>().await.told(cloud, "ec2:DescribeRouteTables", vpc)
    };
    let gateways = async {
        let filter = of_vpc("attachment.vpc-id");
        let pages = ec2.describe_internet_gateways().filters(filter).into_paginator().items().send();
        pages.collect::<Result<Vec<InternetGateway>, _>>().await.told(cloud, "ec2:DescribeInternetGateways", vpc)
    };
    let nats = async {
        let standing = Filter::builder().name("state").values("available").values("pending").build();
        let call = ec2.describe_nat_gateways().filter(of_vpc("vpc-id")).filter(standing);
        let pages = call.into_paginator().items().send();
        pages.collect::<Result<Vec<NatGateway>, _>>().await.told(cloud, "ec2:DescribeNatGateways", vpc)
    };
    let endpoints = async {
        let pages = ec2.describe_vpc_endpoints().filters(of_vpc("vpc-id")).into_paginator().items().send();
        pages.collect::<Result<Vec<VpcEndpoint>, _>>().await.told(cloud, "ec2:DescribeVpcEndpoints", vpc)
    };
    let owned = async {
        let found = ec2.describe_vpcs().vpc_ids(vpc).send().await.told(cloud, "ec2:DescribeVpcs", vpc)?;
        Ok(found.vpcs().first().map(|v| tag_map(v.tags())).unwrap_or_default())
    };
    let ours = async {
        let found = ec2.describe_vpcs().set_filters(Some(filters(owner))).send().await;
        Ok(found.told(cloud, "ec2:DescribeVpcs", team)?.vpcs.unwrap_or_default())
    };
    let place = network::load(cloud, vpc);
    let (place, zones, tables, gateways, nats, endpoints, tags, ours) =
        futures::try_join!(place, lookups::zones_of_region(cloud), tables, gateways, nats, endpoints, owned, ours)?;
    if let (true, Whose::Theirs(whose)) = (tags.contains_key(OVERLORD_TEAM), owner.whose(&tags)) {
        return Err(Error::refused(format!("{vpc} belongs to {whose} already")));
    }
    if let Some(other) = ours.iter().filter_map(|v| v.vpc_id()).find(|id| *id != vpc) {
        return Err(Error::refused(format!("team {team} has a VPC in {} already: {other}", cloud.region()))
            .hint("A team has one network in a region."));
    }
    let Some(cidr) = place.cidrs.first().copied() else {
        return Err(Error::refused(format!("{vpc} has no IPv4 network")));
    };
    let mut adoption = Adoption { cidr, zones: slots(&place, &zones)?, parts: Vec::new(), notes: Vec::new() };
    adoption.part("vpc", vpc, team, None);
    for subnet in &place.subnets {
        adoption.part("subnet", &subnet.id, &format!("{}-{}", subnet.layer, subnet.zone), Some(subnet.layer));
    }
    for gateway in gateways.iter().filter_map(|g| g.internet_gateway_id()) {
        adoption.part("internet gateway", gateway, team, None);
    }
    adoption.tables(&place, &tables);
    adoption.nats(&place, &nats);
    let s3 = format!(".{}.s3", cloud.region());
    for endpoint in endpoints.iter().filter(|e| e.service_name().is_some_and(|n| n.ends_with(&s3))) {
        adoption.part("endpoint", endpoint.vpc_endpoint_id().unwrap_or_default(), "s3", None);
    }
    Ok(adoption)
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
            if !taken.insert(zone.clone()) {
                self.notes.push(format!("NAT gateway {id} is the second one in {zone}: it is left alone."));
                continue;
            }
            let name = format!("nat-{zone}");
            self.part("NAT gateway", id, &name, None);
            for address in nat.nat_gateway_addresses().iter().filter_map(|a| a.allocation_id()) {
                self.part("elastic IP", address, &name, None);
            }
        }
    }
}

/// Puts the team's tags on the parts. Doing it twice is harmless.
///
/// # Errors
/// What AWS answers.
pub async fn take(cloud: &Cloud, owner: &TeamOwner, adoption: &Adoption) -> Result<()> {
    for part in &adoption.parts {
        let mut tags: Vec<Tag> = ec2_tags(&owner.tags(&part.name));
        tags.extend(part.layer.map(|l| Tag::builder().key(LAYER).value(l.as_str()).build()));
        let call = cloud.ec2().create_tags().resources(&part.id).set_tags(Some(tags));
        call.send().await.told(cloud, "ec2:CreateTags", format!("{} {}", part.kind, part.id))?;
    }
    Ok(())
}

/// The id of a team's VPC in this region.
///
/// # Errors
/// What AWS answers.
pub async fn vpc_of(cloud: &Cloud, owner: &TeamOwner, name: &str) -> Result<Option<String>> {
    let all = super::lists::vpcs(cloud, owner).await?;
    let found = all.iter().find(|v| tag_map(v.tags()).get("Name").map(String::as_str) == Some(name));
    Ok(found.and_then(|v| v.vpc_id()).map(str::to_owned))
}
