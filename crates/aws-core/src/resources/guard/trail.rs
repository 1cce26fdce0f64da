//! Audit trails: who did what in the account.
use super::trail_bucket::BucketName;
use crate::{engine::Ref, model::TeamOwner};

/// A trail of CloudTrail over all regions; the region that it is made in is its home.
pub struct AuditTrail {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// Where it writes to.
    pub bucket: Ref<BucketName>,
}
