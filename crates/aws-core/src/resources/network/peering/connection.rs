//! The connection, as its team sees it.
use super::{Peer, acceptance::accept, id, read, sides, state};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, network::tag_map, wait::Look},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{
        Owning as _, TeamOwner, tag_rules,
        tags::{ORGANIZATION, Whose},
    },
    resources::{
        kind::{found_through, itself},
        network::{
            ids::{PeeringId, VpcId},
            kinds::{self, KindId, On, Part, listed},
            lists::{retag, specification, tagged},
            vpc::Vpc,
            waiting::within,
        },
        tag_drift,
    },
};
use aws_sdk_ec2::types::{ResourceType, VpcPeeringConnection as Live, VpcPeeringConnectionStateReasonCode as State};
use std::time::Duration;

/// Requests are delivered, and connections removed, within seconds; to another region within a minute.
const SETTLED: Duration = Duration::from_secs(300);

/// A peering connection from a VPC to another team's. Two VPCs have at most one: it may have been asked for from
/// either side, by either team.
///
/// AWS: [`super::PEERINGS`] for each VPC; the address ranges must not overlap.
#[derive(Clone, Needs)]
pub struct PeeringConnection {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// The own VPC.
    pub vpc: Ref<VpcId>,
    /// The other one.
    pub peer: Peer,
}

tagged!(Live);

impl Part for PeeringConnection {
    const NAME: &'static str = "peering connection";
    const OF_VPC: Option<&'static str> = None;
    const RARE: Option<&'static str> = Some("vpc-peering-connection");
    const WHOLE: bool = true;
    const ON: On = &[KindId::of::<Vpc>];
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        id(item)
    }
    fn is_gone(item: &Live) -> bool {
        !super::alive(item)
    }
    listed!(describe_vpc_peering_connections);

    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let id = id(item);
        let done = cloud.ec2().delete_vpc_peering_connection().vpc_peering_connection_id(id).send().await;
        done.unless_gone(cloud, name)?;
        let look = || async {
            let live = read(cloud, id, name).await?;
            Ok(match live.as_ref().filter(|l| super::alive(l) || state(l) == Some(&State::Deleting)).and_then(state) {
                None => Look::Done(()),
                Some(state) => Look::NotYet(state.as_str().into()),
            })
        };
        within(SETTLED, &format!("peering connection {name} ({id}) to be gone"), look).await
    }
    fn output(_: &Live) {}
}

impl PeeringConnection {
    /// Waits until the request has reached the other side.
    async fn requested(&self, cloud: &Cloud, id: &str) -> Result<Live> {
        let look = || async {
            let live = read(cloud, id, &self.name).await?;
            let Some((live, state)) = live.and_then(|l| state(&l).cloned().map(|s| (l, s))) else {
                return Ok(Look::NotYet("not visible yet".into()));
            };
            match state {
                State::PendingAcceptance | State::Provisioning | State::Active => Ok(Look::Done(live)),
                State::InitiatingRequest => Ok(Look::NotYet(state.as_str().into())),
                state => {
                    let why = live.status().and_then(|s| s.message()).unwrap_or_default();
                    let text = format!("peering connection {} ({id}) is {}: {why}", self.name, state.as_str());
                    Err(Error::failed(text).hint(format!(
                        "The addresses of the two VPCs must not overlap, and {} must be a VPC of account {} in {}.",
                        self.peer.vpc, self.peer.account, self.peer.region
                    )))
                }
            }
        };
        within(SETTLED, &format!("the request for peering connection {} ({id})", self.name), look).await
    }

    fn ours(&self, live: &Live) -> bool {
        self.owner.whose(&tag_map(live.tags())) == Whose::Ours
    }

    /// Whether the other side asked, and it is ours to accept.
    fn asked(&self, cx: &Cx<'_, Cloud>, live: &Live) -> bool {
        let own = cx.try_get(self.vpc).map(|v| v.id.as_str());
        state(live) == Some(&State::PendingAcceptance) && own.is_some() && sides(live)[1] == own
    }
}

impl Identity for PeeringConnection {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = PeeringId;
    fn name(&self) -> String {
        self.name.clone()
    }
    found_through!(vpc);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let Some(vpc) = cx.try_get(self.vpc) else { return Ok(None) };
        let (own, other) = (Some(vpc.id.as_str()), Some(self.peer.vpc.as_str()));
        let all = kinds::all::<Self>(cx.cloud).await?;
        let joins = |p: &&Live| sides(p) == [own, other] || sides(p) == [other, own];
        let Some(live) = all.iter().find(joins).cloned() else { return Ok(None) };
        let tags = tag_map(live.tags());
        // Another team of the organization asked for it; in our account, its tags are not visible.
        let of_organization = tags.get(ORGANIZATION).map(String::as_str) == Some(self.owner.organization.as_str());
        if !of_organization && sides(&live)[0] == own {
            self.owner.claim(Self::KIND, &self.name, &tags)?;
        }
        Ok(Some(live))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, live).await
    }
    fn output(&self, live: &Live) -> PeeringId {
        PeeringId(id(live).to_owned())
    }
}

impl Resource for PeeringConnection {
    itself!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.asked(cx, live) {
            changes.push(Change::new("state", State::PendingAcceptance.as_str(), State::Active.as_str()));
        }
        if self.ours(live) {
            changes.extend(tag_drift::changes(&self.owner, &tag_map(live.tags())));
        }
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.ec2().create_vpc_peering_connection().vpc_id(&cx.get(self.vpc).id);
        let call = call.peer_vpc_id(&self.peer.vpc).peer_owner_id(&self.peer.account).peer_region(&self.peer.region);
        let call = call.tag_specifications(specification(ResourceType::VpcPeeringConnection, &tags));
        let made = call.send().await.told(cx.cloud, &self.name)?;
        let id = made.vpc_peering_connection().map(id).unwrap_or_default().to_owned();
        self.requested(cx.cloud, &id).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        if self.ours(live) {
            retag(cx.cloud, &self.owner, (id(live), &self.name), &tag_map(live.tags()), &[]).await?;
        }
        if self.asked(cx, live) {
            return accept(cx.cloud, id(live), &self.name).await;
        }
        Ok(live.clone())
    }
}
