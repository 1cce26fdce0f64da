//! What there is of each kind, read once for each run and shared by all who ask.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, network::tag_map},
    model::{
        Owning, TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM, Whose},
    },
};
use aws_sdk_ec2::types::{
    DhcpOptions, Filter, InternetGateway, RouteTable, SecurityGroup, Subnet, Tag, Vpc, VpcEndpoint,
};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) use crate::{
    cloud::ec2::{ec2_tags, filter, specification},
    resources::tag_drift::retag,
};

/// A kind of EC2 that carries tags.
pub trait Tagged {
    /// Its tags, as EC2 tells them.
    fn ec2_tags(&self) -> &[Tag];
    /// Its tags.
    fn tag_map(&self) -> BTreeMap<String, String> {
        tag_map(self.ec2_tags())
    }
    /// Its name.
    fn tag_name(&self) -> Option<&str> {
        self.ec2_tags().iter().find(|t| t.key() == Some("Name"))?.value()
    }
}
/// EC2's own types that carry tags.
macro_rules! tagged {
    ($($kind:ty),*) => { $(impl $crate::resources::network::lists::Tagged for $kind {
        fn ec2_tags(&self) -> &[aws_sdk_ec2::types::Tag] { self.tags() }
    })* };
}
pub(super) use tagged;
tagged!(Vpc, Subnet, RouteTable, InternetGateway, DhcpOptions, VpcEndpoint);

/// The tag filters of what is this owner's. The organization's own has no team: see [`mine`].
pub(crate) fn filters(owner: &TeamOwner) -> Vec<Filter> {
    let tag = |key: &str, value: &str| filter(format!("tag:{key}"), value);
    let team = owner.team.iter().map(|t| tag(OVERLORD_TEAM, t.as_str()));
    [tag(ORGANIZATION, owner.organization.as_str())].into_iter().chain(team).collect()
}

/// The key of a list of this owner's things.
pub(crate) fn key(kind: &str, owner: &TeamOwner) -> String {
    let team = owner.team.as_ref().map_or("", |t| t.as_str());
    format!("{kind} of {}/{team}", owner.organization)
}

/// Those that are this owner's.
pub(crate) fn mine<T: Tagged>(owner: &TeamOwner, all: impl IntoIterator<Item = T>) -> Vec<T> {
    all.into_iter().filter(|t| owner.whose(&t.tag_map()) == Whose::Ours).collect()
}

/// The only one of `owner`'s things of this name; a refusal that names them, when there are several. `id` tells which
/// it is.
pub(crate) fn named<'t, T: Tagged>(
    kind: &str,
    name: &str,
    mine: &'t [T],
    id: impl Fn(&'t T) -> Option<&'t str>,
) -> Result<Option<&'t T>> {
    let all: Vec<&T> = mine.iter().filter(|t| t.tag_name() == Some(name)).collect();
    if let [_, _, ..] = all[..] {
        let ids: Vec<&str> = all.iter().filter_map(|t| id(t)).collect();
        return Err(Error::refused(format!("there are {} of the name {kind} {name}: {}", all.len(), ids.join(", ")))
            .hint("A run that was cut off may have left one: see which of them is in use, and remove the other one."));
    }
    Ok(all.first().copied())
}

/// The default security group of every VPC of the region.
pub(crate) async fn default_groups(cloud: &Cloud) -> Result<Arc<Vec<SecurityGroup>>> {
    let load = async {
        let call = cloud.ec2().describe_security_groups().filters(filter("group-name", "default"));
        let pages = call.into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")
    };
    cloud.once("default security groups", load).await
}
