//! Target groups: the instances of one version, and how the load balancer checks them.
use super::compare::Fixed;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, quotas},
    engine::{Change, Cx, Needs, Resource, Use},
    model::{Owner, Owning as _, names, tag_rules},
    resources::kind::{Kind, named},
};
use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, Tag, TagDescription, TargetGroup as Group, TargetGroupAttribute, TargetTypeEnum,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What to do about a version that is not as wanted.
pub(super) const IMMUTABLE: &str = "A version never changes: create another version.";
/// The attribute with the time for open connections to end, in seconds.
const DELAY: &str = "deregistration_delay.timeout_seconds";

/// What sort of traffic a version takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// HTTP, through an application load balancer.
    Http,
    /// TCP, through a network load balancer.
    Tcp,
}

/// A target group of instances.
#[derive(Needs)]
pub struct TargetGroup {
    /// For whom.
    pub owner: Owner,
    /// The name; at most 32 characters.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// The VPC's id.
    pub vpc: String,
    /// What the instances speak.
    pub protocol: Traffic,
    /// The port on the instances.
    pub port: u16,
    /// How their health is checked.
    pub health: HealthCheck,
    /// How long open connections may last after an instance is taken out (0 to 3600 seconds).
    pub deregistration_delay: Duration,
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path of an HTTP check. `None`: a TCP check (for [`Traffic::Http`], which has no such check: `/`).
    pub path: Option<String>,
    /// The port; `None` for the one that takes the traffic.
    pub port: Option<u16>,
    /// Seconds between two checks (5 to 300).
    pub interval: u32,
    /// Seconds to wait for an answer (2 to 120).
    pub timeout: u32,
    /// Good answers in a row that make a target healthy (2 to 10).
    pub healthy: u32,
    /// Bad ones that make it unhealthy (2 to 10).
    pub unhealthy: u32,
    /// HTTP codes of a good answer, e.g. `200-299`; `None` for AWS's default.
    pub codes: Option<String>,
}

/// The ARN of a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupArn(pub String);

/// What was found.
pub struct LiveTargetGroup {
    group: Group,
    delay: Option<u64>,
}

/// The target group of this name, if there is one. Shared by all who ask in this run, so that a command
/// can look early.
pub async fn describe(cloud: &Cloud, name: &str) -> Result<Arc<Option<Group>>> {
    let load = async {
        let answer = cloud.elb().describe_target_groups().names(name).send().await.unless_gone(cloud, name)?;
        Ok(answer.and_then(|a| a.target_groups.unwrap_or_default().into_iter().next()))
    };
    cloud.once(format!("target group {name}"), load).await
}

impl TargetGroup {
    fn check_path(&self) -> Option<&str> {
        match (self.health.path.as_deref(), self.protocol) {
            (None, Traffic::Http) => Some("/"),
            (path, _) => path,
        }
    }
    fn check_protocol(&self) -> ProtocolEnum {
        if self.check_path().is_some() { ProtocolEnum::Http } else { ProtocolEnum::Tcp }
    }
    fn check_port(&self) -> String {
        self.health.port.map_or_else(|| "traffic-port".into(), |p| p.to_string())
    }
    fn codes(&self) -> Option<&str> {
        self.check_path().and(self.health.codes.as_deref())
    }
    fn compare(&self, live: &LiveTargetGroup) -> Vec<Change> {
        let group = &live.group;
        let mut fixed = Fixed::new(IMMUTABLE);
        fixed.compare("VPC", group.vpc_id(), Some(&self.vpc));
        fixed.compare("protocol", group.protocol().map(ProtocolEnum::as_str), Some(protocol(self.protocol).as_str()));
        fixed.compare("port", group.port(), Some(i32::from(self.port)));
        let there = group.health_check_protocol().map(ProtocolEnum::as_str);
        fixed.compare("health check protocol", there, Some(self.check_protocol().as_str()));
        fixed.compare("health check path", group.health_check_path(), self.check_path());
        fixed.compare("health check port", group.health_check_port(), Some(self.check_port().as_str()));
        let number = |n: u32| i32::try_from(n).ok();
        fixed.compare("health check interval", group.health_check_interval_seconds(), number(self.health.interval));
        fixed.compare("health check timeout", group.health_check_timeout_seconds(), number(self.health.timeout));
        fixed.compare("healthy threshold", group.healthy_threshold_count(), number(self.health.healthy));
        fixed.compare("unhealthy threshold", group.unhealthy_threshold_count(), number(self.health.unhealthy));
        fixed.compare("health check codes", group.matcher().and_then(|m| m.http_code()), self.codes());
        let mut changes = fixed.changes;
        // Written after the group itself, so it may be missing on a half-made one.
        let wanted = self.deregistration_delay.as_secs();
        if live.delay != Some(wanted) {
            let from = live.delay.map_or_else(|| "-".into(), |d| format!("{d} s"));
            changes.push(Change::new("deregistration delay", from, format!("{wanted} s")));
        }
        changes
    }
    async fn write_attributes(&self, cloud: &Cloud, arn: &str) -> Result<()> {
        let delay = self.deregistration_delay.as_secs().to_string();
        let attribute = TargetGroupAttribute::builder().key(DELAY).value(delay).build();
        let call = cloud.elb().modify_target_group_attributes().target_group_arn(arn).attributes(attribute);
        call.send().await.told(cloud, &self.name).map(drop)
    }
}

