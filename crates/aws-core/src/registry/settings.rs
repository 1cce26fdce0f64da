//! What holds for all applications of a VPC.
use super::as_written;
use crate::{Error, Result};
use ipnet::Ipv4Net;
use serde::Serialize;
use serde_json::Value;
use std::{net::IpAddr, str::FromStr};

/// Settings of a VPC, stored as YAML in its parameter. They are read key by key: unknown keys are ignored, for a newer
/// tool may have written them.
#[derive(Default, Clone, Debug, PartialEq, Serialize)]
pub struct VpcSettings {
    /// The machine image of new versions; else the newest recommended one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ami_id: Option<String>,
    /// The registry that is listed, and that may be asked without TLS: `host` or `host:port`. Images named
    /// without a registry are Docker Hub's all the same, as in Docker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Whether that registry is asked without TLS.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registry_insecure: bool,
    /// The domain below which applications get their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The certificate of HTTPS listeners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
    /// The managed policy that bounds every role made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
    /// Networks, beside the VPC's own, that may reach internal load balancers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Ipv4Net>,
    /// Name servers of the containers; else the VPC's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<IpAddr>,
    /// Certificates (PEM) of authorities that instances trust, beside the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cacerts: Option<String>,
    /// The team that the VPC belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// The keys, as they are stored.
const KEYS: [&str; 10] = [
    "ami_id",
    "registry",
    "registry_insecure",
    "domain",
    "certificate_arn",
    "permissions_boundary",
    "peers",
    "nameservers",
    "cacerts",
    "team",
];

/// One value as text. What looks like a number or a boolean is as it is written: see [`as_written`].
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// `true` or `false`, also in the words of older YAML.
fn flag(value: &Value) -> Option<bool> {
    match text(value)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A list, or the one value that it would have.
fn list<T: FromStr>(value: &Value) -> Option<Vec<T>> {
    match value {
        Value::Array(items) => items.iter().map(|item| text(item)?.parse().ok()).collect(),
        one => text(one)?.parse().ok().map(|one| vec![one]),
    }
}

impl VpcSettings {
    /// Takes the value of one key; `Err` says what it should be. `null` is as if the key were not there.
    fn set(&mut self, key: &str, value: &Value) -> std::result::Result<(), &'static str> {
        if value.is_null() {
            return Ok(());
        }
        let own = || text(value).map(Some).ok_or("a text");
        match key {
            "ami_id" => self.ami_id = own()?,
            "registry" => self.registry = own()?,
            "registry_insecure" => self.registry_insecure = flag(value).ok_or("`true` or `false`")?,
            "domain" => self.domain = own()?,
            "certificate_arn" => self.certificate_arn = own()?,
            "permissions_boundary" => self.permissions_boundary = own()?,
            "peers" => self.peers = list(value).ok_or("a list of networks, e.g. [10.3.0.0/16]")?,
            "nameservers" => self.nameservers = list(value).ok_or("a list of addresses, e.g. [10.0.0.2]")?,
            "cacerts" => self.cacerts = own().map_err(|_| "certificates (PEM) as one text")?,
            "team" => self.team = own()?,
            // A newer tool may have written it.
            _ => {}
        }
        Ok(())
    }

    /// Reads settings; `place` names where they are stored.
    ///
    /// # Errors
    /// A usage error that names the place, when they are no YAML or a value has the wrong type: then also the key.
    pub fn parse(place: &str, yaml: &str) -> Result<Self> {
        let hint = "Correct the value in the AWS console or with `aws ssm put-parameter`, or remove it.";
        let wrong = |why: &str| Error::usage(format!("could not read the VPC's settings in {place}: {why}")).hint(hint);
        let map = as_written::mapping(yaml).map_err(|why| wrong(&why))?;
        let map = map.ok_or_else(|| wrong("expected keys with values, e.g. `domain: example.org`"))?;
        let mut settings = Self::default();
        for (key, value) in &map {
            settings.set(key, value).map_err(|must| wrong(&format!("invalid `{key}`: expected {must}")))?;
        }
        Ok(settings)
    }

    /// The settings as YAML.
    ///
    /// # Errors
    /// When a value cannot be written as YAML; none of this type's can fail.
    pub fn to_yaml(&self) -> Result<String> {
        serde_yaml::to_string(self).map_err(|e| Error::failed("the settings do not fit YAML").caused_by(e))
    }

    /// Fills what is not set from the VPC's `Config` tag, in which the predecessor kept its settings; and says, in whole
    /// sentences, which keys of it are of no use. The tag's name is a common one: a value that is no YAML mapping, or has
    /// none of our keys, is somebody else's, and ignored.
    #[must_use]
    pub fn or(self, config_tag: Option<&str>) -> (Self, Vec<String>) {
        let map = config_tag.and_then(|tag| as_written::mapping(tag).ok().flatten());
        let Some(map) = map.filter(|map| map.keys().any(|key| KEYS.contains(&key.as_str()))) else {
            return (self, Vec::new());
        };
        let (mut old, mut ignored) = (Self::default(), Vec::new());
        for (key, value) in &map {
            if !KEYS.contains(&key.as_str()) {
                ignored.push(format!(
                    "Ignored `{}` in the VPC's tag `Config`: minion has no setting of this name.",
                    key.escape_debug()
                ));
            } else if let Err(must) = old.set_old(key, value)
                && !self.has(key)
            {
                ignored.push(format!(
                    "Ignored `{key}` in the VPC's tag `Config`: expected {must}. Set `{key}` in the VPC's settings instead, \
                     with `aws ssm put-parameter` (docs/network.md)."
                ));
            }
        }
        (self.filled(old), ignored)
    }

    /// As [`Self::set`], in the forms that the predecessor's users had, too.
    fn set_old(&mut self, key: &str, value: &Value) -> std::result::Result<(), &'static str> {
        match key {
            // It stored where to get them from; an instance needs the certificates themselves.
            "cacerts" => {
                let all = list::<String>(value).filter(|all| all.iter().all(|one| one.contains("-BEGIN CERTIFICATE-")));
                self.cacerts = Some(all.ok_or("certificates (PEM)")?.join("\n"));
            }
            "registry" => {
                let host = text(value).map(|host| host.trim_start_matches("https://").trim_end_matches('/').to_owned());
                let host = host.filter(|host| !host.is_empty() && !host.contains('/'));
                self.registry = Some(host.ok_or("a registry's host, e.g. registry.example.org:5000")?);
            }
            _ => self.set(key, value)?,
        }
        Ok(())
    }

