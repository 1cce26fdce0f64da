//! Subnets.
use super::{
    fresh::{known, settled},
    ids::{SubnetId, VpcId},
    kinds::{self, KindId, On, Part, listed},
    lists::{self, Tagged as _, retag},
    vpc::{Vpc, fits},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, wait::Look},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{Layer, Owning as _, TeamOwner, tag_rules, tags::LAYER},
    resources::{
        compare::Fixed,
        kind::{found_through, itself},
        tag_drift,
    },
};
use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, Subnet as Live, SubnetCidrBlockStateCode as State, SubnetState,
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The only size of a subnet's IPv6 network that a /56 is cut into here, in bits.
const IPV6: u8 = 64;

/// A subnet. Nothing in it gets a public IPv4 address by itself.
#[derive(Clone, Needs)]
pub struct Subnet {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is in.
    pub vpc: Ref<VpcId>,
    /// The id of its availability zone, e.g. `euw1-az1`: the same place in every account.
    pub zone_id: String,
    /// Its IPv4 network.
    pub cidr: Ipv4Net,
    /// Its layer, written as a tag.
    pub layer: Layer,
    /// Its IPv6 network: the one of this number (from 0) among the /64 of the VPC's /56.
    pub ipv6_index: Option<u8>,
}

impl Subnet {
    /// The IPv6 network that it should have, as far as the VPC's is known.
    fn ipv6(&self, cx: &Cx<'_, Cloud>) -> Option<Ipv6Net> {
        nth(cx.try_get(self.vpc)?.ipv6?, self.ipv6_index?)
    }

    fn tags(&self) -> std::collections::BTreeMap<String, String> {
        let mut tags = self.owner.tags(&self.name);
        tags.insert(LAYER.into(), self.layer.to_string());
        tags
    }

    /// Makes it as it should be, and tells what it is then. The network, the zone and the VPC are right.
    async fn converge(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<Live> {
        let (cloud, id, name) = (cx.cloud, Self::id(live), self.name.as_str());
        let value = |on| AttributeBooleanValue::builder().value(on).build();
        // One attribute a call (`ModifySubnetAttribute`).
        if live.map_public_ip_on_launch() == Some(true) {
            known(name, || async {
                let call = cloud.ec2().modify_subnet_attribute().subnet_id(id);
                call.map_public_ip_on_launch(value(false)).send().await.told(cloud, name)
            })
            .await?;
        }
        let mut now = live.clone();
        if self.ipv6_index.is_some() {
            if ipv6(live).is_none() {
                let wanted = self.ipv6(cx).ok_or_else(|| {
                    Error::failed(format!("subnet {name} needs an IPv6 network, and its VPC has none to give"))
                })?;
                if !live.ipv6_cidr_block_association_set().iter().any(|a| state(a) == Some(&State::Associating)) {
                    let call = cloud.ec2().associate_subnet_cidr_block().subnet_id(id);
                    call.ipv6_cidr_block(wanted.to_string()).send().await.told(cloud, name)?;
                }
                now = self.usable(cloud, id).await?;
            }
            if live.assign_ipv6_address_on_creation() != Some(true) {
                known(name, || async {
                    let call = cloud.ec2().modify_subnet_attribute().subnet_id(id);
                    call.assign_ipv6_address_on_creation(value(true)).send().await.told(cloud, name)
                })
                .await?;
            }
        }
        retag(cloud, &self.owner, (id, name), &live.tag_map(), &[(LAYER, self.layer.as_str())]).await?;
        Ok(now)
    }

    /// Waits until it is available, with its IPv6 network.
    async fn usable(&self, cloud: &Cloud, id: &str) -> Result<Live> {
        settled(&format!("subnet {}", self.name), || async {
            let told = cloud.ec2().describe_subnets().subnet_ids(id).send().await.unless_gone(cloud, &self.name)?;
            let Some(subnet) = told.and_then(|t| t.subnets.unwrap_or_default().into_iter().next()) else {
                return Ok(Look::NotYet("AWS does not know it yet".into()));
            };
            if subnet.state() == Some(&SubnetState::Pending) {
                return Ok(Look::NotYet("pending".into()));
            }
            if self.ipv6_index.is_some() && ipv6(&subnet).is_none() {
                return Ok(Look::NotYet("it has no IPv6 network yet".into()));
            }
            Ok(Look::Done(subnet))
        })
        .await
    }
}

/// The /64 of this number in a VPC's network.
fn nth(vpc: Ipv6Net, index: u8) -> Option<Ipv6Net> {
    vpc.subnets(IPV6).ok()?.nth(index.into())
}

fn state(association: &aws_sdk_ec2::types::SubnetIpv6CidrBlockAssociation) -> Option<&State> {
    association.ipv6_cidr_block_state()?.state()
}

/// The subnet's IPv6 network.
fn ipv6(live: &Live) -> Option<Ipv6Net> {
    let unusable = [State::Associating, State::Disassociated, State::Disassociating, State::Failed, State::Failing];
    let all = live.ipv6_cidr_block_association_set().iter();
    let mut usable = all.filter(|a| !state(a).is_some_and(|s| unusable.contains(s)));
    usable.find_map(|a| a.ipv6_cidr_block()?.parse().ok())
}

impl Part for Subnet {
    const NAME: &'static str = "subnet";
    const WHOLE: bool = true;
    const ON: On = &[KindId::of::<Vpc>];
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        item.subnet_id().unwrap_or_default()
    }
    listed!(describe_subnets);

    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let done = cloud.ec2().delete_subnet().subnet_id(Self::id(item)).send().await.unless_gone(cloud, name);
        // Network interfaces of what is going away hold it for minutes.
        let hint = "Something is still in the subnet: instances, load balancers, network interfaces.";
        done.map_err(|e| e.hint(hint)).map(drop)
    }
    fn output(_: &Live) {}
}

