//! The describing actions: the state as values.
use super::{
    fault::Fault,
    request::Query,
    state::{Activity, Group, Member, Policy, State, Tag, Template},
    value::Value,
};

type Described = Result<Value, Fault>;

/// `DescribeAutoScalingGroups`.
pub(super) fn groups(state: &State, query: &Query) -> Described {
    for (name, _) in &query.filters {
        if !["tag-key", "tag-value", "key", "value"].contains(&name.as_str()) && !name.starts_with("tag:") {
            return Err(Fault::invalid(format!("Filter type {name} is not correct.")));
        }
    }
    let wanted = |g: &&Group| {
        let named = query.names.is_empty() || query.names.contains(&g.name);
        named && query.filters.iter().all(|(name, values)| g.tags.iter().any(|t| tagged(t, name, values)))
    };
    let found: Vec<Value> = state.groups.values().filter(wanted).map(|g| group(g, query.instances)).collect();
    Ok(page("AutoScalingGroups", found, query))
}

fn tagged(tag: &Tag, filter: &str, values: &[String]) -> bool {
    match filter {
        "tag-key" | "key" => values.contains(&tag.key),
        "tag-value" | "value" => values.contains(&tag.value),
        other => other.strip_prefix("tag:") == Some(&tag.key) && values.contains(&tag.value),
    }
}

/// `DescribeAutoScalingInstances`.
pub(super) fn instances(state: &State, query: &Query) -> Described {
    let all = state.groups.values().flat_map(|g| g.members.iter().map(move |m| (g, m)));
    let wanted = all.filter(|(_, m)| query.names.is_empty() || query.names.contains(&m.id));
    // In this answer alone AWS writes health in capitals.
    let entry = |g: &Group, m: &Member| {
        member(m).with("AutoScalingGroupName", &g.name).with("HealthStatus", health(m).to_uppercase())
    };
    let found = wanted.map(|(g, m)| entry(g, m)).collect();
    Ok(page("AutoScalingInstances", found, query))
}

/// `DescribeLoadBalancerTargetGroups`.
pub(super) fn target_groups(state: &State, query: &Query) -> Described {
    let group = asked(state, query)?.ok_or_else(|| Fault::invalid("AutoScalingGroupName is required"))?;
    let entry = |arn: &String| {
        let in_service = group.staying().any(|m| m.registered.contains(arn));
        let state = if in_service || group.size() == 0 { "InService" } else { "Adding" };
        Value::empty().with("LoadBalancerTargetGroupARN", arn).with("State", state)
    };
    Ok(page("LoadBalancerTargetGroups", group.target_groups.iter().map(entry).collect(), query))
}

/// `DescribePolicies`.
pub(super) fn policies(state: &State, query: &Query) -> Described {
    let only = asked(state, query)?.map(|g| &g.name);
    let groups = state.groups.values().filter(|g| only.is_none_or(|name| &g.name == name));
    let all = groups.flat_map(|g| g.policies.iter().map(move |(name, p)| (g, name, p)));
    let wanted = all.filter(|(_, name, p)| {
        let named = query.names.is_empty() || query.names.contains(name) || query.names.contains(&p.arn);
        named && (query.kinds.is_empty() || query.kinds.contains(&p.kind))
    });
    Ok(page("ScalingPolicies", wanted.map(|(g, name, p)| policy(g, name, p)).collect(), query))
}

/// `DescribeScalingActivities`: latest first.
pub(super) fn activities(state: &State, query: &Query) -> Described {
    let only = asked(state, query)?.map(|g| &g.name);
    let groups = state.groups.values().filter(|g| only.is_none_or(|name| &g.name == name));
    let all = groups.flat_map(|g| g.activities.iter().map(move |a| (g, a)));
    let mut wanted: Vec<_> = all.filter(|(_, a)| query.names.is_empty() || query.names.contains(&a.id)).collect();
    wanted.reverse();
    wanted.sort_by_key(|(_, a)| std::cmp::Reverse(a.start));
    Ok(page("Activities", wanted.into_iter().map(|(g, a)| activity(g, a)).collect(), query))
}

/// `DescribeTags`.
pub(super) fn tags(state: &State, query: &Query) -> Described {
    let all = state.groups.values().flat_map(|g| g.tags.iter().map(move |t| (g, t)));
    let wanted = all.filter(|(g, t)| {
        query.filters.iter().all(|(name, values)| match name.as_str() {
            "auto-scaling-group" => values.contains(&g.name),
            "key" => values.contains(&t.key),
            "value" => values.contains(&t.value),
            "propagate-at-launch" => values.contains(&t.propagate.to_string()),
            _ => false,
        })
    });
    Ok(page("Tags", wanted.map(|(g, t)| tag(&g.name, t)).collect(), query))
}

