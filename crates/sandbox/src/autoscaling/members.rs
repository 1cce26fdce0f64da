//! Actions on a group's instances, target groups, policies and tags.
use super::{
    describe,
    fault::Fault,
    groups::{known_target_groups, standing_mut},
    leave::{self, Why},
    request::{Health, PolicyRequest},
    service::Service,
    state::{Group, Policy, State, Tag, unique},
    value::Value,
    world::World,
};
use jiff::Timestamp;

/// `AttachLoadBalancerTargetGroups`.
///
/// # Errors
/// When there is no such group or target group.
pub(super) async fn attach<W: World>(service: &Service<W>, name: &str, arns: Vec<String>) -> Result<(), Fault> {
    known_target_groups(service, &arns).await?;
    service.store.change(|state| {
        let group = standing_mut(state, name)?;
        for arn in arns {
            if !group.target_groups.contains(&arn) {
                group.target_groups.push(arn);
            }
        }
        Ok(())
    })
}

/// `DetachLoadBalancerTargetGroups`: the loop takes the instances out.
///
/// # Errors
/// When there is no such group, or one of the target groups is not attached to it.
pub(super) fn detach(state: &mut State, name: &str, arns: &[String]) -> Result<(), Fault> {
    let group = standing_mut(state, name)?;
    if let Some(missing) = arns.iter().find(|a| !group.target_groups.contains(a)) {
        return Err(Fault::invalid(format!(
            "Trying to remove Target Groups that are not part of the group: {missing}"
        )));
    }
    group.target_groups.retain(|a| !arns.contains(a));
    Ok(())
}

/// `TerminateInstanceInAutoScalingGroup`: answers the activity.
///
/// # Errors
/// When no group has the instance, or the group cannot be smaller.
pub(super) fn terminate(state: &mut State, id: &str, shrink: bool, now: Timestamp) -> Result<Value, Fault> {
    let group = group_of(state, id)?;
    if shrink && group.desired <= group.min {
        return Err(Fault::invalid(
            "Currently, desiredSize equals minSize. Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
        ));
    }
    if shrink {
        group.desired -= 1;
    }
    leave::begin(group, id, Why::Request, now);
    let activity = group.members.iter().find(|m| m.id == id).map(|m| m.activity.clone());
    let found = group.activities.iter().find(|a| Some(&a.id) == activity.as_ref());
    let found = found.map_or_else(Value::empty, |a| describe::activity(group, a));
    Ok(Value::empty().with("Activity", found))
}

/// `SetInstanceHealth`.
///
/// # Errors
/// When no group has the instance.
pub(super) fn set_health(state: &mut State, health: &Health, now: Timestamp) -> Result<(), Fault> {
    let group = group_of(state, &health.instance)?;
    let grace = jiff::SignedDuration::from_secs(group.grace.into());
    let Some(member) = group.member(&health.instance) else { return Ok(()) };
    let settled = member.in_service.is_some_and(|since| now.duration_since(since) >= grace);
    if health.healthy {
        member.healthy = true;
    } else if settled || !health.respect_grace {
        leave::unhealthy(group, &health.instance, Why::User, now);
    }
    Ok(())
}

fn group_of<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Group, Fault> {
    let found = state.groups.values_mut().find(|g| g.members.iter().any(|m| m.id == id));
    found.ok_or_else(|| {
        Fault::invalid(format!("Instance Id not found - No managed instance found for instance ID: {id}"))
    })
}

/// `PutScalingPolicy`; `place` is region and account.
///
/// # Errors
/// When there is no such group.
pub(super) fn put_policy(state: &mut State, asked: PolicyRequest, place: &str) -> Result<Value, Fault> {
    let group = standing_mut(state, &asked.group)?;
    let arn = group.policies.get(&asked.name).map_or_else(
        || {
            let (group, name) = (&asked.group, &asked.name);
            let id = unique();
            format!("arn:aws:autoscaling:{place}:scalingPolicy:{id}:autoScalingGroupName/{group}:policyName/{name}")
        },
        |p| p.arn.clone(),
    );
    let answer = Value::empty().with("PolicyARN", &arn).with("Alarms", Vec::new());
    group.policies.insert(asked.name, Policy { arn, kind: asked.kind, settings: asked.settings });
    Ok(answer)
}

/// `DeletePolicy`, by name or ARN; one that is not there is no error.
///
/// # Errors
/// When there is no such group, or none is given with a name.
pub(super) fn delete_policy(state: &mut State, group: Option<&str>, policy: &str) -> Result<(), Fault> {
    match group {
        Some(name) => {
            let group = standing_mut(state, name)?;
            group.policies.retain(|name, p| name != policy && p.arn != policy);
        }
        None if policy.starts_with("arn:") => {
            state.groups.values_mut().for_each(|g| g.policies.retain(|_, p| p.arn != policy));
        }
        None => return Err(Fault::invalid("AutoScalingGroupName is required with a policy's name")),
    }
    Ok(())
}

/// `CreateOrUpdateTags`.
///
/// # Errors
/// When one of the groups is not there: nothing is changed then.
pub(super) fn put_tags(state: &mut State, tags: Vec<(String, Tag)>) -> Result<(), Fault> {
    for (group, _) in &tags {
        standing_mut(state, group)?;
    }
    for (group, tag) in tags {
        let group = standing_mut(state, &group)?;
        group.tags.retain(|t| t.key != tag.key);
        group.tags.push(tag);
    }
    Ok(())
}

/// `DeleteTags`.
///
/// # Errors
/// When one of the groups is not there.
pub(super) fn delete_tags(state: &mut State, tags: &[(String, Tag)]) -> Result<(), Fault> {
    for (group, tag) in tags {
        standing_mut(state, group)?.tags.retain(|t| t.key != tag.key);
    }
    Ok(())
}
