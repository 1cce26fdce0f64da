//! The account's bar on public S3 buckets.

/// No bucket of the account can be made public.
pub struct PublicAccess {
    /// The account's number.
    pub account: String,
    /// Whether deleting takes it back: it was not there before we came.
    pub restore: bool,
}