/// The group that is asked about, where one is.
fn asked<'a>(state: &'a State, query: &Query) -> Result<Option<&'a Group>, Fault> {
    let Some(name) = &query.group else { return Ok(None) };
    state.groups.get(name).map(Some).ok_or_else(|| Fault::no_group(name))
}

fn page(name: &str, all: Vec<Value>, query: &Query) -> Value {
    let end = query.from.saturating_add(query.most);
    let next = (all.len() > end).then(|| end.to_string());
    let part: Vec<Value> = all.into_iter().skip(query.from).take(query.most).collect();
    Value::empty().with(name, part).maybe("NextToken", next)
}

fn group(g: &Group, with_instances: bool) -> Value {
    let mut zones: Vec<&String> = g.subnets.iter().map(|s| &s.zone).collect();
    zones.sort();
    zones.dedup();
    let subnets: Vec<&str> = g.subnets.iter().map(|s| s.id.as_str()).collect();
    let instances: Vec<Value> = if with_instances { g.members.iter().map(member).collect() } else { Vec::new() };
    Value::empty()
        .with("AutoScalingGroupName", &g.name)
        .with("AutoScalingGroupARN", &g.arn)
        .with("LaunchTemplate", template(&g.template))
        .with("MinSize", g.min)
        .with("MaxSize", g.max)
        .with("DesiredCapacity", g.desired)
        .with("DefaultCooldown", g.cooldown)
        .with("AvailabilityZones", zones.into_iter().collect::<Value>())
        .with("LoadBalancerNames", Vec::new())
        .with("TargetGroupARNs", g.target_groups.iter().collect::<Value>())
        .with("HealthCheckType", if g.elb { "ELB" } else { "EC2" })
        .with("HealthCheckGracePeriod", g.grace)
        .with("Instances", instances)
        .with("CreatedTime", g.created)
        .with("SuspendedProcesses", Vec::new())
        .with("VPCZoneIdentifier", subnets.join(","))
        .with("EnabledMetrics", Vec::new())
        .maybe("Status", g.deleting.then_some("Delete in progress"))
        .with("Tags", g.tags.iter().map(|t| tag(&g.name, t)).collect::<Vec<_>>())
        .with("TerminationPolicies", vec!["Default".into()])
        .with("NewInstancesProtectedFromScaleIn", g.protected)
}

fn template(t: &Template) -> Value {
    Value::empty()
        .maybe("LaunchTemplateId", t.id.as_ref())
        .maybe("LaunchTemplateName", t.name.as_ref())
        .maybe("Version", t.version.as_ref())
}

fn member(m: &Member) -> Value {
    Value::empty()
        .with("InstanceId", &m.id)
        .with("InstanceType", &m.kind)
        .with("AvailabilityZone", &m.zone)
        .with("LifecycleState", m.lifecycle.word())
        .with("HealthStatus", health(m))
        .with("LaunchTemplate", template(&m.template))
        .with("ProtectedFromScaleIn", m.protected)
}

fn health(m: &Member) -> &'static str {
    if m.healthy { "Healthy" } else { "Unhealthy" }
}

fn tag(group: &str, t: &Tag) -> Value {
    Value::empty()
        .with("ResourceId", group)
        .with("ResourceType", "auto-scaling-group")
        .with("Key", &t.key)
        .with("Value", &t.value)
        .with("PropagateAtLaunch", t.propagate)
}

fn policy(g: &Group, name: &str, p: &Policy) -> Value {
    let enabled = p.settings.text("Enabled").unwrap_or("true").to_owned();
    p.settings
        .clone()
        .with("AutoScalingGroupName", &g.name)
        .with("PolicyName", name)
        .with("PolicyARN", &p.arn)
        .with("PolicyType", &p.kind)
        .with("Enabled", enabled)
        .with("Alarms", Vec::new())
}

/// An activity, as it is described and as `TerminateInstanceInAutoScalingGroup` answers it.
pub(super) fn activity(g: &Group, a: &Activity) -> Value {
    let progress = match a.end {
        Some(_) => 100,
        None => 50,
    };
    Value::empty()
        .with("ActivityId", &a.id)
        .with("AutoScalingGroupName", &g.name)
        .with("AutoScalingGroupARN", &g.arn)
        .with("Description", &a.description)
        .with("Cause", &a.cause)
        .with("StartTime", a.start)
        .maybe("EndTime", a.end)
        .with("StatusCode", &a.status)
        .maybe("StatusMessage", a.message.as_ref())
        .with("Progress", progress)
        .with("Details", &a.details)
}
