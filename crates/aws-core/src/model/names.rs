//! Names of applications and versions, and the names on AWS that follow from them.
//!
//! Every name is a function of application, version and region alone, within the service's limit. One
//! that would be too long keeps its beginning and ends in a hash of the whole: stable for ever, and
//! never cut into another's.
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// Longest DNS label, in bytes (RFC 1035 §2.3.4).
pub const DNS_LABEL: usize = 63;
/// Longest name of a load balancer or target group (ELBv2 `CreateLoadBalancer`).
pub const LOAD_BALANCER: usize = 32;
/// Longest name of an IAM role (IAM `CreateRole`).
pub const ROLE: usize = 64;

/// An application's name: `^[a-z][a-z0-9-]*$`, a DNS label, not ending in a dash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApplicationName(String);

/// A version's name: `^[a-zA-Z0-9.]+$`; no dash, so that names made of both can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionName(String);

macro_rules! name_type {
    ($name:ident) => {
        impl $name {
            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(s: String) -> Result<Self> {
                s.parse()
            }
        }
        impl From<$name> for String {
            fn from(n: $name) -> Self {
                n.0
            }
        }
    };
}
pub(super) use name_type;
name_type!(ApplicationName);
name_type!(VersionName);

impl FromStr for ApplicationName {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        let body = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !s.starts_with(|c: char| c.is_ascii_lowercase()) || !body || s.ends_with('-') {
            return Err(Error::usage(format!("`{s}` is not an application name"))
                .hint("An application name begins with a small letter; small letters, digits and dashes follow; it does not end in a dash."));
        }
        if s.len() > DNS_LABEL {
            return Err(Error::usage(format!(
                "application name `{s}` has {} characters; a DNS label has at most {DNS_LABEL}",
                s.len()
            ))
            .hint("Choose a shorter application_name."));
        }
        Ok(Self(s.to_owned()))
    }
}

impl FromStr for VersionName {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        let body = s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        if s.is_empty() || !body || s.starts_with('.') || s.ends_with('.') {
            return Err(Error::usage(format!("`{s}` is not a version name"))
                .hint("A version name has letters, digits and dots, e.g. 2.0.1; no dash, and no dot at either end."));
        }
        Ok(Self(s.to_owned()))
    }
}

impl ApplicationName {
    /// `app-<name>`: the application's security group and key pair.
    pub fn resource(&self) -> String {
        format!("app-{self}")
    }
    /// `app-<name>-lb`: the security group of its load balancers.
    pub fn load_balancer_group(&self) -> String {
        format!("app-{self}-lb")
    }
    /// The IAM role and instance profile. IAM is global, so the region is in the name.
    pub fn role(&self, region: &str) -> String {
        shorten(&format!("app-{self}-{region}"), ROLE)
    }
    /// The CloudWatch Logs group of its containers.
    pub fn log_group(&self) -> String {
        format!("/minion/{self}")
    }
    /// `<name>.<domain>`, without a final dot.
    pub fn dns_name(&self, domain: &str) -> String {
        format!("{self}.{}", domain.trim_end_matches('.'))
    }
}

/// A version of an application, for the names that both make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppVersion {
    /// The application.
    pub application: ApplicationName,
    /// The version.
    pub version: VersionName,
}

impl AppVersion {
    /// Puts the two together.
    ///
    /// # Errors
    /// When their common DNS label would be longer than [`DNS_LABEL`].
    pub fn new(application: ApplicationName, version: VersionName) -> Result<Self> {
        let both = Self { application, version };
        let label = both.label();
        if label.len() > DNS_LABEL {
            return Err(Error::usage(format!(
                "`{label}` has {} characters; a DNS label has at most {DNS_LABEL}",
                label.len()
            ))
            .hint("Choose a shorter version name."));
        }
        Ok(both)
    }
    /// The DNS label: `<application>-<version>`, dots as dashes, in small letters.
    pub fn label(&self) -> String {
        format!("{}-{}", self.application, self.version.as_str().replace('.', "-").to_ascii_lowercase())
    }
    /// `<label>.<domain>`, without a final dot.
    pub fn dns_name(&self, domain: &str) -> String {
        format!("{}.{}", self.label(), domain.trim_end_matches('.'))
    }
    /// Auto Scaling group and launch template: `app-<application>-<version>`.
    pub fn resource(&self) -> String {
        shorten(&format!("app-{}-{}", self.application, self.version), 128)
    }
    /// Load balancer and target group: `app-<label>`, at most [`LOAD_BALANCER`] characters.
    pub fn load_balancer(&self) -> String {
        shorten(&format!("app-{}", self.label()), LOAD_BALANCER)
    }
}
impl fmt::Display for AppVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.application, self.version)
    }
}

