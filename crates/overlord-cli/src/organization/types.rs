//! The keys of the organization's and the teams' files. Their doc comments are the reference that users read
//! (`docs/organization.md`).
use aws_core::{
    model::{OrganizationName, TeamName},
    registry::teams::Feature,
};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

pub use aws_core::registry::teams::Interconnect;

/// What holds for all teams of an organization: `overlord.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Organization file", extend("$id" = "organization.schema.json"))]
pub struct Organization {
    /// The organization's name; in tags, and in names that must be unique in the world. Small letters, digits and
    /// dashes, at most 32.
    #[serde(deserialize_with = "files::from_text")]
    #[schemars(with = "String", length(max = 32), pattern("^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub organization: OrganizationName,
    /// The addresses that team networks are taken from.
    pub addresses: Addresses,
    /// The accounts, and how they are reached.
    #[serde(default)]
    pub accounts: Accounts,
    /// What a team gets unless its own file says otherwise: the keys of a team's file. A team that only has a name
    /// gets exactly this.
    #[serde(default)]
    pub teams: Defaults,
    /// The domains below which teams get theirs: `<team>.<domain>`. The first one is what `minion` uses.
    #[serde(default)]
    pub domains: Vec<ParentDomain>,
    /// Team files, beside this file or by path from it: `overlord check` and `overlord team list` look at these too.
    /// `teams/*.yaml` without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_files: Option<Vec<PathBuf>>,
}

/// The addresses that team networks are taken from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// The pool: IPv4 networks that are nobody else's in your company.
    #[serde(deserialize_with = "super::values::networks")]
    #[schemars(with = "Vec<String>", example = ["10.0.0.0/8"])]
    pub pool: Vec<Ipv4Net>,
    /// The prefix length of a team's network in a region, 16 to 21. In 8 slots for each layer, /21 leaves subnets of
    /// /26, 64 addresses, in the public and the shared layer.
    #[serde(default = "nineteen")]
    #[schemars(range(min = 16, max = 21))]
    pub network: u8,
    /// Parts of the pool that no team may get: offices, data centres.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "super::values::networks")]
    #[schemars(with = "Vec<String>")]
    pub reserved: Vec<Ipv4Net>,
}

fn nineteen() -> u8 {
    19
}

/// The accounts, and how they are reached.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// Where the records of teams and addresses are kept: a region, once and for ever, and the account, which without a
    /// number is that of the current credentials.
    pub home: Reach,
    /// The account that owns the transit gateways. Without it: `home`'s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Reach>,
    /// The management account of AWS Organizations: needed to make new accounts, and to reach those that were made.
    /// Without it: the account of the current credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management: Option<Reach>,
    /// Role that is assumed in a team's account when the team's file names none. `OrganizationAccountAccessRole` trusts
    /// the management account alone: with it, use that account's credentials, or name a role of it under `through`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Roles (ARNs) that are assumed one after the other before any account is reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
    /// The external id that the roles' trust policies ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// How new accounts are made, for teams whose `account` is `new`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<NewAccounts>,
}

/// An account, and the role to assume in it. Without both: the current credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reach {
    /// The account's number, 12 digits, in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name of the role to assume there. Without it: `accounts.role`, when the account is not the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The region, where one matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// How new accounts are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccounts {
    /// The e-mail address of the account's root user; `{team}` stands for the team's name. Unique in all of AWS.
    #[schemars(example = "aws+{team}@example.org")]
    pub email: String,
    /// The role that AWS makes in the account. It trusts the management account alone, and is assumed from there.
    #[serde(default = "access_role")]
    pub role: String,
    /// The organizational unit to move it into: `ou-..`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<String>,
}

fn access_role() -> String {
    "OrganizationAccountAccessRole".into()
}

/// A domain below which teams get theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParentDomain {
    /// The domain.
    #[schemars(example = "example.org")]
    pub name: String,
    /// The account with the domain's hosted zone, in which teams' zones are delegated. Without it: `home`'s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Reach>,
    /// The hosted zone's id, where there are several of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
    /// Whether teams' zones are delegated there. `false`: somebody else does it.
    #[serde(default = "yes")]
    pub delegate: bool,
}

fn yes() -> bool {
    true
}

