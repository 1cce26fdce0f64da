//! The keys of a manifest. Their doc comments are the reference that users read (`docs/manifest.md`).
use super::{
    policy::{ManagedPolicy, Statement},
    secrets::SecretRef,
    values::{
        AmiId, Capability, Cpus, EnvName, EnvValue, HttpPath, InstanceType, LogDriver, Mountpoint, Port, RegistryHost,
        SecretName, TagKey, TagValue,
    },
};
use aws_core::model::{ApplicationName, DEFAULT_INSTANCE_TYPE};
use files::TextOr;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::BTreeMap;

/// What an application is: which ports it has, what it needs, and how it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Application manifest", extend("$id" = "manifest.schema.json"))]
pub struct Manifest {
    /// The application's name; its DNS name, security groups and role are called after it. Small letters,
    /// digits and single dashes; a letter first, no dash last; at most 61 characters, so that a version has room.
    #[serde(deserialize_with = "files::from_text")]
    #[schemars(schema_with = "application_name_schema")]
    pub application_name: ApplicationName,
    /// The team that the application belongs to; a tag on everything, with the characters of `tags`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_name: Option<TagValue>,
    /// The TCP ports that the container listens on. For `http` the first one takes the traffic of the load
    /// balancer, and the others are open to instances of the same application only. For `tcp` each one is a
    /// port of the load balancer.
    #[schemars(length(min = 1), example = [8080])]
    pub exposed_ports: Vec<Port>,
    /// `http`: an Application Load Balancer with HTTPS where a certificate covers the domain. `tcp`: a Network
    /// Load Balancer that passes connections on.
    #[serde(default)]
    pub exposed_protocol: Protocol,
    /// The EC2 instance type. `minion versions create --instance-type` beats it.
    #[serde(default = "default_instance_type")]
    pub instance_type: InstanceType,
    /// The path that the load balancer asks for to see whether an instance is well; `health_check.path` is the
    /// same thing. Without either it is `/` for `http`, and a plain TCP connection for `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check_http_path: Option<HttpPath>,
    /// How the load balancer sees whether an instance is well.
    #[serde(default)]
    pub health_check: HealthCheck,
    /// Whether the container may run as root. Without it, an image that names no user of its own (or root) runs
    /// as user and group 1000, and cannot gain privileges.
    #[serde(default)]
    pub root: bool,
    /// Whether instances keep data of their own. It changes nothing on AWS; `minion` warns when the data would
    /// be lost with the instance.
    #[serde(default)]
    pub stateful: bool,
    /// Environment variables of the container. Names are what Docker accepts: anything without white space and `=`, e.g.
    /// `discovery.type`. Numbers and booleans are passed as they are written. No place for secrets: the values can be
    /// read in the instance's user data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<EnvName, EnvValue>,
    /// Environment variables whose values are secrets: name to reference. `ssm:/path/name` is a parameter of SSM
    /// Parameter Store, `secretsmanager:name` a secret of Secrets Manager, `secretsmanager:name#key` one value
    /// of a secret that is a JSON object; ARNs of both work too. Names are those of a shell: letters, digits and
    /// underscores. Instances read the values at boot with the application's role, which may do so without further `policies` (for a key of your own in KMS add
    /// `kms:Decrypt`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<SecretName, SecretRef>,
    /// Credentials for private container registries: the registry's host to a reference as under `secrets`, without
    /// `#key`. The secret is a JSON object: `{"username": "..", "password": ".."}`. Instances read it at boot with the
    /// application's role and sign in before they pull the image; `minion versions create` reads it with your credentials
    /// to check the image. The application has that role too and can read the secret, so store a token there that may only
    /// pull. Docker Hub is `docker.io`; Amazon ECR needs none. `registry_credentials` of the profile are used for hosts that
    /// are not named here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registry_credentials: BTreeMap<RegistryHost, SecretRef>,
    /// Memory of the container in MiB: a number is the hard limit; or `{hard: 512, soft: 256}`. Above the hard
    /// limit the container is ended; the soft one holds when the instance is short of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<Memory>,
    /// CPUs that the container may use, e.g. `0.5`. Without it: all of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpus>,
    /// Linux capabilities that the container gets beyond Docker's default; `--cap-add` adds more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// Directories of the container that are file systems of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filesystems: Vec<Filesystem>,
    /// How many instances a version has.
    #[serde(default)]
    pub scaling: Scaling,
    /// Whether to run on Spot instances: cheaper, and AWS may take them back with two minutes' notice.
    #[serde(default)]
    pub spot: bool,
    /// IAM statements: what the application may do on AWS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = super::policy::also_as_aws_spells)]
    pub policies: Vec<Statement>,
    /// Managed policies of the application's role: names of AWS's own, or ARNs. At most 10, unless IAM's quota of the
    /// account is higher.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managed_policies: Vec<ManagedPolicy>,
    /// Where the container's output goes.
    #[serde(default)]
    pub logging: Logging,
    /// Tags on everything that is made for the application; at most 40. Letters, digits, spaces and `_.:/=+-@`, as IAM
    /// takes them: no combining signs. IAM does not tell keys apart that differ only in case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagKey, TagValue>,
    /// Whether to make a key pair for SSH. No port is opened for it.
    #[serde(default = "yes")]
    #[schemars(extend("default" = true))]
    pub ssh_key: bool,
    /// The machine image, instead of the VPC's or the newest ECS-optimised Amazon Linux 2023.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami_id: Option<AmiId>,
}

