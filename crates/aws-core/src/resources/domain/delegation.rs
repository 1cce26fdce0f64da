//! The NS records by which a parent domain names a team's servers.
use super::hosted_zone::ZoneId;
use crate::engine::Ref;

/// The NS record set of a domain in its parent's zone. Acts in the account of the parent's zone.
pub struct Delegation {
    /// The domain's own zone.
    pub zone: Ref<ZoneId>,
    /// The domain, without a final dot.
    pub domain: String,
    /// The parent domain.
    pub parent: String,
    /// The parent's zone; `None`: the only public one of that name.
    pub parent_zone_id: Option<String>,
}
