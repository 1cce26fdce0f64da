//! The SAML identity provider of an account: who signs in with the company's login.
use crate::model::TeamOwner;

/// A SAML identity provider.
pub struct SamlProvider {
    /// For whom.
    pub owner: TeamOwner,
    /// The name: at most 128 characters, unique in the account.
    pub name: String,
    /// The metadata document that the identity provider publishes (XML).
    pub metadata: String,
}

/// The ARN of a SAML provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SamlArn(pub String);
