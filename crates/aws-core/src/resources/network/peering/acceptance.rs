//! The other side's consent.
use super::{PeeringConnection, id, read, sides, state};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, wait::Look},
    engine::{Cx, Identity, Needs, Ref, Resource},
    resources::{
        kind::{found_through, itself},
        network::{
            ids::{PeeringId, VpcId},
            kinds,
            waiting::within,
        },
    },
};
use aws_sdk_ec2::types::{VpcPeeringConnection as Live, VpcPeeringConnectionStateReasonCode as State};
use std::time::Duration;

const SETTLED: Duration = Duration::from_secs(300);

/// The acceptance of a peering connection. Acts in the account and region of the VPC that was asked, which is not
/// the team's own. A connection that is active is accepted, whoever did it.
#[derive(Clone, Needs)]
pub struct PeeringAcceptance {
    /// The name, unique in the region.
    pub name: String,
    /// The connection.
    pub peering: Ref<PeeringId>,
    /// The VPC that asks: the team's own.
    pub vpc: Ref<VpcId>,
}

/// Accepts a connection in the account and region that was asked, and waits until it is active.
pub(super) async fn accept(cloud: &Cloud, id: &str, name: &str) -> Result<Live> {
    let look = || async {
        let Some(live) = read(cloud, id, name).await? else {
            return Ok(Look::NotYet("the request has not arrived yet".into()));
        };
        match state(&live) {
            Some(State::Active) => Ok(Look::Done(live)),
            Some(State::PendingAcceptance) => {
                let call = cloud.ec2().accept_vpc_peering_connection().vpc_peering_connection_id(id);
                let done = call.send().await.unless_gone(cloud, name)?;
                let answer = done.and_then(|d| d.vpc_peering_connection);
                Ok(match answer.filter(|l| state(l) == Some(&State::Active)) {
                    Some(live) => Look::Done(live),
                    None => Look::NotYet("just accepted".into()),
                })
            }
            Some(state) if super::alive(&live) => Ok(Look::NotYet(state.as_str().into())),
            state => {
                let why = live.status().and_then(|s| s.message()).unwrap_or_default();
                let state = state.map_or("gone", State::as_str);
                Err(Error::failed(format!("peering connection {name} ({id}) is {state}: {why}")))
            }
        }
    };
    within(SETTLED, &format!("peering connection {name} ({id}) to be active"), look).await
}

impl Identity for PeeringAcceptance {
    const KIND: &'static str = "peering acceptance";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.name.clone()
    }
    fn noun(&self) -> String {
        format!("acceptance of peering connection {}", self.name)
    }
    found_through!(peering);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let Some(peering) = cx.try_get(self.peering) else { return Ok(None) };
        let all = kinds::all::<PeeringConnection>(cx.cloud).await?;
        let active = all.iter().any(|p| id(p) == peering.0 && state(p) == Some(&State::Active));
        Ok(active.then_some(()))
    }
    fn left(&self, _: &Cx<'_, Cloud>, (): &()) -> Option<String> {
        Some("an accepted connection stays accepted until it is deleted".into())
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        Ok(())
    }
    fn output(&self, (): &()) {}
}

impl Resource for PeeringAcceptance {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<()> {
        let (peering, vpc) = (cx.get(self.peering), cx.get(self.vpc));
        // When the other side asked, the team's own side has accepted: what is left is to wait until that is visible.
        let known = read(cx.cloud, &peering.0, &self.name).await?;
        if known.as_ref().is_some_and(|l| state(l) == Some(&State::PendingAcceptance) && sides(l)[1] == Some(&vpc.id)) {
            let text = format!("peering connection {} ({}) is not active on this side yet", self.name, peering.0);
            return Err(Error::failed(text).retryable());
        }
        accept(cx.cloud, &peering.0, &self.name).await.map(drop)
    }
}
