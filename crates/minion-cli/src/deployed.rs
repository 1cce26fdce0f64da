//! The versions that are deployed, as their Auto Scaling groups tell: no call per version.
use aws_core::{
    Error, Result,
    cloud::{
        Cloud,
        serving::{self, Group},
    },
    model::{
        ApplicationName, VersionName,
        names::AppVersion,
        tags::{APPLICATION, VERSION},
    },
};
use std::collections::BTreeSet;

/// Tag of the group: the image as the operator wrote it.
pub const IMAGE: &str = "minion:image";
/// Tag of the group: the digest that the instances run.
pub const DIGEST: &str = "minion:image-digest";
/// Tag of the group: the version's DNS name.
pub const DNS_NAME: &str = "minion:dns-name";

/// Tag of the group: the ports of its instances, e.g. `http:8080` or `tcp:5432/20000-20044 health:9000`.
pub const PORTS: &str = "minion:ports";

/// What a port of a version's instances is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Takes the traffic of an Application Load Balancer, which listens on 80 and 443.
    Http,
    /// Takes what a Network Load Balancer hears on the same port.
    Tcp,
    /// Answers health checks.
    Health,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Http, Self::Tcp, Self::Health];

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Health => "health",
        }
    }
}

/// A port on which instances of a version answer their load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionPort {
    /// What it is for.
    pub purpose: Purpose,
    /// The port of the instance.
    pub number: u16,
}

impl VersionPort {
    /// The ports that the load balancer listens on because of this one.
    pub fn listening(self) -> Vec<u16> {
        match self.purpose {
            Purpose::Http => vec![80, 443],
            Purpose::Tcp => vec![self.number],
            Purpose::Health => Vec::new(),
        }
    }
}

/// The ports as first and last of each unbroken range.
pub fn ranges(ports: &BTreeSet<u16>) -> Vec<(u16, u16)> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*port) => *last = *port,
            _ => ranges.push((*port, *port)),
        }
    }
    ranges
}

/// The value of the [`PORTS`] tag: ranges, since a tag's value has 256 characters at most.
pub fn ports_tag(ports: &BTreeSet<VersionPort>) -> String {
    let list = |purpose: Purpose| {
        let numbers = ports.iter().filter(|p| p.purpose == purpose).map(|p| p.number).collect();
        let list: Vec<String> = ranges(&numbers)
            .into_iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        (!list.is_empty()).then(|| format!("{}:{}", purpose.as_str(), list.join("/")))
    };
    Purpose::ALL.into_iter().filter_map(list).collect::<Vec<_>>().join(" ")
}

/// Reads the [`PORTS`] tag; what it does not know, a newer tool has written, and is left out.
fn parse_ports(tag: &str) -> BTreeSet<VersionPort> {
    let mut ports = BTreeSet::new();
    for (word, list) in tag.split(' ').filter_map(|section| section.split_once(':')) {
        let Some(purpose) = Purpose::ALL.into_iter().find(|p| p.as_str() == word) else { continue };
        // Earlier versions wrote commas, which IAM and others do not accept in tags.
        for part in list.split(['/', ',']) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) {
                ports.extend((first..=last).map(|number| VersionPort { purpose, number }));
            }
        }
    }
    ports
}

/// One deployed version.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// Application and version.
    pub id: AppVersion,
    /// Its Auto Scaling group.
    pub group: Group,
}

impl Deployed {
    /// The image as the operator wrote it.
    pub fn image(&self) -> &str {
        self.group.tags.get(IMAGE).map_or("", String::as_str)
    }
    /// The digest of the image that the instances run.
    pub fn digest(&self) -> Option<&str> {
        self.group.tags.get(DIGEST).map(String::as_str)
    }
    /// The ports on which its instances answer.
    pub fn ports(&self) -> BTreeSet<VersionPort> {
        self.group.tags.get(PORTS).map(|tag| parse_ports(tag)).unwrap_or_default()
    }
    /// The domain that its DNS name is in.
    pub fn domain(&self) -> Option<String> {
        self.dns_name()?.strip_prefix(&format!("{}.", self.id.label())).map(str::to_owned)
    }
    /// The version's own DNS name.
    pub fn dns_name(&self) -> Option<&str> {
        self.group.tags.get(DNS_NAME).map(String::as_str)
    }
}

