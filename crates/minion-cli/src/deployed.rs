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

/// Tag of the group: the image as the operator wrote it.
pub const IMAGE: &str = "minion:image";
/// Tag of the group: the digest that the instances run.
pub const DIGEST: &str = "minion:image-digest";
/// Tag of the group: the version's DNS name.
pub const DNS_NAME: &str = "minion:dns-name";

/// Tag of the group: the ports on which its instances answer, e.g. `http:8080` or `tcp:5432,5433`.
pub const PORTS: &str = "minion:ports";

/// A port on which instances of a version answer their load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionPort {
    /// The port of the instance.
    pub number: u16,
    /// Whether the load balancer listens on it too (`tcp`), or on 80 and 443 (`http`).
    pub passed_on: bool,
}

impl VersionPort {
    /// The port that the load balancer listens on, when it is this one.
    pub fn listening(&self) -> Option<u16> {
        self.passed_on.then_some(self.number)
    }
}

/// The value of the [`PORTS`] tag.
pub fn ports_tag(passed_on: bool, ports: &std::collections::BTreeSet<u16>) -> String {
    let list: Vec<_> = ports.iter().map(u16::to_string).collect();
    format!("{}:{}", if passed_on { "tcp" } else { "http" }, list.join(","))
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
    pub fn ports(&self) -> Vec<VersionPort> {
        let (protocol, list) = self.group.tags.get(PORTS).and_then(|t| t.split_once(':')).unwrap_or_default();
        let passed_on = protocol == "tcp";
        list.split(',').filter_map(|n| n.parse().ok()).map(|number| VersionPort { number, passed_on }).collect()
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
///
/// # Errors
/// When the call fails.
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
            "{application} has no versions here. `minion versions create {application} VERSION IMAGE` makes one."
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

    #[test]
    fn versions_sort_as_people_count() {
        let mut names = vec!["1.10", "1.9", "1.9.1", "2.0", "beta", "1.9a"];
        names.sort_by_cached_key(|n| natural(n));
        assert_eq!(names, ["1.9", "1.9.1", "1.10", "1.9a", "2.0", "beta"]);
    }
}