// Read by hand, in `team_file.rs`.
/// A team that differs from the others: its file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Team file", extend("$id" = "team.schema.json"))]
pub struct TeamFile {
    /// The team's name; the same as on the command line.
    #[schemars(with = "String", length(max = 32), pattern("^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub team: TeamName,
    /// The team's account: a number (12 digits, in quotes) or `{account: "..", role: ..}`; `new` for one that is made
    /// with AWS Organizations; `current` for that of the current credentials, as without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<TeamAccount>,
    /// The domains of this team instead of all of the organization's: names of `domains`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    /// The prefix length of this team's networks instead of `addresses.network`. Only before they are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 16, max = 21))]
    pub network_size: Option<u8>,
    /// Everything that `teams` of the organization's file may say, for this team.
    #[serde(flatten)]
    pub overrides: Defaults,
}

// Read by hand, in `team_file.rs`.
/// A team's account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(untagged)]
pub enum TeamAccount {
    /// That of the current credentials.
    #[default]
    #[schemars(skip)]
    Current,
    /// One that is made with AWS Organizations.
    #[schemars(skip)]
    New,
    /// A number alone; to the JSON schema, which takes any text, the two words as well.
    #[serde(untagged)]
    #[schemars(description = "`current`, `new`, or a number.")]
    Number(String),
    /// A number with a role.
    #[serde(untagged)]
    Reach(Reach),
}

/// What a team gets. Every key may stand under `teams` of the organization's file, and in a team's own file, which wins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// The regions that the team has a network in; the first one holds what an account has once. Without it: the
    /// region of `accounts.home`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<String>>,
    /// How many availability zones a network spans, 1 to 8 (3 without this key): the first by ID that offer `t3.small`
    /// and, with `nat: instance`, the NAT instance's type. Or which ones, by ID: `[use1-az1, use1-az4]`. More can be added
    /// later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zones: Option<Zones>,
    /// How the shared and the private layer reach the internet: `per-az` (as without this key), `single`, `instance`,
    /// `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<Nat>,
    /// How teams reach each other: `transit-gateway` (as without this key), `peering`, `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interconnect: Option<Interconnect>,
    /// Whether the network has IPv6 too; instances reach the internet through an egress-only gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,
    /// Name servers of the instances. Without this key: Amazon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub dns_servers: Option<Vec<IpAddr>>,
    /// The domain that instances add to short names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_domain: Option<String>,
    /// Days that flow logs are kept (30 without this key); 0: no flow logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_logs_days: Option<i32>,
    /// A VPN to your own network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpn: Option<Vpn>,
    /// Who may work in the account, and how they log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// What watches over the account. All of it is on unless it says otherwise, but for budget and cost tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard_rails: Option<GuardRails>,
    /// Whether to make what an account has once: roles, guard rails. `false` for a team that shares another one's
    /// account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_wide: Option<bool>,
    /// A container registry (`host` or `host:port`) for `minion`; without it, Amazon ECR of the team's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Networks beside the pool that may reach internal load balancers: offices, for example.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::values::some_networks")]
    #[schemars(with = "Option<Vec<String>>")]
    pub peers: Option<Vec<Ipv4Net>>,
    /// Tags on everything that is made, at most 40; a team's own are added to the organization's. Letters, digits, spaces and
    /// `_.:/=+-@`; with an audit trail, no empty value (CloudTrail); keys that differ only in case are the same to IAM. A
    /// hosted zone has room for five, the first by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

// Read by hand, in `team_file.rs`.
/// The availability zones of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Zones {
    /// So many.
    Count(#[schemars(range(min = 1, max = 8))] u8),
    /// These, by ID.
    Named(Vec<String>),
}

/// How the inner layers reach the internet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nat {
    /// A NAT gateway in each zone.
    #[default]
    PerAz,
    /// One NAT gateway: cheaper, and all zones depend on one.
    Single,
    /// One small ARM instance: for sandboxes.
    Instance,
    /// Not at all.
    None,
}

/// A VPN to your own network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vpn {
    /// The public address of your gateway.
    #[schemars(with = "String")]
    pub gateway: Ipv4Addr,
    /// Your gateway's autonomous system number.
    #[serde(default = "private_asn")]
    #[schemars(range(min = 1))]
    pub asn: u32,
    /// Your networks.
    #[serde(deserialize_with = "super::values::networks")]
    #[schemars(with = "Vec<String>")]
    pub routes: Vec<Ipv4Net>,
}

fn private_asn() -> u32 {
    65000
}

