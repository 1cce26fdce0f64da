//! The account's alias, in sign-in addresses.

/// The one alias that an account can have.
pub struct AccountAlias {
    /// 3 to 63 small letters, digits and single dashes; unique in all of AWS.
    pub alias: String,
}
