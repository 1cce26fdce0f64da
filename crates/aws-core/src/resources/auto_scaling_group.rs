//! Auto Scaling groups: the instances of one version.
use super::{
    compare::Fixed,
    launch_template::{self, LaunchTemplateId},
    target_group::{IMMUTABLE, TargetGroupArn},
};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _, quotas,
        wait::{Look, Patience, poll_until},
    },
    engine::{Cancel, Change, Cx, Identity, Needs, NodeId, Ref, Resource, Use},
    error::Kind as ErrorKind,
    model::{
        Owner, Owning as _, tag_rules,
        tags::{APPLICATION, VERSION, VPC},
    },
    resources::kind::{Kind, Named},
};
use aws_sdk_autoscaling::types::{
    AutoScalingGroup as Group, Filter, LaunchTemplateSpecification, MetricType, PredefinedMetricSpecification, Tag,
    TargetTrackingConfiguration,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The scaling policy's name.
const POLICY: &str = "cpu";
/// Groups in one page (Auto Scaling `DescribeAutoScalingGroups`, `MaxRecords`: at most 100).
const PAGE: i32 = 100;
/// How long instances may take to go: connections drain (up to the target group's delay), then they shut
/// down. Shorter than the engine's time for a node, so that this error, which says what is left, is told.
const DRAIN: Duration = Duration::from_secs(570);

/// An Auto Scaling group.
#[derive(Needs)]
pub struct AutoScalingGroup {
    /// For whom.
    pub owner: Owner,
    /// The name; at most 255 characters.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// What the instances are made of.
    pub launch_template: Ref<LaunchTemplateId>,
    /// Where they take traffic from.
    pub target_groups: Vec<Ref<TargetGroupArn>>,
    /// What must stand before the first instance starts: a target group without a listener is never checked.
    pub after: Vec<NodeId>,
    /// Subnets, one in each zone. Those of the day of creation stay: they are not compared.
    pub subnets: Vec<String>,
    /// How many instances at first. Not compared: scaling is the operator's.
    pub size: Size,
    /// The virtual processors that they take at first of the account's.
    pub processors: Option<Use>,
    /// How long an instance may take to start before its health counts.
    pub grace: Duration,
    /// Keeps the average CPU use at this many percent.
    pub target_cpu_percent: Option<f64>,
    /// More tags of the group and its instances.
    pub marks: BTreeMap<String, String>,
}

/// Numbers of instances; `min <= desired <= max`, which callers check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// At least.
    pub min: i32,
    /// At most.
    pub max: i32,
    /// Now.
    pub desired: i32,
}

/// The name of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName(pub String);

/// What was found.
pub struct LiveAutoScalingGroup {
    group: Group,
    cpu: Option<f64>,
}

/// The groups of applications in this VPC: of all, of one application, or of one version. Shared by all who
/// ask the same in this run.
pub async fn list(
    cloud: &Cloud,
    vpc: &str,
    application: Option<&str>,
    version: Option<&str>,
) -> Result<Arc<Vec<Group>>> {
    let filter = |tag: &str, value: &str| Filter::builder().name(format!("tag:{tag}")).values(value).build();
    let mut filters = vec![filter(VPC, vpc)];
    filters.extend(application.map(|a| filter(APPLICATION, a)));
    filters.extend(version.map(|v| filter(VERSION, v)));
    let load = async {
        let call = cloud.autoscaling().describe_auto_scaling_groups().set_filters(Some(filters)).max_records(PAGE);
        let pages = call.into_paginator().items().send();
        pages.collect::<Result<Vec<Group>, _>>().await.told(cloud, vpc)
    };
    cloud.once(format!("auto scaling groups {vpc} {application:?} {version:?}"), load).await
}

/// The group of this name as it is now, if there is one, whoever owns it.
pub async fn describe(cloud: &Cloud, name: &str) -> Result<Option<Group>> {
    let call = cloud.autoscaling().describe_auto_scaling_groups().auto_scaling_group_names(name).send().await;
    let answer = call.told(cloud, name)?;
    Ok(answer.auto_scaling_groups.unwrap_or_default().into_iter().next())
}

