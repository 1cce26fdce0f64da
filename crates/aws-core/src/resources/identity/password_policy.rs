//! The account's policy for passwords of IAM users.

/// A strict policy for passwords: 14 characters of all classes, none of the last 24 again.
pub struct PasswordPolicy {
    /// Whether deleting goes back to AWS's default; else it stays as it is.
    pub restore: bool,
}