impl Kind for TargetGroup {
    const NAME: &'static str = "target group";
    type Owner = Owner;
    type Live = LiveTargetGroup;
    type Output = TargetGroupArn;
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<LiveTargetGroup>> {
        let found = describe(cloud, name).await?;
        let Some(group) = found.as_ref().clone() else { return Ok(None) };
        let arn = group.target_group_arn().unwrap_or_default();
        let attributes = async {
            cloud.elb().describe_target_group_attributes().target_group_arn(arn).send().await.unless_gone(cloud, name)
        };
        let (tags, attributes) = futures::try_join!(tags(cloud, arn), attributes)?;
        let (Some(tags), Some(attributes)) = (tags, attributes) else { return Ok(None) };
        owner.claim(Self::NAME, name, &tags)?;
        let delay = attributes.attributes().iter().find(|a| a.key() == Some(DELAY));
        Ok(Some(LiveTargetGroup { delay: delay.and_then(|a| a.value()?.parse().ok()), group }))
    }
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, live: &LiveTargetGroup) -> Result<()> {
        let arn = live.group.target_group_arn().unwrap_or_default();
        cloud.elb().delete_target_group().target_group_arn(arn).send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(_: &str, live: &LiveTargetGroup) -> TargetGroupArn {
        TargetGroupArn(live.group.target_group_arn().unwrap_or_default().into())
    }
}

impl Resource for TargetGroup {
    named!(noun);

    fn uses(&self) -> Vec<Use> {
        vec![Use::of(quotas::TARGET_GROUPS.name, 1)]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), names::load_balancer_name(&self.name)])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &LiveTargetGroup) -> Vec<Change> {
        self.compare(live)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveTargetGroup> {
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let call = cx
            .cloud
            .elb()
            .create_target_group()
            .name(&self.name)
            .target_type(TargetTypeEnum::Instance)
            .vpc_id(&self.vpc)
            .protocol(protocol(self.protocol))
            .port(self.port.into())
            .health_check_enabled(true)
            .health_check_protocol(self.check_protocol())
            .set_health_check_path(self.check_path().map(str::to_owned))
            .health_check_port(self.check_port())
            .health_check_interval_seconds(number(self.health.interval))
            .health_check_timeout_seconds(number(self.health.timeout))
            .healthy_threshold_count(number(self.health.healthy))
            .unhealthy_threshold_count(number(self.health.unhealthy))
            .set_matcher(self.codes().map(|c| Matcher::builder().http_code(c).build()))
            .set_tags(Some(tag_list(&self.owner.tags(&self.name))))
            .send()
            .await;
        let answer = call.told(cx.cloud, &self.name)?;
        let group = answer.target_groups.unwrap_or_default().into_iter().next();
        let group =
            group.ok_or_else(|| crate::Error::failed("AWS answered without the new target group").retryable())?;
        self.write_attributes(cx.cloud, group.target_group_arn().unwrap_or_default()).await?;
        Ok(LiveTargetGroup { group, delay: Some(self.deregistration_delay.as_secs()) })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &LiveTargetGroup, _: &[Change]) -> Result<LiveTargetGroup> {
        self.write_attributes(cx.cloud, live.group.target_group_arn().unwrap_or_default()).await?;
        Ok(LiveTargetGroup { group: live.group.clone(), delay: Some(self.deregistration_delay.as_secs()) })
    }
}