/// A group's tags.
pub fn tags(group: &Group) -> BTreeMap<String, String> {
    let tags = group.tags().iter();
    tags.filter_map(|t| Some((t.key()?.to_owned(), t.value().unwrap_or_default().to_owned()))).collect()
}

/// Takes the group's instances out, which drains their connections, waits until they are gone, and deletes
/// the group. One that is gone already is no error.
///
/// # Errors
/// What AWS answers, or that instances are left after 570 seconds.
pub async fn remove(cloud: &Cloud, name: &str) -> Result<()> {
    let Some(group) = describe(cloud, name).await? else { return Ok(()) };
    if !deleting(&group) {
        match resize(cloud, name, &Size { min: 0, max: 0, desired: 0 }).await {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            // The target group was deleted first: nothing drains.
            Err(e) if NO_TARGETS.iter().any(|words| e.to_string().contains(words)) => delete(cloud, name, true).await?,
            other => other?,
        }
    }
    let what = format!("the instances of {name} to end");
    let patience = Patience::new(DRAIN, Cancel::default());
    let empty = || async {
        let Some(group) = describe(cloud, name).await? else { return Ok(Look::Done(None)) };
        let left = group.instances().len();
        Ok(if left == 0 { Look::Done(Some(group)) } else { Look::NotYet(format!("{left} left")) })
    };
    let Some(group) = poll_until(&what, &patience, empty, |_, _| {}).await? else { return Ok(()) };
    if deleting(&group) {
        return Ok(());
    }
    delete(cloud, name, false).await
}

async fn delete(cloud: &Cloud, name: &str, with_instances: bool) -> Result<()> {
    let call = cloud.autoscaling().delete_auto_scaling_group().auto_scaling_group_name(name);
    let call = if with_instances { call.force_delete(true) } else { call };
    match call.send().await.told(cloud, name) {
        Err(e) if gone(&e) => Ok(()),
        other => other.map(drop),
    }
}

/// Sets how many instances there shall be.
///
/// # Errors
/// Not found, when there is no such group; what AWS answers otherwise.
pub async fn resize(cloud: &Cloud, name: &str, size: &Size) -> Result<()> {
    let call = cloud
        .autoscaling()
        .update_auto_scaling_group()
        .auto_scaling_group_name(name)
        .min_size(size.min)
        .max_size(size.max)
        .desired_capacity(size.desired)
        .send()
        .await;
    match call.told(cloud, name) {
        Err(e) if gone(&e) => {
            Err(Error::not_found(format!("there is no Auto Scaling group {name} in {}", cloud.region())))
        }
        other => other.map(drop),
    }
}

/// Auto Scaling has no code of its own for a group that is not there.
fn gone(error: &Error) -> bool {
    error.code() == Some("ValidationError") && error.to_string().to_lowercase().contains("group name not found")
}

/// Set while AWS takes the group apart.
fn deleting(group: &Group) -> bool {
    group.status().is_some_and(|s| s.to_lowercase().contains("delete"))
}

