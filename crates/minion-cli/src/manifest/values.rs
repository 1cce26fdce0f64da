//! Values of the manifest that are valid once they exist.
use aws_core::{
    images::is_ecr,
    model::{ImageRef, image::DOCKER_HUB, tag_rules, tags},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Makes a string type that only holds what its check lets through.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:path, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The value.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(s: String) -> Result<Self, String> {
                $check(&s).map(|()| Self(s))
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(s: &str) -> Result<Self, String> {
                s.to_owned().try_into()
            }
        }
        impl From<$name> for String {
            fn from(v: $name) -> Self {
                v.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text_type! {
    /// An EC2 instance type, e.g. `t3.small`. Whether the region has it is asked of AWS.
    InstanceType, instance_type, { "type": "string", "pattern": "^[a-z0-9-]+\\.[a-z0-9-]+$", "examples": ["t3.small"] }
}
text_type! {
    /// The id of a machine image, e.g. `ami-0123456789abcdef0`.
    AmiId, ami_id, { "type": "string", "pattern": "^ami-[0-9a-f]{8,17}$" }
}
text_type! {
    /// The path of a URL: begins with `/`, at most 1,024 printable ASCII characters (ELBv2 `HealthCheckPath`).
    HttpPath, http_path, { "type": "string", "pattern": "^/[!-~]*$", "maxLength": 1024, "examples": ["/health"] }
}
text_type! {
    /// The name of an environment variable, as Docker takes it: no white space, no control characters, no `=`.
    EnvName, env_name, { "type": "string", "pattern": "^[^\\s=]+$" }
}
text_type! {
    /// The name of an environment variable that holds a secret (POSIX: letters, digits and underscores; no digit first).
    /// The instance's shell reads its value, and has no other names.
    SecretName, secret_name, { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }
}
text_type! {
    /// The host of a container registry, with its port if it has one; Docker Hub's is `docker.io`.
    RegistryHost, registry_host, { "type": "string", "examples": ["ghcr.io"] }
}
text_type! {
    /// The value of an environment variable, as written; numbers and booleans become text.
    EnvValue, env_value, { "type": ["string", "number", "boolean"] }
}
text_type! {
    /// An absolute directory in the container.
    Mountpoint, mountpoint, { "type": "string", "pattern": "^/", "examples": ["/data"] }
}
text_type! {
    /// A Linux capability as Docker spells it, e.g. `NET_ADMIN`.
    Capability, capability, { "type": "string", "pattern": "^[A-Z][A-Z_]*$", "examples": ["NET_ADMIN"] }
}
text_type! {
    /// A Docker log driver.
    LogDriver, log_driver, { "type": "string", "enum": ["awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none", "splunk", "syslog"] }
}
text_type! {
    /// The key of a tag, none that minion or AWS set themselves. New ones have 1 to 128 characters (`tag_rules`).
    TagKey, tag_key, { "type": "string", "minLength": 1, "maxLength": 128 }
}
text_type! {
    /// The value of a tag. New ones have at most 256 characters (`tag_rules`).
    TagValue, tag_value, { "type": ["string", "number", "boolean"], "maxLength": 256 }
}

fn instance_type(s: &str) -> Result<(), String> {
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    match s.split_once('.') {
        Some((family, size)) if part(family) && part(size) => Ok(()),
        _ => Err(format!("`{s}` is not an instance type; one looks like t3.small")),
    }
}

fn ami_id(s: &str) -> Result<(), String> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    match s.strip_prefix("ami-") {
        Some(id) if (8..=17).contains(&id.len()) && id.bytes().all(hex) => Ok(()),
        _ => Err(format!("`{s}` is not the id of a machine image; one looks like ami-0123456789abcdef0")),
    }
}

fn http_path(s: &str) -> Result<(), String> {
    if !s.starts_with('/') {
        return Err(format!("`{s}` is not a path; a path begins with /"));
    }
    if s.len() > 1024 {
        return Err(format!("the path has {} characters; AWS allows 1024", s.len()));
    }
    if !s.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("the path `{s}` has a character that is not printable ASCII; encode it as %XX"));
    }
    Ok(())
}

fn registry_host(s: &str) -> Result<(), String> {
    let parsed = format!("{s}/image:tag").parse::<ImageRef>();
    if !parsed.is_ok_and(|image| image.registry() == registry_of(s)) {
        return Err(format!(
            "invalid registry `{s}`: write its host, with its port if it has one, e.g. ghcr.io or registry.example.org:5000; Docker Hub is docker.io"
        ));
    }
    if is_ecr(s) {
        return Err(format!(
            "invalid registry `{s}`: instances sign in to Amazon ECR with the application's role, and need no other credentials"
        ));
    }
    Ok(())
}

/// Docker Hub goes by several names.
fn registry_of(host: &str) -> &str {
    if ["index.docker.io", "registry-1.docker.io"].contains(&host) { DOCKER_HUB } else { host }
}

impl RegistryHost {
    /// The registry as images name it.
    pub fn registry(&self) -> &str {
        registry_of(&self.0)
    }
}

fn env_name(s: &str) -> Result<(), String> {
    // docker/cli, pkg/kvfile: white space is all that it refuses; `=` ends the name. A byte order mark is nobody's intention.
    if !s.is_empty() && !s.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '=' | '\u{feff}')) {
        return Ok(());
    }
    Err(format!("invalid variable name `{}`: a name is not empty and has no white space and no `=`", s.escape_debug()))
}