/// What the load balancer speaks with the application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Protocol {
    /// HTTP, behind an Application Load Balancer.
    #[default]
    Http,
    /// TCP, behind a Network Load Balancer.
    Tcp,
}

/// How the load balancer sees whether an instance is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct HealthCheck {
    /// The path to ask for by HTTP; begins with `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<HttpPath>,
    /// The port to ask, when it is not the one that takes the traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
    /// Seconds between two checks, 5 to 300.
    #[schemars(range(min = 5, max = 300))]
    pub interval: u32,
    /// Seconds to wait for an answer, 2 to 120; less than `interval`.
    #[schemars(range(min = 2, max = 120))]
    pub timeout: u32,
    /// Good answers in a row after which an instance is well, 2 to 10.
    #[schemars(range(min = 2, max = 10))]
    pub healthy_threshold: u32,
    /// Bad answers in a row after which an instance is replaced, 2 to 10.
    #[schemars(range(min = 2, max = 10))]
    pub unhealthy_threshold: u32,
    /// The HTTP codes of a good answer: codes and ranges, as in `200`, `200,204` or `200-299,401`; within 200 to 499, for
    /// `tcp` to 599. Without it: `200`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["string", "integer"]))]
    pub codes: Option<String>,
}
impl Default for HealthCheck {
    /// The predecessor's: every 20 s, 3 up, 5 down.
    fn default() -> Self {
        Self {
            path: None,
            port: None,
            interval: 20,
            timeout: 5,
            healthy_threshold: 3,
            unhealthy_threshold: 5,
            codes: None,
        }
    }
}

/// Memory of the container, in MiB. Docker's least is 6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Above it the container is ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard: Option<u32>,
    /// What it is held to when the instance is short of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<u32>,
}

/// A file system of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Filesystem {
    /// `temporary`: on the instance's own disks where its type has them, else on the root volume. `ebs`: a volume
    /// of its own for each instance, which goes with the instance.
    #[serde(rename = "type", default)]
    pub kind: FilesystemKind,
    /// The absolute directory in the container.
    #[serde(default = "default_mountpoint")]
    pub mountpoint: Mountpoint,
    /// Only for `temporary`: the size in MiB. Without it: what the disk has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 16))]
    pub size_mb: Option<u32>,
    /// Only for `ebs`, where it must be given: the size in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub size_gb: Option<u32>,
    /// Only for `ebs`: `gp3` (1 to 65536 GiB), `gp2` (1 to 16384), `st1` and `sc1` (125 to 16384), `standard`
    /// (1 to 1024). Without it: `gp3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<VolumeType>,
    /// Only for `ebs`: whether the volume is encrypted. Without it: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
}

