//! What `overlord` remembers of teams: parameters of Systems Manager in the account and region `home`.
use crate::model::TeamName;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

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
    /// Its networks, the first region first.
    pub regions: Vec<RegionRecord>,
    /// Its domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<DomainRecord>,
    /// Settings of the account that were as they should be before we came: deleting leaves them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// How it reaches other teams: `transit-gateway`, `peering` or `none`.
    pub interconnect: String,
    /// Whether roles and guard rails were made.
    #[serde(default)]
    pub account_wide: bool,
    /// When it was created.
    pub created: jiff::Timestamp,
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
}
