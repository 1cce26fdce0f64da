//! What sits in a VPC without having been made by `overlord` for the team: what deleting the VPC would take down, or
//! fail on.
use crate::{
    Result,
    cloud::{Cloud, Told as _, ec2::filter, network::tag_map},
    model::{
        Owning as _, TeamOwner,
        tags::{APPLICATION, Whose},
    },
    resources::{
        load_balancer,
        network::{
            kinds::{self, KindId},
            nat_gateway::NatGateway,
            nat_instance::{Machine, MachineGroup},
            peering,
        },
        security_group::list_of_vpc,
    },
};
use aws_sdk_ec2::types::{Filter, Instance, NetworkAcl, NetworkInterface, NetworkInterfaceType as Type, Tag};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The kind of a peering connection; its `of` is the VPC on the other side.
pub const PEERING: &str = "peering connection";

/// Something in a VPC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occupant {
    /// What it is: `load balancer`, `instance`, ..
    pub kind: String,
    /// Its id or ARN.
    pub id: String,
    /// Its name, when it has one.
    pub name: Option<String>,
    /// What it belongs to: minion's application, what a network interface serves, or the VPC on the other side of a
    /// [`PEERING`].
    pub of: Option<String>,
}

impl fmt::Display for Occupant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} {name} ({})", self.kind, self.id)?,
            None => write!(f, "{} {}", self.kind, self.id)?,
        }
        self.of.iter().try_for_each(|of| write!(f, " of {of}"))
    }
}

/// All that is in a VPC and is not this owner's: applications of minion, load balancers, instances, databases and
/// other services (by their network interfaces), subnets, route tables, security groups, endpoints, gateways, peering
/// connections and attachments. Sorted.
///
/// A peering connection that another account asked for shows no tags here: whether its other side is a team's, the
/// caller knows.
pub async fn occupants(cloud: &Cloud, vpc: &str, owner: &TeamOwner) -> Result<Vec<Occupant>> {
    let place = Place { cloud, vpc, owner };
    let (applications, machines, balancers, parts) =
        futures::try_join!(place.applications(), place.machines(), place.load_balancers(), place.parts())?;
    let all = applications.into_iter().chain(machines).chain(balancers).chain(parts);
    // Several interfaces may serve one thing.
    Ok(all.collect::<BTreeSet<_>>().into_iter().collect())
}

struct Place<'a> {
    cloud: &'a Cloud,
    vpc: &'a str,
    owner: &'a TeamOwner,
}

/// A thing with EC2's tags.
fn thing(kind: &str, id: Option<&str>, tags: &[Tag]) -> Occupant {
    thing_of(kind, id, tag_map(tags))
}

fn thing_of(kind: &str, id: Option<&str>, mut tags: BTreeMap<String, String>) -> Occupant {
    let name = tags.remove("Name").filter(|n| !n.is_empty());
    let of = tags.remove(APPLICATION).map(|a| format!("application {a}"));
    Occupant { kind: kind.into(), id: id.unwrap_or_default().into(), name, of }
}

