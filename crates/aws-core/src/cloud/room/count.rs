//! How much of a quota is used.
//!
//! What takes more than [`PAGES`] pages is not counted to its end: an account that large knows its quotas.
use super::{Judged, Tally, Unread, counted, network};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        operations::{autoscaling, ec2, elb, iam},
        quotas,
    },
};
use aws_sdk_ec2::types::{Filter, Instance, InstanceLifecycleType};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum;
use std::collections::BTreeMap;

/// Pages of a list, one after the other.
const PAGES: usize = 4;
/// Load balancers or target groups in one page (`PageSize`: at most 400).
const BALANCERS: i32 = 400;
/// Instances or groups in one page (EC2, `MaxResults`: at most 1000).
const PAGE: i32 = 1000;

/// How much is used; `None` where that takes too long to count. `Err`: why it is not known.
pub(super) async fn of(cloud: &Cloud, judged: &Judged) -> Result<Option<u64>, Unread> {
    match judged.tally {
        Tally::Within => Ok(Some(0)),
        Tally::ApplicationLoadBalancers => balancers(cloud, &LoadBalancerTypeEnum::Application).await,
        Tally::NetworkLoadBalancers => balancers(cloud, &LoadBalancerTypeEnum::Network).await,
        Tally::TargetGroups => target_groups(cloud).await,
        Tally::AutoScalingGroups => groups(cloud).await.map(|(used, _)| Some(used)),
        Tally::HostedZones => network::zones(cloud).await.map(|(used, _)| Some(used)),
        Tally::Roles => summary(cloud, "Roles").await,
        Tally::InstanceProfiles => summary(cloud, "InstanceProfiles").await,
        Tally::Policies => summary(cloud, "Policies").await,
        Tally::Processors => processors(cloud, judged.quota.name).await,
        Tally::SecurityGroups => security_groups(cloud).await,
        other => network::of(cloud, other).await,
    }
}

pub(super) fn many(list: &[impl Sized]) -> u64 {
    list.len() as u64
}

