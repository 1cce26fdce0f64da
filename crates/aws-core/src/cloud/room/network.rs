//! How much of a quota is used, for what only `overlord` makes.
use super::{Tally, Unread, count::many, counted};
use crate::{
    Result,
    cloud::{
        Cloud, Told as _,
        ec2::filter,
        lookups,
        operations::{ec2, route53},
    },
};
use aws_sdk_ec2::types::TransitGateway;
use aws_sdk_route53::types::AccountLimitType;

/// How much of it there is. Of these there are few in a region.
pub(super) async fn of(cloud: &Cloud, tally: Tally) -> Result<Option<u64>, Unread> {
    let ec2 = cloud.ec2();
    match tally {
        Tally::Addresses => {
            let load = async {
                let answer = ec2.describe_addresses().send().await.told(cloud, "")?;
                Ok(Some(many(answer.addresses())))
            };
            counted::<ec2::DescribeAddresses, _>(cloud, load).await
        }
        Tally::Vpcs => {
            counted::<ec2::DescribeVpcs, _>(cloud, async { Ok(Some(many(&lookups::vpcs(cloud).await?))) }).await
        }
        Tally::InternetGateways => {
            let load = async {
                let pages = ec2.describe_internet_gateways().into_paginator().items().send();
                let all = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
                Ok(Some(many(&all)))
            };
            counted::<ec2::DescribeInternetGateways, _>(cloud, load).await
        }
        Tally::EgressGateways => {
            let load = async {
                let pages = ec2.describe_egress_only_internet_gateways().into_paginator().items().send();
                let all = pages.collect::<Result<Vec<_>, _>>().await;
                Ok(Some(many(&all.told(cloud, "")?)))
            };
            counted::<ec2::DescribeEgressOnlyInternetGateways, _>(cloud, load).await
        }
        Tally::Endpoints => {
            let load = async {
                let gateways = filter("vpc-endpoint-type", "Gateway");
                let pages = ec2.describe_vpc_endpoints().filters(gateways).into_paginator().items().send();
                let all = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
                Ok(Some(many(&all)))
            };
            counted::<ec2::DescribeVpcEndpoints, _>(cloud, load).await
        }
        Tally::TransitGateways => {
            let load = async {
                let pages = ec2.describe_transit_gateways().into_paginator().items().send();
                let all = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
                // Those that others share are listed, too.
                let account = cloud.account().await?;
                let ours = |g: &&TransitGateway| {
                    g.owner_id() == Some(account.as_str()) && g.state().is_none_or(|s| s.as_str() != "deleted")
                };
                Ok(Some(all.iter().filter(ours).count() as u64))
            };
            counted::<ec2::DescribeTransitGateways, _>(cloud, load).await
        }
        Tally::VpnGateways => {
            let load = async {
                let answer = ec2.describe_vpn_gateways().send().await.told(cloud, "")?;
                let there = answer.vpn_gateways().iter().filter(|g| g.state().is_none_or(|s| s.as_str() != "deleted"));
                Ok(Some(there.count() as u64))
            };
            counted::<ec2::DescribeVpnGateways, _>(cloud, load).await
        }
        other => Err(Unread::Failed(format!("{other:?} is counted elsewhere"))),
    }
}

/// Hosted zones of the account, and how many there may be.
pub(super) async fn zones(cloud: &Cloud) -> Result<(u64, u64), Unread> {
    let load = async {
        let call = cloud.route53().get_account_limit().r#type(AccountLimitType::MaxHostedZonesByOwner).send().await;
        let answer = call.told(cloud, "")?;
        let most = answer.limit.map_or(0, |l| l.value);
        Ok((u64::try_from(answer.count).unwrap_or_default(), u64::try_from(most).unwrap_or_default()))
    };
    counted::<route53::GetAccountLimit, _>(cloud, load).await
}