/// Who may work in the account, and how they log in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// The metadata of a SAML identity provider: an XML file, by path from the organization's file. Without it there
    /// is no SAML provider: for IAM Identity Center, and for roles that are assumed from other accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saml_metadata: Option<PathBuf>,
    /// Who else may assume the roles: account numbers or ARNs. Without this key and without SAML: the account `home`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<Vec<String>>,
    /// Hours that a login lasts, 1 to 12 (1 without this key).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 12))]
    pub session_hours: Option<u8>,
    /// The account's alias, in sign-in addresses; `{team}` and `{organization}` are replaced. Unique in all of AWS.
    /// An account that has another alias is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_alias: Option<String>,
}

/// What watches over the account. All of it is on unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardRails {
    /// A CloudTrail trail of all regions, in an encrypted, versioned, private bucket of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_trail: Option<bool>,
    /// Days that the trail's log files are kept, 1 to 36500. Without this key: 400 in a new bucket; an existing
    /// bucket keeps the age in its rule, and without a rule it keeps them forever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36500))]
    pub audit_trail_days: Option<i32>,
    /// Encrypt new EBS volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ebs_encryption: Option<bool>,
    /// No S3 bucket of the account can be made public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_public_buckets: Option<bool>,
    /// Instances answer for metadata by IMDSv2 only, unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imds_v2: Option<bool>,
    /// A strict policy for passwords of IAM users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_policy: Option<bool>,
    /// The monthly budget. Without it: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<MonthlyBudget>,
    /// Keys of tags that bills are split by, activated in the management account; `team` is one. Without
    /// this key: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_tags: Option<Vec<String>>,
}

/// A monthly budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonthlyBudget {
    /// The limit, in US dollars.
    #[schemars(range(min = 1))]
    pub usd: u32,
    /// Who is told at 80% of it spent, and at 100% forecast: e-mail addresses, at most 10; `{team}` is replaced.
    pub notify: Vec<String>,
}

/// Everything that holds for one team: its own file over the organization's, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    /// The organization.
    pub organization: OrganizationName,
    /// The team.
    pub name: TeamName,
    /// Its account.
    pub account: TeamAccount,
    /// Its regions, at least one; the first holds what an account has once.
    pub regions: Vec<String>,
    /// Availability zones of each network.
    pub zones: Zones,
    /// Prefix length of each network.
    pub network_size: u8,
    /// NAT.
    pub nat: Nat,
    /// Interconnect.
    pub interconnect: Interconnect,
    /// IPv6.
    pub ipv6: bool,
    /// Name servers; empty: Amazon's.
    pub dns_servers: Vec<IpAddr>,
    /// Domain of short names.
    pub internal_domain: Option<String>,
    /// Days; `None`: no flow logs.
    pub flow_logs_days: Option<i32>,
    /// VPN.
    pub vpn: Option<Vpn>,
    /// The team's domains, each with its parent.
    pub domains: Vec<ParentDomain>,
    /// The SAML metadata document itself.
    pub saml_metadata: Option<String>,
    /// Principals that may assume the roles; `None`: the home account, unless there is SAML.
    pub trusted: Option<Vec<String>>,
    /// Hours.
    pub session_hours: u8,
    /// The alias, placeholders replaced.
    pub account_alias: Option<String>,
    /// Whether roles and guard rails are made.
    pub account_wide: bool,
    /// CloudTrail.
    pub audit_trail: bool,
    /// Days that its log files are kept; `None`: no file says it.
    pub audit_trail_days: Option<i32>,
    /// EBS encryption.
    pub ebs_encryption: bool,
    /// S3 public access block.
    pub block_public_buckets: bool,
    /// IMDSv2.
    pub imds_v2: bool,
    /// Password policy.
    pub password_policy: bool,
    /// Budget, placeholders replaced.
    pub budget: Option<MonthlyBudget>,
    /// Cost allocation tags.
    pub cost_tags: Vec<String>,
    /// Registry for `minion`.
    pub registry: Option<String>,
    /// Networks that may reach internal load balancers beside the pool.
    pub peers: Vec<Ipv4Net>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The pool: what teams reach each other in.
    pub pool: Vec<Ipv4Net>,
}

impl Team {
    /// What of it a file can switch off.
    pub fn features(&self) -> Vec<Feature> {
        let all = [
            (self.account_wide && self.audit_trail, Feature::AuditTrail),
            (self.account_wide && self.budget.is_some(), Feature::Budget),
            (self.flow_logs_days.is_some(), Feature::FlowLogs),
            (self.account_wide && self.saml_metadata.is_some(), Feature::Saml),
        ];
        all.into_iter().filter(|(on, _)| *on).map(|(_, feature)| feature).collect()
    }
}
