//! Encryption of new EBS volumes.

/// New EBS volumes of this account and region are encrypted.
pub struct EbsEncryption {
    /// Whether deleting turns it off: it was off before we came.
    pub restore: bool,
}
