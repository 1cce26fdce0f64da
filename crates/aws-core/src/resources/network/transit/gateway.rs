//! The transit gateway itself.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, network::tag_map, quotas, wait::Look},
    engine::{Change, Cx, Identity, Needs, Resource, Use},
    model::{
        Owning as _, TeamOwner, tag_rules,
        tags::{ORGANIZATION, Whose},
    },
    resources::{
        kind::itself,
        network::{
            ids::TransitGatewayId,
            lists::{filter, retag, specification},
            waiting::within,
        },
        tag_drift,
    },
};
use aws_sdk_ec2::types::{
    AutoAcceptSharedAttachmentsValue as AutoAccept, DefaultRouteTableAssociationValue as Association,
    DefaultRouteTablePropagationValue as Propagation, DnsSupportValue as Dns, ModifyTransitGatewayOptions,
    ResourceType, TransitGateway as Live, TransitGatewayAttachment as Attachment,
    TransitGatewayAttachmentResourceType as AttachmentKind, TransitGatewayAttachmentState as AttachmentState,
    TransitGatewayRequestOptions, TransitGatewayState as State,
};
use std::time::Duration;

/// A gateway is usable some minutes after it was made.
const READY: Duration = Duration::from_secs(540);
/// Two operators may make one at the same time, and no name keeps them apart: after this pause each sees the other's.
const SETTLE: Duration = Duration::from_secs(2);

/// The transit gateway of a region, which all teams of the organization share. What is shared with an account may
/// be attached without anybody's consent; every attachment reaches every other one.
///
/// AWS: 5 of them in an account and region, 5,000 attachments each ("Quotas for your transit gateways").
#[derive(Clone, Needs)]
pub struct TransitGateway {
    /// For whom: the organization, without a team.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
}

/// The transit gateways in this region that carry the owner's tags. One list for each run.
pub async fn gateways(cloud: &Cloud, owner: &TeamOwner) -> Result<Vec<Live>> {
    let organization = owner.organization.as_str();
    let all = cloud.once(format!("transit gateways of {organization}"), list(cloud, organization)).await?;
    let ours = |g: &&Live| alive(g) && owner.whose(&tag_map(g.tags())) == Whose::Ours;
    Ok(all.iter().filter(ours).cloned().collect())
}

async fn list(cloud: &Cloud, organization: &str) -> Result<Vec<Live>> {
    let ours = filter(format!("tag:{ORGANIZATION}"), organization);
    let pages = cloud.ec2().describe_transit_gateways().filters(ours).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")
}

fn alive(gateway: &Live) -> bool {
    !matches!(gateway.state(), None | Some(State::Deleting | State::Deleted))
}

/// Whether an attachment in this state keeps its gateway from being deleted.
fn stays(state: Option<&AttachmentState>) -> bool {
    use AttachmentState::{Deleted, Deleting, Failed, Failing, Rejected, Rejecting};
    !matches!(state, None | Some(Deleted | Deleting | Failed | Failing | Rejected | Rejecting))
}

/// `tgw-attach-1 (vpc vpc-1 of account 123456789012)`.
fn readable(attachment: &Attachment) -> String {
    let kind = attachment.resource_type().map_or("resource", AttachmentKind::as_str);
    let text = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
    format!(
        "{} ({kind} {} of account {})",
        text(attachment.transit_gateway_attachment_id()),
        text(attachment.resource_id()),
        text(attachment.resource_owner_id())
    )
}

/// The settings that are ours: name, what is there, what is wanted.
fn settings(live: &Live) -> [(&'static str, &str, &'static str); 4] {
    let options = live.options();
    [
        (
            "automatic acceptance of attachments",
            options.and_then(|o| o.auto_accept_shared_attachments()).map(AutoAccept::as_str).unwrap_or("-"),
            "enable",
        ),
        (
            "association with the default route table",
            options.and_then(|o| o.default_route_table_association()).map(Association::as_str).unwrap_or("-"),
            "enable",
        ),
        (
            "propagation to the default route table",
            options.and_then(|o| o.default_route_table_propagation()).map(Propagation::as_str).unwrap_or("-"),
            "enable",
        ),
        ("DNS support", options.and_then(|o| o.dns_support()).map(Dns::as_str).unwrap_or("-"), "enable"),
    ]
}

