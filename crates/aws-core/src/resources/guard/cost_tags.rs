//! The tags that bills are split by.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Resource},
    model::tag_rules,
    resources::kind::itself,
};
use aws_sdk_costexplorer::types::{CostAllocationTag, CostAllocationTagStatus, CostAllocationTagStatusEntry};
use std::collections::BTreeMap;

/// Keys that one call asks for (Cost Explorer `ListCostAllocationTags`) and changes
/// (`UpdateCostAllocationTagsStatus`).
const ASKED: usize = 100;
const CHANGED: usize = 20;

/// Cost allocation tags that are active. Acts in the management account. A key that billing has not seen yet (up to
/// a day after its first use) cannot be activated: it is left for a later run.
#[derive(Clone, Needs)]
pub struct CostTags {
    /// Their keys.
    pub keys: Vec<String>,
}

/// Whether a key is active, for each that billing has seen.
type Seen = BTreeMap<String, bool>;

fn inactive(seen: &Seen) -> impl Iterator<Item = &String> {
    seen.iter().filter(|(_, active)| !**active).map(|(key, _)| key)
}

impl CostTags {
    fn fits(&self) -> Result<()> {
        // Keys that AWS sets itself, such as aws:createdBy, can be activated too.
        let wrong = self.keys.iter().filter(|key| !(1..=tag_rules::KEY_LIMIT).contains(&key.chars().count()));
        Error::together(wrong.map(|key| {
            Err(Error::usage(format!("invalid tag key `{key}`: AWS allows 1 to {} characters", tag_rules::KEY_LIMIT)))
        }))
    }

    async fn seen(&self, cloud: &Cloud) -> Result<Seen> {
        let mut seen = Seen::new();
        for keys in self.keys.chunks(ASKED) {
            let call = cloud.costs().list_cost_allocation_tags().set_tag_keys(Some(keys.to_vec()));
            let tags = call.into_paginator().items().send().collect::<Result<Vec<CostAllocationTag>, _>>().await;
            let tags = tags.told(cloud, self.name())?;
            seen.extend(tags.into_iter().map(|t| (t.tag_key, t.status == CostAllocationTagStatus::Active)));
        }
        seen.retain(|key, _| self.keys.contains(key));
        Ok(seen)
    }
}

impl Identity for CostTags {
    const KIND: &'static str = "cost allocation tags";
    type Cloud = Cloud;
    type Live = Seen;
    type Output = ();
    fn name(&self) -> String {
        self.keys.join(", ")
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Seen>> {
        let load = self.seen(cx.cloud);
        let seen = cx.cloud.once(format!("cost allocation tags {}", self.keys.join("\n")), load).await?;
        Ok(Some((*seen).clone()))
    }
    fn left(&self, _: &Cx<'_, Cloud>, _: &Seen) -> Option<String> {
        Some("other teams' cost reports may use them".into())
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, _: &Seen) -> Result<()> {
        Ok(())
    }
    fn output(&self, _: &Seen) {}
}

impl Resource for CostTags {
    itself!();

    /// They are always there: which of them are active is what is looked at, once in a run: each request is billed.
    fn check(&self) -> Result<()> {
        self.fits()
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Seen) -> Vec<Change> {
        inactive(live).map(|key| Change::new(format!("cost allocation by {key}"), "off", "on")).collect()
    }
    async fn create(&self, _: &Cx<'_, Cloud>) -> Result<Seen> {
        Ok(Seen::new())
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Seen, _: &[Change]) -> Result<Seen> {
        let keys: Vec<&String> = inactive(live).collect();
        for keys in keys.chunks(CHANGED) {
            let active = CostAllocationTagStatus::Active;
            let entries: Result<Vec<_>, _> = keys
                .iter()
                .map(|key| CostAllocationTagStatusEntry::builder().tag_key(*key).status(active.clone()).build())
                .collect();
            let entries = entries.map_err(|e| Error::failed("a tag lacks its key").caused_by(e))?;
            let call = cx.cloud.costs().update_cost_allocation_tags_status();
            let done = call.set_cost_allocation_tags_status(Some(entries)).send().await.told(cx.cloud, self.name())?;
            if let Some(e) = done.errors().first() {
                let text = |v: Option<&str>| v.unwrap_or("-").to_owned();
                return Err(Error::failed(format!(
                    "tag {} cannot be activated for cost allocation: {} ({})",
                    text(e.tag_key()),
                    text(e.message()),
                    text(e.code())
                )));
            }
        }
        Ok(live.keys().map(|key| (key.clone(), true)).collect())
    }
}
