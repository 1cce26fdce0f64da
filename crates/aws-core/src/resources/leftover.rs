//! What carries an owner's tags although no graph names it: found by the tags, removed by its kind.
use super::auto_scaling_group;
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Graph, NodeId, Ref, Resource},
    model::{
        Owner, Owning as _,
        tags::{APPLICATION, MANAGED_BY, VERSION, VPC, Whose},
    },
};
use aws_sdk_ec2::types::Filter;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The kinds that are searched for, in the order in which they are made; deleted the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// EC2 key pair.
    KeyPair,
    /// Security group.
    SecurityGroup,
    /// Launch template.
    LaunchTemplate,
    /// Target group.
    TargetGroup,
    /// Load balancer.
    LoadBalancer,
    /// Auto Scaling group.
    AutoScalingGroup,
}

impl Kind {
    /// The kind's name, as the resources have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeyPair => "key pair",
            Self::SecurityGroup => "security group",
            Self::LaunchTemplate => "launch template",
            Self::TargetGroup => "target group",
            Self::LoadBalancer => "load balancer",
            Self::AutoScalingGroup => "auto scaling group",
        }
    }
}

/// A thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// What deletes it: an id or ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version that it belongs to, by its tag.
    pub version: Option<String>,
}
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.kind.name(), self.name, self.id)
    }
}

/// What a search brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Made by us.
    pub ours: Vec<Found>,
    /// With our tags, but made by somebody else: not to be touched.
    pub foreign: Vec<Found>,
}

/// Searches for all that carries the owner's tags, without what is `known` by kind and name.
///
/// # Errors
/// When a call fails.
pub async fn search(cloud: &Cloud, owner: &Owner, known: &BTreeSet<(&str, &str)>) -> Result<Leftovers> {
    let (keys, groups, templates, balancers, targets, scaling) = tokio::try_join!(
        key_pairs(cloud, owner),
        security_groups(cloud, owner),
        launch_templates(cloud, owner),
        load_balancers(cloud, owner),
        target_groups(cloud, owner),
        scaling_groups(cloud, owner),
    )?;
    let all = [keys, groups, templates, balancers, targets, scaling].into_iter().flatten();
    let mut leftovers = Leftovers::default();
    for (mut found, tags) in all {
        found.version = tags.get(VERSION).cloned();
        if known.contains(&(found.kind.name(), found.name.as_str())) || !belongs(owner, &tags) {
            continue;
        }
        if tags.get(MANAGED_BY).map(String::as_str) == Some(owner.tool) {
            leftovers.ours.push(found);
        } else {
            leftovers.foreign.push(found);
        }
    }
    leftovers.ours.sort();
    Ok(leftovers)
}

/// An application owns what its versions own; a version only its own.
fn belongs(owner: &Owner, tags: &BTreeMap<String, String>) -> bool {
    match owner.version {
        Some(_) => owner.whose(tags) == Whose::Ours,
        None => tags.get(VPC) == Some(&owner.vpc) && tags.get(APPLICATION) == Some(&owner.application),
    }
}

type Tagged = Vec<(Found, BTreeMap<String, String>)>;

fn found(kind: Kind, id: Option<&str>, name: Option<&str>) -> Found {
    Found { kind, id: id.unwrap_or_default().to_owned(), name: name.unwrap_or_default().to_owned(), version: None }
}
fn ec2_tags(tags: &[aws_sdk_ec2::types::Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned()))).collect()
}
fn filters(owner: &Owner) -> Vec<Filter> {
    let tag = |key: &str, value: &str| Filter::builder().name(format!("tag:{key}")).values(value).build();
    let mut filters = vec![tag(APPLICATION, &owner.application), tag(VPC, &owner.vpc)];
    filters.extend(owner.version.as_deref().map(|v| tag(VERSION, v)));
    filters
}

async fn key_pairs(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let answer = cloud.ec2().describe_key_pairs().set_filters(Some(filters(owner))).send().await;
    let answer = answer.told(cloud, "ec2:DescribeKeyPairs", "")?;
    Ok(answer
        .key_pairs()
        .iter()
        .map(|k| (found(Kind::KeyPair, k.key_pair_id(), k.key_name()), ec2_tags(k.tags())))
        .collect())
}

async fn security_groups(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages =
        cloud.ec2().describe_security_groups().set_filters(Some(filters(owner))).into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeSecurityGroups", "")?;
    Ok(all.iter().map(|g| (found(Kind::SecurityGroup, g.group_id(), g.group_name()), ec2_tags(g.tags()))).collect())
}

async fn launch_templates(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages =
        cloud.ec2().describe_launch_templates().set_filters(Some(filters(owner))).into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeLaunchTemplates", "")?;
    let pair = |t: &aws_sdk_ec2::types::LaunchTemplate| {
        (found(Kind::LaunchTemplate, t.launch_template_id(), t.launch_template_name()), ec2_tags(t.tags()))
    };
    Ok(all.iter().map(pair).collect())
}

async fn scaling_groups(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let all = auto_scaling_group::list(cloud, &owner.vpc, Some(&owner.application), owner.version.as_deref()).await?;
    let pair = |g: &aws_sdk_autoscaling::types::AutoScalingGroup| {
        let name = g.auto_scaling_group_name();
        (found(Kind::AutoScalingGroup, name, name), auto_scaling_group::tags(g))
    };
    Ok(all.iter().map(pair).collect())
}