/// Where a file system is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum FilesystemKind {
    /// On the instance.
    #[default]
    Temporary,
    /// On a volume of its own.
    Ebs,
}

/// Types of EBS volumes that need no further figures. (`io1` and `io2` need IOPS.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum VolumeType {
    /// General purpose.
    #[default]
    Gp3,
    /// General purpose, the older one.
    Gp2,
    /// Throughput, on hard disks.
    St1,
    /// Cold, on hard disks.
    Sc1,
    /// Magnetic.
    Standard,
}
impl VolumeType {
    /// As AWS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gp3 => "gp3",
            Self::Gp2 => "gp2",
            Self::St1 => "st1",
            Self::Sc1 => "sc1",
            Self::Standard => "standard",
        }
    }
    /// Least and largest size in GiB (EBS "Volume types").
    pub fn sizes(self) -> (u32, u32) {
        match self {
            Self::Gp3 => (1, 65_536),
            Self::Gp2 => (1, 16_384),
            Self::St1 | Self::Sc1 => (125, 16_384),
            Self::Standard => (1, 1024),
        }
    }
}

/// How many instances a version has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Scaling {
    /// The fewest instances.
    #[schemars(range(max = 1000))]
    pub min: u32,
    /// The most instances.
    #[schemars(range(max = 1000))]
    pub max: u32,
    /// Instances to start with. Without it: `min`, but at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    pub desired: Option<u32>,
    /// The average CPU use in percent that instances are added and removed for, 1 to 100. Without it the number
    /// of instances only changes by `minion versions scale`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub target_cpu_percent: Option<f64>,
}
impl Default for Scaling {
    /// The predecessor's: 1 to 8.
    fn default() -> Self {
        Self { min: 1, max: 8, desired: None, target_cpu_percent: None }
    }
}

/// Where the container's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Logging {
    /// Docker's log driver. `awslogs` writes to the application's log group of CloudWatch Logs,
    /// `/minion/<application>`, one stream for each instance.
    pub driver: LogDriver,
    /// Options of the driver, as `docker run --log-opt` takes them; those that Docker would reject are refused.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, EnvValue>,
    /// Days that CloudWatch Logs keeps the output: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    /// 1096, 1827, 2192, 2557, 2922, 3288 or 3653.
    pub retention_days: i32,
}
impl Default for Logging {
    fn default() -> Self {
        let driver = LogDriver::try_from("awslogs".to_owned()).expect("awslogs is in the list of drivers");
        Self { driver, options: BTreeMap::new(), retention_days: 30 }
    }
}

/// An EBS volume to attach to each instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EbsVolume {
    /// Its device name in the launch template, e.g. `/dev/sdf`.
    pub device: String,
    /// Its size in GiB.
    pub size_gib: u32,
    /// Its type.
    pub volume_type: VolumeType,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Where it appears in the container.
    pub mountpoint: Mountpoint,
}