impl Identity for Subnet {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = SubnetId;
    fn name(&self) -> String {
        self.name.clone()
    }
    found_through!(vpc);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        if let Some(live) = kinds::named::<Self>(cx.cloud, &self.owner, &self.name).await? {
            return Ok(Some(live));
        }
        // AWS would refuse it in the middle of the work: one of somebody else's is in the way.
        let Some(vpc) = cx.try_get(self.vpc) else { return Ok(None) };
        let overlaps = |s: &Live| {
            let cidr = s.cidr_block().and_then(|c| c.parse::<IpNet>().ok());
            cidr.is_some_and(|c| c.contains(&IpNet::V4(self.cidr)) || IpNet::V4(self.cidr).contains(&c))
        };
        let all = kinds::all::<Self>(cx.cloud).await?;
        for other in all.iter().filter(|s| s.vpc_id() == Some(&vpc.id) && overlaps(s)) {
            let id = Self::id(other);
            let what = other.tag_name().unwrap_or(id);
            let what = format!("{what} ({id}, {})", other.cidr_block().unwrap_or_default());
            self.owner.claim(Self::KIND, &what, &other.tag_map())?;
        }
        Ok(None)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, live).await
    }
    fn output(&self, live: &Live) -> SubnetId {
        SubnetId(Self::id(live).to_owned())
    }
}

impl Resource for Subnet {
    itself!();

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.tags()), fits(self.cidr, &format!("subnet {}", self.name))])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let hint = "AWS does not change this of a subnet: write the old value back, or empty and delete the subnet \
                    first and let it be made anew.";
        let mut fixed = Fixed::new(hint);
        fixed.compare("network", live.cidr_block(), Some(self.cidr.trunc()));
        fixed.compare("zone", live.availability_zone_id(), Some(&self.zone_id));
        fixed.compare("VPC", live.vpc_id(), cx.try_get(self.vpc).map(|v| &v.id));
        let mut changes = fixed.changes;
        if let Some(index) = self.ipv6_index {
            match (ipv6(live), self.ipv6(cx)) {
                (None, Some(wanted)) => changes.push(Change::new("IPv6 network", "-", wanted)),
                (None, None) => {
                    changes.push(Change::new("IPv6 network", "-", format!("/64 number {index} of the VPC's")))
                }
                (Some(there), Some(wanted)) if there != wanted => {
                    changes.push(Change::refused("IPv6 network", there, wanted, hint));
                }
                _ => {}
            }
            if live.assign_ipv6_address_on_creation() != Some(true) {
                changes.push(Change::new("IPv6 addresses", "on request", "for everything"));
            }
        }
        if live.map_public_ip_on_launch() == Some(true) {
            changes.push(Change::new("public addresses", "for everything", "on request"));
        }
        let tags = live.tag_map();
        let layer = tags.get(LAYER).map_or("-", String::as_str);
        Change::compare(&mut changes, "layer", &layer, &self.layer.as_str());
        changes
            .extend(tag_drift::changes(&self.owner, &tags).into_iter().filter(|c| c.field != format!("tag {LAYER}")));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let vpc = cx.get(self.vpc);
        let wanted = self.ipv6(cx);
        if self.ipv6_index.is_some() && wanted.is_none() {
            return Err(Error::failed(format!(
                "subnet {} needs an IPv6 network, and its VPC {} has none to give",
                self.name, vpc.id
            )));
        }
        let made = known(&self.name, || async {
            let call = cx.cloud.ec2().create_subnet().vpc_id(&vpc.id).availability_zone_id(&self.zone_id);
            let call = call.cidr_block(self.cidr.trunc().to_string());
            let call = call.set_ipv6_cidr_block(wanted.map(|n| n.to_string()));
            let call = call.tag_specifications(lists::specification(ResourceType::Subnet, &self.tags()));
            call.send().await.told(cx.cloud, &self.name)
        })
        .await
        .map_err(|e| match e.code() {
            Some("InvalidSubnet.Conflict") => {
                e.hint("Another subnet of the VPC has some of these addresses: delete it first.")
            }
            _ => e,
        })?;
        let live = self.usable(cx.cloud, made.subnet().map(Self::id).unwrap_or_default()).await?;
        self.converge(cx, &live).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx, live).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_counted_from_the_vpcs() {
        let vpc: Ipv6Net = "2a05:d018:1:ab00::/56".parse().unwrap();
        assert_eq!(nth(vpc, 0), Some("2a05:d018:1:ab00::/64".parse().unwrap()));
        assert_eq!(nth(vpc, 255), Some("2a05:d018:1:abff::/64".parse().unwrap()));
        // Cut smaller, it does not have that many.
        assert_eq!(nth("2a05:d018:1:ab00::/63".parse().unwrap(), 2), None);
    }
}
