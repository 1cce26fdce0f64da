//! What is to be done with a group's instances, by what was seen of them.
use super::{
    launch,
    leave::{self, Why},
    state::{Group, Lifecycle, Member},
    world::Sight,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How long after its launch an instance may be missing from EC2's list.
const UNSEEN: SignedDuration = SignedDuration::from_secs(10);

/// Takes new instances into service, and the dead, the unhealthy and those that are too many out of it.
pub(super) fn judge(group: &mut Group, sight: &Sight, unhealthy: &BTreeSet<String>, now: Timestamp) {
    for (id, seen) in &sight.instances {
        let ours = seen.group.as_ref() == Some(&group.name) && ["pending", "running"].contains(&seen.state.as_str());
        if ours && group.member(id).is_none() {
            launch::adopt(group, id, seen, now);
        }
    }
    let ids: Vec<String> = group.staying().map(|m| m.id.clone()).collect();
    for id in ids {
        let grace = group.grace;
        let Some(member) = group.member(&id) else { continue };
        let (starting, activity) = (member.lifecycle == Lifecycle::Pending, member.activity.clone());
        if dead(member, sight, now) {
            if starting {
                launch::hold(group, now);
            }
            leave::unhealthy(group, &id, Why::Dead, now);
        } else if starting && sight.runs(&id) {
            member.lifecycle = Lifecycle::InService;
            member.in_service = Some(now);
            group.failures = 0;
            group.succeed(&activity, now);
        } else if unhealthy.contains(&id) && settled(member, grace, now) {
            leave::unhealthy(group, &id, Why::Unhealthy, now);
        }
    }
    let why = if group.deleting { Why::Delete } else { Why::Capacity };
    while group.size() > group.desired
        && let Some(id) = choose(group)
    {
        leave::begin(group, &id, why, now);
    }
}

/// Whether the load balancers' view of any instance counts by now.
pub(super) fn any_settled(group: &Group, now: Timestamp) -> bool {
    group.elb && group.staying().any(|m| settled(m, group.grace, now))
}

fn settled(member: &Member, grace: i32, now: Timestamp) -> bool {
    member.in_service.is_some_and(|since| now.duration_since(since) >= SignedDuration::from_secs(grace.into()))
}

/// EC2 says `running` once the container was started, or could not be.
fn dead(member: &Member, sight: &Sight, now: Timestamp) -> bool {
    match sight.state(&member.id) {
        None => now.duration_since(member.launched) > UNSEEN,
        Some("pending") => false,
        Some("running") => !sight.runs(&member.id),
        Some(_) => true,
    }
}

/// The instance to take out: of the zone that has the most, the oldest.
fn choose(group: &Group) -> Option<String> {
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    group.staying().for_each(|m| *zones.entry(&m.zone).or_default() += 1);
    let open = group.staying().filter(|m| group.deleting || !m.protected);
    let crowd = |m: &Member| zones.get(m.zone.as_str()).copied().unwrap_or_default();
    let chosen = open.min_by_key(|m| (std::cmp::Reverse(crowd(m)), m.launched));
    chosen.map(|m| m.id.clone())
}
