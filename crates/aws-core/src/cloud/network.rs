//! A VPC and its subnets, with the layer of each.
use super::{Cloud, Told as _, egress};
use crate::{
    Error, Result,
    model::Layer,
    resources::network::{kinds::in_vpc, route_table, subnet},
};
use aws_sdk_ec2::types::{RouteState, RouteTable, Subnet as Ec2Subnet, SubnetState, Tag, Vpc, VpcCidrBlockStateCode};
use ipnet::Ipv4Net;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The predecessor's tag with settings of a VPC, in YAML.
const CONFIG_TAG: &str = "Config";

/// A VPC, as far as deployments care.
#[derive(Debug, Clone)]
pub struct Place {
    /// The VPC's id.
    pub vpc: String,
    /// The account that owns the VPC.
    pub account: String,
    /// Its IPv4 address ranges.
    pub cidrs: Vec<Ipv4Net>,
    /// The text of its `Config` tag: settings, the predecessor's way.
    pub config_tag: Option<String>,
    /// Its `Name` tag.
    pub name: Option<String>,
    /// Its subnets, in the order of zone and address.
    pub subnets: Vec<Subnet>,
}

/// A subnet of a [`Place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The subnet's id.
    pub id: String,
    /// Its `Name` tag.
    pub name: Option<String>,
    /// Its availability zone, e.g. `eu-west-1a`.
    pub zone: String,
    /// Its IPv4 address range.
    pub cidr: Ipv4Net,
    /// Its layer.
    pub layer: Layer,
}

/// Subnets that were chosen, one for each zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The subnets' ids, in the order of `zones`.
    pub ids: Vec<String>,
    /// Their zones, sorted.
    pub zones: Vec<String>,
    /// The layer they are in; not the wanted one when there is a warning.
    pub layer: Layer,
    /// Set when the wanted layer is missing and another one stands in.
    pub warning: Option<String>,
}

impl Choice {
    /// Those of the subnets that are in one of `zones`, and the zones that are thereby left out. A load balancer
    /// sends nothing to instances in zones in which it does not stand (ELBv2: target state `unused`,
    /// `Target.NotInUse`).
    pub fn within(&self, zones: &[String]) -> (Self, Vec<String>) {
        let (mut kept, mut dropped) = (Self { ids: Vec::new(), zones: Vec::new(), ..self.clone() }, Vec::new());
        for (id, zone) in self.ids.iter().zip(&self.zones) {
            if zones.contains(zone) {
                kept.ids.push(id.clone());
                kept.zones.push(zone.clone());
            } else {
                dropped.push(zone.clone());
            }
        }
        (kept, dropped)
    }

    /// An application load balancer needs subnets in two zones (ELBv2 `CreateLoadBalancer`, `Subnets`).
    ///
    /// # Errors
    /// A refusal that names `what` and the only zone.
    pub fn require_two_zones(&self, what: &str) -> Result<()> {
        if self.zones.len() >= 2 {
            return Ok(());
        }
        let zones = self.zones.join(", ");
        Err(Error::refused(format!(
            "{what} needs {} subnets in two availability zones; there are some in {zones} only",
            self.layer
        ))
        .hint(format!(
            "AWS refuses an application load balancer in one zone. Add a {} subnet in a second zone (tag it `layer: {}`).",
            self.layer, self.layer
        )))
    }
}

impl Place {
    /// The subnets of this layer: the largest of each zone, sorted by zone.
    pub fn layer(&self, layer: Layer) -> Vec<&Subnet> {
        let mut by_zone: BTreeMap<&str, &Subnet> = BTreeMap::new();
        for subnet in self.subnets.iter().filter(|s| s.layer == layer) {
            let rank = |s: &Subnet| (Reverse(s.cidr.prefix_len()), Reverse(s.id.clone()));
            let best = by_zone.entry(&subnet.zone).or_insert(subnet);
            if rank(subnet) > rank(best) {
                *best = subnet;
            }
        }
        by_zone.into_values().collect()
    }

    /// Subnets for `what` (`the load balancer`), in the wanted layer. Where that layer is missing, the
    /// public one stands in, then the other inner one, with a warning. Nothing stands in for public.
    ///
    /// # Errors
    /// A refusal, when no subnet will do.
    pub fn choose(&self, wanted: Layer, what: &str) -> Result<Choice> {
        let order: &[Layer] = match wanted {
            Layer::Public => &[Layer::Public],
            Layer::Shared => &[Layer::Shared, Layer::Public, Layer::Private],
            Layer::Private => &[Layer::Private, Layer::Public, Layer::Shared],
        };
        for &layer in order {
            let subnets = self.layer(layer);
            if subnets.is_empty() {
                continue;
            }
            let warning = (layer != wanted)
                .then(|| format!("{} has no {wanted} subnets: {what} goes into the {layer} ones", self.vpc));
            return Ok(Choice {
                ids: subnets.iter().map(|s| s.id.clone()).collect(),
                zones: subnets.iter().map(|s| s.zone.clone()).collect(),
                layer,
                warning,
            });
        }
        Err(Error::refused(format!("{} has no {wanted} subnets for {what}", self.vpc)).hint(format!(
            "Add subnets, or tag those that are meant with `layer: {wanted}`; without a tag, a default route to an internet gateway makes a subnet public."
        )))
    }
}