impl AutoScalingGroup {
    fn all_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.marks.clone();
        tags.extend(self.owner.tags(&self.name));
        tags
    }
    fn grace_seconds(&self) -> i32 {
        i32::try_from(self.grace.as_secs()).unwrap_or(i32::MAX)
    }
    fn template(&self, cx: &Cx<'_, Cloud>) -> Option<String> {
        cx.try_get(self.launch_template).map(|t| t.0.clone())
    }
    fn specification(&self, cx: &Cx<'_, Cloud>) -> LaunchTemplateSpecification {
        let template = LaunchTemplateSpecification::builder().set_launch_template_id(self.template(cx));
        template.version(launch_template::VERSION).build()
    }
    fn target_arns(&self, cx: &Cx<'_, Cloud>) -> BTreeSet<String> {
        self.target_groups.iter().filter_map(|t| cx.try_get(*t)).map(|t| t.0.clone()).collect()
    }

    async fn write_policy(&self, cloud: &Cloud) -> Result<()> {
        let Some(percent) = self.target_cpu_percent else { return Ok(()) };
        let metric = MetricType::AsgAverageCpuUtilization;
        let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric).build();
        let tracking = TargetTrackingConfiguration::builder().predefined_metric_specification(metric);
        let tracking = tracking.target_value(percent).build();
        let call = cloud
            .autoscaling()
            .put_scaling_policy()
            .auto_scaling_group_name(&self.name)
            .policy_name(POLICY)
            .policy_type("TargetTrackingScaling")
            .target_tracking_configuration(tracking)
            .send()
            .await;
        call.told(cloud, &self.name).map(drop)
    }

    fn compare(&self, live: &LiveAutoScalingGroup, template: Option<&str>, targets: &BTreeSet<String>) -> Vec<Change> {
        let mut fixed = Fixed::new(IMMUTABLE);
        let tags = tags(&live.group);
        for (key, value) in &self.marks {
            fixed.compare(&format!("tag {key}"), tags.get(key), Some(value));
        }
        let mut changes = fixed.changes;
        if let Some(status) = live.group.status().filter(|_| deleting(&live.group)) {
            changes.push(Change::new("status", status, "standing"));
        }
        let spec = live.group.launch_template();
        let at = |id: Option<&str>, version: Option<&str>| {
            format!("{} version {}", id.unwrap_or("-"), version.unwrap_or("-"))
        };
        let wanted = template.map(|t| at(Some(t), Some(launch_template::VERSION)));
        let now = at(spec.and_then(|s| s.launch_template_id()), spec.and_then(|s| s.version()));
        if let Some(wanted) = wanted {
            Change::compare(&mut changes, "launch template", &now, &wanted);
        }
        let attached: BTreeSet<&str> = live.group.target_group_arns().iter().map(String::as_str).collect();
        for arn in targets.iter().filter(|t| !attached.contains(t.as_str())) {
            changes.push(Change::new(TARGETS, "-", arn));
        }
        let lost = lost(&live.group, targets, self.target_groups.len());
        changes.extend(lost.map(|arn| Change::refused(TARGETS, arn, "(missing)", LOST)));
        if let Some(grace) = live.group.health_check_grace_period() {
            let (now, wanted) = (format!("{grace} s"), format!("{} s", self.grace_seconds()));
            Change::compare(&mut changes, "health check grace period", &now, &wanted);
        }
        // Written after the group itself, so it may be missing on a half-made one.
        if let Some(wanted) = self.target_cpu_percent
            && live.cpu != Some(wanted)
        {
            let now = live.cpu.map_or_else(|| "-".into(), |c| format!("{c} %"));
            changes.push(Change::new(CPU, now, format!("{wanted} %")));
        }
        changes
    }

    /// An error of a creating call, with what passes marked as such.
    async fn explain(&self, cloud: &Cloud, error: Error) -> Error {
        if error.code() != Some("AlreadyExists") && error.code() != Some("AlreadyExistsFault") {
            // IAM and EC2 need some seconds until everybody knows what was made there.
            return ["Invalid IamInstanceProfile", "Invalid IAM Instance Profile", "specified launch template"]
                .iter()
                .chain(&NO_TARGETS)
                .fold(error, |e, words| e.retry_on_words("ValidationError", words));
        }
        // The look was for groups with our tags: this one is somebody else's, or an earlier answer was lost, or
        // the tags are not listed yet.
        match describe(cloud, &self.name).await {
            Ok(Some(group)) => match self.owner.claim(Self::NAME, &self.name, &tags(&group)) {
                Ok(()) => error.retryable(),
                Err(refused) => refused,
            },
            Ok(None) => error.retryable(),
            Err(e) => e,
        }
    }
}

/// The target group that was deleted while attached, when not all that are wanted exist: its ARN stays in the group, and new
/// instances fail to launch. A group that is going itself is waited for.
fn lost<'g>(group: &'g Group, existing: &BTreeSet<String>, wanted: usize) -> Option<&'g str> {
    let other = group.target_group_arns().iter().find(|arn| !existing.contains(*arn));
    other.filter(|_| existing.len() < wanted && !deleting(group)).map(String::as_str)
}

