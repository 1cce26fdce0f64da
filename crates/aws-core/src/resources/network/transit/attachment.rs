//! Attachments of VPCs to a transit gateway.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, network::tag_map, wait::Look},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{Owning as _, TeamOwner, tag_rules, tags::Whose},
    resources::{
        compare::Fixed,
        kind::{found_through, itself},
        network::{
            ids::{AttachmentId, SubnetId, TransitGatewayId, VpcId},
            kinds::{self, KindId, On, Part, listed},
            lists::{ec2_tags, retag, specification, tagged},
            subnet::Subnet,
            waiting::within,
        },
        tag_drift,
    },
};
use aws_sdk_ec2::types::{
    CreateTransitGatewayVpcAttachmentRequestOptions as NewOptions, DnsSupportValue as Dns, Ipv6SupportValue as Ipv6,
    ModifyTransitGatewayVpcAttachmentRequestOptions as Options, ResourceType, TransitGatewayAttachmentState as State,
    TransitGatewayVpcAttachment as Live,
};
use std::{collections::BTreeSet, time::Duration};

/// An attachment is usable, and gone, after some minutes.
const READY: Duration = Duration::from_secs(540);

/// The attachment of a VPC to a transit gateway. A gateway takes one for each VPC.
///
/// AWS: 5 attachments for each VPC ("Quotas for your transit gateways"); one subnet in each zone.
#[derive(Clone, Needs)]
pub struct TransitAttachment {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The gateway, own or shared.
    pub gateway: Ref<TransitGatewayId>,
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// One subnet in each zone: only what is in these zones reaches the gateway.
    pub subnets: Vec<Ref<SubnetId>>,
    /// Whether it carries IPv6, too.
    pub ipv6: bool,
}

fn alive(attachment: &Live) -> bool {
    let gone = [State::Deleting, State::Deleted, State::Failed, State::Failing, State::Rejected, State::Rejecting];
    attachment.state().is_some_and(|s| !gone.contains(s))
}

async fn read(cloud: &Cloud, id: &str, name: &str) -> Result<Option<Live>> {
    let told = cloud.ec2().describe_transit_gateway_vpc_attachments().transit_gateway_attachment_ids(id).send().await;
    let found = told.unless_gone(cloud, name)?;
    Ok(found.and_then(|f| f.transit_gateway_vpc_attachments.unwrap_or_default().into_iter().next()))
}

tagged!(Live);

impl Part for TransitAttachment {
    const NAME: &'static str = "transit gateway attachment";
    // There is no filter by tag.
    const WHOLE: bool = true;
    const OF_VPC: Option<&'static str> = None;
    const STANDS: bool = true;
    const ON: On = &[KindId::of::<Subnet>];
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        item.transit_gateway_attachment_id().unwrap_or_default()
    }
    fn is_gone(item: &Live) -> bool {
        !alive(item)
    }
    fn stands_in(item: &Live, vpc: &str) -> bool {
        item.vpc_id() == Some(vpc)
    }
    listed!(describe_transit_gateway_vpc_attachments);

    /// Until it is gone, it holds its subnets.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let id = Self::id(item);
        let done = cloud.ec2().delete_transit_gateway_vpc_attachment().transit_gateway_attachment_id(id).send().await;
        done.unless_gone(cloud, name)?;
        let look = || async {
            let live = read(cloud, id, name).await?;
            Ok(match live.as_ref().and_then(Live::state) {
                None | Some(State::Deleted) => Look::Done(()),
                Some(state) => Look::NotYet(state.as_str().into()),
            })
        };
        within(READY, &format!("transit gateway attachment {name} ({id}) to be gone"), look).await
    }
    fn output(_: &Live) {}
}

impl TransitAttachment {
    /// Waits until it can be used.
    async fn ready(&self, cloud: &Cloud, id: &str) -> Result<Live> {
        let look = || async {
            let live = read(cloud, id, &self.name).await?;
            let Some((live, state)) = live.and_then(|l| l.state().cloned().map(|s| (l, s))) else {
                return Ok(Look::NotYet("not visible yet".into()));
            };
            match state {
                State::Available => Ok(Look::Done(live)),
                State::PendingAcceptance => Ok(Look::NotYet("the gateway's owner has to accept it".into())),
                state if alive(&live) => Ok(Look::NotYet(state.as_str().into())),
                state => {
                    let text = format!("transit gateway attachment {} ({id}) is {}", self.name, state.as_str());
                    Err(Error::failed(text).hint("A shared gateway accepts attachments of accounts it is shared with."))
                }
            }
        };
        within(READY, &format!("transit gateway attachment {} ({id}) to be available", self.name), look).await
    }