/// `name`, or where it is longer than `limit` bytes its beginning and eight hexadecimal digits of the
/// SHA-256 of the whole.
pub fn shorten(name: &str, limit: usize) -> String {
    const DIGITS: usize = 8;
    if name.len() <= limit {
        return name.to_owned();
    }
    let hash: String = Sha256::digest(name.as_bytes()).iter().take(DIGITS / 2).map(|b| format!("{b:02x}")).collect();
    let mut cut = limit.saturating_sub(DIGITS + 1);
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}-{hash}", name[..cut].trim_end_matches(['-', '.']))
}

/// Partitions beside AWS's own: how their regions begin, their name in ARNs, and what the names of their hosts end in
/// (botocore, `data/partitions.json`).
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
];

fn of_region(region: &str) -> (&'static str, &'static str) {
    let other = PARTITIONS.iter().find(|(start, ..)| region.starts_with(start));
    other.map_or(("aws", "amazonaws.com"), |(_, name, suffix)| (*name, *suffix))
}

/// The partition that a region is in, as ARNs spell it: `aws`, `aws-cn`, `aws-us-gov`.
pub fn partition(region: &str) -> &'static str {
    of_region(region).0
}

/// What the names of AWS's hosts in this region end in: `amazonaws.com`, in China `amazonaws.com.cn`.
pub fn dns_suffix(region: &str) -> &'static str {
    of_region(region).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(a: &str, v: &str) -> AppVersion {
        AppVersion::new(a.parse().unwrap(), v.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_transcripts_names() {
        let v = both("clojure-web-hello-world", "2.0");
        assert_eq!(v.dns_name("example.org."), "clojure-web-hello-world-2-0.example.org");
        assert_eq!(v.load_balancer(), "app-clojure-web-hello-world-2-0");
        assert_eq!(v.resource(), "app-clojure-web-hello-world-2.0");
        assert_eq!(v.application.load_balancer_group(), "app-clojure-web-hello-world-lb");
    }

    /// The predecessor mixed the traffic of these two.
    #[test]
    fn two_versions_with_one_dns_name_have_one_load_balancer_name_too() {
        assert_eq!(both("foo-1", "0").load_balancer(), both("foo", "1.0").load_balancer());
        let long = "a-very-long-application-name-1";
        assert_eq!(both(&format!("{long}-2"), "0").load_balancer(), both(long, "2.0").load_balancer());
    }

    #[test]
    fn bad_names_are_told_apart_from_good_ones() {
        for bad in ["", "-a", "1a", "A", "a_b", "a-", "a.b", "ä", &"a".repeat(64)] {
            assert!(bad.parse::<ApplicationName>().is_err(), "{bad}");
        }
        for bad in ["", "1-0", ".1", "1.", "1 0", "1/0"] {
            assert!(bad.parse::<VersionName>().is_err(), "{bad}");
        }
        assert!(AppVersion::new("a".repeat(60).parse().unwrap(), "1.0.0".parse().unwrap()).is_err());
    }

    #[test]
    fn partitions() {
        for (region, wanted, suffix) in [
            ("eu-west-1", "aws", "amazonaws.com"),
            ("us-east-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            assert_eq!((partition(region), dns_suffix(region)), (wanted, suffix), "{region}");
        }
    }

    proptest! {
        #[test]
        fn shortened_names_fit_and_stay_apart(a in "[a-z][a-z0-9-]{0,80}", b in "[a-z][a-z0-9-]{0,80}", limit in 12usize..64) {
            let (x, y) = (shorten(&a, limit), shorten(&b, limit));
            prop_assert!(x.len() <= limit);
            prop_assert_eq!(x == y, a == b);
        }
    }
}
