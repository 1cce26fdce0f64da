//! Making, changing and deleting groups.
use super::{
    fault::Fault,
    leave,
    request::Settings,
    service::Service,
    state::{Group, State, Subnet, Template, unique},
    world::World,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// AWS's grace period for a group made without one, in seconds.
const GRACE: i32 = 0;
/// AWS's pause between simple scalings, in seconds.
const COOLDOWN: i32 = 300;

/// `CreateAutoScalingGroup`.
///
/// # Errors
/// When the name is taken, or something that is named does not exist.
pub(super) async fn create<W: World>(service: &Service<W>, asked: Settings) -> Result<(), Fault> {
    taken(service, &asked.name)?;
    let min = asked.min.ok_or_else(|| Fault::invalid("MinSize is required"))?;
    let max = asked.max.ok_or_else(|| Fault::invalid("MaxSize is required"))?;
    let desired = asked.desired.unwrap_or(min);
    bounds(min, desired, max)?;
    let template = asked.template.as_ref().ok_or_else(|| {
        Fault::invalid("Valid requests must contain either launchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.")
    })?;
    if asked.subnets.is_empty() {
        return Err(Fault::invalid("At least one Availability Zone or VPC Subnet is required."));
    }
    let template = known_template(service, template).await?;
    let subnets = known_subnets(service, &asked.subnets).await?;
    known_target_groups(service, &asked.target_groups).await?;
    let account = service.world.account().await.map_err(|e| Fault::inside(&e))?;
    let now = service.world.now();
    let place = format!("{}:{account}", service.world.region());
    let mut group = Group {
        arn: format!("arn:aws:autoscaling:{place}:autoScalingGroup:{}:autoScalingGroupName/{}", unique(), asked.name),
        name: asked.name,
        template,
        min,
        max,
        desired: 0,
        subnets,
        target_groups: asked.target_groups,
        elb: asked.elb.unwrap_or(false),
        grace: asked.grace.unwrap_or(GRACE),
        cooldown: asked.cooldown.unwrap_or(COOLDOWN),
        protected: asked.protected.unwrap_or(false),
        tags: asked.tags.into_iter().map(|(_, tag)| tag).collect(),
        created: now,
        deleting: false,
        members: Vec::new(),
        activities: Vec::new(),
        policies: BTreeMap::new(),
        why: String::new(),
        replacing: 0,
        failures: 0,
        retry: None,
        asked: None,
    };
    group.resize(desired, "a user request created an AutoScalingGroup", now);
    // Between the first look and here, somebody else may have taken the name.
    service.store.change(|state| {
        if state.groups.contains_key(&group.name) {
            return Err(exists(&group));
        }
        state.groups.insert(group.name.clone(), group);
        Ok(())
    })
}

fn taken<W: World>(service: &Service<W>, name: &str) -> Result<(), Fault> {
    service.store.read(|state| state.groups.get(name).map_or(Ok(()), |group| Err(exists(group))))
}

fn exists(group: &Group) -> Fault {
    let end = if group.deleting { " and is pending delete" } else { "" };
    Fault::new(
        "AlreadyExists",
        format!(
            "AutoScalingGroup by this name already exists - A group with the name {} already exists{end}",
            group.name
        ),
    )
}

/// `UpdateAutoScalingGroup`: what is not given stays.
///
/// # Errors
/// When there is no such group, or something that is named does not exist.
pub(super) async fn update<W: World>(service: &Service<W>, asked: Settings) -> Result<(), Fault> {
    service.store.read(|state| standing(state, &asked.name).map(|_| ()))?;
    let template = match &asked.template {
        Some(template) => Some(known_template(service, template).await?),
        None => None,
    };
    let subnets = known_subnets(service, &asked.subnets).await?;
    let now = service.world.now();
    service.store.change(|state| {
        let group = standing_mut(state, &asked.name)?;
        let (min, max) = (asked.min.unwrap_or(group.min), asked.max.unwrap_or(group.max));
        // A wanted number that is out of the new bounds follows them, unless it is given.
        let desired = asked.desired.unwrap_or_else(|| group.desired.min(max).max(min));
        bounds(min, desired, max)?;
        (group.min, group.max) = (min, max);
        let how = format!(
            "a user request update of AutoScalingGroup constraints to min: {min}, max: {max}, desired: {desired}"
        );
        group.resize(desired, &how, now);
        group.template = template.unwrap_or_else(|| group.template.clone());
        if !subnets.is_empty() {
            group.subnets = subnets;
        }
        group.elb = asked.elb.unwrap_or(group.elb);
        group.grace = asked.grace.unwrap_or(group.grace);
        group.cooldown = asked.cooldown.unwrap_or(group.cooldown);
        group.protected = asked.protected.unwrap_or(group.protected);
        Ok(())
    })
}

/// `SetDesiredCapacity`.
///
/// # Errors
/// When there is no such group, or the number is out of its bounds.
pub(super) fn set_desired(state: &mut State, name: &str, desired: i32, now: Timestamp) -> Result<(), Fault> {
    let group = standing_mut(state, name)?;
    if desired < group.min {
        return Err(Fault::invalid(format!(
            "New SetDesiredCapacity value {desired} is below min value {} for the AutoScalingGroup.",
            group.min
        )));
    }
    if desired > group.max {
        return Err(Fault::invalid(format!(
            "New SetDesiredCapacity value {desired} is above max value {} for the AutoScalingGroup.",
            group.max
        )));
    }
    group.resize(desired, "a user request explicitly set group desired capacity", now);
    Ok(())
}

/// `DeleteAutoScalingGroup`: at once when it has no instances; with force when those it has are gone.
///
/// # Errors
/// When there is no such group, or it has instances and no force is used.
pub(super) fn delete(state: &mut State, name: &str, force: bool, now: Timestamp) -> Result<(), Fault> {
    let Some(group) = state.groups.get_mut(name) else { return Err(Fault::no_group(name)) };
    if group.deleting {
        return Ok(());
    }
    if group.members.is_empty() {
        state.groups.remove(name);
        return Ok(());
    }
    if !force {
        return Err(Fault::new(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        ));
    }
    group.deleting = true;
    (group.min, group.max) = (0, 0);
    group.resize(0, "a user request force deleted the AutoScalingGroup", now);
    let ids: Vec<String> = group.staying().map(|m| m.id.clone()).collect();
    for id in ids {
        leave::begin(group, &id, leave::Why::Delete, now);
    }
    Ok(())
}

/// The group, unless it is being taken apart.
pub(super) fn standing<'a>(state: &'a State, name: &str) -> Result<&'a Group, Fault> {
    match state.groups.get(name) {
        None => Err(Fault::no_group(name)),
        Some(group) if group.deleting => Err(Fault::going(name)),
        Some(group) => Ok(group),
    }
}