/// The load balancers of the region, by type: one list for both quotas.
async fn balancers(cloud: &Cloud, kind: &LoadBalancerTypeEnum) -> Result<Option<u64>, Unread> {
    let load = async {
        let mut pages = cloud.elb().describe_load_balancers().page_size(BALANCERS).into_paginator().send();
        let (mut types, mut read) = (Vec::new(), 0);
        while let Some(page) = pages.next().await {
            let page = page.told(cloud, "")?;
            types.extend(page.load_balancers().iter().filter_map(|b| b.r#type().cloned()));
            read += 1;
            if read == PAGES && page.next_marker().is_some() {
                return Ok(None);
            }
        }
        Ok(Some(types))
    };
    let types = counted::<elb::DescribeLoadBalancers, _>(cloud, load).await?;
    Ok(types.map(|types| types.iter().filter(|t| *t == kind).count() as u64))
}

async fn target_groups(cloud: &Cloud) -> Result<Option<u64>, Unread> {
    let load = async {
        let mut pages = cloud.elb().describe_target_groups().page_size(BALANCERS).into_paginator().send();
        let (mut count, mut read) = (0, 0);
        while let Some(page) = pages.next().await {
            let page = page.told(cloud, "")?;
            count += many(page.target_groups());
            read += 1;
            if read == PAGES && page.next_marker().is_some() {
                return Ok(None);
            }
        }
        Ok(Some(count))
    };
    counted::<elb::DescribeTargetGroups, _>(cloud, load).await
}

/// Auto Scaling groups of the region, and how many there may be.
pub(super) async fn groups(cloud: &Cloud) -> Result<(u64, Option<u64>), Unread> {
    let load = async {
        let answer = cloud.autoscaling().describe_account_limits().send().await.told(cloud, "")?;
        let count = |n: Option<i32>| n.and_then(|n| u64::try_from(n).ok());
        let used = count(answer.number_of_auto_scaling_groups());
        let used = used.ok_or_else(|| Error::failed("AWS answered without the number of groups"))?;
        Ok((used, count(answer.max_number_of_auto_scaling_groups())))
    };
    counted::<autoscaling::DescribeAccountLimits, _>(cloud, load).await
}

/// What IAM has in the account, and how much of it there may be.
pub(super) async fn iam(cloud: &Cloud) -> Result<BTreeMap<String, u64>, Unread> {
    let load = async {
        let answer = cloud.iam().get_account_summary().send().await.told(cloud, "")?;
        let count = |(key, n): (aws_sdk_iam::types::SummaryKeyType, i32)| {
            Some((key.as_str().to_owned(), u64::try_from(n).ok()?))
        };
        Ok(answer.summary_map.unwrap_or_default().into_iter().filter_map(count).collect())
    };
    counted::<iam::GetAccountSummary, _>(cloud, load).await
}

/// A quota's name in IAM's summary.
pub(super) fn iam_quota(quota: &quotas::Quota) -> &'static str {
    match quota.name {
        name if name == quotas::ROLES.name => "RolesQuota",
        name if name == quotas::INSTANCE_PROFILES.name => "InstanceProfilesQuota",
        name if name == quotas::POLICIES.name => "PoliciesQuota",
        name if name == quotas::ROLE_POLICIES.name => "AttachedPoliciesPerRoleQuota",
        _ => "",
    }
}

async fn summary(cloud: &Cloud, key: &str) -> Result<Option<u64>, Unread> {
    let count = iam(cloud).await?.get(key).copied();
    count.map(Some).ok_or_else(|| Unread::Failed(format!("iam:GetAccountSummary: no {key}")))
}

/// The virtual processors of an instance as it runs: cores and threads can be switched off, and are not counted then.
fn of_instance(instance: &Instance) -> u64 {
    let options = instance.cpu_options();
    let of = |n: Option<i32>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
    options.map_or(1, |o| of(o.core_count()) * of(o.threads_per_core()))
}

/// The processors of running instances, by quota: one list for all families.
async fn processors(cloud: &Cloud, name: &'static str) -> Result<Option<u64>, Unread> {
    let load = async {
        let states = ["pending", "running"].map(str::to_owned);
        let running = Filter::builder().name("instance-state-name").set_values(Some(states.into())).build();
        let mut pages = cloud.ec2().describe_instances().filters(running).into_paginator().page_size(PAGE).send();
        let (mut sums, mut read) = (BTreeMap::<&'static str, u64>::new(), 0);
        while let Some(page) = pages.next().await {
            let page = page.told(cloud, "")?;
            for instance in page.reservations().iter().flat_map(|r| r.instances()) {
                let spot = instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
                let kind = instance.instance_type().map(|t| t.as_str()).unwrap_or_default();
                if let Some(quota) = quotas::processors_of(kind, spot) {
                    *sums.entry(quota.name).or_default() += of_instance(instance);
                }
            }
            read += 1;
            if read == PAGES && page.next_token().is_some() {
                return Ok(None);
            }
        }
        Ok(Some(sums))
    };
    let sums = counted::<ec2::DescribeInstances, _>(cloud, load).await?;
    Ok(sums.map(|sums| sums.get(name).copied().unwrap_or_default()))
}

async fn security_groups(cloud: &Cloud) -> Result<Option<u64>, Unread> {
    let load = async {
        let mut pages = cloud.ec2().describe_security_groups().into_paginator().page_size(PAGE).send();
        let (mut count, mut read) = (0, 0);
        while let Some(page) = pages.next().await {
            let page = page.told(cloud, "")?;
            count += many(page.security_groups());
            read += 1;
            if read == PAGES && page.next_token().is_some() {
                return Ok(None);
            }
        }
        Ok(Some(count))
    };
    counted::<ec2::DescribeSecurityGroups, _>(cloud, load).await
}