/// Reads the VPC, its subnets and its route tables, at the same time.
///
/// # Errors
/// Not found, when there is no such VPC in this region and account; what AWS answers otherwise.
pub async fn load(cloud: &Cloud, vpc: &str) -> Result<Place> {
    let vpcs = async {
        let pages = cloud.ec2().describe_vpcs().vpc_ids(vpc).into_paginator().items().send();
        pages.collect::<Result<Vec<Vpc>, _>>().await.unless_gone(cloud, vpc)
    };
    let (subnets, tables) = (in_vpc::<subnet::Subnet>(cloud, vpc), in_vpc::<route_table::RouteTable>(cloud, vpc));
    let (vpcs, subnets, tables) = futures::try_join!(vpcs, subnets, tables)?;
    let Some(found) = vpcs.and_then(|v| v.into_iter().next()) else {
        return Err(Error::not_found(format!("there is no VPC {vpc} in {}", cloud.region()))
            .hint("Check the id, the region and the profile; `configure` lists the VPCs that these credentials see."));
    };
    Ok(assemble(vpc, &found, &subnets, &tables, cloud.region()))
}

fn assemble(id: &str, vpc: &Vpc, subnets: &[Ec2Subnet], tables: &[RouteTable], region: &str) -> Place {
    let mut tags = tag_map(vpc.tags());
    let secondary = vpc
        .cidr_block_association_set()
        .iter()
        .filter(|a| {
            let state = a.cidr_block_state().and_then(|s| s.state());
            state.is_none_or(|s| *s == VpcCidrBlockStateCode::Associated)
        })
        .filter_map(|a| a.cidr_block());
    let cidrs: BTreeSet<Ipv4Net> =
        vpc.cidr_block().into_iter().chain(secondary).filter_map(|c| c.parse().ok()).collect();
    let mut subnets: Vec<Subnet> = subnets.iter().filter_map(|s| subnet(s, tables, region)).collect();
    subnets.sort_by(|a, b| (&a.zone, a.cidr).cmp(&(&b.zone, b.cidr)));
    Place {
        vpc: id.into(),
        account: vpc.owner_id().unwrap_or_default().into(),
        cidrs: cidrs.into_iter().collect(),
        config_tag: tags.remove(CONFIG_TAG),
        name: tags.remove("Name").filter(|n| !n.is_empty()),
        subnets,
    }
}

/// `None` for subnets that cannot hold what we make: without IPv4, on an Outpost, in a Local Zone or a
/// Wavelength Zone (a load balancer cannot span those and the region's own zones), or not available.
fn subnet(subnet: &Ec2Subnet, tables: &[RouteTable], region: &str) -> Option<Subnet> {
    let id = subnet.subnet_id()?;
    let zone = subnet.availability_zone()?;
    let of_region = zone.strip_prefix(region).is_some_and(|letter| letter.len() == 1);
    let available = subnet.state().is_none_or(|s| *s == SubnetState::Available);
    if !of_region || !available || subnet.outpost_arn().is_some() {
        return None;
    }
    let mut tags = tag_map(subnet.tags());
    let layer = Layer::of_subnet(&tags, to_internet(tables, id));
    let cidr = subnet.cidr_block()?.parse().ok()?;
    let name = tags.remove("Name").filter(|n| !n.is_empty());
    Some(Subnet { id: id.into(), name, zone: zone.into(), cidr, layer })
}

/// Whether the subnet's default route goes to an internet gateway. The main route table counts for a
/// subnet that has none of its own.
fn to_internet(tables: &[RouteTable], subnet: &str) -> bool {
    egress::table_of(tables, subnet).is_some_and(|table| {
        table.routes().iter().any(|r| {
            r.destination_cidr_block() == Some("0.0.0.0/0")
                && r.gateway_id().is_some_and(|g| g.starts_with("igw-"))
                && r.state().is_none_or(|s| *s == RouteState::Active)
        })
    })
}