impl Place<'_> {
    fn ours(&self, tags: &[Tag]) -> bool {
        self.owner.whose(&tag_map(tags)) == Whose::Ours
    }

    /// The applications of minion, by their parameters' names: one that cannot be read counts, too.
    async fn applications(&self) -> Result<Vec<Occupant>> {
        let path = format!("/minion/{}/applications", self.vpc);
        let pages = self.cloud.ssm().get_parameters_by_path().path(&path).into_paginator().send();
        let pages: Result<Vec<_>, _> = pages.collect().await;
        let pages = pages.told(self.cloud, &path)?;
        let told = pages.iter().flat_map(|p| p.parameters()).filter_map(|p| p.name()).map(|id| Occupant {
            kind: "application".into(),
            id: id.to_owned(),
            name: id.rsplit('/').next().map(str::to_owned),
            of: None,
        });
        Ok(told.collect())
    }

    /// Instances, and the services that have network interfaces here.
    async fn machines(&self) -> Result<Vec<Occupant>> {
        let ec2 = self.cloud.ec2();
        let interfaces = async {
            let pages = ec2.describe_network_interfaces().filters(filter("vpc-id", self.vpc)).into_paginator();
            let all: Result<Vec<NetworkInterface>, _> = pages.items().send().collect().await;
            all.told(self.cloud, self.vpc)
        };
        let instances = async {
            let living = ["pending", "running", "stopping", "stopped"].map(str::to_owned).to_vec();
            let states = Filter::builder().name("instance-state-name").set_values(Some(living)).build();
            let call = ec2.describe_instances().filters(filter("vpc-id", self.vpc)).filters(states);
            let pages: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
            let pages = pages.told(self.cloud, self.vpc)?;
            Ok(pages.into_iter().flat_map(|r| r.instances.unwrap_or_default()).collect::<Vec<Instance>>())
        };
        let nats = kinds::seen_in::<NatGateway>(self.cloud, self.vpc);
        let (interfaces, instances, nats) = futures::try_join!(interfaces, instances, nats)?;
        // Those that are being deleted have theirs still.
        let of_nats: BTreeSet<&str> =
            nats.iter().flat_map(|g| g.nat_gateway_addresses()).filter_map(|a| a.network_interface_id()).collect();
        let of_nat = |i: &&NetworkInterface| i.network_interface_id().is_some_and(|id| of_nats.contains(id));
        let mut all: Vec<Occupant> = instances
            .iter()
            .filter(|i| !self.ours(i.tags()))
            .map(|i| thing("instance", i.instance_id(), i.tags()))
            .collect();
        all.extend(interfaces.iter().filter(|i| !of_nat(i) && !self.ours(i.tag_set())).filter_map(served));
        Ok(all)
    }

    async fn load_balancers(&self) -> Result<Vec<Occupant>> {
        let here = load_balancer::of_vpc(self.cloud, self.vpc).await?.into_iter();
        let told = here.map(|b| Occupant {
            kind: "load balancer".into(),
            id: b.load_balancer_arn.unwrap_or_default(),
            name: b.load_balancer_name,
            of: None,
        });
        Ok(told.collect())
    }

    /// What a VPC consists of, and what ties it to the world.
    async fn parts(&self) -> Result<Vec<Occupant>> {
        let kinds = KindId::all().filter(|kind| !self.listed_otherwise(*kind));
        let all = kinds.map(|kind| kind.foreign(self.cloud, self.owner, self.vpc));
        let (all, groups, acls, peerings) = futures::try_join!(
            futures::future::try_join_all(all),
            list_of_vpc(self.cloud, self.vpc),
            self.acls(),
            peering::peers_of(self.cloud, self.vpc),
        )?;
        let mut told: Vec<Occupant> =
            all.into_iter().flatten().map(|(kind, id, tags)| thing_of(kind, Some(&id), tags)).collect();
        told.extend(acls);
        // The default group goes with the VPC.
        for group in groups.iter().filter(|g| g.group_name() != Some("default") && !self.ours(g.tags())) {
            let name = group.group_name().map(str::to_owned);
            told.push(Occupant { name, ..thing("security group", group.group_id(), group.tags()) });
        }
        for (connection, other) in peerings.iter().filter(|(c, _)| !self.ours(c.tags())) {
            let one = thing(PEERING, connection.vpc_peering_connection_id(), connection.tags());
            told.push(Occupant { of: Some(other.clone()), ..one });
        }
        Ok(told)
    }

    /// Groups and instances are more than those of NAT instances, and are listed with their names.
    fn listed_otherwise(&self, kind: KindId) -> bool {
        [KindId::of::<Machine>(), KindId::of::<MachineGroup>()].contains(&kind)
    }

    /// The default network ACL goes with the VPC.
    async fn acls(&self) -> Result<Vec<Occupant>> {
        let call = self.cloud.ec2().describe_network_acls().filters(filter("vpc-id", self.vpc));
        let all: Result<Vec<NetworkAcl>, _> = call.into_paginator().items().send().collect().await;
        let all = all.told(self.cloud, self.vpc)?;
        let foreign = all.iter().filter(|a| a.is_default() != Some(true) && !self.ours(a.tags()));
        Ok(foreign.map(|a| thing("network ACL", a.network_acl_id(), a.tags())).collect())
    }
}

