//! What holds for all applications of a VPC.
use crate::{Error, Result};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Settings of a VPC, stored as YAML in its parameter. Unknown keys are ignored: a newer tool may have
/// written them.
#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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

impl VpcSettings {
    /// Reads settings; `place` names where they are stored.
    ///
    /// # Errors
    /// A usage error that names the place, when they are no YAML or a value has the wrong type.
    pub fn parse(place: &str, yaml: &str) -> Result<Self> {
        if yaml.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml::from_str(yaml).map_err(|e| {
            Error::usage(format!("the VPC's settings in {place} cannot be read: {e}"))
                .hint("Correct the value in the AWS console or with `aws`, or remove it.")
        })
    }

    /// The settings as YAML.
    ///
    /// # Errors
    /// When a value cannot be written as YAML; none of this type's can fail.
    pub fn to_yaml(&self) -> Result<String> {
        serde_yaml::to_string(self).map_err(|e| Error::failed("the settings do not fit YAML").caused_by(e))
    }

    /// Fills what is not set from the VPC's `Config` tag, in which the predecessor kept its settings.
    /// The tag's name is a common one: a value that is no YAML mapping is somebody else's, and ignored.
    ///
    /// # Errors
    /// A usage error when a key of ours has a value of the wrong type.
    pub fn or(self, config_tag: Option<&str>) -> Result<Self> {
        let Some(tag) = config_tag else { return Ok(self) };
        if !serde_yaml::from_str::<serde_json::Value>(tag).is_ok_and(|v| v.is_object()) {
            return Ok(self);
        }
        let old = Self::parse("its `Config` tag", tag)?;
        let list = |new: Vec<_>, old| if new.is_empty() { old } else { new };
        // Whether it is asked without TLS belongs to the registry, and goes with it.
        let (registry, registry_insecure) = match self.registry {
            Some(registry) => (Some(registry), self.registry_insecure),
            None => (old.registry, self.registry_insecure || old.registry_insecure),
        };
        Ok(Self {
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
        })
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
    fn the_old_tag_fills_what_is_not_set() {
        let new = VpcSettings { ami_id: Some("ami-new".into()), ..VpcSettings::default() };
        let both = new.clone().or(Some("{ami_id: ami-old, registry: \"r:5000\", registry_insecure: true}")).unwrap();
        assert_eq!(both.ami_id.as_deref(), Some("ami-new"));
        assert_eq!((both.registry.as_deref(), both.registry_insecure), (Some("r:5000"), true));
        let own = VpcSettings { registry: Some("mine".into()), ..VpcSettings::default() };
        assert!(!own.or(Some("registry: r\nregistry_insecure: true")).unwrap().registry_insecure);
        for foreign in ["", "production", "[1, 2]", "a: b: c", "{"] {
            assert_eq!(new.clone().or(Some(foreign)).unwrap(), new, "{foreign}");
        }
        assert_eq!(new.clone().or(None).unwrap(), new);
        assert!(new.or(Some("registry_insecure: perhaps")).is_err());
    }
}