/// What Auto Scaling says when a target group does not exist, or is not known everywhere yet.
const NO_TARGETS: [&str; 2] = ["target groups not found", "Target Groups may not be valid"];
/// What to do about a group whose target group was deleted.
const LOST: &str =
    "Delete the version with `minion versions delete` (add --force if it receives traffic), then create it again.";
const TARGETS: &str = "target group";
const CPU: &str = "target CPU use";

impl Kind for AutoScalingGroup {
    const NAME: &'static str = "auto scaling group";
    type Owner = Owner;
    type Live = LiveAutoScalingGroup;
    type Output = GroupName;
    /// Looks in the list of the application's groups, which a command has read already. A foreign group of
    /// that name shows when it is created.
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<LiveAutoScalingGroup>> {
        let all = list(cloud, &owner.vpc, Some(&owner.application), None).await?;
        let Some(group) = all.iter().find(|g| g.auto_scaling_group_name() == Some(name)) else {
            return Ok(None);
        };
        owner.claim(Self::NAME, name, &tags(group))?;
        Ok(Some(LiveAutoScalingGroup { group: group.clone(), cpu: None }))
    }
    /// To zero instances first, which drains their connections; then the group.
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, _: &LiveAutoScalingGroup) -> Result<()> {
        remove(cloud, name).await
    }
    fn output(name: &str, _: &LiveAutoScalingGroup) -> GroupName {
        GroupName(name.to_owned())
    }
}

/// A group that may be wanted to scale by itself.
#[derive(Needs)]
pub struct Scaling {
    group: Named<AutoScalingGroup>,
    /// Whether a scaling policy is wanted: only then it is asked for.
    policy: bool,
}

impl Identity for Scaling {
    const KIND: &'static str = AutoScalingGroup::NAME;
    type Cloud = Cloud;
    type Live = LiveAutoScalingGroup;
    type Output = GroupName;

    fn name(&self) -> String {
        self.group.name()
    }
    fn noun(&self) -> String {
        self.group.noun()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<LiveAutoScalingGroup>> {
        let Some(found) = self.group.find(cx).await? else { return Ok(None) };
        let cpu = if self.policy { cpu(cx.cloud, &self.name()).await? } else { None };
        Ok(Some(LiveAutoScalingGroup { cpu, ..found }))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &LiveAutoScalingGroup) -> Result<()> {
        self.group.remove(cx, live).await
    }
    fn output(&self, live: &LiveAutoScalingGroup) -> GroupName {
        self.group.output(live)
    }
}

/// What the scaling policy aims at.
async fn cpu(cloud: &Cloud, group: &str) -> Result<Option<f64>> {
    let call = cloud.autoscaling().describe_policies().auto_scaling_group_name(group).policy_names(POLICY);
    let answer = match call.send().await.told(cloud, group) {
        Err(e) if gone(&e) => return Ok(None),
        other => other?,
    };
    let tracking = answer.scaling_policies().iter().find(|p| p.policy_name() == Some(POLICY));
    Ok(tracking.and_then(|p| p.target_tracking_configuration()?.target_value()))
}

impl Resource for AutoScalingGroup {
    type Identity = Scaling;

