//! The loop: looks twice a second, and does for each group what is to be done.
use super::{
    judge, launch, leave, probe,
    service::Service,
    world::{Sight, World},
};
use jiff::SignedDuration;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::{Instant, sleep, timeout},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two searches for what instances have left behind.
const SWEEP: Duration = Duration::from_secs(5);
/// Between two questions for the load balancers' view.
const HEALTH: SignedDuration = SignedDuration::from_secs(2);
/// What is under way when all stops has this long to end.
const END: Duration = Duration::from_secs(5);

/// Runs until `stop` says so, or nobody can say so any more.
pub(super) async fn run<W: World>(service: Service<W>, mut stop: watch::Receiver<bool>) {
    // One task for each group: a slow one holds up no other.
    let mut tasks: JoinSet<()> = JoinSet::new();
    let mut busy: BTreeMap<Id, String> = BTreeMap::new();
    let mut sweep = Instant::now();
    while !*stop.borrow() {
        while let Some(ended) = tasks.try_join_next_with_id() {
            busy.remove(&ended.map_or_else(|e| e.id(), |(id, ())| id));
        }
        // Those that are idle now: what they launched before is in the look that follows.
        let working: BTreeSet<&String> = busy.values().collect();
        let groups: Vec<String> = service.store.read(|s| s.groups.keys().cloned().collect());
        let idle: Vec<String> = groups.into_iter().filter(|g| !working.contains(g)).collect();
        let sweeping = sweep <= Instant::now();
        // Before the look: what belongs to an instance that is not seen then is really left behind.
        let owners = if sweeping { service.world.owners().await.unwrap_or_default() } else { BTreeSet::new() };
        if (!owners.is_empty() || !idle.is_empty())
            && let Ok(sight) = service.world.look().await
        {
            let sight = Arc::new(sight);
            for name in idle {
                let (service, sight, group) = (service.clone(), Arc::clone(&sight), name.clone());
                let task = tasks.spawn(async move { reconcile(&service, &group, &sight).await });
                busy.insert(task.id(), name);
            }
            for owner in owners.iter().filter(|owner| sight.gone(owner)) {
                // What cannot be removed now is found again.
                drop(service.world.clear(owner).await);
            }
        }
        if sweeping {
            sweep = Instant::now() + SWEEP;
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = service.store.woken() => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    // An instance whose launch is under way shall be written down.
    let ending = async { while tasks.join_next().await.is_some() {} };
    drop(timeout(END, ending).await);
}

/// One round for one group.
pub(super) async fn reconcile<W: World>(service: &Service<W>, name: &str, sight: &Sight) {
    let unhealthy = unhealthy(service, name).await;
    let now = service.world.now();
    service.store.change(|state| {
        if let Some(group) = state.groups.get_mut(name) {
            judge::judge(group, sight, &unhealthy, now);
        }
    });
    tokio::join!(launch::fill(service, name), probe::register(service, name), leave::advance(service, name, sight),);
    service.store.change(|state| {
        if state.groups.get(name).is_some_and(|g| g.deleting && g.members.is_empty()) {
            state.groups.remove(name);
        }
    });
}

/// The instances that load balancers find unhealthy, where that counts.
async fn unhealthy<W: World>(service: &Service<W>, name: &str) -> BTreeSet<String> {
    let now = service.world.now();
    let arns = service.store.change(|state| {
        let group = state.groups.get_mut(name)?;
        let due = group.asked.is_none_or(|at| now.duration_since(at) >= HEALTH);
        (due && judge::any_settled(group, now)).then(|| {
            group.asked = Some(now);
            group.target_groups.clone()
        })
    });
    let mut found = BTreeSet::new();
    for arn in arns.unwrap_or_default() {
        found.extend(service.world.unhealthy(&arn).await.unwrap_or_default());
    }
    found
}
