//! What carries an owner's tags in a region although no graph names it: a zone that is no longer wanted, a peering
//! of a team that is gone, what is left of a run that was cut off. Found by the tags, removed by its kind.
use super::{
    kinds::{KindId, Thing},
    lists,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Clouds, Spot, Told as _},
    engine::{Change, Cx, Graph, NodeId, Ref, Resource},
    model::{
        TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM},
    },
};
use aws_sdk_ec2::types::{Filter, TagDescription};
use std::sync::Arc;

/// Everything of every kind of a network that carries the owner's tags in this region, wanted or not, in the order in which
/// it is made. It shares the lists of the resources' own searches, and costs no further call after those.
///
/// # Errors
/// What AWS answers.
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
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let (key, value) = match &owner.team {
        Some(team) => (OVERLORD_TEAM, team.as_str()),
        None => (ORGANIZATION, owner.organization.as_str()),
    };
    let load = async {
        let call = cloud.ec2().describe_tags().filters(filter("key", key)).filters(filter("value", value));
        let pages = call.into_paginator().items().send().collect::<Result<Vec<TagDescription>, _>>().await;
        let mut kinds: Vec<String> = pages
            .told(cloud, "ec2:DescribeTags", "")?
            .iter()
            .filter_map(|t| t.resource_type().map(|t| t.as_str().to_owned()))
            .collect();
        kinds.sort();
        kinds.dedup();
        Ok(kinds)
    };
    cloud.once(lists::key("tagged kinds", owner), load).await
}

/// Adds what is no longer wanted to a graph that is to be applied: each goes once `after` are done, and what is made
/// later first.
pub fn add_unwanted(
    graph: &mut Graph<Clouds>,
    clouds: &Clouds,
    spot: Spot,
    owner: &TeamOwner,
    mut things: Vec<Thing>,
    after: &[NodeId],
) {
    things.sort_by(|a, b| b.cmp(a));
    let mut before: Vec<(KindId, Ref<()>)> = Vec::new();
    for stray in things {
        let kind = stray.kind;
        let needs = before.iter().filter(|(later, _)| *later > kind).map(|(_, r)| r.node()).collect();
        let resource = StrayResource { owner: owner.clone(), stray, needs };
        before.push((kind, graph.add(clouds.put(spot, resource).unwanted(after.to_vec()))));
    }
}

/// Adds things to a graph that is to be destroyed: what is made later is removed first, and all of it before
/// `after`.
pub fn add_to_destroy(
    graph: &mut Graph<Clouds>,
    clouds: &Clouds,
    spot: Spot,
    owner: &TeamOwner,
    mut things: Vec<Thing>,
    after: &[NodeId],
) {
    things.sort();
    let mut before: Vec<(KindId, Ref<()>)> = Vec::new();
    for stray in things {
        let kind = stray.kind;
        let earlier = before.iter().filter(|(earlier, _)| *earlier < kind).map(|(_, r)| r.node());
        let needs = earlier.chain(after.iter().copied()).collect();
        let resource = StrayResource { owner: owner.clone(), stray, needs };
        before.push((kind, graph.add(clouds.put(spot, resource))));
    }
}

/// A thing that is only ever removed.
pub struct StrayResource {
    /// Whose tags it carries.
    pub owner: TeamOwner,
    /// Which it is.
    pub stray: Thing,
    /// Destroying, these go after it. In an apply, where it is unwanted, it goes after these.
    pub needs: Vec<NodeId>,
}

impl Resource for StrayResource {
    const KIND: &'static str = "unused";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();

    fn name(&self) -> String {
        self.stray.to_string()
    }
    fn noun(&self) -> String {
        format!("unused {}", self.stray)
    }
    fn needs(&self) -> Vec<NodeId> {
        self.needs.clone()
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let there = strays(cx.cloud, &self.owner).await?;
        Ok(there.iter().any(|s| s.kind == self.stray.kind && s.id == self.stray.id).then_some(()))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, (): &()) -> Vec<Change> {
        Vec::new()
    }
    async fn create(&self, _: &Cx<'_, Cloud>) -> Result<()> {
        Err(Error::refused(format!("{} is only ever removed", self.stray)))
    }
    async fn update(&self, _: &Cx<'_, Cloud>, (): &(), _: &[Change]) -> Result<()> {
        // Something that it refers to is gone already: nothing to do about that.
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        self.stray.remove(cx.cloud, &self.owner).await
    }
    fn output(&self, (): &()) {}
}