impl Manifest {
    /// The least manifest of this name: enough to find what belongs to an application whose stored manifest is
    /// lost.
    pub fn bare(name: &ApplicationName) -> Self {
        // In quotes: an application may be called null.
        let text = format!("{{application_name: \"{name}\", exposed_ports: [80]}}");
        serde_yaml::from_str(&text).expect("a name and a port are a manifest")
    }
    /// The path of the health check; `None` is a plain TCP connection.
    pub fn health_check_path(&self) -> Option<&str> {
        let named = self.health_check.path.as_ref().or(self.health_check_http_path.as_ref()).map(HttpPath::as_str);
        match self.exposed_protocol {
            Protocol::Http => Some(named.unwrap_or("/")),
            Protocol::Tcp => named,
        }
    }
    /// The HTTP codes of a good answer; `None` where the health check is no HTTP request.
    pub fn health_check_codes(&self) -> Option<&str> {
        self.health_check_path().map(|_| self.health_check.codes.as_deref().unwrap_or("200"))
    }
    /// The port that takes the load balancer's traffic (for `tcp`: the first of them).
    pub fn traffic_port(&self) -> Port {
        *self.exposed_ports.first().expect("a checked manifest has a port")
    }
    /// The ports that the load balancer forwards to: one for `http`, all for `tcp`.
    pub fn traffic_ports(&self) -> &[Port] {
        match self.exposed_protocol {
            Protocol::Http => &self.exposed_ports[..1.min(self.exposed_ports.len())],
            Protocol::Tcp => &self.exposed_ports,
        }
    }
    /// The EBS volumes, with the device names that the user data looks for: `/dev/sdf` and so on, in the
    /// order of the manifest (EC2 recommends `f` to `p`).
    pub fn ebs_volumes(&self) -> Vec<EbsVolume> {
        let ebs = self.filesystems.iter().filter(|f| f.kind == FilesystemKind::Ebs);
        ('f'..='p')
            .zip(ebs)
            .map(|(letter, f)| EbsVolume {
                device: format!("/dev/sd{letter}"),
                size_gib: f.size_gb.unwrap_or(1),
                volume_type: f.volume_type.unwrap_or_default(),
                encrypted: f.encrypted.unwrap_or(true),
                mountpoint: f.mountpoint.clone(),
            })
            .collect()
    }
    /// Instances to start with.
    pub fn desired(&self) -> u32 {
        self.scaling.desired.unwrap_or_else(|| self.scaling.min.max(1))
    }
    /// The extra tags as plain text.
    pub fn extra_tags(&self) -> BTreeMap<String, String> {
        self.tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }
    /// Whether the container's output goes to the application's own log group (so that there must be one).
    pub fn uses_log_group(&self) -> bool {
        self.logging.driver.as_str() == "awslogs" && !self.logging.options.contains_key("awslogs-group")
    }
    /// The manifest as YAML, every default written out. (What is stored is the user's own text.)
    ///
    /// # Errors
    /// None that a checked manifest can cause.
    pub fn to_yaml(&self) -> aws_core::Result<String> {
        serde_yaml::to_string(self)
            .map_err(|e| aws_core::Error::failed("the manifest cannot be written as YAML").caused_by(e.to_string()))
    }
}

fn yes() -> bool {
    true
}
fn default_instance_type() -> InstanceType {
    InstanceType::try_from(DEFAULT_INSTANCE_TYPE.to_owned()).expect("the default is an instance type")
}
/// The predecessor's.
fn default_mountpoint() -> Mountpoint {
    Mountpoint::try_from("/data".to_owned()).expect("/data is an absolute directory")
}

fn application_name_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 61, "examples": ["myapp"] })
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Limits {
            hard: Option<u32>,
            soft: Option<u32>,
        }
        match TextOr::<Limits>::deserialize(d)? {
            TextOr::Structure(Limits { hard, soft }) => Ok(Self { hard, soft }),
            TextOr::Text(number) => match files::whole_number(&number) {
                Ok(hard) => Ok(Self { hard: Some(hard), soft: None }),
                Err(Some(why)) => Err(D::Error::custom(why)),
                Err(None) => Err(D::Error::custom("expected a number of MiB, or {hard: 512, soft: 256}")),
            },
        }
    }
}
impl JsonSchema for Memory {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Memory".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "object"],
            "minimum": 6,
            "properties": {
                "hard": { "type": "integer", "minimum": 6, "description": "Above it the container is ended. MiB." },
                "soft": { "type": "integer", "minimum": 6, "description": "What it is held to when the instance is short of memory; at most `hard`. MiB." }
            },
            "additionalProperties": false
        })
    }
}