/// The versions of all applications, of one, or one version; by name, the numbers in them as numbers.
pub async fn versions(
    cloud: &Cloud,
    vpc: &str,
    application: Option<&ApplicationName>,
    version: Option<&VersionName>,
) -> Result<Vec<Deployed>> {
    let groups =
        serving::groups(cloud, vpc, application.map(ApplicationName::as_str), version.map(VersionName::as_str)).await?;
    let mut found: Vec<Deployed> = groups.into_iter().filter_map(deployed).collect();
    found.sort_by_cached_key(|d| (d.id.application.clone(), natural(d.id.version.as_str())));
    Ok(found)
}

/// The version, or an error that names those there are.
///
/// # Errors
/// When the call fails, or the version is not deployed.
pub async fn version(cloud: &Cloud, vpc: &str, id: &AppVersion) -> Result<Deployed> {
    let all = versions(cloud, vpc, Some(&id.application), None).await?;
    let missing = missing(id, &all);
    all.into_iter().find(|d| d.id == *id).ok_or(missing)
}

/// The error of a version that is not there, which names those that are.
pub fn missing(id: &AppVersion, versions: &[Deployed]) -> Error {
    let known: Vec<_> = versions.iter().map(|d| d.id.version.to_string()).collect();
    let error = Error::not_found(format!("{id} does not exist"));
    if known.is_empty() {
        let application = &id.application;
        error.hint(format!(
            "{application} has no versions here, if there is such an application: `minion applications` lists them. \
             `minion versions create {application} VERSION IMAGE` makes a version."
        ))
    } else {
        error.hint(format!("{} has: {}.", id.application, known.join(", ")))
    }
}

fn deployed(group: Group) -> Option<Deployed> {
    let application = group.tags.get(APPLICATION)?.parse().ok()?;
    let version = group.tags.get(VERSION)?.parse().ok()?;
    let id = AppVersion::new(application, version).ok()?;
    Some(Deployed { id, group })
}

/// A key that sorts 1.10 after 1.9.
fn natural(version: &str) -> Vec<(u64, String)> {
    version
        .split('.')
        .map(|part| part.parse().map_or_else(|_| (u64::MAX, part.to_owned()), |n| (n, String::new())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn port(purpose: Purpose, number: u16) -> VersionPort {
        VersionPort { purpose, number }
    }

    #[test]
    fn many_ports_are_a_short_tag() {
        let mut ports: BTreeSet<_> = (20_000..20_045).map(|n| port(Purpose::Tcp, n)).collect();
        ports.extend([port(Purpose::Tcp, 5432), port(Purpose::Health, 9000)]);
        assert_eq!(ports_tag(&ports), "tcp:5432/20000-20044 health:9000");
        assert_eq!(ports_tag(&BTreeSet::from([port(Purpose::Http, 8080)])), "http:8080");
    }

    #[test]
    fn lists_without_ranges_are_read_too() {
        let ports = [5432, 5433, 65535].map(|n| port(Purpose::Tcp, n));
        assert_eq!(parse_ports("tcp:5432,5433,65535"), BTreeSet::from(ports));
        assert_eq!(parse_ports("tcp:5432/5433/65535"), BTreeSet::from(ports));
        assert_eq!(parse_ports(""), BTreeSet::new());
        assert_eq!(parse_ports("http:8080 udp:53 tcp:x,9-8,70000"), BTreeSet::from([port(Purpose::Http, 8080)]));
    }

    proptest! {
        #[test]
        fn ports_survive_their_tag(
            // Some beside each other, some at the end of the range.
            list in prop::collection::btree_set((0usize..3, prop_oneof![1u16..40, 65_500u16..=65_535, any::<u16>()]), 0..60),
        ) {
            let ports: BTreeSet<_> = list.into_iter().map(|(p, n)| port(Purpose::ALL[p], n)).collect();
            prop_assert_eq!(parse_ports(&ports_tag(&ports)), ports);
        }
    }

    #[test]
    fn versions_sort_as_people_count() {
        let mut names = vec!["1.10", "1.9", "1.9.1", "2.0", "beta", "1.9a"];
        names.sort_by_cached_key(|n| natural(n));
        assert_eq!(names, ["1.9", "1.9.1", "1.10", "1.9a", "2.0", "beta"]);
    }
}
