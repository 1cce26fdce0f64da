//! The way to the internet for IPv6, outwards only: egress-only internet gateways, which cost nothing.
use super::{
    fresh::known,
    gateways::{attached, attachment},
    ids::VpcId,
    kinds::{KindId, On, Part, listed},
    lists::{self, Tagged as _, retag, tagged},
    vpc::Vpc,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::ec2, quotas},
    engine::{Change, Cx, Needs, Ref, Resource, Use},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{kind::named, tag_drift},
};
use aws_sdk_ec2::types::{EgressOnlyInternetGateway as Live, ResourceType};

/// An egress-only internet gateway: IPv6, outwards only.
#[derive(Needs)]
pub struct EgressOnlyGateway {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The VPC it is attached to.
    pub vpc: Ref<VpcId>,
}

/// An egress-only internet gateway, `eigw-..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressGatewayId(pub String);

tagged!(Live);

impl Part for EgressOnlyGateway {
    const NAME: &'static str = "egress-only internet gateway";
    const OF_VPC: Option<&'static str> = None;
    const STANDS: bool = true;
    const RARE: Option<&'static str> = Some("egress-only-internet-gateway");
    const ON: On = &[KindId::of::<Vpc>];
    type Item = Live;
    type Output = EgressGatewayId;

    fn id(item: &Live) -> &str {
        item.egress_only_internet_gateway_id().unwrap_or_default()
    }
    fn stands_in(item: &Live, vpc: &str) -> bool {
        attached(item.attachments()) == Some(vpc)
    }
    listed!(describe_egress_only_internet_gateways);

    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let call = cloud.ec2().delete_egress_only_internet_gateway().egress_only_internet_gateway_id(Self::id(item));
        call.send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(live: &Live) -> EgressGatewayId {
        EgressGatewayId(Self::id(live).to_owned())
    }
}

impl Resource for EgressOnlyGateway {
    named!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::EGRESS_GATEWAYS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let attachment = attachment(attached(live.attachments()), cx.try_get(self.vpc), false);
        attachment.into_iter().chain(tag_drift::changes(&self.owner, &live.tag_map())).collect()
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let made = known(&self.name, || async {
            let call = cx.cloud.ec2().create_egress_only_internet_gateway().vpc_id(&cx.get(self.vpc).id);
            let call = call.tag_specifications(lists::specification(ResourceType::EgressOnlyInternetGateway, &tags));
            let call = call.client_token(cx.cloud.token::<ec2::CreateEgressOnlyInternetGateway>(&self.name));
            call.send().await.told(cx.cloud, &self.name)
        })
        .await?;
        made.egress_only_internet_gateway.ok_or_else(|| Error::failed("AWS answered without the gateway it made"))
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        Ok(live.clone())
    }
}
