//! What `overlord` remembers of teams: parameters of Systems Manager in the account and region `home`.
use super::parameters;
use crate::{
    Error, Result,
    cloud::Cloud,
    model::{OrganizationName, Owning as _, TeamName, TeamOwner},
};
use aws_sdk_ssm::types::Parameter;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

/// How long a claim waits before it looks at the others: AWS's clocks may differ by a little, and it does not say
/// that reading by path sees at once what was written.
const SETTLE: Duration = Duration::from_secs(1);

/// A team's record: what cannot be computed again, and what deleting must know when the team's file is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamRecord {
    /// The team.
    pub team: TeamName,
    /// Its account's number.
    pub account: String,
    /// The role that is assumed there; `None`: the current credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whose credentials assume that role; `None`: the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Its networks, the first region first.
    pub regions: Vec<RegionRecord>,
    /// Its domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<DomainRecord>,
    /// Settings of the account that were as they should be before we came: deleting leaves them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Setting>,
    /// How it reaches other teams.
    pub interconnect: Interconnect,
    /// Whether roles and guard rails were made.
    #[serde(default)]
    pub account_wide: bool,
    /// What was made that a file can switch off. What is no longer asked for is removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Feature>,
    /// The team's file when it was made; `None`: the organization's file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// When it was created.
    pub created: jiff::Timestamp,
}

/// The account whose credentials assume the role of a team's account, where these are not the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The management account of AWS Organizations: the role of an account that it made trusts no other.
    Management,
}

/// How teams reach each other.
// A key of the files, too: these comments are in their reference and JSON schemas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Interconnect {
    /// One transit gateway for the organization in each region.
    #[default]
    TransitGateway,
    /// A peering connection with every other team that has this mode: up to 50 teams.
    Peering,
    /// Not at all.
    None,
}

impl fmt::Display for Interconnect {
    /// The word in files and records.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a file can switch off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// The audit trail and its bucket.
    AuditTrail,
    /// The budget.
    Budget,
    /// Flow logs: their log group and role.
    FlowLogs,
    /// The SAML provider.
    Saml,
}

/// A setting that an account has whether or not it is a team's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// New EBS volumes are encrypted.
    EbsEncryption,
    /// Instances answer for metadata by IMDSv2 only.
    ImdsV2,
    /// No S3 bucket can be made public.
    BlockPublicBuckets,
    /// The policy for passwords of IAM users.
    PasswordPolicy,
    /// The account's alias.
    AccountAlias,
}

/// A team's network in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionRecord {
    /// The region.
    pub region: String,
    /// The network.
    pub cidr: Ipv4Net,
    /// The zones in the order of their slots, with their subnets.
    pub zones: Vec<ZoneRecord>,
    /// The VPC, once it is known: what peers refer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
}

/// An availability zone with its subnets. The id says which one it is; its letter differs from account to account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneRecord {
    /// `euw1-az1`.
    pub id: String,
    /// Its name in this account: `eu-west-1a`.
    pub name: String,
    /// The public subnet; a network that was imported may lack one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Ipv4Net>,
    /// The shared subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Ipv4Net>,
    /// The private subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<Ipv4Net>,
}

/// A team's domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRecord {
    /// The domain: `red.example.org`.
    pub name: String,
    /// The parent domain.
    pub parent: String,
    /// The account with the parent's zone; `None`: `home`'s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The role that is assumed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The parent zone's id, when it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
    /// Whether we delegate it.
    #[serde(default)]
    pub delegate: bool,
    /// The servers of its zone, which the parent's zone names: by them the delegation is known when the zone is lost. Releases
    /// before 0.2 did not write them down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<String>,
}

/// A network that is a team's, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The network.
    pub cidr: Ipv4Net,
    /// Whose it is.
    pub team: TeamName,
    /// The region that it is used in.
    pub region: String,
}

/// What a claim's parameter holds; the network is its name.
#[derive(Serialize, Deserialize)]
struct Claimed {
    team: TeamName,
    region: String,
}

fn teams_path(org: &OrganizationName) -> String {
    format!("/overlord/{org}/teams")
}
fn team_name(org: &OrganizationName, team: &TeamName) -> String {
    format!("{}/{team}", teams_path(org))
}
fn addresses_path(org: &OrganizationName) -> String {
    format!("/overlord/{org}/addresses")
}
fn claim_name(org: &OrganizationName, cidr: Ipv4Net) -> String {
    let cidr = cidr.trunc();
    format!("{}/{}-{}", addresses_path(org), cidr.addr(), cidr.prefix_len())
}

fn tags(org: &OrganizationName, team: &TeamName, name: &str) -> BTreeMap<String, String> {
    TeamOwner { organization: org.clone(), team: Some(team.clone()), extra: BTreeMap::new() }.tags(name)
}

fn damaged(name: &str, why: impl std::fmt::Display) -> Error {
    Error::failed(format!("what is stored in parameter {name} is damaged: {why}")).hint(
        "The parameter's history in Systems Manager shows what it held before: `aws ssm get-parameter-history --name`.",
    )
}

