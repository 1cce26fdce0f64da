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

/// Longest name of an application for which a version can exist: a hyphen and one character follow in its DNS label.
pub const APPLICATION: usize = DNS_LABEL - 2;

impl ApplicationName {
    /// Whether an application of this name may be made. One that was made before can still be looked at and deleted.
    ///
    /// # Errors
    /// What is wrong, as a sentence without an end.
    pub fn require_new(&self) -> Result<(), String> {
        let length = self.0.len();
        if length > APPLICATION {
            return Err(format!(
                "invalid application name `{self}`: it has {length} characters; a DNS label of {DNS_LABEL} has room for \
                 {APPLICATION} before the hyphen and the version"
            ));
        }
        // Behind the cut of a long name it reaches no load balancer.
        if shorten(&format!("app-{self}-1"), LOAD_BALANCER).contains("--") {
            return Err(format!(
                "invalid application name `{self}`: two hyphens in a row are not allowed in names of load balancers"
            ));
        }
        Ok(())
    }
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
    /// Whether a version of this name may be made. One that was made before can still be looked at and deleted.
    ///
    /// # Errors
    /// A usage error.
    pub fn require_new(&self) -> Result<()> {
        let derived = load_balancer_name(&self.load_balancer());
        if derived.is_err() && self.version.0.contains("..") {
            return Err(Error::usage(format!(
                "invalid version name `{}`: two dots in a row would be two hyphens in the load balancer's name, which are not \
                 allowed",
                self.version
            ))
            .hint("Use single dots, e.g. 2.0.1."));
        }
        derived
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

/// Whether ELBv2 takes it as the name of a load balancer or target group (`CreateLoadBalancer`, `CreateTargetGroup`:
/// Name). The API refuses two hyphens in a row as well.
///
/// # Errors
/// A usage error.
pub fn load_balancer_name(name: &str) -> Result<()> {
    let body = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let hyphens = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if (1..=LOAD_BALANCER).contains(&name.len()) && body && !hyphens && !name.starts_with("internal-") {
        return Ok(());
    }
    Err(Error::usage(format!("invalid load balancer or target group name `{name}`")).hint(format!(
        "Elastic Load Balancing accepts 1 to {LOAD_BALANCER} letters, digits and single hyphens, none at either end, and not \
         `internal-` in front."
    )))
}

/// Longest domain name, without the dot at the end (RFC 1035 §2.3.4).
pub const DOMAIN: usize = 253;
/// Longest first domain name of a certificate (ACM `RequestCertificate`: DomainName becomes the common name).
pub const CERTIFICATE: usize = 64;

/// Whether DNS takes it as a name; with or without a dot at the end.
///
/// # Errors
/// A usage error.
pub fn domain_name(name: &str) -> Result<()> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    if let Some(label) = bare.split('.').find(|label| !(1..=DNS_LABEL).contains(&label.len())) {
        return Err(Error::usage(format!(
            "invalid domain name `{name}`: the label `{label}` has {} characters",
            label.len()
        ))
        .hint(format!("A label has 1 to {DNS_LABEL} characters.")));
    }
    if bare.len() > DOMAIN {
        return Err(Error::usage(format!("invalid domain name `{name}`: it has {} characters", bare.len()))
            .hint(format!("A domain name has at most {DOMAIN} characters.")));
    }
    Ok(())
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
    fn names_that_no_load_balancer_can_have() {
        let app = |s: &str| s.parse::<ApplicationName>().unwrap().require_new();
        for good in ["a", "a-b-c", &"a".repeat(61)] {
            app(good).unwrap();
        }
        for bad in ["shop--api", "a---b", "xn--shop", &"a".repeat(62), &"a".repeat(63)] {
            assert!(app(bad).is_err(), "{bad}");
        }
        both("shop", "1.0.2").require_new().unwrap();
        // Behind the cut of a long name nothing of it is left.
        app("payments-gateway-api-of-eu--west").unwrap();
        both("payments-gateway-api-of-eu--west", "1.0.12").require_new().unwrap();
        both(&"a".repeat(50), "1..0").require_new().unwrap();
        for (a, v) in [("shop", "1..0"), ("shop--api", "1.0"), ("a", "1...0")] {
            assert_eq!(both(a, v).require_new().unwrap_err().kind(), crate::error::Kind::Usage, "{a} {v}");
        }
        for good in ["app-a-1", "A1", &"a".repeat(32)] {
            load_balancer_name(good).unwrap();
        }
        for bad in ["", "-a", "a-", "a--b", "internal-a", "a.b", "a_b", &"a".repeat(33)] {
            assert!(load_balancer_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn domain_names_have_bounds() {
        let long = |n: usize| vec!["a".repeat(63); 4].join(".")[..n].to_owned();
        for good in ["a", "a.b.", &long(253)] {
            domain_name(good).unwrap();
        }
        for bad in ["", "a..b", &"a".repeat(64), &long(254)] {
            assert!(domain_name(bad).is_err(), "{bad}");
        }
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
        /// What is not refused gets names that ELBv2 takes, however long.
        #[test]
        fn load_balancers_get_names_that_exist(a in "[a-z][a-z0-9]{0,28}(-[a-z0-9]{1,15}){0,2}", v in "[A-Za-z0-9]{1,9}([.][A-Za-z0-9]{1,9}){0,3}", port in 1u16..) {
            let Ok(both) = AppVersion::new(a.parse().unwrap(), v.parse().unwrap()) else { return Ok(()) };
            prop_assert!(both.require_new().is_ok());
            let of_port = shorten(&format!("app-{}-{port}", both.label()), LOAD_BALANCER);
            prop_assert!(load_balancer_name(&of_port).is_ok());
        }
        #[test]
        fn shortened_names_fit_and_stay_apart(a in "[a-z][a-z0-9-]{0,80}", b in "[a-z][a-z0-9-]{0,80}", limit in 12usize..64) {
            let (x, y) = (shorten(&a, limit), shorten(&b, limit));
            prop_assert!(x.len() <= limit);
            prop_assert_eq!(x == y, a == b);
        }
    }
}
