//! Load balancers: an application one for HTTP, a network one for TCP.
use super::{
    compare::{Fixed, join},
    listener,
    security_group::GroupId,
    target_group::{IMMUTABLE, Traffic, tag_list, tags},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, quotas},
    engine::{Change, Cx, Needs, Ref, Resource, Use},
    model::{Owner, Owning as _, names, tag_rules},
    resources::kind::{Kind, named},
};
use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer as Balancer, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum,
    LoadBalancerTypeEnum,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A load balancer.
#[derive(Needs)]
pub struct LoadBalancer {
    /// For whom.
    pub owner: Owner,
    /// The name; at most 32 characters.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// HTTP makes an application load balancer, TCP a network load balancer.
    pub traffic: Traffic,
    /// Whether only private addresses reach it.
    pub internal: bool,
    /// Subnets, one in each zone. Those of the day of creation stay: they are not compared.
    pub subnets: Vec<String>,
    /// Security groups. A network load balancer made without any can never have some.
    pub security_groups: Vec<Ref<GroupId>>,
}

/// What others need of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancerId {
    /// Its ARN.
    pub arn: String,
    /// Its DNS name.
    pub dns_name: String,
    /// The hosted zone of that name, for alias records.
    pub zone_id: String,
}

/// What was found.
pub struct LiveLoadBalancer {
    balancer: Balancer,
    attributes: BTreeMap<String, String>,
}

/// The load balancer of this name, if there is one. Shared by all who ask in this run, so that a command
/// can look early.
pub async fn describe(cloud: &Cloud, name: &str) -> Result<Arc<Option<Balancer>>> {
    let load = async {
        let answer = cloud.elb().describe_load_balancers().names(name).send().await.unless_gone(cloud, name)?;
        Ok(answer.and_then(|a| a.load_balancers.unwrap_or_default().into_iter().next()))
    };
    cloud.once(key(name), load).await
}

/// The load balancers of a VPC; there is no filter for that.
pub(crate) async fn of_vpc(cloud: &Cloud, vpc: &str) -> Result<Vec<Balancer>> {
    let pages = cloud.elb().describe_load_balancers().page_size(400).into_paginator().items().send();
    let all = pages.collect::<Result<Vec<Balancer>, _>>().await.told(cloud, "")?;
    Ok(all.into_iter().filter(|b| b.vpc_id() == Some(vpc)).collect())
}

fn key(name: &str) -> String {
    format!("load balancer {name}")
}

/// The DNS name that AWS gave the load balancer of this name, as this run knows it.
pub async fn dns_name(cloud: &Cloud, name: &str) -> Result<Option<String>> {
    Ok(describe(cloud, name).await?.as_ref().as_ref().and_then(Balancer::dns_name).map(str::to_owned))
}

impl LoadBalancer {
    fn kind(&self) -> LoadBalancerTypeEnum {
        match self.traffic {
            Traffic::Http => LoadBalancerTypeEnum::Application,
            Traffic::Tcp => LoadBalancerTypeEnum::Network,
        }
    }
    fn scheme(&self) -> LoadBalancerSchemeEnum {
        if self.internal { LoadBalancerSchemeEnum::Internal } else { LoadBalancerSchemeEnum::InternetFacing }
    }
    /// Headers that no RFC allows are a way to smuggle requests; and a zone without a healthy instance must
    /// not swallow its share of the traffic (application load balancers always balance across zones).
    fn attribute(&self) -> (&'static str, &'static str) {
        match self.traffic {
            Traffic::Http => ("routing.http.drop_invalid_header_fields.enabled", "true"),
            Traffic::Tcp => ("load_balancing.cross_zone.enabled", "true"),
        }
    }
    fn groups(&self, cx: &Cx<'_, Cloud>) -> BTreeSet<String> {
        self.security_groups.iter().filter_map(|g| cx.try_get(*g)).map(|g| g.0.clone()).collect()
    }
    async fn write_attributes(&self, cloud: &Cloud, arn: &str) -> Result<()> {
        let (key, value) = self.attribute();
        let attribute = LoadBalancerAttribute::builder().key(key).value(value).build();
        let call = cloud.elb().modify_load_balancer_attributes().load_balancer_arn(arn).attributes(attribute);
        call.send().await.told(cloud, &self.name).map(drop)
    }
    fn compare(&self, live: &LiveLoadBalancer, wanted: &BTreeSet<String>) -> Vec<Change> {
        let balancer = &live.balancer;
        let mut fixed = Fixed::new(IMMUTABLE);
        fixed.compare("type", balancer.r#type().map(LoadBalancerTypeEnum::as_str), Some(self.kind().as_str()));
        fixed.compare("scheme", balancer.scheme().map(LoadBalancerSchemeEnum::as_str), Some(self.scheme().as_str()));
        let mut changes = fixed.changes;
        let groups: BTreeSet<String> = balancer.security_groups().iter().cloned().collect();
        if groups != *wanted {
            changes.push(Change::new(GROUPS, join(&groups), join(wanted)));
        }
        let (key, value) = self.attribute();
        let now = live.attributes.get(key).map_or("-", String::as_str);
        if now != value {
            changes.push(Change::new(key, now, value));
        }
        changes
    }
}

const GROUPS: &str = "security groups";

impl Kind for LoadBalancer {
    const NAME: &'static str = "load balancer";
    type Owner = Owner;
    type Live = LiveLoadBalancer;
    type Output = LoadBalancerId;
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<LiveLoadBalancer>> {
        let found = describe(cloud, name).await?;
        let Some(balancer) = found.as_ref().clone() else { return Ok(None) };
        let arn = balancer.load_balancer_arn().unwrap_or_default();
        let attributes = async {
            cloud.elb().describe_load_balancer_attributes().load_balancer_arn(arn).send().await.unless_gone(cloud, name)
        };
        let (tags, attributes) = futures::try_join!(tags(cloud, arn), attributes)?;
        let (Some(tags), Some(attributes)) = (tags, attributes) else { return Ok(None) };
        owner.claim(Self::NAME, name, &tags)?;
        let pair = |a: &LoadBalancerAttribute| Some((a.key()?.to_owned(), a.value().unwrap_or_default().to_owned()));
        let attributes = attributes.attributes().iter().filter_map(pair).collect();
        Ok(Some(LiveLoadBalancer { balancer, attributes }))
    }
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, live: &LiveLoadBalancer) -> Result<()> {
        let arn = live.balancer.load_balancer_arn().unwrap_or_default();
        match cloud.elb().delete_load_balancer().load_balancer_arn(arn).send().await.unless_gone(cloud, name) {
            Err(e) if e.code() == Some("OperationNotPermitted") => Err(e.hint(
                "Somebody protected it against deletion: switch its attribute deletion_protection.enabled off first.",
            )),
            other => other.map(drop),
        }
    }
    fn output(_: &str, live: &LiveLoadBalancer) -> LoadBalancerId {
        let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
        LoadBalancerId {
            arn: text(live.balancer.load_balancer_arn()),
            dns_name: text(live.balancer.dns_name()),
            zone_id: text(live.balancer.canonical_hosted_zone_id()),
        }
    }
}

