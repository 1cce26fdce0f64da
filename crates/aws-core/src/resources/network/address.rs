//! Elastic IP addresses.
use super::{
    gateways::InternetGateway,
    ids::AllocationId,
    kinds::{KindId, On, Part, listed},
    lists::{self, Tagged, tagged},
    waiting::nameless,
};
use crate::{
    Result,
    cloud::{Cloud, Told as _, operations::ec2, quotas},
    engine::{Change, Cx, Needs, Resource, Use},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{kind::named, tag_drift},
};
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

/// A public IPv4 address that stays the same, whatever uses it. An account has 5 in a region, until its quota is
/// raised ("EC2-VPC Elastic IPs").
#[derive(Needs)]
pub struct ElasticIp {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
}

tagged!(Address);

impl Part for ElasticIp {
    const NAME: &'static str = "elastic IP address";
    const OF_VPC: Option<&'static str> = None;
    const ON: On = &[KindId::of::<InternetGateway>];
    type Item = Address;
    type Output = AllocationId;

    fn id(item: &Address) -> &str {
        item.allocation_id().unwrap_or_default()
    }
    listed!(describe_addresses => addresses);

    /// Gives it back. A gateway or instance that is going away holds it for a while.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Address) -> Result<()> {
        let id = Self::id(item);
        let done = cloud.ec2().release_address().allocation_id(id).send().await.unless_gone(cloud, name).map(drop);
        done.map_err(|e| {
            // The interface of a gateway is AWS's own: some answers say that, and not that the address is in use.
            let theirs = e.code() == Some("AuthFailure") && e.to_string().contains("access the specified resource");
            let used = theirs || e.code() == Some("InvalidIPAddress.InUse");
            let e = if theirs { e.retryable() } else { e };
            if used {
                e.hint(format!("Something still uses {id}: disassociate it, then run the same command."))
            } else {
                e
            }
        })
    }
    fn output(live: &Address) -> AllocationId {
        AllocationId(Self::id(live).to_owned())
    }
}

impl Resource for ElasticIp {
    named!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::ADDRESSES.name, 1)]
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Address) -> Vec<Change> {
        tag_drift::changes(&self.owner, &live.tag_map())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Address> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().allocate_address().domain(DomainType::Vpc);
        let made = call.tag_specifications(lists::specification(ResourceType::ElasticIp, &tags)).send().await;
        let made = made.told(cx.cloud, &self.name)?;
        let id = made.allocation_id.ok_or_else(nameless::<ec2::AllocateAddress>)?;
        let address = Address::builder().allocation_id(id).set_public_ip(made.public_ip);
        Ok(address.set_tags(Some(lists::ec2_tags(&tags))).build())
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Address, _: &[Change]) -> Result<Address> {
        lists::retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        Ok(live.clone())
    }
}
