//! The health of a version: its load balancer, its instances, its targets.
use crate::site::{Session, Site};
use aws_core::{
    Error, Result,
    cloud::{
        Cloud,
        lookups::{self, Target},
        serving::{self, LoadBalancerState},
        wait::{Look, Patience, poll_until},
    },
    model::names::AppVersion,
};

/// The targets of a version, over all its target groups.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Target groups, each with its targets.
    pub groups: Vec<Vec<Target>>,
}

impl Health {
    /// Instances that are healthy in every target group.
    pub fn healthy(&self) -> usize {
        self.groups.iter().map(|g| g.iter().filter(|t| t.state == "healthy").count()).min().unwrap_or(0)
    }
    /// Targets that are not healthy, with AWS's reasons, once each: `2x unhealthy: Target.Timeout (Request timed out)`.
    pub fn reasons(&self) -> Vec<String> {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for target in self.groups.iter().flatten().filter(|t| t.state != "healthy") {
            let why = match (&target.reason, &target.description) {
                (Some(reason), Some(text)) => format!(": {reason} ({text})"),
                (Some(one), None) | (None, Some(one)) => format!(": {one}"),
                (None, None) => String::new(),
            };
            *counts.entry(format!("{}{why}", target.state)).or_default() += 1;
        }
        counts.into_iter().map(|(text, n)| format!("{n}x {text}")).collect()
    }
}

/// Asks for the health of every target of these target groups.
pub async fn health(cloud: &Cloud, target_groups: &[String]) -> Result<Health> {
    let asked = target_groups.iter().map(|arn| lookups::target_health(cloud, arn));
    Ok(Health { groups: futures::future::try_join_all(asked).await? })
}

/// The version's load balancer.
///
/// # Errors
/// When there is none.
pub async fn balancer(cloud: &Cloud, id: &AppVersion) -> Result<LoadBalancerState> {
    let found = serving::load_balancer(cloud, &id.load_balancer()).await?;
    found.ok_or_else(|| Error::not_found(format!("load balancer {} of {id} does not exist", id.load_balancer())))
}

/// Waits until the load balancer is active, `wanted` instances are in service, and all of them are healthy in
/// every target group.
///
/// # Errors
/// A deadline, an interruption, or a load balancer that AWS could not make.
pub async fn wait_until_healthy(
    session: &Session,
    site: &Site,
    id: &AppVersion,
    wanted: i32,
    patience: &Patience,
) -> Result<()> {
    let (cloud, terminal) = (&site.cloud, &session.terminal);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let begun = std::time::Instant::now();
    let step = terminal.waiting("Waiting for instance start and LB", patience.timeout);
    let what = format!("the instances and the load balancer of {id}");
    let started = poll_until(
        &what,
        patience,
        async || {
            let name = id.resource();
            let (balancer, group) = tokio::try_join!(balancer(cloud, id), serving::group(cloud, &name))?;
            let group = group
                .ok_or_else(|| Error::not_found(format!("auto scaling group {} does not exist", id.resource())))?;
            let up = group.members.iter().filter(|m| m.lifecycle == "InService").count();
            Ok(if balancer.active && up >= wanted {
                Look::Done(group.target_groups)
            } else {
                Look::NotYet(format!("{up} of {wanted} instances in service, load balancer {}", balancer.state))
            })
        },
        |missing, _| step.tick(missing),
    );
    let target_groups = started.await;
    let target_groups = step.end(target_groups)?;

    let rest = Patience { timeout: patience.timeout.saturating_sub(begun.elapsed()), ..patience.clone() };
    let step = terminal.waiting("Waiting for LB members to become active", rest.timeout);
    let what = format!("the targets of {id} to become healthy");
    let healthy = poll_until(
        &what,
        &rest,
        async || {
            let health = health(cloud, &target_groups).await?;
            let up = health.healthy();
            Ok(if up >= wanted {
                Look::Done(())
            } else {
                let reasons = health.reasons();
                let why = if reasons.is_empty() { "not registered yet".to_owned() } else { reasons.join(", ") };
                Look::NotYet(format!("{up} of {wanted} targets healthy; {why}"))
            })
        },
        |missing, _| step.tick(missing),
    );
    let healthy = healthy.await;
    step.end(healthy)
}
