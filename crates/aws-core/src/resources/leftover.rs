//! What carries an owner's tags although no graph names it: found by the tags, removed by its kind.
use super::{
    auto_scaling_group::{self, AutoScalingGroup},
    key_pair::KeyPair,
    kind::{Kind, Named},
    launch_template::LaunchTemplate,
    load_balancer::{self, LoadBalancer},
    security_group::SecurityGroup,
    target_group::{self, TargetGroup},
};
use crate::{
    Result,
    cloud::{Cloud, Told as _, ec2::filter, network::tag_map},
    engine::{Graph, NodeId},
    model::{
        Owner, Owning as _,
        tags::{APPLICATION, MANAGED_BY, VERSION, VPC, Whose},
    },
};
use aws_sdk_ec2::types::Filter;
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A kind that is searched for.
struct Searched {
    name: &'static str,
    list: for<'a> fn(&'a Cloud, &'a Owner) -> BoxFuture<'a, Result<Tagged>>,
    absent: fn(&mut Graph<Cloud>, &Owner, &Found, Vec<NodeId>) -> NodeId,
}

macro_rules! searched {
    ($($kind:ty: $list:path),* $(,)?) => { [$(Searched {
        name: <$kind as Kind>::NAME,
        list: |cloud, owner| $list(cloud, owner).boxed(),
        absent: |graph, owner, found, after| {
            let noun = format!("leftover {found}");
            graph.absent(Named::<$kind>::new(owner, &found.name).called(noun).before(after)).node()
        },
    }),*] };
}

/// In the order in which they are made; removed the other way round.
static KINDS: [Searched; 6] = searched![
    KeyPair: key_pairs,
    SecurityGroup: security_groups,
    LaunchTemplate: launch_templates,
    TargetGroup: target_groups,
    LoadBalancer: load_balancers,
    AutoScalingGroup: scaling_groups,
];

/// A thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which of [`KINDS`].
    kind: usize,
    /// Its id or ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version that it belongs to, by its tag.
    pub version: Option<String>,
}
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", KINDS[self.kind].name, self.name, self.id)
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
pub async fn search(cloud: &Cloud, owner: &Owner, known: &BTreeSet<(&str, &str)>) -> Result<Leftovers> {
    let all = futures::future::try_join_all(KINDS.iter().map(|kind| (kind.list)(cloud, owner))).await?;
    let all = all
        .into_iter()
        .enumerate()
        .flat_map(|(kind, found)| found.into_iter().map(move |(found, tags)| (Found { kind, ..found }, tags)));
    let mut leftovers = Leftovers::default();
    for (mut found, tags) in all {
        found.version = tags.get(VERSION).cloned();
        if known.contains(&(KINDS[found.kind].name, found.name.as_str())) || !belongs(owner, &tags) {
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

fn found(id: Option<&str>, name: Option<&str>) -> Found {
    Found { kind: 0, id: id.unwrap_or_default().to_owned(), name: name.unwrap_or_default().to_owned(), version: None }
}
fn filters(owner: &Owner) -> Vec<Filter> {
    let tag = |key: &str, value: &str| filter(format!("tag:{key}"), value);
    let mut filters = vec![tag(APPLICATION, &owner.application), tag(VPC, &owner.vpc)];
    filters.extend(owner.version.as_deref().map(|v| tag(VERSION, v)));
    filters
}

async fn key_pairs(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let answer = cloud.ec2().describe_key_pairs().set_filters(Some(filters(owner))).send().await.told(cloud, "")?;
    Ok(answer.key_pairs().iter().map(|k| (found(k.key_pair_id(), k.key_name()), tag_map(k.tags()))).collect())
}

async fn security_groups(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages =
        cloud.ec2().describe_security_groups().set_filters(Some(filters(owner))).into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
    Ok(all.iter().map(|g| (found(g.group_id(), g.group_name()), tag_map(g.tags()))).collect())
}

async fn launch_templates(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages =
        cloud.ec2().describe_launch_templates().set_filters(Some(filters(owner))).into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
    let pair = |t: &aws_sdk_ec2::types::LaunchTemplate| {
        (found(t.launch_template_id(), t.launch_template_name()), tag_map(t.tags()))
    };
    Ok(all.iter().map(pair).collect())
}

async fn scaling_groups(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let all = auto_scaling_group::list(cloud, &owner.vpc, Some(&owner.application), owner.version.as_deref()).await?;
    let pair = |g: &aws_sdk_autoscaling::types::AutoScalingGroup| {
        let name = g.auto_scaling_group_name();
        (found(name, name), auto_scaling_group::tags(g))
    };
    Ok(all.iter().map(pair).collect())
}

async fn load_balancers(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let all = load_balancer::of_vpc(cloud, &owner.vpc).await?;
    with_tags(cloud, all.iter().map(|b| found(b.load_balancer_arn(), b.load_balancer_name())).collect()).await
}

async fn target_groups(cloud: &Cloud, owner: &Owner) -> Result<Tagged> {
    let pages = cloud.elb().describe_target_groups().page_size(400).into_paginator().items().send();
    let all: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
    let mine = all.iter().filter(|t| t.vpc_id() == Some(&owner.vpc));
    with_tags(cloud, mine.map(|t| found(t.target_group_arn(), t.target_group_name())).collect()).await
}

async fn with_tags(cloud: &Cloud, things: Vec<Found>) -> Result<Tagged> {
    let mut tags = target_group::tags_of(cloud, things.iter().map(|f| f.id.clone()).collect()).await?;
    Ok(things.into_iter().filter_map(|f| tags.remove(&f.id).map(|tags| (f, tags))).collect())
}

/// Adds what was found as things that should not exist: what is made later goes first.
pub fn add(graph: &mut Graph<Cloud>, owner: &Owner, mut things: Vec<Found>) {
    things.sort();
    let mut before: Vec<(usize, NodeId)> = Vec::new();
    for thing in things {
        let after = before.iter().filter(|(kind, _)| *kind < thing.kind).map(|(_, node)| *node).collect();
        // What a version has is not its application's.
        let owner = Owner { version: thing.version.clone(), ..owner.clone() };
        let node = (KINDS[thing.kind].absent)(graph, &owner, &thing, after);
        before.push((thing.kind, node));
    }
}
