//! Internet gateways, and what they have in common with the egress-only ones.
use super::{
    fresh::known,
    ids::{GatewayId, VpcId},
    kinds::{self, KindId, On, Part, listed},
    lists::{self, Tagged as _, retag},
    vpc::Vpc,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, quotas},
    engine::{Change, Cx, Identity, Needs, Ref, Resource, Use},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{
        kind::{found_through, itself},
        tag_drift,
    },
};
use aws_sdk_ec2::types::{AttachmentStatus, InternetGateway as Live, InternetGatewayAttachment, ResourceType};

const ELSEWHERE: &str = "Detach it from the other VPC, or delete it, and run the same command again.";

/// An internet gateway, attached to its VPC.
#[derive(Clone, Needs)]
pub struct InternetGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is attached to.
    pub vpc: Ref<VpcId>,
}

/// The VPC that a gateway is attached to.
pub(super) fn attached(attachments: &[InternetGatewayAttachment]) -> Option<&str> {
    let leaving = [AttachmentStatus::Detaching, AttachmentStatus::Detached];
    attachments.iter().find(|a| !a.state().is_some_and(|s| leaving.contains(s)))?.vpc_id()
}

/// What differs of an attachment; only an egress-only gateway cannot be attached later.
pub(super) fn attachment(there: Option<&str>, wanted: Option<&VpcId>, later: bool) -> Option<Change> {
    match (there, wanted) {
        (Some(there), Some(wanted)) if there != wanted.id => {
            Some(Change::refused("attached to", there, &wanted.id, ELSEWHERE))
        }
        (None, wanted) => {
            let wanted = wanted.map_or("the VPC to be made", |v| v.id.as_str());
            Some(if later {
                Change::new("attached to", "-", wanted)
            } else {
                Change::refused("attached to", "-", wanted, "Delete it, and run the same command again.")
            })
        }
        _ => None,
    }
}

impl InternetGateway {
    async fn attach(&self, cx: &Cx<'_, Cloud>, id: &str) -> Result<()> {
        let vpc = &cx.get(self.vpc).id;
        known(&self.name, || async {
            let done = cx.cloud.ec2().attach_internet_gateway().internet_gateway_id(id).vpc_id(vpc).send().await;
            done.told(cx.cloud, &self.name)
        })
        .await
        .map(drop)
    }
}

impl Part for InternetGateway {
    const NAME: &'static str = "internet gateway";
    const OF_VPC: Option<&'static str> = Some("attachment.vpc-id");
    const WHOLE: bool = true;
    const ON: On = &[KindId::of::<Vpc>];
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        item.internet_gateway_id().unwrap_or_default()
    }
    listed!(describe_internet_gateways);

    /// Detaches it first.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let id = Self::id(item);
        // NAT gateways and load balancers that are going away hold public addresses for minutes.
        let busy = |e: Error| {
            e.hint("Something in the VPC still has a public address: instances, load balancers, NAT gateways.")
        };
        if let Some(vpc) = attached(item.attachments()) {
            let done = cloud.ec2().detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc).send().await;
            done.unless_gone(cloud, name).map_err(busy)?;
        }
        let done = cloud.ec2().delete_internet_gateway().internet_gateway_id(id).send().await;
        done.unless_gone(cloud, name).map_err(busy).map(drop)
    }
    fn output(_: &Live) {}
}

impl Identity for InternetGateway {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = GatewayId;
    fn name(&self) -> String {
        self.name.clone()
    }
    found_through!(vpc);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let found = kinds::named::<Self>(cx.cloud, &self.owner, &self.name).await?;
        // A VPC takes one: AWS would refuse ours in the middle of the work.
        if let Some(vpc) = cx.try_get(self.vpc) {
            let all = kinds::all::<Self>(cx.cloud).await?;
            let there = all.iter().find(|g| attached(g.attachments()) == Some(&vpc.id));
            let is_found =
                |g: &Live| found.as_ref().is_some_and(|f| f.internet_gateway_id() == g.internet_gateway_id());
            if let Some(other) = there.filter(|g| !is_found(g)) {
                let id = Self::id(other);
                self.owner.claim(Self::KIND, &format!("{id} of {}", vpc.id), &other.tag_map())?;
                return Err(Error::refused(format!("{} has another internet gateway of ours, {id}", vpc.id))
                    .hint(format!("Name it {}, or detach and delete it, and run the same command again.", self.name)));
            }
        }
        Ok(found)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, live).await
    }
    fn output(&self, live: &Live) -> GatewayId {
        GatewayId(Self::id(live).to_owned())
    }
}

impl Resource for InternetGateway {
    itself!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::INTERNET_GATEWAYS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let attachment = attachment(attached(live.attachments()), cx.try_get(self.vpc), true);
        attachment.into_iter().chain(tag_drift::changes(&self.owner, &live.tag_map())).collect()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().create_internet_gateway();
        let call = call.tag_specifications(lists::specification(ResourceType::InternetGateway, &tags));
        let made = call.send().await.told(cx.cloud, &self.name)?;
        let live = made.internet_gateway.ok_or_else(|| Error::failed("AWS answered without the gateway it made"))?;
        self.attach(cx, Self::id(&live)).await?;
        Ok(live)
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let id = Self::id(live);
        if attached(live.attachments()) != Some(&cx.get(self.vpc).id) {
            self.attach(cx, id).await?;
        }
        retag(cx.cloud, &self.owner, (id, &self.name), &live.tag_map(), &[]).await?;
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_attached_to_one_vpc() {
        let vpc = VpcId { id: "vpc-1".into(), ipv6: None };
        assert_eq!(attachment(Some("vpc-1"), Some(&vpc), true), None);
        assert_eq!(attachment(None, Some(&vpc), true), Some(Change::new("attached to", "-", "vpc-1")));
        assert!(attachment(None, Some(&vpc), false).unwrap().refused.is_some());
        assert!(attachment(Some("vpc-2"), Some(&vpc), true).unwrap().refused.is_some());
        let going = InternetGatewayAttachment::builder().vpc_id("vpc-1").state(AttachmentStatus::Detaching).build();
        assert_eq!(attached(&[going]), None);
    }
}
