//! What an account's quotas are.
use super::{Judged, LIMITS, Unread, count, network, once, service_of};
use crate::cloud::{Cloud, Told as _};
use std::collections::BTreeMap;

/// Quotas in one page (Service Quotas `ListServiceQuotas`, `MaxResults`: at most 100). More than the services have that
/// are listed here.
const PAGE: i32 = 100;

/// Who does not answer: one sentence for all quotas.
const SERVICE: &str = "Service Quotas";

/// The account's value; `None` where Service Quotas has none of its own, and AWS's default holds. `Err`: why it is not
/// known.
pub(super) async fn of(cloud: &Cloud, judged: &Judged) -> Result<Option<u64>, Unread> {
    let Some((service, code)) = service_of(&judged.quota) else { return Ok(None) };
    match service {
        // These services tell themselves, in one call with the count.
        "iam" => Ok(count::iam(cloud).await?.get(count::iam_quota(&judged.quota)).copied()),
        "route53" => network::zones(cloud).await.map(|(_, most)| Some(most)),
        "autoscaling" => count::groups(cloud).await.map(|(_, most)| most),
        // EC2 has several hundred: one by one is sooner.
        "ec2" => one(cloud, service, code).await,
        _ => Ok(listed(cloud, service).await?.get(code).copied()),
    }
}

async fn listed(cloud: &Cloud, service: &'static str) -> Result<BTreeMap<String, u64>, Unread> {
    let load = async {
        let call = cloud.quotas().list_service_quotas().service_code(service).max_results(PAGE);
        let mut pages = call.into_paginator().send();
        let mut values = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.told(cloud, service)?;
            for quota in page.quotas() {
                // Of one resource there may be a value beside the account's.
                let of_account = quota.quota_context().is_none_or(|c| c.context_id().is_none_or(|id| id == "*"));
                if let (Some(code), Some(value), true) = (quota.quota_code(), quota.value(), of_account) {
                    values.insert(code.to_owned(), whole(value));
                }
            }
        }
        Ok(values)
    };
    once(cloud, &format!("servicequotas:ListServiceQuotas for {service}"), (SERVICE, LIMITS), load).await
}

async fn one(cloud: &Cloud, service: &str, code: &str) -> Result<Option<u64>, Unread> {
    let load = async {
        let call = cloud.quotas().get_service_quota().service_code(service).quota_code(code).send().await;
        let answer = call.unless_gone(cloud, code)?;
        Ok(answer.and_then(|a| a.quota?.value).map(whole))
    };
    once(cloud, &format!("servicequotas:GetServiceQuota for {code}"), (SERVICE, LIMITS), load).await
}

/// Service Quotas counts in floating point: rounded down, and not below zero.
fn whole(value: f64) -> u64 {
    value.max(0.0).floor() as u64
}
