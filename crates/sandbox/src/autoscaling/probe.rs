//! Putting instances into the target groups, once they answer.
use super::{
    leave,
    service::Service,
    state::{Lifecycle, Member},
    world::{TargetGroup, World},
};
use futures::future::join_all;
use jiff::SignedDuration;

/// So long after its launch an instance is registered even if it does not answer: its health checks tell the rest.
const ANYWAY: SignedDuration = SignedDuration::from_secs(20);
/// For so long it is asked at every turn of the loop, then every third second: applications note who asks.
const EAGER: SignedDuration = SignedDuration::from_secs(6);

/// Registers the instances that answer, and takes those out of target groups that the group has no more.
///
/// The emulator's load balancer sends requests to targets whose first check is still to come; AWS's does not. So
/// the first check is made here.
pub(super) async fn register<W: World>(service: &Service<W>, name: &str) {
    let (arns, members) = service.store.read(|state| {
        let Some(group) = state.groups.get(name).filter(|g| !g.deleting) else { return (Vec::new(), Vec::new()) };
        let serving = group.members.iter().filter(|m| m.lifecycle == Lifecycle::InService);
        (group.target_groups.clone(), serving.cloned().collect::<Vec<Member>>())
    });
    for member in &members {
        for arn in member.registered.iter().filter(|a| !arns.contains(a)) {
            leave::withdraw(service, name, &member.id, arn, true).await;
        }
    }
    for arn in &arns {
        let out: Vec<&Member> = members.iter().filter(|m| !m.registered.contains(arn)).collect();
        if out.is_empty() {
            continue;
        }
        let Ok(Some(target)) = service.world.target_group(arn).await else { continue };
        join_all(out.iter().map(|m| enter(service, name, m, arn, &target))).await;
    }
}

async fn enter<W: World>(service: &Service<W>, name: &str, member: &Member, arn: &str, target: &TargetGroup) {
    let world = &service.world;
    let age = world.now().duration_since(member.launched);
    let turn = age < EAGER || age.as_secs() % 3 == 0;
    // The emulator's TCP check asks its own forwarder, which always accepts: such a target is never registered unasked.
    let patient = age < ANYWAY || target.check.http.is_none();
    if patient && !(turn && world.answers(&member.id, &target.check).await) {
        return;
    }
    // Noted before it is done: an instance that is taken out meanwhile is deregistered for sure.
    let noted = service.store.change(|state| {
        let member = state.groups.get_mut(name)?.member(&member.id)?;
        (member.lifecycle == Lifecycle::InService).then(|| member.registered.insert(arn.to_owned()))
    });
    if noted.is_some() && world.register(arn, &member.id, target.port).await.is_err() {
        service.store.change(|state| {
            let member = state.groups.get_mut(name)?.member(&member.id)?;
            Some(member.registered.remove(arn))
        });
    }
}