fn protocol(traffic: Traffic) -> ProtocolEnum {
    match traffic {
        Traffic::Http => ProtocolEnum::Http,
        Traffic::Tcp => ProtocolEnum::Tcp,
    }
}

/// Tags for a creating call of Elastic Load Balancing.
pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}

/// The tags of a load balancer or target group; `None` when it is gone.
pub(super) async fn tags(cloud: &Cloud, arn: &str) -> Result<Option<BTreeMap<String, String>>> {
    Ok(tags_of(cloud, vec![arn.to_owned()]).await?.remove(arn))
}

/// Tags of this many come in one call (`DescribeTags`, `ResourceArns`: at most 20).
const TAGS_OF: usize = 20;
/// How many such calls are made at the same time.
const PARALLEL: usize = 8;

async fn described(cloud: &Cloud, arns: Vec<String>) -> Result<Vec<TagDescription>> {
    let what = if let [one] = &arns[..] { one.clone() } else { String::new() };
    let answer = cloud.elb().describe_tags().set_resource_arns(Some(arns)).send().await.unless_gone(cloud, what)?;
    Ok(answer.and_then(|a| a.tag_descriptions).unwrap_or_default())
}

/// The tags of load balancers or target groups, by ARN. One that has just gone makes its whole call fail: of those in it,
/// none is told.
pub(crate) async fn tags_of(cloud: &Cloud, arns: Vec<String>) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let calls: Vec<_> = arns.chunks(TAGS_OF).map(|some| described(cloud, some.to_vec())).collect();
    let told: Vec<Vec<TagDescription>> = stream::iter(calls).buffer_unordered(PARALLEL).try_collect().await?;
    let pair = |t: &Tag| Some((t.key()?.to_owned(), t.value().unwrap_or_default().to_owned()));
    let of = |d: TagDescription| Some((d.resource_arn()?.to_owned(), d.tags().iter().filter_map(pair).collect()));
    Ok(told.into_iter().flatten().filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_fixed_and_the_delay_is_not() {
        let owner = Owner {
            tool: "minion",
            vpc: "vpc-1".into(),
            team: None,
            application: "a".into(),
            version: Some("1".into()),
            extra: BTreeMap::new(),
        };
        let health =
            HealthCheck { path: None, port: None, interval: 20, timeout: 10, healthy: 3, unhealthy: 5, codes: None };
        let mut wanted = TargetGroup {
            owner,
            name: "app-a-1".into(),
            noun: "target group".into(),
            vpc: "vpc-1".into(),
            protocol: Traffic::Http,
            port: 8080,
            health,
            deregistration_delay: Duration::from_secs(20),
        };
        let group = Group::builder()
            .vpc_id("vpc-1")
            .protocol(ProtocolEnum::Http)
            .port(8080)
            .health_check_protocol(ProtocolEnum::Http)
            .health_check_path("/")
            .health_check_port("traffic-port")
            .health_check_interval_seconds(20)
            .health_check_timeout_seconds(10)
            .healthy_threshold_count(3)
            .unhealthy_threshold_count(5)
            .matcher(Matcher::builder().http_code("200").build())
            .build();
        let mut live = LiveTargetGroup { group, delay: Some(20) };
        assert_eq!(wanted.compare(&live), []);
        live.delay = None;
        assert_eq!(wanted.compare(&live), [Change::new("deregistration delay", "-", "20 s")]);
        live.delay = Some(20);
        type Edit = fn(&mut TargetGroup);
        let table: [(&str, Edit); 6] = [
            ("port: 8080 -> 81", |t| t.port = 81),
            ("health check port: traffic-port -> 9", |t| t.health.port = Some(9)),
            ("health check path: / -> /x", |t| t.health.path = Some("/x".into())),
            ("health check interval: 20 -> 30", |t| t.health.interval = 30),
            ("unhealthy threshold: 5 -> 2", |t| t.health.unhealthy = 2),
            ("health check codes: 200 -> 200-299", |t| t.health.codes = Some("200-299".into())),
        ];
        let mut seen = Vec::new();
        for (text, edit) in table {
            edit(&mut wanted);
            seen.push(text);
            let changes = wanted.compare(&live);
            assert_eq!(changes.len(), seen.len(), "{changes:?}");
            assert!(changes.iter().any(|c| c.to_string() == text && c.refused.is_some()), "{text}: {changes:?}");
        }
    }
}