/// The error for a word that a newer release wrote. It stands for something in the account that this release could neither
/// compare nor delete. Were the word passed over, the record would be written back without it, and nobody would ever
/// remove what it stood for.
fn newer(name: &str, team: &str, word: &str) -> Error {
    Error::failed(format!("could not read parameter {name}: unknown value `{word}`")).hint(format!(
        "Use the newer release of overlord that wrote it; `overlord history {team} -o json` shows which one (`tool`)."
    ))
}

fn parse(org: &OrganizationName, team: &str, yaml: &str) -> Result<TeamRecord> {
    let name = format!("{}/{team}", teams_path(org));
    let record: TeamRecord = serde_yaml::from_str(yaml).map_err(|e| match e.without_snippet() {
        serde_yaml::Error::SerdeUnknownVariant { variant, .. } => newer(&name, team, variant),
        _ => damaged(&name, e),
    })?;
    if record.team.as_str() != team {
        return Err(damaged(&name, format!("it is the record of team {}", record.team)));
    }
    Ok(record)
}

fn text(record: &TeamRecord) -> Result<String> {
    serde_yaml::to_string(record).map_err(|e| Error::failed("a team's record does not fit YAML").caused_by(e))
}

/// A team's record; `None` when there is none. One call, when it fits into a parameter.
///
/// # Errors
/// What Systems Manager answers; and when the record is damaged: the error names the parameter.
pub async fn read(cloud: &Cloud, org: &OrganizationName, team: &TeamName) -> Result<Option<TeamRecord>> {
    let yaml = parameters::read(cloud, &team_name(org, team)).await?;
    yaml.map(|yaml| parse(org, team.as_str(), &yaml)).transpose()
}

/// Every team's record, in the order of names.
///
/// # Errors
/// As [`read`].
pub async fn list(cloud: &Cloud, org: &OrganizationName) -> Result<Vec<TeamRecord>> {
    let all = parameters::list(cloud, &teams_path(org)).await?;
    all.iter().map(|(team, yaml)| parse(org, team, yaml)).collect()
}

/// Stores a new team's record.
///
/// # Errors
/// A refusal when there is one of this team; what Systems Manager answers; a usage error when it is larger than what
/// can be stored (190 KB).
pub async fn create(cloud: &Cloud, org: &OrganizationName, record: &TeamRecord) -> Result<()> {
    let (team, yaml) = (&record.team, text(record)?);
    if parameters::create(cloud, &team_name(org, team), &yaml, &tags(org, team, team.as_str())).await? {
        return Ok(());
    }
    // The SDK asks again when an answer got lost: then this is what we wrote ourselves.
    if parameters::read(cloud, &team_name(org, team)).await? == Some(yaml) {
        return Ok(());
    }
    Err(Error::refused(format!("team {team} of organization {org} exists already"))
        .hint(format!("Perhaps somebody else is creating it at this moment: `overlord team show {team}` tells.")))
}

/// Stores a team's record, over the one that there is.
///
/// # Errors
/// As [`create`], but for the refusal.
pub async fn write(cloud: &Cloud, org: &OrganizationName, record: &TeamRecord) -> Result<()> {
    let (team, yaml) = (&record.team, text(record)?);
    parameters::write(cloud, &team_name(org, team), &yaml, &tags(org, team, team.as_str())).await
}

/// Removes a team's record. What is gone already is no error.
pub async fn delete(cloud: &Cloud, org: &OrganizationName, team: &TeamName) -> Result<()> {
    parameters::remove(cloud, &team_name(org, team)).await
}

/// A claim, and what decides between two that overlap: when it was made, in milliseconds, then its name.
struct Standing {
    claim: Claim,
    made: (i64, String),
}

fn standing(parameter: Parameter) -> Result<Standing> {
    let name = parameter.name.unwrap_or_default();
    let cidr = name.rsplit('/').next().and_then(|last| last.replacen('-', "/", 1).parse().ok());
    let cidr = cidr.ok_or_else(|| damaged(&name, "its name is no network, such as 10.2.0.0-19"))?;
    let value = parameter.value.unwrap_or_default();
    let Claimed { team, region } = serde_yaml::from_str(&value).map_err(|e| damaged(&name, e))?;
    let made = parameter.last_modified_date.and_then(|d| d.to_millis().ok());
    let made = made.ok_or_else(|| damaged(&name, "AWS does not say when it was written"))?;
    Ok(Standing { claim: Claim { cidr, team, region }, made: (made, name) })
}

async fn standings(cloud: &Cloud, org: &OrganizationName) -> Result<Vec<Standing>> {
    let all = parameters::parameters(cloud, &addresses_path(org)).await?;
    let mut all: Vec<Standing> = all.into_iter().map(standing).collect::<Result<_>>()?;
    all.sort_by_key(|s| s.claim.cidr);
    Ok(all)
}

