//! What a version's parts are doing right now. Read afresh at each call, never remembered: this is for
//! waiting and for gates, where an old answer would be a wrong one.
use super::{Cloud, Told as _};
use crate::{Error, Result, resources::auto_scaling_group};
use aws_sdk_autoscaling::types::AutoScalingGroup;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// An Auto Scaling group, in plain values.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Smallest, largest and wanted number of instances.
    pub min: i32,
    /// The largest number of instances.
    pub max: i32,
    /// The wanted number of instances.
    pub desired: i32,
    /// When it was made.
    pub created: Timestamp,
    /// Its instances.
    pub members: Vec<Member>,
    /// ARNs of its target groups.
    pub target_groups: Vec<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// An instance of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Instance id.
    pub id: String,
    /// `Pending`, `InService`, `Terminating`, .. (Auto Scaling "instance lifecycle").
    pub lifecycle: String,
    /// Whether Auto Scaling counts it as healthy.
    pub healthy: bool,
    /// Its Availability Zone.
    pub zone: String,
}

impl From<&AutoScalingGroup> for Group {
    fn from(g: &AutoScalingGroup) -> Self {
        let members = g.instances().iter().map(|i| Member {
            id: i.instance_id().unwrap_or_default().to_owned(),
            lifecycle: i.lifecycle_state().map(|s| s.as_str()).unwrap_or_default().to_owned(),
            healthy: i.health_status().is_none_or(|h| h.eq_ignore_ascii_case("healthy")),
            zone: i.availability_zone().unwrap_or_default().to_owned(),
        });
        Self {
            name: g.auto_scaling_group_name().unwrap_or_default().to_owned(),
            tags: auto_scaling_group::tags(g),
            min: g.min_size().unwrap_or_default(),
            max: g.max_size().unwrap_or_default(),
            desired: g.desired_capacity().unwrap_or_default(),
            created: g.created_time().and_then(|t| Timestamp::new(t.secs(), 0).ok()).unwrap_or_default(),
            members: members.collect(),
            target_groups: g.target_group_arns().to_vec(),
            deleting: g.status().is_some(),
        }
    }
}

impl Group {
    /// Instances by state: Auto Scaling's own, or `Unhealthy` where it has found one so.
    pub fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for m in &self.members {
            let state = if m.healthy { m.lifecycle.clone() } else { "Unhealthy".to_owned() };
            *states.entry(state).or_default() += 1;
        }
        states
    }
}

/// All groups of a VPC's applications, of one application, or of one version; shared within the run.
pub async fn groups(cloud: &Cloud, vpc: &str, application: Option<&str>, version: Option<&str>) -> Result<Vec<Group>> {
    Ok(auto_scaling_group::list(cloud, vpc, application, version).await?.iter().map(Group::from).collect())
}

/// The group of this name as it is now.
pub async fn group(cloud: &Cloud, name: &str) -> Result<Option<Group>> {
    Ok(auto_scaling_group::describe(cloud, name).await?.as_ref().map(Group::from))
}

/// A load balancer as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancerState {
    /// ARN.
    pub arn: String,
    /// Its DNS name at AWS.
    pub dns_name: String,
    /// Whether it carries traffic.
    pub active: bool,
    /// Whether only addresses inside the VPC and its peers reach it.
    pub internal: bool,
    /// `provisioning`, `active`, `failed`, .. and AWS's reason.
    pub state: String,
}

/// The load balancer of this name as it is now.
///
/// # Errors
/// When the call fails, or when AWS could not make the load balancer.
pub async fn load_balancer(cloud: &Cloud, name: &str) -> Result<Option<LoadBalancerState>> {
    let answer = cloud.elb().describe_load_balancers().names(name).send().await.unless_gone(cloud, name)?;
    let Some(found) = answer.and_then(|a| a.load_balancers.unwrap_or_default().into_iter().next()) else {
        return Ok(None);
    };
    let code = found.state().and_then(|s| s.code()).map(|c| c.as_str().to_owned()).unwrap_or_else(|| "active".into());
    let reason = found.state().and_then(|s| s.reason()).unwrap_or_default();
    if code == "failed" {
        return Err(Error::failed(format!("AWS could not make load balancer {name}: {reason}")));
    }
    Ok(Some(LoadBalancerState {
        arn: found.load_balancer_arn().unwrap_or_default().to_owned(),
        dns_name: found.dns_name().unwrap_or_default().to_owned(),
        // `active_impaired` carries traffic too, with less room to grow.
        active: code.starts_with("active"),
        internal: found.scheme().is_some_and(|s| s.as_str() == "internal"),
        state: if reason.is_empty() { code } else { format!("{code}: {reason}") },
    }))
}
