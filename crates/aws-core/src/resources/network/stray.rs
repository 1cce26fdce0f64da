//! What carries an owner's tags in a region although no graph names it: a zone that is no longer wanted, a peering
//! of a team that is gone, what is left of a run that was cut off. Found by the tags, removed by its kind.
use super::{
    kinds::{KindId, Thing},
    lists::{self, filter},
};
use crate::{
    Result,
    cloud::{Cloud, Clouds, Spot, Told as _},
    engine::{Cx, Graph, Identity, Needs, NodeId},
    model::{
        TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM},
    },
};
use aws_sdk_ec2::types::TagDescription;
use std::sync::Arc;

/// Everything of every kind of a network that carries the owner's tags in this region, wanted or not, in the order in which
/// it is made. It shares the lists of the resources' own searches, and costs no further call after those.
pub async fn strays(cloud: &Cloud, owner: &TeamOwner) -> Result<Vec<Thing>> {
    let of = |kind: KindId| async move {
        let there = match kind.rare() {
            Some(word) => tagged_kinds(cloud, owner).await?.iter().any(|k| k == word),
            None => true,
        };
        if there { kind.things(cloud, owner).await } else { Ok(Vec::new()) }
    };
    let mut found = futures::future::try_join_all(KindId::all().map(of)).await?.concat();
    found.sort();
    Ok(found)
}

/// The kinds of EC2 that carry the owner's tags, as EC2 spells them: what most teams have none of is listed only where
/// there is some. One list for each run: every stray asks.
async fn tagged_kinds(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<String>>> {
    let (key, value) = match &owner.team {
        Some(team) => (OVERLORD_TEAM, team.as_str()),
        None => (ORGANIZATION, owner.organization.as_str()),
    };
    let load = async {
        let call = cloud.ec2().describe_tags().filters(filter("key", key)).filters(filter("value", value));
        let pages = call.into_paginator().items().send().collect::<Result<Vec<TagDescription>, _>>().await;
        let mut kinds: Vec<String> =
            pages.told(cloud, "")?.iter().filter_map(|t| t.resource_type().map(|t| t.as_str().to_owned())).collect();
        kinds.sort();
        kinds.dedup();
        Ok(kinds)
    };
    cloud.once(lists::key("tagged kinds", owner), load).await
}

/// Adds things that should not exist: what others hold goes after those, and all of it once `after` are done.
/// Returns the nodes.
pub fn add(
    graph: &mut Graph<Clouds>,
    clouds: &Clouds,
    spot: Spot,
    owner: &TeamOwner,
    things: impl IntoIterator<Item = Tagged>,
    after: &[NodeId],
) -> Vec<NodeId> {
    let mut things: Vec<Tagged> = things.into_iter().collect();
    things.sort();
    let mut before: Vec<(KindId, NodeId)> = Vec::new();
    for thing in things {
        let kind = thing.thing().kind;
        let held = before.iter().filter(|(other, _)| kind.goes_before(*other)).map(|(_, node)| *node);
        let needs: Vec<NodeId> = held.chain(after.iter().copied()).collect();
        let node = clouds.put(spot, Carrier { owner: owner.clone(), thing }).after(needs).absent(graph);
        before.push((kind, node.node()));
    }
    before.into_iter().map(|(_, node)| node).collect()
}

/// Why a thing should not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tagged {
    /// All that carries the owner's tags is to go.
    Going(Thing),
    /// No file asks for it any more.
    Unused(Thing),
}

impl Tagged {
    fn thing(&self) -> &Thing {
        let (Self::Going(thing) | Self::Unused(thing)) = self;
        thing
    }
}

/// A thing that carries the owner's tags, and is only ever removed.
#[derive(Needs)]
struct Carrier {
    owner: TeamOwner,
    thing: Tagged,
}

impl Identity for Carrier {
    const KIND: &'static str = "unused";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();

    fn kind(&self) -> &'static str {
        match &self.thing {
            Tagged::Going(thing) => thing.kind.noun(),
            Tagged::Unused(_) => Self::KIND,
        }
    }
    fn name(&self) -> String {
        match &self.thing {
            Tagged::Going(thing) => thing.label(),
            Tagged::Unused(thing) => thing.to_string(),
        }
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let thing = self.thing.thing();
        Ok(thing.kind.things(cx.cloud, &self.owner).await?.contains(thing).then_some(()))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        self.thing.thing().remove(cx.cloud, &self.owner).await
    }
    fn output(&self, (): &()) {}
}