    /// The subnets to be added, and to be removed; `None` while some are still to be made.
    fn moves(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Option<(Vec<String>, Vec<String>)> {
        let wanted: BTreeSet<&str> =
            self.subnets.iter().map(|s| cx.try_get(*s).map(|s| s.0.as_str())).collect::<Option<_>>()?;
        let there: BTreeSet<&str> = live.subnet_ids().iter().map(String::as_str).collect();
        let owned = |ids: Vec<&&str>| ids.into_iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Some((owned(wanted.difference(&there).collect()), owned(there.difference(&wanted).collect())))
    }

    fn wanted_ipv6(&self) -> Ipv6 {
        if self.ipv6 { Ipv6::Enable } else { Ipv6::Disable }
    }
}

/// The settings as AWS spells them: DNS support, IPv6 support.
fn settings(live: &Live) -> (&str, &str) {
    let options = live.options();
    let dns = options.and_then(|o| o.dns_support()).map_or("-", Dns::as_str);
    (dns, options.and_then(|o| o.ipv6_support()).map_or("-", Ipv6::as_str))
}

impl Identity for TransitAttachment {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = AttachmentId;
    fn name(&self) -> String {
        self.name.clone()
    }
    found_through!(gateway, vpc);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let all = kinds::all::<Self>(cx.cloud).await?;
        let named = |a: &&Live| {
            let tags = tag_map(a.tags());
            tags.get("Name") == Some(&self.name) && self.owner.whose(&tags) == Whose::Ours
        };
        let (gateway, vpc) = (cx.try_get(self.gateway), cx.try_get(self.vpc));
        let same = |a: &&Live| {
            gateway.is_some_and(|g| a.transit_gateway_id() == Some(&g.id))
                && vpc.is_some_and(|v| a.vpc_id() == Some(&v.id))
        };
        // A gateway has at most one for a VPC: that one it is, or it is in the way.
        let found = all.iter().find(same).or_else(|| all.iter().find(named)).cloned();
        if let Some(live) = &found {
            self.owner.claim(Self::KIND, &self.name, &tag_map(live.tags()))?;
        }
        Ok(found)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, live).await
    }
    fn output(&self, live: &Live) -> AttachmentId {
        AttachmentId(live.transit_gateway_attachment_id().unwrap_or_default().to_owned())
    }
}

impl Resource for TransitAttachment {
    itself!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut fixed = Fixed::new(
            "Delete the attachment (`aws ec2 delete-transit-gateway-vpc-attachment`), then run the same command.",
        );
        fixed.compare("transit gateway", live.transit_gateway_id(), cx.try_get(self.gateway).map(|g| &g.id));
        fixed.compare("VPC", live.vpc_id(), cx.try_get(self.vpc).map(|v| &v.id));
        let mut changes = fixed.changes;
        if let Some(state) = live.state().filter(|s| **s != State::Available) {
            changes.push(Change::new("state", state.as_str(), State::Available.as_str()));
        }
        let (added, removed) = self.moves(cx, live).unwrap_or_default();
        changes.extend(added.iter().map(|s| Change::new("subnet", "-", s)));
        changes.extend(removed.iter().map(|s| Change::new("subnet", s, "-")));
        let (dns, ipv6) = settings(live);
        Change::compare(&mut changes, "DNS support", &dns, &Dns::Enable.as_str());
        Change::compare(&mut changes, "IPv6", &ipv6, &self.wanted_ipv6().as_str());
        changes.extend(tag_drift::changes(&self.owner, &tag_map(live.tags())));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let cloud = cx.cloud;
        let tags = self.owner.tags(&self.name);
        let options = NewOptions::builder().dns_support(Dns::Enable).ipv6_support(self.wanted_ipv6()).build();
        let call = cloud.ec2().create_transit_gateway_vpc_attachment();
        let call = call.transit_gateway_id(&cx.get(self.gateway).id).vpc_id(&cx.get(self.vpc).id).options(options);
        let call = call.set_subnet_ids(Some(self.subnets.iter().map(|s| cx.get(*s).0.clone()).collect()));
        let call = call.tag_specifications(specification(ResourceType::TransitGatewayAttachment, &tags));
        let made = call.send().await.told(cloud, &self.name)?;
        let id =
            made.transit_gateway_vpc_attachment().and_then(Live::transit_gateway_attachment_id).unwrap_or_default();
        let mut live = self.ready(cloud, id).await?;
        let missing = tag_drift::differing(tags.clone(), &tag_map(live.tags()));
        if !missing.is_empty() {
            let call = cloud.ec2().create_tags().resources(id).set_tags(Some(ec2_tags(&missing)));
            call.send().await.told(cloud, &self.name)?;
        }
        live.tags = Some(ec2_tags(&tags));
        Ok(live)
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let (cloud, id) = (cx.cloud, live.transit_gateway_attachment_id().unwrap_or_default());
        if live.state() != Some(&State::Available) {
            self.ready(cloud, id).await?;
        }
        retag(cloud, &self.owner, (id, &self.name), &tag_map(live.tags()), &[]).await?;
        let (added, removed) = self.moves(cx, live).unwrap_or_default();
        let (dns, ipv6) = settings(live);
        let options = (dns, ipv6) != (Dns::Enable.as_str(), self.wanted_ipv6().as_str());
        if !(added.is_empty() && removed.is_empty()) || options {
            let set = |ids: Vec<String>| (!ids.is_empty()).then_some(ids);
            let wanted = Options::builder().dns_support(Dns::Enable).ipv6_support(self.wanted_ipv6()).build();
            let call = cloud.ec2().modify_transit_gateway_vpc_attachment().transit_gateway_attachment_id(id);
            let call = call.set_add_subnet_ids(set(added)).set_remove_subnet_ids(set(removed));
            call.set_options(options.then_some(wanted)).send().await.told(cloud, &self.name)?;
        }
        self.ready(cloud, id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_out_is_not_there() {
        let alive = |state| alive(&Live::builder().state(state).build());
        for there in [State::Available, State::Pending, State::PendingAcceptance, State::Modifying] {
            assert!(alive(there.clone()), "{there:?}");
        }
        for gone in [State::Deleting, State::Deleted, State::Failed, State::Rejected] {
            assert!(!alive(gone.clone()), "{gone:?}");
        }
    }
}