/// EC2's tags as a map.
pub(crate) fn tag_map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|t| Some((t.key()?.to_owned(), t.value().unwrap_or_default().to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{Route, RouteTableAssociation};

    fn place(subnets: &[(&str, &str, &str, Layer)]) -> Place {
        let subnets = subnets.iter().map(|(id, zone, cidr, layer)| Subnet {
            id: (*id).into(),
            name: None,
            zone: (*zone).into(),
            cidr: cidr.parse().unwrap(),
            layer: *layer,
        });
        Place {
            vpc: "vpc-1".into(),
            account: "1".into(),
            cidrs: Vec::new(),
            config_tag: None,
            name: None,
            subnets: subnets.collect(),
        }
    }

    #[test]
    fn the_largest_subnet_of_each_zone_is_chosen() {
        let p = place(&[
            ("b", "z2", "10.0.2.0/24", Layer::Private),
            ("small", "z1", "10.0.1.0/26", Layer::Private),
            ("large", "z1", "10.0.4.0/23", Layer::Private),
            ("other", "z1", "10.0.6.0/23", Layer::Private),
            ("huge", "z1", "10.0.128.0/17", Layer::Public),
        ]);
        let choice = p.choose(Layer::Private, "the instances").unwrap();
        assert_eq!(choice.ids, ["large", "b"]);
        assert_eq!(choice.zones, ["z1", "z2"]);
        assert_eq!(choice.warning, None);
        choice.require_two_zones("the load balancer").unwrap();
    }

    #[test]
    fn a_missing_layer_falls_back_with_a_warning() {
        let public = place(&[("a", "z1", "10.0.1.0/24", Layer::Public)]);
        for wanted in [Layer::Shared, Layer::Private] {
            let choice = public.choose(wanted, "the thing").unwrap();
            assert_eq!(choice.layer, Layer::Public);
            let warning = choice.warning.clone().unwrap();
            assert!(warning.contains(wanted.as_str()) && warning.contains("the thing"), "{warning}");
            let e = choice.require_two_zones("the load balancer").unwrap_err();
            assert!(e.to_string().contains("z1") && !e.hints().is_empty(), "{e}");
        }
        let inner = place(&[("a", "z1", "10.0.1.0/24", Layer::Private)]);
        assert_eq!(inner.choose(Layer::Shared, "x").unwrap().layer, Layer::Private);
        assert!(inner.choose(Layer::Public, "x").is_err());
        assert!(place(&[]).choose(Layer::Private, "x").is_err());
    }

    #[test]
    fn only_zones_of_the_other_choice_are_kept() {
        let p = place(&[
            ("a", "z1", "10.0.1.0/24", Layer::Private),
            ("b", "z2", "10.0.2.0/24", Layer::Private),
            ("c", "z3", "10.0.3.0/24", Layer::Private),
        ]);
        let all = p.choose(Layer::Private, "the instances").unwrap();
        let zones = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(all.within(&all.zones), (all.clone(), Vec::new()));
        let (kept, dropped) = all.within(&zones(&["z3", "z1", "z9"]));
        assert_eq!((kept.ids, kept.zones, kept.layer), (zones(&["a", "c"]), zones(&["z1", "z3"]), Layer::Private));
        assert_eq!(dropped, ["z2"]);
        let (none, dropped) = all.within(&[]);
        assert_eq!((none.ids.len(), none.zones.len(), dropped.len()), (0, 0, 3));
    }

    fn table(id: &str, main: bool, subnet: Option<&str>, gateway: Option<&str>) -> RouteTable {
        let local = Route::builder().destination_cidr_block("10.0.0.0/16").gateway_id("local").build();
        let default = gateway.map(|g| Route::builder().destination_cidr_block("0.0.0.0/0").gateway_id(g).build());
        let association = RouteTableAssociation::builder().main(main).set_subnet_id(subnet.map(str::to_owned)).build();
        RouteTable::builder()
            .route_table_id(id)
            .associations(association)
            .set_routes(Some([local].into_iter().chain(default).collect()))
            .build()
    }

    #[test]
    fn the_main_route_table_counts_where_there_is_no_other() {
        let tables = [
            table("main", true, None, Some("igw-1")),
            table("nat", false, Some("inner"), None),
            table("edge", false, Some("vpn"), Some("vgw-1")),
        ];
        assert!(to_internet(&tables, "unassociated"));
        assert!(!to_internet(&tables, "inner"));
        assert!(!to_internet(&tables, "vpn"));
        assert!(!to_internet(&[], "any"));
    }

    #[test]
    fn subnets_that_cannot_hold_anything_are_left_out() {
        let make =
            |zone: &str| Ec2Subnet::builder().subnet_id("s").availability_zone(zone).cidr_block("10.0.0.0/24").build();
        assert!(subnet(&make("us-west-2a"), &[], "us-west-2").is_some());
        assert!(subnet(&make("us-west-2-lax-1a"), &[], "us-west-2").is_none());
        let ipv6_only = Ec2Subnet::builder().subnet_id("s").availability_zone("us-west-2a").build();
        assert!(subnet(&ipv6_only, &[], "us-west-2").is_none());
    }
}