impl TransitGateway {
    /// Of those of our name, the first one. Names are not unique on AWS.
    fn first<'a>(&self, all: impl Iterator<Item = &'a Live>) -> Option<&'a Live> {
        let ours = |g: &&Live| alive(g) && self.owner.whose(&tag_map(g.tags())) == Whose::Ours;
        let named = all.filter(ours).filter(|g| tag_map(g.tags()).get("Name") == Some(&self.name));
        named.min_by_key(|g| (g.creation_time().copied(), g.transit_gateway_id().map(str::to_owned)))
    }

    /// Takes ours back when another operator's came first.
    async fn settled(&self, cloud: &Cloud, ours: Live) -> Result<Live> {
        tokio::time::sleep(SETTLE).await;
        let all = list(cloud, self.owner.organization.as_str()).await?;
        let (first, id) = (self.first(all.iter()), ours.transit_gateway_id().unwrap_or_default());
        let Some(other) = first.and_then(Live::transit_gateway_id).filter(|other| *other != id) else {
            return Ok(ours);
        };
        cloud.ec2().delete_transit_gateway().transit_gateway_id(id).send().await.unless_gone(cloud, &self.name)?;
        self.ready(cloud, other).await
    }

    /// What is attached and does not carry the organization's tags. Tags are an account's own: an attachment of another
    /// account shows none here.
    async fn others(&self, cloud: &Cloud, id: &str) -> Result<Vec<String>> {
        let of_it = filter("transit-gateway-id", id);
        let pages = cloud.ec2().describe_transit_gateway_attachments().filters(of_it).into_paginator().items().send();
        let all: Result<Vec<Attachment>, _> = pages.collect().await;
        let all = all.told(cloud, &self.name)?;
        let organization = self.owner.organization.as_str();
        let foreign =
            |a: &&Attachment| stays(a.state()) && tag_map(a.tags()).get(ORGANIZATION).is_none_or(|o| o != organization);
        Ok(all.iter().filter(foreign).map(readable).collect())
    }

    /// Waits until it can be used.
    async fn ready(&self, cloud: &Cloud, id: &str) -> Result<Live> {
        let look = || async {
            let told = cloud.ec2().describe_transit_gateways().transit_gateway_ids(id).send().await;
            // Just made, it may not be visible yet.
            let found = told.unless_gone(cloud, &self.name)?;
            let live = found.and_then(|f| f.transit_gateways.unwrap_or_default().into_iter().next());
            Ok(match live {
                Some(live) if live.state() == Some(&State::Available) => Look::Done(live),
                live => {
                    Look::NotYet(live.as_ref().and_then(Live::state).map_or("not visible yet", State::as_str).into())
                }
            })
        };
        within(READY, &format!("transit gateway {} ({id}) to be available", self.name), look).await
    }
}

impl Identity for TransitGateway {
    const KIND: &'static str = "transit gateway";
    type Cloud = Cloud;
    type Live = Live;
    type Output = TransitGatewayId;
    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let all = gateways(cx.cloud, &self.owner).await?;
        Ok(self.first(all.iter()).cloned())
    }
    /// While somebody else is attached, it cannot go: that is said at once. What is left after that (it takes AWS
    /// minutes) holds nothing back.
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        let id = live.transit_gateway_id().unwrap_or_default();
        let others = self.others(cx.cloud, id).await?;
        if !others.is_empty() {
            return Err(Error::refused(format!(
                "transit gateway {} still joins others: {}",
                self.name,
                others.join(", ")
            ))
            .hint("Delete these attachments, or have their owners do it; then run the same command again."));
        }
        let done = cx.cloud.ec2().delete_transit_gateway().transit_gateway_id(id).send().await;
        // Of our own, one may be on its way out.
        let hint = "A gateway with attachments stays: `aws ec2 describe-transit-gateway-attachments` lists them.";
        done.unless_gone(cx.cloud, &self.name).map_err(|e| e.hint(hint)).map(drop)
    }
    fn output(&self, live: &Live) -> TransitGatewayId {
        TransitGatewayId {
            id: live.transit_gateway_id().unwrap_or_default().to_owned(),
            arn: live.transit_gateway_arn().unwrap_or_default().to_owned(),
        }
    }
}

impl Resource for TransitGateway {
    itself!();

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::TRANSIT_GATEWAYS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(state @ (State::Pending | State::Modifying)) = live.state() {
            changes.push(Change::new("state", state.as_str(), State::Available.as_str()));
        }
        for (field, there, wanted) in settings(live) {
            Change::compare(&mut changes, field, &there, &wanted);
        }
        changes.extend(tag_drift::changes(&self.owner, &tag_map(live.tags())));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let options = TransitGatewayRequestOptions::builder()
            .auto_accept_shared_attachments(AutoAccept::Enable)
            .default_route_table_association(Association::Enable)
            .default_route_table_propagation(Propagation::Enable)
            .dns_support(Dns::Enable);
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().create_transit_gateway().options(options.build());
        let call = call.description(format!("Joins the networks of the teams of {}", self.owner.organization));
        let made = call.tag_specifications(specification(ResourceType::TransitGateway, &tags)).send().await;
        let made = made.told(cx.cloud, &self.name)?;
        let id = made.transit_gateway().and_then(Live::transit_gateway_id).unwrap_or_default();
        let ready = self.ready(cx.cloud, id).await?;
        self.settled(cx.cloud, ready).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let id = live.transit_gateway_id().unwrap_or_default();
        retag(cx.cloud, &self.owner, (id, &self.name), &tag_map(live.tags()), &[]).await?;
        if live.state() != Some(&State::Available) {
            self.ready(cx.cloud, id).await?;
        }
        if settings(live).iter().any(|(_, there, wanted)| there != wanted) {
            let options = ModifyTransitGatewayOptions::builder()
                .auto_accept_shared_attachments(AutoAccept::Enable)
                .default_route_table_association(Association::Enable)
                .default_route_table_propagation(Propagation::Enable)
                .dns_support(Dns::Enable);
            let call = cx.cloud.ec2().modify_transit_gateway().transit_gateway_id(id).options(options.build());
            call.send().await.told(cx.cloud, &self.name)?;
        }
        self.ready(cx.cloud, id).await
    }
}