async fn load_balancers(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages = cloud.elb().describe_load_balancers().page_size(400).into_paginator().items().send();
    let all: Vec<_> =
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "elasticloadbalancing:DescribeLoadBalancers", "")?;
    let mine = all.iter().filter(|b| b.vpc_id() == Some(&owner.vpc));
    let things = mine.map(|b| found(Kind::LoadBalancer, b.load_balancer_arn(), b.load_balancer_name())).collect();
    with_tags(cloud, things).await
}

async fn target_groups(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages = cloud.elb().describe_target_groups().page_size(400).into_paginator().items().send();
    let all: Vec<_> =
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "elasticloadbalancing:DescribeTargetGroups", "")?;
    let mine = all.iter().filter(|t| t.vpc_id() == Some(&owner.vpc));
    let things = mine.map(|t| found(Kind::TargetGroup, t.target_group_arn(), t.target_group_name())).collect();
    with_tags(cloud, things).await
}

/// ELBv2 tells tags for 20 ARNs a call (`DescribeTags`).
async fn with_tags(cloud: &Cloud, things: Vec<Found>) -> Result<Tagged> {
    let mut tagged = Vec::new();
    for chunk in things.chunks(20) {
        let arns = chunk.iter().map(|f| f.id.clone()).collect();
        let answer = cloud.elb().describe_tags().set_resource_arns(Some(arns)).send().await;
        let gone = &["LoadBalancerNotFound", "TargetGroupNotFound"];
        let Some(answer) = answer.told_unless(cloud, "elasticloadbalancing:DescribeTags", "", gone)? else { continue };
        for description in answer.tag_descriptions() {
            let tags = description.tags().iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned())));
            if let Some(thing) = chunk.iter().find(|f| Some(f.id.as_str()) == description.resource_arn()) {
                tagged.push((thing.clone(), tags.collect()));
            }
        }
    }
    Ok(tagged)
}

/// Adds what was found to a graph to be destroyed: what is made later is deleted first.
pub fn add(graph: &mut Graph<Cloud>, owner: &Owner, mut things: Vec<Found>) {
    things.sort();
    let mut before: Vec<(Kind, Ref<()>)> = Vec::new();
    for thing in things {
        let needs = before.iter().filter(|(kind, _)| *kind < thing.kind).map(|(_, r)| r.node()).collect();
        let kind = thing.kind;
        let node = graph.add(Leftover { found: thing, owner: owner.clone(), needs });
        before.push((kind, node));
    }
}

struct Leftover {
    found: Found,
    owner: Owner,
    needs: Vec<NodeId>,
}

impl Resource for Leftover {
    const KIND: &'static str = "leftover";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();

    fn name(&self) -> String {
        self.found.to_string()
    }
    fn noun(&self) -> String {
        format!("leftover {}", self.found)
    }
    fn needs(&self) -> Vec<NodeId> {
        self.needs.clone()
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let again = search(cx.cloud, &self.owner, &BTreeSet::new()).await?;
        Ok(again.ours.contains(&self.found).then_some(()))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, (): &()) -> Vec<Change> {
        Vec::new()
    }
    async fn create(&self, _: &Cx<'_, Cloud>) -> Result<()> {
        Err(Error::refused("leftovers are only ever removed"))
    }
    async fn update(&self, _: &Cx<'_, Cloud>, (): &(), _: &[Change]) -> Result<()> {
        Err(Error::refused("leftovers are only ever removed"))
    }
    fn output(&self, (): &()) {}

    async fn delete(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        let (cloud, Found { kind, id, name, .. }) = (cx.cloud, &self.found);
        let busy = &["DependencyViolation", "ResourceInUse"];
        match kind {
            Kind::KeyPair => {
                let done = cloud.ec2().delete_key_pair().key_pair_id(id).send().await;
                done.told_unless(cloud, "ec2:DeleteKeyPair", name, &["InvalidKeyPair.NotFound"]).map(drop)
            }
            Kind::SecurityGroup => {
                let done = cloud.ec2().delete_security_group().group_id(id).send().await;
                done.told_unless(cloud, "ec2:DeleteSecurityGroup", name, &["InvalidGroup.NotFound"])
                    .map_err(|e| e.retry_on(busy))
                    .map(drop)
            }
            Kind::LaunchTemplate => {
                let done = cloud.ec2().delete_launch_template().launch_template_id(id).send().await;
                let gone = &["InvalidLaunchTemplateId.NotFound"];
                done.told_unless(cloud, "ec2:DeleteLaunchTemplate", name, gone).map(drop)
            }
            Kind::TargetGroup => {
                let done = cloud.elb().delete_target_group().target_group_arn(id).send().await;
                done.told_unless(cloud, "elasticloadbalancing:DeleteTargetGroup", name, &["TargetGroupNotFound"])
                    .map_err(|e| e.retry_on(busy))
                    .map(drop)
            }
            Kind::LoadBalancer => {
                let done = cloud.elb().delete_load_balancer().load_balancer_arn(id).send().await;
                done.told_unless(cloud, "elasticloadbalancing:DeleteLoadBalancer", name, &["LoadBalancerNotFound"])
                    .map(drop)
            }
            Kind::AutoScalingGroup => auto_scaling_group::remove(cloud, name).await,
        }
    }
}