    fn identity(&self) -> Scaling {
        let group = Named::new(&self.owner, &self.name).called(&self.noun);
        Scaling { group, policy: self.target_cpu_percent.is_some() }
    }
    fn uses(&self) -> Vec<Use> {
        [Use::of(quotas::AUTO_SCALING_GROUPS.name, 1)].into_iter().chain(self.processors.clone()).collect()
    }
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.all_tags())
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &LiveAutoScalingGroup) -> Vec<Change> {
        self.compare(live, self.template(cx).as_deref(), &self.target_arns(cx))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveAutoScalingGroup> {
        let tags = self.all_tags().into_iter().map(|(k, v)| {
            let tag = Tag::builder().key(k).value(v).propagate_at_launch(true);
            tag.resource_id(&self.name).resource_type("auto-scaling-group").build()
        });
        let call = cx
            .cloud
            .autoscaling()
            .create_auto_scaling_group()
            .auto_scaling_group_name(&self.name)
            .launch_template(self.specification(cx))
            .set_target_group_arns(Some(self.target_arns(cx).into_iter().collect()))
            .vpc_zone_identifier(self.subnets.join(","))
            .min_size(self.size.min)
            .max_size(self.size.max)
            .desired_capacity(self.size.desired)
            .health_check_type("ELB")
            .health_check_grace_period(self.grace_seconds())
            .new_instances_protected_from_scale_in(false)
            .set_tags(Some(tags.collect()))
            .send()
            .await;
        if let Err(e) = call.told(cx.cloud, &self.name) {
            return Err(self.explain(cx.cloud, e).await);
        }
        self.write_policy(cx.cloud).await?;
        let group = Group::builder().auto_scaling_group_name(&self.name).build();
        Ok(LiveAutoScalingGroup { group, cpu: self.target_cpu_percent })
    }
    async fn update(
        &self,
        cx: &Cx<'_, Cloud>,
        live: &LiveAutoScalingGroup,
        changes: &[Change],
    ) -> Result<LiveAutoScalingGroup> {
        if deleting(&live.group) {
            return Err(Error::failed(format!("auto scaling group {} is still being deleted", self.name)).retryable());
        }
        let missing: Vec<String> = changes.iter().filter(|c| c.field == TARGETS).map(|c| c.to.clone()).collect();
        if !missing.is_empty() {
            let call = cx.cloud.autoscaling().attach_load_balancer_target_groups().auto_scaling_group_name(&self.name);
            call.set_target_group_arns(Some(missing)).send().await.told(cx.cloud, &self.name)?;
        }
        if changes.iter().any(|c| c.field != TARGETS && c.field != CPU) {
            let call = cx.cloud.autoscaling().update_auto_scaling_group().auto_scaling_group_name(&self.name);
            let call = call
                .launch_template(self.specification(cx))
                .health_check_grace_period(self.grace_seconds())
                .send()
                .await;
            if let Err(e) = call.told(cx.cloud, &self.name) {
                return Err(self.explain(cx.cloud, e).await);
            }
        }
        if changes.iter().any(|c| c.field == CPU) {
            self.write_policy(cx.cloud).await?;
        }
        Ok(LiveAutoScalingGroup { group: live.group.clone(), cpu: self.target_cpu_percent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AwsDetail;

    #[test]
    fn a_missing_group_has_no_code_of_its_own() {
        let error = |code: &str, words: &str| {
            Error::failed(words).at(AwsDetail { code: Some(code.into()), ..AwsDetail::default() })
        };
        assert!(gone(&error("ValidationError", "AutoScalingGroup name not found - null")));
        assert!(gone(&error("ValidationError", "Group name not found: app-a-1")));
        assert!(!gone(&error("ValidationError", "Invalid IamInstanceProfile: app-a")));
        assert!(!gone(&error("ResourceInUse", "group name not found")));
    }

    #[test]
    fn a_target_group_that_is_lost_is_named() {
        let existing = |arns: &[&str]| arns.iter().copied().map(str::to_owned).collect::<BTreeSet<_>>();
        let group = Group::builder().target_group_arns("arn:a").target_group_arns("arn:b");
        let going = group.clone().status("Delete in progress").build();
        let group = group.build();
        assert_eq!(lost(&group, &existing(&["arn:a"]), 2), Some("arn:b"));
        assert_eq!(lost(&group, &existing(&["arn:a", "arn:b"]), 2), None);
        assert_eq!(lost(&going, &existing(&[]), 2), None, "it is waited for");
        let detached = Group::builder().target_group_arns("arn:a").build();
        assert_eq!(lost(&detached, &existing(&["arn:a"]), 2), None, "the missing one is made and attached");
        assert_eq!(lost(&group, &existing(&["arn:a"]), 1), None, "somebody else's stays");
    }

    #[test]
    fn a_group_that_is_being_deleted_is_seen() {
        assert!(deleting(&Group::builder().status("Delete in progress").build()));
        assert!(!deleting(&Group::builder().build()));
    }
}