/// Every network that is somebody's, in the order of addresses.
///
/// # Errors
/// What Systems Manager answers; and when a claim is damaged: the error names the parameter.
pub async fn claims(cloud: &Cloud, org: &OrganizationName) -> Result<Vec<Claim>> {
    Ok(standings(cloud, org).await?.into_iter().map(|s| s.claim).collect())
}

/// Claims a network for a team and region; `false` when somebody else has it, or a part of it: choose another one
/// from what [`claims`] tells then. Of two that overlap and are made at the same time, the earlier one stands.
/// `true` also when exactly this claim stands already, of a run that was interrupted.
///
/// # Errors
/// As [`claims`].
pub async fn claim(cloud: &Cloud, org: &OrganizationName, claim: &Claim) -> Result<bool> {
    let name = claim_name(org, claim.cidr);
    let claimed = Claimed { team: claim.team.clone(), region: claim.region.clone() };
    let yaml = serde_yaml::to_string(&claimed).map_err(|e| Error::failed("a claim does not fit YAML").caused_by(e))?;
    let last = name.rsplit('/').next().unwrap_or_default();
    let made = parameters::create(cloud, &name, &yaml, &tags(org, &claim.team, last)).await?;
    // The SDK asks again when an answer got lost: what is there may be what we wrote ourselves. Nothing uses a network
    // before the team's record has it.
    let new = made || !recorded(cloud, org, claim).await?;
    if new {
        tokio::time::sleep(SETTLE).await;
    }
    let all = standings(cloud, org).await?;
    let ours = all.iter().find(|s| s.made.1 == name);
    let stands = match ours {
        Some(ours) if ours.claim.team == claim.team && ours.claim.region == claim.region => {
            let overlaps = |other: &&Standing| {
                let (a, b) = (&other.claim.cidr, &ours.claim.cidr);
                a.contains(b) || b.contains(a)
            };
            all.iter().filter(overlaps).all(|other| other.made >= ours.made)
        }
        Some(_) => return Ok(false),
        // Removed by somebody, or not to be seen yet: not to be relied upon.
        None => false,
    };
    // One that stood before may be in use: it stays.
    if !stands && new {
        release(cloud, org, claim).await?;
    }
    Ok(stands)
}

/// Whether the team's record has this network.
async fn recorded(cloud: &Cloud, org: &OrganizationName, claim: &Claim) -> Result<bool> {
    let record = read(cloud, org, &claim.team).await?;
    Ok(record.is_some_and(|r| r.regions.iter().any(|r| r.region == claim.region && r.cidr == claim.cidr)))
}

/// Gives a network back. What is gone already, or is another team's by now, is no error and stays as it is.
///
/// # Errors
/// What Systems Manager answers; and when the claim is damaged.
pub async fn release(cloud: &Cloud, org: &OrganizationName, claim: &Claim) -> Result<()> {
    let name = claim_name(org, claim.cidr);
    let Some(yaml) = parameters::read(cloud, &name).await? else { return Ok(()) };
    let there: Claimed = serde_yaml::from_str(&yaml).map_err(|e| damaged(&name, e))?;
    if there.team != claim.team || there.region != claim.region {
        return Ok(());
    }
    parameters::remove(cloud, &name).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the first release wrote it, byte for byte. What an interrupted run left to be removed comes last in `made`.
    const STORED: &str = r#"team: red
account: "123456789012"
role: overlord
via: management
regions:
- region: eu-west-1
  cidr: 10.2.0.0/19
  zones:
  - id: euw1-az1
    name: eu-west-1a
    public: 10.2.0.0/22
    shared: 10.2.8.0/22
    private: 10.2.16.0/21
  vpc: vpc-1
domains:
- name: red.example.org
  parent: example.org
  delegate: true
found:
- ebs-encryption
- imds-v2
- block-public-buckets
- password-policy
- account-alias
interconnect: transit-gateway
account_wide: true
made:
- flow-logs
- saml
- audit-trail
- budget
file: |
  team: red
created: "2026-01-02T03:04:05Z"
"#;

    fn read(yaml: &str) -> Result<TeamRecord> {
        parse(&"acme".parse()?, "red", yaml)
    }

    #[test]
    fn records_of_the_first_release_are_written_as_they_were() {
        assert_eq!(text(&read(STORED).unwrap()).unwrap(), STORED);
        for word in ["peering", "none"] {
            let yaml = STORED.replace("transit-gateway", word);
            assert_eq!(text(&read(&yaml).unwrap()).unwrap(), yaml);
        }
    }

    #[test]
    fn words_of_a_newer_release_are_not_passed_over() {
        for word in ["management", "imds-v2", "transit-gateway", "saml"] {
            let error = read(&STORED.replace(word, "later")).unwrap_err();
            assert_eq!(error.to_string(), "could not read parameter /overlord/acme/teams/red: unknown value `later`");
            assert!(error.hints()[0].starts_with("Use the newer release"), "{:?}", error.hints());
        }
    }
}
