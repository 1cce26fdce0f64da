//! What there is of each kind, read once for each run and shared by all who ask; and the tags of EC2.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, network::tag_map},
    model::{
        Owning as _, TeamOwner,
        tags::{ORGANIZATION, OVERLORD_TEAM, Whose},
    },
    resources::tag_drift,
};
use aws_sdk_ec2::types::{
    DhcpOptions, EgressOnlyInternetGateway, Filter, InternetGateway, ResourceType, RouteTable, SecurityGroup, State,
    Subnet, Tag, TagSpecification, Vpc, VpcEndpoint,
};
use std::{collections::BTreeMap, sync::Arc};

/// A kind of EC2 that carries tags.
pub(crate) trait Tagged {
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
macro_rules! tagged {
    ($($kind:ty),*) => { $(impl Tagged for $kind { fn ec2_tags(&self) -> &[Tag] { self.tags() } })* };
}
tagged!(Vpc, Subnet, RouteTable, InternetGateway, EgressOnlyInternetGateway, DhcpOptions, VpcEndpoint);

/// The tag filters of what is this owner's. The organization's own has no team: see [`mine`].
pub(crate) fn filters(owner: &TeamOwner) -> Vec<Filter> {
    let tag = |key: &str, value: &str| Filter::builder().name(format!("tag:{key}")).values(value).build();
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

/// The only one of `owner`'s things of this name. `id` tells which it is.
///
/// # Errors
/// A refusal that names them, when there are several.
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

/// The tags of a thing to be made, for the creating call.
pub(crate) fn specification(kind: ResourceType, tags: &BTreeMap<String, String>) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(ec2_tags(tags))).build()
}

/// Tags, as EC2 takes them.
pub(crate) fn ec2_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}

/// Writes the tags that may change and differ, with `more` that the kind has of its own, and that win.
///
/// # Errors
/// When the call fails.
pub(crate) async fn retag(
    cloud: &Cloud,
    owner: &TeamOwner,
    (id, name): (&str, &str),
    live: &BTreeMap<String, String>,
    more: &[(&str, &str)],
) -> Result<()> {
    let mut stale = tag_drift::stale(owner, live);
    stale.retain(|k, _| more.iter().all(|(own, _)| own != k));
    let more = more.iter().filter(|(k, v)| live.get(*k).map(String::as_str) != Some(v));
    stale.extend(more.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    if stale.is_empty() {
        return Ok(());
    }
    let call = cloud.ec2().create_tags().resources(id).set_tags(Some(ec2_tags(&stale)));
    call.send().await.told(cloud, "ec2:CreateTags", name).map(drop)
}

/// Every VPC of the region.
///
/// # Errors
/// When the call fails.
pub(crate) async fn all_vpcs(cloud: &Cloud) -> Result<Arc<Vec<Vpc>>> {
    let load = async {
        let pages = cloud.ec2().describe_vpcs().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeVpcs", "")
    };
    cloud.once("every VPC", load).await
}

/// Every subnet of the region: one in the way is seen before anything is made.
///
/// # Errors
/// When the call fails.
pub(crate) async fn all_subnets(cloud: &Cloud) -> Result<Arc<Vec<Subnet>>> {
    let load = async {
        let pages = cloud.ec2().describe_subnets().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeSubnets", "")
    };
    cloud.once("every subnet", load).await
}

/// Every route table of the region: a subnet may sit in one that is not ours.
///
/// # Errors
/// When the call fails.
pub(crate) async fn all_route_tables(cloud: &Cloud) -> Result<Arc<Vec<RouteTable>>> {
    let load = async {
        let pages = cloud.ec2().describe_route_tables().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeRouteTables", "")
    };
    cloud.once("every route table", load).await
}

/// Every internet gateway of the region: a VPC takes one only.
///
/// # Errors
/// When the call fails.
pub(crate) async fn all_internet_gateways(cloud: &Cloud) -> Result<Arc<Vec<InternetGateway>>> {
    let load = async {
        let pages = cloud.ec2().describe_internet_gateways().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeInternetGateways", "")
    };
    cloud.once("every internet gateway", load).await
}

/// The owner's VPCs.
///
/// # Errors
/// When the call fails.
pub(crate) async fn vpcs(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<Vpc>>> {
    let load = async { Ok(mine(owner, all_vpcs(cloud).await?.iter().cloned())) };
    cloud.once(key("VPCs", owner), load).await
}

/// The owner's subnets.
///
/// # Errors
/// When the call fails.
pub(crate) async fn subnets(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<Subnet>>> {
    let load = async { Ok(mine(owner, all_subnets(cloud).await?.iter().cloned())) };
    cloud.once(key("subnets", owner), load).await
}

/// The owner's route tables.
///
/// # Errors
/// When the call fails.
pub(crate) async fn route_tables(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<RouteTable>>> {
    let load = async { Ok(mine(owner, all_route_tables(cloud).await?.iter().cloned())) };
    cloud.once(key("route tables", owner), load).await
}

/// The owner's internet gateways.
///
/// # Errors
/// When the call fails.
pub(crate) async fn internet_gateways(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<InternetGateway>>> {
    let load = async { Ok(mine(owner, all_internet_gateways(cloud).await?.iter().cloned())) };
    cloud.once(key("internet gateways", owner), load).await
}

/// The owner's egress-only internet gateways.
///
/// # Errors
/// When the call fails.
pub(crate) async fn egress_only(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<EgressOnlyInternetGateway>>> {
    let load = async {
        let call = cloud.ec2().describe_egress_only_internet_gateways().set_filters(Some(filters(owner)));
        let all = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        Ok(mine(owner, all.told(cloud, "ec2:DescribeEgressOnlyInternetGateways", "")?))
    };
    cloud.once(key("egress-only internet gateways", owner), load).await
}

/// The owner's sets of DHCP options.
///
/// # Errors
/// When the call fails.
pub(crate) async fn dhcp_options(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<DhcpOptions>>> {
    let load = async {
        let call = cloud.ec2().describe_dhcp_options().set_filters(Some(filters(owner)));
        let all = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        Ok(mine(owner, all.told(cloud, "ec2:DescribeDhcpOptions", "")?))
    };
    cloud.once(key("DHCP options", owner), load).await
}

/// The owner's VPC endpoints; one that is going away is not there.
///
/// # Errors
/// When the call fails.
pub(crate) async fn endpoints(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<VpcEndpoint>>> {
    let load = async {
        let call = cloud.ec2().describe_vpc_endpoints().set_filters(Some(filters(owner)));
        let all = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let all = all.told(cloud, "ec2:DescribeVpcEndpoints", "")?;
        Ok(mine(owner, all.into_iter().filter(|e| !e.state().is_some_and(leaving))))
    };
    cloud.once(key("VPC endpoints", owner), load).await
}

/// Whether an endpoint in this state is as good as gone.
fn leaving(state: &State) -> bool {
    // The service tells some states in small letters.
    ["deleting", "deleted", "failed", "rejected", "expired"].iter().any(|s| state.as_str().eq_ignore_ascii_case(s))
}

/// The default security group of every VPC of the region.
///
/// # Errors
/// When the call fails.
pub(crate) async fn default_groups(cloud: &Cloud) -> Result<Arc<Vec<SecurityGroup>>> {
    let load = async {
        let named = Filter::builder().name("group-name").values("default").build();
        let pages = cloud.ec2().describe_security_groups().filters(named).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "ec2:DescribeSecurityGroups", "")
    };
    cloud.once("default security groups", load).await
}
