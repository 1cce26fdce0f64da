//! A world for tests: instances that boot in a second of tokio's time.
use super::{
    launch::GROUP_TAG,
    service::Service,
    state::{Subnet, Template},
    world::{Check, Launched, Order, Seen, Sight, TargetGroup, World},
};
use aws_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};
use tokio::time::Instant;

pub(super) const TARGETS: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef";
const BOOT: Duration = Duration::from_secs(1);

pub(super) struct Fake {
    start: Instant,
    pub(super) inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) instances: BTreeMap<String, Machine>,
    /// What was done, with the second of it.
    pub(super) log: Vec<(u64, String)>,
    /// How many launches fail yet.
    pub(super) failing: u32,
    /// How many launches lose their answer.
    pub(super) losing: u32,
    /// How long a launch takes to answer.
    pub(super) slow: Duration,
    /// Whether applications answer.
    pub(super) silent: bool,
    /// Whether containers fail to start.
    pub(super) broken: bool,
    pub(super) unhealthy: BTreeSet<String>,
    pub(super) targets: BTreeMap<String, i32>,
    pub(super) left: BTreeSet<String>,
    number: usize,
}

pub(super) struct Machine {
    since: Instant,
    pub(super) order: Order,
    pub(super) ended: bool,
    pub(super) container: bool,
}

impl Fake {
    pub(super) fn service() -> Service<Self> {
        Service::new(Self { start: Instant::now(), inner: Mutex::default() })
    }
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        f(&mut self.inner.lock().unwrap())
    }
    fn note(&self, what: String) {
        let at = self.start.elapsed().as_secs();
        self.with(|i| i.log.push((at, what)));
    }
    /// When this was done first, in seconds.
    pub(super) fn when(&self, what: &str) -> Option<u64> {
        self.with(|i| i.log.iter().find(|(_, w)| w == what).map(|(at, _)| *at))
    }
    pub(super) fn count(&self, what: &str) -> usize {
        self.with(|i| i.log.iter().filter(|(_, w)| w.starts_with(what)).count())
    }
}

/// Counts down; whether there was something to count.
fn one_less(count: &mut u32) -> bool {
    let some = *count > 0;
    *count = count.saturating_sub(1);
    some
}

/// The form of a request.
pub(super) fn form(action: &str, pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    pairs.chain([("Action".to_owned(), action.to_owned())]).collect()
}

/// What is needed to create a group.
pub(super) const GROUP: &[(&str, &str)] = &[
    ("AutoScalingGroupName", "web"),
    ("LaunchTemplate.LaunchTemplateId", "lt-1"),
    ("LaunchTemplate.Version", "1"),
    ("MinSize", "0"),
    ("MaxSize", "4"),
    ("DesiredCapacity", "2"),
    ("VPCZoneIdentifier", "subnet-a,subnet-b"),
    ("HealthCheckType", "ELB"),
    ("HealthCheckGracePeriod", "60"),
    ("TargetGroupARNs.member.1", TARGETS),
    ("Tags.member.1.Key", "app"),
    ("Tags.member.1.Value", "web"),
    ("Tags.member.1.PropagateAtLaunch", "true"),
];