/// As [`standing`], to change it.
pub(super) fn standing_mut<'a>(state: &'a mut State, name: &str) -> Result<&'a mut Group, Fault> {
    standing(state, name)?;
    state.groups.get_mut(name).ok_or_else(|| Fault::no_group(name))
}

fn bounds(min: i32, desired: i32, max: i32) -> Result<(), Fault> {
    if min < 0 || max < 0 {
        return Err(Fault::invalid("MinSize and MaxSize must be 0 or more"));
    }
    if min > max {
        return Err(Fault::invalid(format!("Min bound, {min}, must be less than or equal to max bound, {max}")));
    }
    if desired < min || desired > max {
        return Err(Fault::invalid(format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        )));
    }
    Ok(())
}

async fn known_template<W: World>(service: &Service<W>, asked: &Template) -> Result<Template, Fault> {
    let named = match (&asked.id, &asked.name) {
        (Some(id), None) => format!("ID {id}"),
        (None, Some(name)) => format!("name {name}"),
        _ => {
            return Err(Fault::invalid(
                "Valid requests must contain either launchTemplateId or launchTemplateName, and not both",
            ));
        }
    };
    let found = service.world.template(asked).await.map_err(|e| Fault::inside(&e))?;
    found.ok_or_else(|| {
        Fault::invalid(format!(
            "You must use a valid fully-formed launch template. The specified launch template, with template {named}, does not exist in version {}.",
            asked.version.as_deref().unwrap_or("$Default")
        ))
    })
}

async fn known_subnets<W: World>(service: &Service<W>, ids: &[String]) -> Result<Vec<Subnet>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = service.world.subnets(ids).await.map_err(|e| Fault::inside(&e))?;
    // In the order in which they were given.
    let known = |id: &String| {
        let subnet = found.iter().find(|s| s.id == *id).cloned();
        subnet.ok_or_else(|| Fault::invalid(format!("The subnet ID '{id}' does not exist")))
    };
    ids.iter().map(known).collect()
}

/// Checks that all these target groups exist.
///
/// # Errors
/// When one does not.
pub(super) async fn known_target_groups<W: World>(service: &Service<W>, arns: &[String]) -> Result<(), Fault> {
    for arn in arns {
        if service.world.target_group(arn).await.map_err(|e| Fault::inside(&e))?.is_none() {
            return Err(Fault::invalid(format!("One or more target groups not found: {arn}")));
        }
    }
    Ok(())
}
