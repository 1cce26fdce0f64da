//! What is known of the groups.
use super::value::Value;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher as _, Hasher as _, RandomState},
};

/// Activities that a group remembers.
const REMEMBERED: usize = 100;

/// All groups by name.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The groups.
    pub(super) groups: BTreeMap<String, Group>,
}

/// A group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Its name.
    pub(super) name: String,
    /// Its ARN.
    pub(super) arn: String,
    /// What its instances are made of.
    pub(super) template: Template,
    /// The least number of instances.
    pub(super) min: i32,
    /// The largest number of instances.
    pub(super) max: i32,
    /// The wanted number of instances.
    pub(super) desired: i32,
    /// Where its instances are.
    pub(super) subnets: Vec<Subnet>,
    /// ARNs of its target groups.
    pub(super) target_groups: Vec<String>,
    /// Whether the load balancers' health checks count, beside EC2's.
    pub(super) elb: bool,
    /// How long an instance may take until they count, in seconds.
    pub(super) grace: i32,
    /// Seconds between two simple scalings; only kept.
    pub(super) cooldown: i32,
    /// Whether new instances are spared when the group shrinks.
    pub(super) protected: bool,
    /// Its tags.
    pub(super) tags: Vec<Tag>,
    /// When it was made.
    pub(super) created: Timestamp,
    /// Whether it goes as soon as its instances are gone.
    pub(super) deleting: bool,
    /// Its instances.
    pub(super) members: Vec<Member>,
    /// What it did, latest last.
    pub(super) activities: Vec<Activity>,
    /// Its scaling policies, by name.
    pub(super) policies: BTreeMap<String, Policy>,
    /// Why the wanted number is what it is: the first sentence of activities' causes.
    pub(super) why: String,
    /// How many unhealthy instances are still to be replaced.
    pub(super) replacing: usize,
    /// How many launches failed one after another.
    pub(super) failures: u32,
    /// When to launch again.
    pub(super) retry: Option<Timestamp>,
    /// When the load balancers' view was last asked for.
    pub(super) asked: Option<Timestamp>,
}

/// A launch template in one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template {
    /// Its id.
    pub(super) id: Option<String>,
    /// Its name.
    pub(super) name: Option<String>,
    /// A number, `$Latest` or `$Default`, as it was asked for.
    pub(super) version: Option<String>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subnet {
    /// Its id.
    pub(super) id: String,
    /// Its zone.
    pub(super) zone: String,
}

/// A tag of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// Its key.
    pub(super) key: String,
    /// Its value.
    pub(super) value: String,
    /// Whether new instances get it too.
    pub(super) propagate: bool,
}

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifecycle {
    /// It starts.
    Pending,
    /// It runs.
    InService,
    /// It is taken out.
    Terminating,
}

impl Lifecycle {
    /// AWS's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InService => "InService",
            Self::Terminating => "Terminating",
        }
    }
}

/// An instance of a group.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its id.
    pub(super) id: String,
    /// Its type.
    pub(super) kind: String,
    /// Its subnet.
    pub(super) subnet: String,
    /// Its zone.
    pub(super) zone: String,
    /// What it was made of.
    pub(super) template: Template,
    /// Where it is in its life.
    pub(super) lifecycle: Lifecycle,
    /// Whether it counts as healthy.
    pub(super) healthy: bool,
    /// Whether it is spared when the group shrinks.
    pub(super) protected: bool,
    /// When it was launched.
    pub(super) launched: Timestamp,
    /// When it came into service.
    pub(super) in_service: Option<Timestamp>,
    /// The target groups that it is in.
    pub(super) registered: BTreeSet<String>,
    /// The activity that started it, or is ending it.
    pub(super) activity: String,
    /// Until when its connections may drain, once it is taken out.
    pub(super) drained: Option<Timestamp>,
    /// When EC2 was told to end it.
    pub(super) ended: Option<Timestamp>,
}

/// Something that a group does or did.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    /// Its id.
    pub(super) id: String,
    /// What.
    pub(super) description: String,
    /// Why.
    pub(super) cause: String,
    /// AWS's word: `InProgress`, `Successful`, `Failed`, ..
    pub(super) status: String,
    /// Why it failed.
    pub(super) message: Option<String>,
    /// When it began.
    pub(super) start: Timestamp,
    /// When it ended.
    pub(super) end: Option<Timestamp>,
    /// Where, as JSON.
    pub(super) details: String,
}

/// A scaling policy: kept and described, never acted on.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// Its ARN.
    pub(super) arn: String,
    /// `TargetTrackingScaling`, `StepScaling`, ..
    pub(super) kind: String,
    /// The rest, as it was given.
    pub(super) settings: Value,
}

impl Group {
    /// The instances that stay.
    pub(super) fn staying(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.lifecycle != Lifecycle::Terminating)
    }
    /// How many instances stay.
    pub(super) fn size(&self) -> i32 {
        i32::try_from(self.staying().count()).unwrap_or(i32::MAX)
    }
    /// The instance of this id.
    pub(super) fn member(&mut self, id: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|m| m.id == id)
    }
    /// Changes the wanted number; `how` is AWS's phrase for who did, as in `a user request created an
    /// AutoScalingGroup`.
    pub(super) fn resize(&mut self, desired: i32, how: &str, now: Timestamp) {
        let from = self.desired;
        if from != desired {
            self.why = format!("At {} {how} changing the desired capacity from {from} to {desired}.", second(now));
        }
        self.desired = desired;
        // What was asked for now is tried now.
        self.retry = None;
        self.failures = 0;
    }
    /// Notes something that begins; answers its id.
    pub(super) fn begin(&mut self, description: String, cause: String, subnet: &Subnet, now: Timestamp) -> String {
        let id = unique();
        self.activities.push(Activity {
            id: id.clone(),
            description,
            cause,
            status: "InProgress".into(),
            message: None,
            start: now,
            end: None,
            details: serde_json::json!({"Subnet ID": subnet.id, "Availability Zone": subnet.zone}).to_string(),
        });
        let over = self.activities.len().saturating_sub(REMEMBERED);
        self.activities.drain(..over);
        id
    }
    /// The activity of this id, while it is remembered.
    pub(super) fn activity(&mut self, id: &str) -> Option<&mut Activity> {
        self.activities.iter_mut().find(|a| a.id == id)
    }
    /// Notes that something succeeded.
    pub(super) fn succeed(&mut self, id: &str, now: Timestamp) {
        if let Some(activity) = self.activity(id) {
            activity.status = "Successful".into();
            activity.end = Some(now);
        }
    }
    /// Notes that something failed.
    pub(super) fn fail(&mut self, id: &str, message: String, now: Timestamp) {
        if let Some(activity) = self.activity(id) {
            activity.description = format!("{}.  Status Reason: {message}", activity.description);
            activity.status = "Failed".into();
            activity.message = Some(message);
            activity.end = Some(now);
        }
    }
}

/// A time as in activities' causes: whole seconds.
pub(super) fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// An id that nothing else has, in the form of a UUID.
pub(super) fn unique() -> String {
    // The standard library seeds each state afresh.
    let half = || RandomState::new().build_hasher().finish();
    let hex = format!("{:016x}{:016x}", half(), half());
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
