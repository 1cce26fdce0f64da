//! The bucket that an audit trail writes to.
use crate::model::TeamOwner;

/// A private, encrypted, versioned bucket that one trail of CloudTrail may write to.
pub struct TrailBucket {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in all of AWS.
    pub name: String,
    /// The trail's name.
    pub trail: String,
    /// The account's number.
    pub account: String,
    /// Whether deleting keeps a bucket with logs in it; else they are removed, too.
    pub keep_logs: bool,
}

/// The name of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketName(pub String);