fn secret_name(s: &str) -> Result<(), String> {
    let first = s.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if first && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(format!(
        "invalid name of a secret `{}`: a shell on the instance reads secrets, so their names have letters, digits and \
         underscores, and begin with no digit",
        s.escape_debug()
    ))
}

fn env_value(s: &str) -> Result<(), String> {
    if s.contains('\0') {
        return Err("the value of an environment variable cannot hold a NUL character".into());
    }
    Ok(())
}

fn mountpoint(s: &str) -> Result<(), String> {
    if !s.starts_with('/') || s.split('/').any(|part| part == ".." || part == ".") {
        return Err(format!("`{s}` is not an absolute directory; one looks like /data"));
    }
    if s.trim_end_matches('/').is_empty() {
        return Err("the root directory of a container cannot be mounted over; name a directory below it".into());
    }
    if s.contains(|c: char| c == ':' || c.is_control()) {
        return Err(format!("the directory {s:?} has a colon or a control character, which Docker does not accept"));
    }
    Ok(())
}

/// What `docker run --cap-add` takes: Linux's capabilities (`man 7 capabilities`, here without `CAP_`), and all.
const CAPABILITIES: [&str; 42] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

fn capability(s: &str) -> Result<(), String> {
    // Docker knows no CAP_ALL.
    let known = |name: &str| CAPABILITIES.contains(&name);
    if known(s) || s.strip_prefix("CAP_").is_some_and(|name| name != "ALL" && known(name)) {
        return Ok(());
    }
    let upper = s.to_ascii_uppercase().replace('-', "_");
    let word = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let near = CAPABILITIES.iter().map(|c| (strsim::damerau_levenshtein(word, c), *c)).min();
    let meant = match near {
        Some((distance, name)) if distance <= 1.max(name.len() / 3) => format!("did you mean {name}?"),
        _ => "one looks like NET_ADMIN".to_owned(),
    };
    Err(format!("`{s}` is not a Linux capability; {meant}"))
}

/// What Docker Engine has on Linux, of use outside ECS.
const LOG_DRIVERS: [&str; 10] =
    ["awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "none", "splunk", "syslog"];

fn log_driver(s: &str) -> Result<(), String> {
    if LOG_DRIVERS.contains(&s) {
        return Ok(());
    }
    Err(format!("`{s}` is not a log driver of Docker; there are {}", LOG_DRIVERS.join(", ")))
}

/// What has always been refused; `limits` asks for the rest of a new manifest.
fn tag_key(s: &str) -> Result<(), String> {
    let small = s.to_ascii_lowercase();
    let ours = ["Name", tags::TEAM, tags::MANAGED_BY].contains(&s) || small.starts_with("minion:");
    if s.is_empty() || ours || small.starts_with("aws:") {
        return tag_rules::chosen_key(s, &[]);
    }
    tag_value(s)
}

fn tag_value(s: &str) -> Result<(), String> {
    match s.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!("invalid tag: the character {} is not allowed", tag_rules::named(c))),
        None => Ok(()),
    }
}

/// A TCP port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Port(u16);

impl Port {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}
impl TryFrom<i64> for Port {
    type Error = String;
    fn try_from(n: i64) -> Result<Self, String> {
        match u16::try_from(n) {
            Ok(port) if port > 0 => Ok(Self(port)),
            _ => Err(format!("{n} is not a port; ports are 1 to 65535")),
        }
    }
}
impl From<Port> for i64 {
    fn from(p: Port) -> Self {
        p.0.into()
    }
}
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl JsonSchema for Port {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 65535 })
    }
}

/// CPUs of a container, as `docker run --cpus` takes them: at least 0.01, in steps of 0.001.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Cpus(f64);

impl Cpus {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}
impl TryFrom<f64> for Cpus {
    type Error = String;
    fn try_from(n: f64) -> Result<Self, String> {
        // 448 vCPUs is the largest machine on EC2; the bound only keeps nonsense out.
        if n.is_finite() && (0.01..=1024.0).contains(&n) {
            return Ok(Self(n));
        }
        Err(format!("{n} is not a number of CPUs; 0.01 is the least, and 0.5 is half of one"))
    }
}
impl From<Cpus> for f64 {
    fn from(c: Cpus) -> Self {
        c.0
    }
}
impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.3}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}
impl JsonSchema for Cpus {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Cpus".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0.01, "maximum": 1024 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_those_that_docker_knows() {
        for good in ["NET_ADMIN", "CAP_NET_ADMIN", "ALL", "CHOWN", "BPF"] {
            capability(good).unwrap();
        }
        for (bad, words) in [
            ("BAR", "looks like NET_ADMIN"),
            ("NET_ADMINS", "did you mean NET_ADMIN?"),
            ("net_admin", "did you mean NET_ADMIN?"),
            ("CAP_SYS-TIME", "did you mean SYS_TIME?"),
            ("CAP_ALL", "did you mean ALL?"),
            ("CAP_", "looks like"),
            ("", "looks like"),
        ] {
            let error = capability(bad).unwrap_err();
            assert!(error.contains(words), "{bad}: {error}");
        }
    }
}
