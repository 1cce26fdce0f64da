//! Taking instances out: out of the target groups, connections drained, ended, gone.
use super::{
    service::Service,
    state::{Group, Lifecycle, Member, Subnet, second},
    world::{Sight, World},
};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

/// Connections drain at most this long here, whatever the target group says: this is for trying out.
const DRAIN: SignedDuration = SignedDuration::from_secs(5);
/// After this long the emulator is not waited for any more.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Why an instance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The group has more than it shall have.
    Capacity,
    /// It was asked for.
    Request,
    /// The group goes.
    Delete,
    /// It does not run.
    Dead,
    /// The load balancer's health checks fail.
    Unhealthy,
    /// Somebody said that it is unhealthy.
    User,
}

/// Begins to take an instance out; nothing, if that has begun already.
pub(super) fn begin(group: &mut Group, id: &str, why: Why, now: Timestamp) {
    let size = group.size();
    let first = group.why.clone();
    let Some(member) = group.member(id).filter(|m| m.lifecycle != Lifecycle::Terminating) else { return };
    let (launch, starting) = (member.activity.clone(), member.lifecycle == Lifecycle::Pending);
    let draining = !member.registered.is_empty() && why != Why::Dead;
    let place = Subnet { id: member.subnet.clone(), zone: member.zone.clone() };
    member.lifecycle = Lifecycle::Terminating;
    let wait = if draining { " - Waiting For ELB Connection Draining." } else { "" };
    let activity =
        group.begin(format!("Terminating EC2 instance: {id}{wait}"), cause(id, why, &first, size, now), &place, now);
    if draining && let Some(activity) = group.activity(&activity) {
        activity.status = "WaitingForELBConnectionDraining".into();
    }
    if starting && why == Why::Dead {
        group.fail(
            &launch,
            "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.InternalError: Client error on launch".into(),
            now,
        );
    } else if starting && let Some(launch) = group.activity(&launch) {
        launch.status = "Cancelled".into();
        launch.end = Some(now);
    }
    if let Some(member) = group.member(id) {
        member.activity = activity;
    }
}

/// Marks an instance as unhealthy, to be replaced.
pub(super) fn unhealthy(group: &mut Group, id: &str, why: Why, now: Timestamp) {
    let Some(member) = group.member(id).filter(|m| m.lifecycle != Lifecycle::Terminating) else { return };
    member.healthy = false;
    group.replacing += 1;
    begin(group, id, why, now);
}

fn cause(id: &str, why: Why, first: &str, size: i32, now: Timestamp) -> String {
    let at = second(now);
    let left = size.saturating_sub(1);
    match why {
        Why::Capacity => format!(
            "{first}  At {at} an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from {size} to {left}.  At {at} instance {id} was selected for termination."
        ),
        Why::Delete => format!("{first}  At {at} instance {id} was selected for termination."),
        Why::Request => format!("At {at} instance {id} was taken out of service in response to a user request."),
        Why::Dead => format!(
            "At {at} an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped."
        ),
        Why::Unhealthy => {
            format!("At {at} an instance was taken out of service in response to an ELB system health check failure.")
        }
        Why::User => format!("At {at} an instance was taken out of service in response to a user health-check."),
    }
}

/// Takes the group's leaving instances one step further each. What fails is tried again in the next round.
pub(super) async fn advance<W: World>(service: &Service<W>, name: &str, sight: &Sight) {
    let leaving: Vec<Member> = service.store.read(|state| {
        let members = state.groups.get(name).map(|g| g.members.iter());
        members.into_iter().flatten().filter(|m| m.lifecycle == Lifecycle::Terminating).cloned().collect()
    });
    join_all(leaving.iter().map(|member| step(service, name, member, sight))).await;
}

async fn step<W: World>(service: &Service<W>, name: &str, member: &Member, sight: &Sight) {
    let (world, id) = (&service.world, member.id.as_str());
    let change = |f: &dyn Fn(&mut Member)| {
        service.store.change(|s| s.groups.get_mut(name).and_then(|g| g.member(id)).map(f));
    };
    for arn in &member.registered {
        withdraw(service, name, id, arn, sight.runs(id)).await;
    }
    let now = world.now();
    if let Some(ended) = member.ended {
        let late = now.duration_since(ended) > PATIENCE;
        if (sight.gone(id) && world.clear(id).await.is_ok()) || late {
            service.store.change(|state| {
                if let Some(group) = state.groups.get_mut(name) {
                    group.members.retain(|m| m.id != id);
                    group.succeed(&member.activity, now);
                }
            });
        }
        return;
    }
    let waits = service.store.read(|state| {
        let member = state.groups.get(name).and_then(|g| g.members.iter().find(|m| m.id == id));
        member.is_none_or(|m| !m.registered.is_empty() || m.drained.is_some_and(|until| now < until))
    });
    if !waits && world.terminate(id).await.is_ok() {
        let now = world.now();
        change(&|m| m.ended = Some(now));
    }
}

/// Takes an instance out of one target group; connections of one that runs have some time to end.
pub(super) async fn withdraw<W: World>(service: &Service<W>, name: &str, id: &str, arn: &str, runs: bool) {
    let world = &service.world;
    let delay = match world.target_group(arn).await {
        Ok(found) => found.map_or(0, |t| t.delay),
        Err(_) => return,
    };
    if world.deregister(arn, id).await.is_err() {
        return;
    }
    let delay = if runs { SignedDuration::from_secs(delay).min(DRAIN) } else { SignedDuration::ZERO };
    let until = world.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
    service.store.change(|state| {
        if let Some(member) = state.groups.get_mut(name).and_then(|g| g.member(id)) {
            member.registered.remove(arn);
            member.drained = Some(member.drained.map_or(until, |other| other.max(until)));
        }
    });
}