    /// Whether a key is set.
    fn has(&self, key: &str) -> bool {
        match serde_json::to_value(self) {
            Ok(Value::Object(set)) => set.contains_key(key),
            _ => false,
        }
    }

    fn filled(self, old: Self) -> Self {
        let list = |new: Vec<_>, old| if new.is_empty() { old } else { new };
        // Whether it is asked without TLS belongs to the registry, and goes with it.
        let (registry, registry_insecure) = match self.registry {
            Some(registry) => (Some(registry), self.registry_insecure),
            None => (old.registry, self.registry_insecure || old.registry_insecure),
        };
        Self {
            ami_id: self.ami_id.or(old.ami_id),
            registry,
            registry_insecure,
            domain: self.domain.or(old.domain),
            certificate_arn: self.certificate_arn.or(old.certificate_arn),
            permissions_boundary: self.permissions_boundary.or(old.permissions_boundary),
            peers: list(self.peers, old.peers),
            nameservers: if self.nameservers.is_empty() { old.nameservers } else { self.nameservers },
            cacerts: self.cacerts.or(old.cacerts),
            team: self.team.or(old.team),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_yaml() {
        let full = VpcSettings {
            ami_id: Some("ami-1".into()),
            registry: Some("registry.example.org:5000".into()),
            registry_insecure: true,
            domain: Some("example.org".into()),
            certificate_arn: Some("arn:aws:acm:eu-west-1:1:certificate/x".into()),
            permissions_boundary: Some("arn:aws:iam::1:policy/b".into()),
            peers: vec!["10.3.0.0/16".parse().unwrap()],
            nameservers: vec!["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()],
            cacerts: Some("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n".into()),
            team: Some("no".into()),
        };
        for settings in [full, VpcSettings::default()] {
            let yaml = settings.to_yaml().unwrap();
            assert_eq!(VpcSettings::parse("x", &yaml).unwrap(), settings, "{yaml}");
        }
        assert_eq!(VpcSettings::parse("x", "").unwrap(), VpcSettings::default());
    }

    #[test]
    fn unknown_keys_are_ignored_and_wrong_types_are_told() {
        assert_eq!(VpcSettings::parse("x", "ami_id: ami-1\nshiny: [1]\n").unwrap().ami_id.as_deref(), Some("ami-1"));
        let error = VpcSettings::parse("/minion/vpc-1/settings", "peers: [10.0.0.0/33]\n").unwrap_err();
        assert!(error.to_string().contains("/minion/vpc-1/settings"), "{error}");
    }

    #[test]
    fn text_stays_as_it_is_written() {
        let read = VpcSettings::parse("x", "team: 1.10\ndomain: 0x10\nami_id: 007\nregistry: on\n").unwrap();
        assert_eq!((read.team.as_deref(), read.domain.as_deref()), (Some("1.10"), Some("0x10")));
        assert_eq!((read.ami_id.as_deref(), read.registry.as_deref()), (Some("007"), Some("on")));
    }

    #[test]
    fn one_value_is_a_list_of_one() {
        let read =
            VpcSettings::parse("x", "peers: 10.3.0.0/16\nnameservers: 10.0.0.2\nregistry_insecure: yes\n").unwrap();
        assert_eq!((read.peers.len(), read.nameservers.len(), read.registry_insecure), (1, 1, true));
    }

    #[test]
    fn mistakes_name_the_key_and_quote_nothing() {
        for (yaml, key) in [
            ("domain: hunter2\npeers: [10.0.0.0/33]\n", "peers"),
            ("domain: hunter2\nnameservers: {a: b}\n", "nameservers"),
            ("domain: hunter2\nregistry_insecure: perhaps\n", "registry_insecure"),
            ("domain: [hunter2]\n", "domain"),
            ("team: hunter2\nami_id: {a: b}\n", "ami_id"),
            ("team: hunter2\ndomain: a: b\n", "line 2"),
            ("hunter2", "expected keys"),
        ] {
            let error = VpcSettings::parse("/minion/vpc-1/settings", yaml).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("/minion/vpc-1/settings"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_old_tag_fills_what_is_not_set() {
        let new = VpcSettings { ami_id: Some("ami-new".into()), ..VpcSettings::default() };
        let or = |settings: &VpcSettings, tag: &str| {
            let (settings, ignored) = settings.clone().or(Some(tag));
            assert_eq!(ignored, [""; 0], "{tag}");
            settings
        };
        let both = or(&new, "{ami_id: ami-old, registry: \"r:5000\", registry_insecure: true}");
        assert_eq!(both.ami_id.as_deref(), Some("ami-new"));
        assert_eq!((both.registry.as_deref(), both.registry_insecure), (Some("r:5000"), true));
        let own = VpcSettings { registry: Some("mine".into()), ..VpcSettings::default() };
        assert!(!or(&own, "registry: r\nregistry_insecure: true").registry_insecure);
        for foreign in ["", "production", "[1, 2]", "a: b: c", "{", "{environment: prod, owner: me}"] {
            assert_eq!(or(&new, foreign), new, "{foreign}");
        }
        assert_eq!(new.clone().or(None), (new, Vec::new()));
    }

    #[test]
    fn the_old_tag_is_read_key_by_key() {
        for (tag, key, registry) in [
            (
                "{nameservers: [192.0.2.53], registry: registry.example.org, cacerts: ['https://example.org/ca.pem']}",
                Some("cacerts"),
                Some("registry.example.org"),
            ),
            ("{registry: r, cacerts: 'https://example.org/ca.pem'}", Some("cacerts"), Some("r")),
            ("{registry: r, registry_insecure: perhaps}", Some("registry_insecure"), Some("r")),
            ("{registry: r, nameservers: dns.example.org}", Some("nameservers"), Some("r")),
            ("{registry: r, peers: [10.0.0.0/33]}", Some("peers"), Some("r")),
            ("{registry: [a, b], domain: d}", Some("registry"), None),
            ("{registry: r, docker_version: 1.10}", Some("docker_version"), Some("r")),
            ("{registry: r, ami_id: {eu-west-1: ami-1}}", Some("ami_id"), Some("r")),
            ("{registry: 'https://r:5000/', nameservers: 192.0.2.53}", None, Some("r:5000")),
            ("{registry: r, domain: null}", None, Some("r")),
        ] {
            let (settings, ignored) = VpcSettings::default().or(Some(tag));
            assert_eq!(settings.registry.as_deref(), registry, "{tag}");
            assert_eq!(ignored.len(), usize::from(key.is_some()), "{ignored:?}");
            assert!(ignored.iter().all(|i| i.contains(&format!("`{}`", key.unwrap_or_default()))), "{ignored:?}");
        }
        let (settings, _) = VpcSettings::default().or(Some("{nameservers: [192.0.2.53], cacerts: [u]}"));
        assert_eq!(settings.nameservers.len(), 1);
        // What the parameter says needs nothing of the tag: nobody has to read about it for ever.
        let own = VpcSettings { cacerts: Some("-----BEGIN CERTIFICATE-----".into()), ..VpcSettings::default() };
        assert_eq!(own.clone().or(Some("cacerts: [u]")), (own, Vec::new()));
        let pem = "cacerts: ['-----BEGIN CERTIFICATE-----A', '-----BEGIN CERTIFICATE-----B']";
        let (settings, ignored) = VpcSettings::default().or(Some(pem));
        assert!(ignored.is_empty() && settings.cacerts.unwrap().ends_with("A\n-----BEGIN CERTIFICATE-----B"));
    }

    #[test]
    fn every_key_is_read() {
        let all = "{ami_id: a, registry: r, registry_insecure: true, domain: d, certificate_arn: c, permissions_boundary: p, \
                   peers: [10.0.0.0/8], nameservers: [10.0.0.2], cacerts: '-----BEGIN CERTIFICATE-----', team: t}";
        let parsed = VpcSettings::parse("x", all).unwrap();
        assert_eq!(VpcSettings::default().or(Some(all)), (parsed.clone(), Vec::new()));
        let Ok(Value::Object(written)) = serde_json::to_value(&parsed) else { panic!("{parsed:?}") };
        let mut keys = KEYS.to_vec();
        keys.sort_unstable();
        assert_eq!(written.keys().map(String::as_str).collect::<Vec<_>>(), keys);
    }
}
