//! Public hosted zones of teams.
use crate::model::TeamOwner;

/// A public hosted zone.
pub struct HostedZone {
    /// For whom.
    pub owner: TeamOwner,
    /// The domain, without a final dot.
    pub domain: String,
}

/// A hosted zone that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneId {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// The servers that answer for it, sorted, without final dots.
    pub name_servers: Vec<String>,
}
