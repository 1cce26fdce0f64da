//! CloudWatch Logs groups with their retention.
use super::tag_drift;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Needs, Resource},
    model::{Owner, Owning, tag_rules},
    resources::kind::{Kind, named},
};
use std::collections::BTreeMap;

/// The retentions that CloudWatch Logs knows, in days (`PutRetentionPolicy`).
pub const RETENTIONS: &[i32] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// Longest name, in characters (`CreateLogGroup`).
const NAME: usize = 512;

/// A log group.
#[derive(Needs)]
pub struct LogGroup<O = Owner> {
    /// For whom.
    pub owner: O,
    /// The name, unique in the region.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// How long events are kept: one of [`RETENTIONS`].
    pub retention_days: i32,
}

/// The name of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroupName(pub String);

/// What was found of a log group.
#[derive(Debug, Clone)]
pub struct Live {
    arn: String,
    /// `None`: events are kept for ever.
    retention_days: Option<i32>,
    tags: BTreeMap<String, String>,
}

impl<O: Owning> LogGroup<O> {
    fn fits(&self) -> Result<()> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b);
        if !(1..=NAME).contains(&self.name.len()) || !self.name.bytes().all(allowed) || self.name.starts_with("aws/") {
            return Err(Error::usage(format!("`{}` is no name for a log group", self.name)).hint(format!(
                "CloudWatch Logs takes 1 to {NAME} letters, digits and _-/.#, and not `aws/` in front."
            )));
        }
        if RETENTIONS.contains(&self.retention_days) {
            return Ok(());
        }
        let all: Vec<String> = RETENTIONS.iter().map(ToString::to_string).collect();
        Err(Error::usage(format!("log events cannot be kept for {} days", self.retention_days))
            .hint(format!("CloudWatch Logs takes {}.", all.join(", "))))
    }

    async fn retain(&self, cloud: &Cloud) -> Result<()> {
        let call = cloud.logs().put_retention_policy().log_group_name(&self.name);
        call.retention_in_days(self.retention_days).send().await.told(cloud, &self.name).map(drop)
    }

    fn changes(&self, live: &Live) -> Vec<Change> {
        let mut changes = Vec::new();
        if live.retention_days != Some(self.retention_days) {
            let days = |d: Option<i32>| d.map_or_else(|| "for ever".to_owned(), |d| format!("{d} days"));
            changes.push(Change::new("retention", days(live.retention_days), days(Some(self.retention_days))));
        }
        changes.extend(tag_drift::changes(&self.owner, &live.tags));
        changes
    }
}

/// The log group of this name.
async fn read(cloud: &Cloud, name: &str) -> Result<Option<Live>> {
    let mut pages = cloud.logs().describe_log_groups().log_group_name_prefix(name).into_paginator().send();
    let mut found = None;
    // In the order of their names: the group itself comes before those whose names it begins.
    while let Some(page) = pages.next().await {
        let page = page.told(cloud, name)?;
        let mut groups = page.log_groups.unwrap_or_default().into_iter();
        found = groups.find(|g| g.log_group_name() == Some(name));
        if found.is_some() {
            break;
        }
    }
    let Some(group) = found else { return Ok(None) };
    // The older of the two ARN fields ends in `:*`, which the tag calls refuse.
    let arn = group.log_group_arn.clone().or_else(|| group.arn.clone()).unwrap_or_default();
    let arn = arn.trim_end_matches(":*").to_owned();
    let tags = cloud.logs().list_tags_for_resource().resource_arn(&arn).send().await;
    let Some(tags) = tags.unless_gone(cloud, name)? else {
        return Ok(None);
    };
    let tags: BTreeMap<String, String> = tags.tags.unwrap_or_default().into_iter().collect();
    Ok(Some(Live { arn, retention_days: group.retention_in_days, tags }))
}

impl<O: Owning> Kind for LogGroup<O> {
    const NAME: &'static str = "log group";
    type Owner = O;
    type Live = Live;
    type Output = LogGroupName;
    async fn find(cloud: &Cloud, owner: &O, name: &str) -> Result<Option<Live>> {
        let found = cloud.once(format!("log group {name}"), read(cloud, name)).await?.as_ref().clone();
        if let Some(live) = &found {
            owner.claim(Self::NAME, name, &live.tags)?;
        }
        Ok(found)
    }
    async fn remove(cloud: &Cloud, _: &O, name: &str, _: &Live) -> Result<()> {
        cloud.logs().delete_log_group().log_group_name(name).send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(name: &str, _: &Live) -> LogGroupName {
        LogGroupName(name.to_owned())
    }
}

impl<O: Owning> Resource for LogGroup<O> {
    named!(noun);

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        self.changes(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let call = cx.cloud.logs().create_log_group().log_group_name(&self.name);
        call.set_tags(Some(tags.clone().into_iter().collect())).send().await.told(cx.cloud, &self.name)?;
        self.retain(cx.cloud).await?;
        Ok(Live { arn: String::new(), retention_days: Some(self.retention_days), tags })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        let stale = tag_drift::stale(&self.owner, &live.tags);
        futures::try_join!(
            async {
                if live.retention_days == Some(self.retention_days) {
                    return Ok(());
                }
                self.retain(cx.cloud).await
            },
            async {
                if stale.is_empty() {
                    return Ok(());
                }
                let call = cx.cloud.logs().tag_resource().resource_arn(&live.arn);
                let done = call.set_tags(Some(stale.clone().into_iter().collect())).send().await;
                done.told(cx.cloud, &self.name).map(drop)
            },
        )?;
        Ok(Live { retention_days: Some(self.retention_days), ..live.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> LogGroup {
        LogGroup {
            owner: Owner {
                tool: "minion",
                vpc: "vpc-1".into(),
                team: None,
                application: "shop".into(),
                version: None,
                extra: BTreeMap::new(),
            },
            name: "/minion/shop".into(),
            noun: "log group".into(),
            retention_days: 30,
        }
    }

    #[test]
    fn the_retention_is_compared() {
        let live = |retention_days| Live { arn: String::new(), retention_days, tags: BTreeMap::new() };
        assert_eq!(wanted().changes(&live(Some(30))), []);
        assert_eq!(wanted().changes(&live(None)), [Change::new("retention", "for ever", "30 days")]);
        assert_eq!(wanted().changes(&live(Some(7))), [Change::new("retention", "7 days", "30 days")]);
    }

    #[test]
    fn only_what_aws_takes_is_written() {
        wanted().check().unwrap();
        for days in [-1, 0, 2, 31] {
            assert!(LogGroup { retention_days: days, ..wanted() }.check().is_err(), "{days}");
        }
        for name in ["", "a b", "aws/x", &"x".repeat(513)] {
            assert!(LogGroup { name: name.into(), ..wanted() }.check().is_err(), "{name}");
        }
    }
}