/// What a network interface serves; `None` for what is listed by itself.
fn served(interface: &NetworkInterface) -> Option<Occupant> {
    let description = interface.description().unwrap_or_default();
    let instance = interface.attachment().and_then(|a| a.instance_id()).is_some_and(|i| !i.is_empty());
    let listed = [Type::NatGateway, Type::TransitGateway, Type::VpcEndpoint, Type::GatewayLoadBalancerEndpoint];
    let elsewhere = ["ELB app/", "ELB net/", "ELB gwy/", "Interface for NAT Gateway ", "VPC Endpoint Interface "];
    if instance
        || interface.interface_type().is_some_and(|t| listed.contains(t))
        || elsewhere.iter().any(|e| description.starts_with(e))
    {
        return None;
    }
    let id = interface.network_interface_id();
    let told = |kind: &str, rest: &str| {
        let name = Some(rest.trim().to_owned()).filter(|n| !n.is_empty());
        Occupant { name, ..thing(kind, id, interface.tag_set()) }
    };
    // As the services describe their interfaces ("Requester-managed network interfaces").
    let by = interface.requester_id().unwrap_or_default();
    Some(match interface.interface_type() {
        _ if description == "RDSNetworkInterface" || by == "amazon-rds" => told("database (RDS)", ""),
        Some(Type::Lambda) => {
            told("Lambda function", description.strip_prefix("AWS Lambda VPC ENI-").unwrap_or(description))
        }
        _ => {
            let prefixes = [
                ("AWS Lambda VPC ENI", "Lambda function"),
                ("EFS mount target for ", "file system (EFS)"),
                ("ElastiCache ", "cache (ElastiCache)"),
                ("ELB ", "classic load balancer"),
                ("RedshiftNetworkInterface", "data warehouse (Redshift)"),
                ("arn:aws:ecs:", "container task (ECS)"),
            ];
            match prefixes.iter().find_map(|(start, kind)| Some((*kind, description.strip_prefix(start)?))) {
                Some((kind, rest)) => told(kind, rest),
                None => {
                    let plain = thing("network interface", id, interface.tag_set());
                    Occupant { name: plain.name.or(Some(description.to_owned()).filter(|d| !d.is_empty())), ..plain }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::NetworkInterfaceAttachment;

    fn interface(kind: Type, description: &str) -> NetworkInterface {
        let it = NetworkInterface::builder().network_interface_id("eni-1").interface_type(kind);
        it.description(description).build()
    }

    #[test]
    fn interfaces_say_what_they_serve() {
        let told = |kind, description: &str| served(&interface(kind, description)).map(|o| o.to_string());
        let plain = Type::Interface;
        assert_eq!(told(plain.clone(), "RDSNetworkInterface").unwrap(), "database (RDS) eni-1");
        assert_eq!(told(Type::Lambda, "AWS Lambda VPC ENI-mail-3f").unwrap(), "Lambda function mail-3f (eni-1)");
        assert_eq!(told(plain.clone(), "ElastiCache red-001").unwrap(), "cache (ElastiCache) red-001 (eni-1)");
        assert_eq!(told(plain.clone(), "by hand").unwrap(), "network interface by hand (eni-1)");
        assert_eq!(told(plain.clone(), "").unwrap(), "network interface eni-1");
        assert_eq!(told(plain.clone(), "ELB app/shop/1f"), None);
        assert_eq!(told(Type::NatGateway, "Interface for NAT Gateway nat-1"), None);
        assert_eq!(told(Type::TransitGateway, "Network Interface for Transit Gateway Attachment"), None);
        let attached = NetworkInterfaceAttachment::builder().instance_id("i-1").build();
        let of_instance = NetworkInterface::builder().network_interface_id("eni-1").attachment(attached).build();
        assert_eq!(served(&of_instance), None);
    }

    #[test]
    fn they_read_well_in_a_listing() {
        let mut it = thing("load balancer", Some("arn:1"), &[]);
        assert_eq!(it.to_string(), "load balancer arn:1");
        (it.name, it.of) = (Some("app-x".into()), Some("application shop".into()));
        assert_eq!(it.to_string(), "load balancer app-x (arn:1) of application shop");
    }
}
