//! Launching what is missing.
use super::{
    service::Service,
    state::{Group, Lifecycle, Member, Subnet, Tag, unique},
    world::{Launched, Order, Seen, World},
};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// The tag by which an instance shows its group.
pub(super) const GROUP_TAG: &str = "aws:autoscaling:groupName";
/// The pauses after failed launches begin with this, and double.
const PAUSE: i64 = 2;
/// The longest pause, in seconds.
const LONGEST: i64 = 60;
/// Instances that are launched at once.
const AT_ONCE: usize = 20;

/// An order, with the activity that tells of it.
struct Planned {
    activity: String,
    subnet: Subnet,
    order: Order,
}

/// Launches the instances that the group lacks, in the zones that have the fewest.
pub(super) async fn fill<W: World>(service: &Service<W>, name: &str) {
    let now = service.world.now();
    let planned = service.store.change(|state| state.groups.get_mut(name).map(|g| plan(g, now)).unwrap_or_default());
    let failed = join_all(planned.into_iter().map(|p| start(service, name, p))).await.contains(&true);
    if failed {
        let now = service.world.now();
        service.store.change(|state| state.groups.get_mut(name).map(|g| hold(g, now)));
    }
}

/// Starts one instance; answers whether that failed.
async fn start<W: World>(service: &Service<W>, name: &str, planned: Planned) -> bool {
    let launched = service.world.launch(&planned.order).await;
    let now = service.world.now();
    // Written down at once: what is running is never forgotten.
    service.store.change(|state| match (state.groups.get_mut(name), launched) {
        (Some(group), Ok(launched)) => {
            joined(group, planned, launched, now);
            false
        }
        (Some(group), Err(error)) => {
            group.fail(&planned.activity, format!("{error}. Launching EC2 instance failed."), now);
            true
        }
        (None, _) => false,
    })
}

/// Lets some time pass before the next launch, more each time.
pub(super) fn hold(group: &mut Group, now: Timestamp) {
    let pause = PAUSE.saturating_mul(1 << group.failures.min(6)).min(LONGEST);
    group.failures = group.failures.saturating_add(1);
    group.retry = now.saturating_add(SignedDuration::from_secs(pause)).ok();
}

fn plan(group: &mut Group, now: Timestamp) -> Vec<Planned> {
    if group.deleting || group.retry.is_some_and(|at| now < at) {
        return Vec::new();
    }
    let size = group.size();
    let missing = usize::try_from(group.desired.saturating_sub(size)).unwrap_or(0).min(AT_ONCE);
    let mut zones: Vec<String> = group.staying().map(|m| m.zone.clone()).collect();
    let mut planned = Vec::new();
    for n in 0..missing {
        let fewest = group.subnets.iter().min_by_key(|s| zones.iter().filter(|z| **z == s.zone).count());
        let Some(subnet) = fewest.cloned() else { break };
        zones.push(subnet.zone.clone());
        let from = size.saturating_add(i32::try_from(n).unwrap_or(0));
        let activity = group.begin("Launching a new EC2 instance".into(), cause(group, from, now), &subnet, now);
        group.replacing = group.replacing.saturating_sub(1);
        let mut tags: Vec<Tag> = group.tags.iter().filter(|t| t.propagate).cloned().collect();
        tags.push(Tag { key: GROUP_TAG.into(), value: group.name.clone(), propagate: true });
        let order = Order { token: unique(), template: group.template.clone(), subnet: subnet.id.clone(), tags };
        planned.push(Planned { activity, subnet, order });
    }
    planned
}

fn cause(group: &Group, from: i32, now: Timestamp) -> String {
    let at = super::state::second(now);
    if group.replacing > 0 {
        return format!(
            "At {at} an instance was launched in response to an unhealthy instance needing to be replaced."
        );
    }
    format!(
        "{}  At {at} an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {from} to {}.",
        group.why,
        from.saturating_add(1)
    )
}

fn joined(group: &mut Group, planned: Planned, launched: Launched, now: Timestamp) {
    if let Some(activity) = group.activity(&planned.activity) {
        activity.description = format!("Launching a new EC2 instance: {}", launched.id);
    }
    group.members.push(Member {
        id: launched.id,
        kind: launched.kind,
        subnet: planned.subnet.id,
        zone: planned.subnet.zone,
        template: planned.order.template,
        lifecycle: Lifecycle::Pending,
        healthy: true,
        protected: group.protected,
        launched: now,
        in_service: None,
        registered: BTreeSet::new(),
        activity: planned.activity,
        drained: None,
        ended: None,
    });
}

/// Takes an instance in that was launched for the group, but whose launch was never answered.
pub(super) fn adopt(group: &mut Group, id: &str, seen: &Seen, now: Timestamp) {
    let subnet = Subnet { id: seen.subnet.clone(), zone: seen.zone.clone() };
    let from = group.size();
    let what = format!("Launching a new EC2 instance: {id}");
    let activity = group.begin(what, cause(group, from, now), &subnet, now);
    let order = Order { token: String::new(), template: group.template.clone(), subnet: String::new(), tags: vec![] };
    let launched = Launched { id: id.to_owned(), kind: seen.kind.clone() };
    joined(group, Planned { activity, subnet, order }, launched, now);
}