impl World for Fake {
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.start.elapsed()).unwrap();
        Timestamp::from_second(1_800_000_000).unwrap() + since
    }
    fn region(&self) -> String {
        "eu-west-1".into()
    }
    async fn account(&self) -> Result<String> {
        Ok("123456789012".into())
    }
    async fn subnets(&self, ids: &[String]) -> Result<Vec<Subnet>> {
        let known = |id: &&String| ["subnet-a", "subnet-b"].contains(&id.as_str());
        let subnet = |id: &String| Subnet { id: id.clone(), zone: format!("eu-west-1{}", &id[7..]) };
        Ok(ids.iter().filter(known).map(subnet).collect())
    }
    async fn template(&self, asked: &Template) -> Result<Option<Template>> {
        let known = asked.id.as_deref() == Some("lt-1");
        Ok(known.then(|| Template { name: Some("web".into()), ..asked.clone() }))
    }
    async fn target_group(&self, arn: &str) -> Result<Option<TargetGroup>> {
        let check = Check { port: 8080, http: Some(("/".into(), "200".into())) };
        Ok(arn.contains(":targetgroup/web/").then_some(TargetGroup { port: 8080, check, delay: 30 }))
    }
    async fn look(&self) -> Result<Sight> {
        self.with(|inner| {
            let mut sight = Sight::default();
            for (id, machine) in &inner.instances {
                let booted = machine.since.elapsed() >= BOOT;
                let state = match (machine.ended, booted) {
                    (true, _) => "terminated",
                    (_, true) => "running",
                    _ => "pending",
                };
                let group = machine.order.tags.iter().find(|t| t.key == GROUP_TAG).map(|t| t.value.clone());
                let seen = Seen { state: state.into(), group, subnet: machine.order.subnet.clone(), ..Seen::default() };
                sight.instances.insert(id.clone(), seen);
                if state == "running" && machine.container {
                    sight.containers.insert(id.clone(), true);
                }
            }
            Ok(sight)
        })
    }
    async fn launch(&self, order: &Order) -> Result<Launched> {
        if self.with(|i| one_less(&mut i.failing)) {
            self.note("refused".into());
            return Err(Error::failed("ec2:RunInstances: no room"));
        }
        let id = self.with(|i| {
            i.number += 1;
            let id = format!("i-{}", i.number);
            let machine = Machine { since: Instant::now(), order: order.clone(), ended: false, container: !i.broken };
            i.instances.insert(id.clone(), machine);
            id
        });
        self.note(format!("launch {id}"));
        tokio::time::sleep(self.with(|i| i.slow)).await;
        if self.with(|i| one_less(&mut i.losing)) {
            return Err(Error::failed("ec2:RunInstances: no answer in time"));
        }
        Ok(Launched { id, kind: "t3.micro".into() })
    }
    async fn terminate(&self, instance: &str) -> Result<()> {
        self.note(format!("terminate {instance}"));
        self.with(|i| {
            if let Some(machine) = i.instances.get_mut(instance) {
                machine.ended = true;
            }
        });
        Ok(())
    }
    async fn register(&self, _: &str, instance: &str, port: i32) -> Result<()> {
        self.note(format!("register {instance}"));
        self.with(|i| i.targets.insert(instance.into(), port));
        Ok(())
    }
    async fn deregister(&self, _: &str, instance: &str) -> Result<()> {
        self.note(format!("deregister {instance}"));
        self.with(|i| i.targets.remove(instance));
        Ok(())
    }
    async fn unhealthy(&self, _: &str) -> Result<BTreeSet<String>> {
        Ok(self.with(|i| i.unhealthy.iter().filter(|u| i.targets.contains_key(*u)).cloned().collect()))
    }
    async fn answers(&self, _: &str, _: &Check) -> bool {
        self.with(|i| !i.silent)
    }
    async fn owners(&self) -> Result<BTreeSet<String>> {
        Ok(self.with(|i| i.left.clone()))
    }
    async fn clear(&self, instance: &str) -> Result<()> {
        self.note(format!("clear {instance}"));
        self.with(|i| i.left.remove(instance));
        Ok(())
    }
}

impl Service<Fake> {
    /// Asks, and expects to be heard.
    pub(super) async fn ask(&self, action: &str, pairs: &[(&str, &str)]) -> String {
        let answer = self.answer(&form(action, pairs)).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.body);
        answer.body
    }
    /// The instances, as `i-1 InService`.
    pub(super) fn lifecycles(&self) -> Vec<String> {
        let groups = self.groups();
        groups.iter().flat_map(|g| &g.members).map(|m| format!("{} {}", m.id, m.lifecycle)).collect()
    }
    pub(super) fn activities(&self) -> Vec<(String, String)> {
        self.store.read(|s| {
            let all = s.groups.values().flat_map(|g| &g.activities);
            all.map(|a| (a.status.clone(), a.description.clone())).collect()
        })
    }
}