impl Resource for LoadBalancer {
    named!(noun);

    fn uses(&self) -> Vec<Use> {
        let quota = match self.traffic {
            Traffic::Http => quotas::APPLICATION_LOAD_BALANCERS,
            Traffic::Tcp => quotas::NETWORK_LOAD_BALANCERS,
        };
        vec![Use::of(quota.name, 1)]
    }
    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), names::load_balancer_name(&self.name)])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &LiveLoadBalancer) -> Vec<Change> {
        let mut changes = self.compare(live, &self.groups(cx));
        let state = live.balancer.state();
        if state.and_then(|s| s.code()) == Some(&LoadBalancerStateEnum::Failed) {
            let reason = state.and_then(|s| s.reason()).unwrap_or("AWS gives no reason");
            let hint = format!("AWS could not set it up ({reason}): delete the version and create it again.");
            changes.push(Change::refused("state", "failed", "active", hint));
        }
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveLoadBalancer> {
        let groups = self.groups(cx).into_iter().collect();
        let call = cx
            .cloud
            .elb()
            .create_load_balancer()
            .name(&self.name)
            .r#type(self.kind())
            .scheme(self.scheme())
            .ip_address_type(IpAddressType::Ipv4)
            .set_subnets(Some(self.subnets.clone()))
            .set_security_groups(Some(groups).filter(|g: &Vec<String>| !g.is_empty()))
            .set_tags(Some(tag_list(&self.owner.tags(&self.name))))
            .send()
            .await;
        let answer = call.told(cx.cloud, &self.name)?;
        let balancer = answer.load_balancers.unwrap_or_default().into_iter().next();
        let balancer =
            balancer.ok_or_else(|| Error::failed("AWS answered without the new load balancer").retryable())?;
        let arn = balancer.load_balancer_arn().unwrap_or_default();
        self.write_attributes(cx.cloud, arn).await?;
        listener::none_yet(cx.cloud, arn).await?;
        cx.cloud.remember(key(&self.name), Some(balancer.clone()));
        Ok(LiveLoadBalancer { balancer, attributes: BTreeMap::new() })
    }
    async fn update(
        &self,
        cx: &Cx<'_, Cloud>,
        live: &LiveLoadBalancer,
        changes: &[Change],
    ) -> Result<LiveLoadBalancer> {
        let arn = live.balancer.load_balancer_arn().unwrap_or_default();
        if changes.iter().any(|c| c.field == GROUPS) {
            let groups = self.groups(cx).into_iter().collect();
            let call = cx.cloud.elb().set_security_groups().load_balancer_arn(arn).set_security_groups(Some(groups));
            call.send().await.told(cx.cloud, &self.name)?;
        }
        if changes.iter().any(|c| c.field == self.attribute().0) {
            self.write_attributes(cx.cloud, arn).await?;
        }
        Ok(LiveLoadBalancer { balancer: live.balancer.clone(), attributes: live.attributes.clone() })
    }
}
