//! What Auto Scaling needs of everything else: EC2, the load balancers and the container engine.
use super::state::{Subnet, Tag, Template};
use aws_core::Result;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The emulator and the engine; a stand-in in tests.
pub(super) trait World: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    /// The region's name.
    fn region(&self) -> String;
    /// The account's number.
    fn account(&self) -> impl Future<Output = Result<String>> + Send;
    /// Those of these subnets that exist.
    fn subnets(&self, ids: &[String]) -> impl Future<Output = Result<Vec<Subnet>>> + Send;
    /// The launch template with its id and its name, if it exists in this version.
    fn template(&self, asked: &Template) -> impl Future<Output = Result<Option<Template>>> + Send;
    /// The target group, if it exists.
    fn target_group(&self, arn: &str) -> impl Future<Output = Result<Option<TargetGroup>>> + Send;
    /// All instances and their containers as they are now.
    fn look(&self) -> impl Future<Output = Result<Sight>> + Send;
    /// Starts an instance.
    fn launch(&self, order: &Order) -> impl Future<Output = Result<Launched>> + Send;
    /// Ends an instance; one that is not there is no error.
    fn terminate(&self, instance: &str) -> impl Future<Output = Result<()>> + Send;
    /// Puts an instance into a target group, at this port.
    fn register(&self, arn: &str, instance: &str, port: i32) -> impl Future<Output = Result<()>> + Send;
    /// Takes an instance out of a target group; a target group that is not there is no error.
    fn deregister(&self, arn: &str, instance: &str) -> impl Future<Output = Result<()>> + Send;
    /// The instances of this target group that its health checks find unhealthy.
    fn unhealthy(&self, arn: &str) -> impl Future<Output = Result<BTreeSet<String>>> + Send;
    /// Whether the application in the instance answers this check.
    fn answers(&self, instance: &str, check: &Check) -> impl Future<Output = bool> + Send;
    /// The instances of this sandbox that applications' containers or volumes are left of.
    fn owners(&self) -> impl Future<Output = Result<BTreeSet<String>>> + Send;
    /// Removes the containers and volumes of the applications in this instance.
    fn clear(&self, instance: &str) -> impl Future<Output = Result<()>> + Send;
}

/// What was seen in one look.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// Instances, also terminated ones, by id.
    pub(super) instances: BTreeMap<String, Seen>,
    /// Instances' containers by instance id: whether they run.
    pub(super) containers: BTreeMap<String, bool>,
}

/// An instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// EC2's state: `pending`, `running`, ..
    pub(super) state: String,
    /// Its type.
    pub(super) kind: String,
    /// Its subnet.
    pub(super) subnet: String,
    /// Its zone.
    pub(super) zone: String,
    /// The group that it was launched for.
    pub(super) group: Option<String>,
}

impl Sight {
    /// Whether nothing of the instance is left.
    pub(super) fn gone(&self, instance: &str) -> bool {
        let ended = self.instances.get(instance).is_none_or(|i| i.state == "terminated");
        ended && !self.containers.contains_key(instance)
    }
    /// Whether the instance runs.
    pub(super) fn runs(&self, instance: &str) -> bool {
        self.state(instance) == Some("running") && self.containers.get(instance) == Some(&true)
    }
    /// EC2's state of the instance.
    pub(super) fn state(&self, instance: &str) -> Option<&str> {
        self.instances.get(instance).map(|i| i.state.as_str())
    }
}

/// An instance to start.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Unique to this order.
    pub(super) token: String,
    /// What it is made of.
    pub(super) template: Template,
    /// Where.
    pub(super) subnet: String,
    /// Its tags.
    pub(super) tags: Vec<Tag>,
}

/// An instance that was started.
#[derive(Debug, Clone)]
pub(super) struct Launched {
    /// Its id.
    pub(super) id: String,
    /// Its type.
    pub(super) kind: String,
}

/// A target group.
#[derive(Debug, Clone)]
pub(super) struct TargetGroup {
    /// The port of its targets.
    pub(super) port: i32,
    /// How its targets are checked.
    pub(super) check: Check,
    /// How long connections may take to end once a target is taken out, in seconds.
    pub(super) delay: i64,
}

/// A health check.
#[derive(Debug, Clone)]
pub(super) struct Check {
    /// The port.
    pub(super) port: i32,
    /// The path and the statuses that are right, as in `200-299,301`; none: it is enough that the port accepts.
    pub(super) http: Option<(String, String)>,
}
