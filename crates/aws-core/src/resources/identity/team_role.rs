//! The IAM roles of a team's account: whom people and services act as.
use super::{managed_policy::PolicyArn, saml_provider::SamlArn};
use crate::{engine::Ref, model::TeamOwner};
use serde_json::Value;

/// A role without an instance profile.
pub struct TeamRole {
    /// For whom.
    pub owner: TeamOwner,
    /// The name: at most 64 characters, unique in the account.
    pub name: String,
    /// What it is for: at most 1,000 characters.
    pub description: String,
    /// Who may assume it.
    pub trust: Trust,
    /// The managed policies; others are detached.
    pub managed: Vec<Managed>,
    /// Name and document of the one inline policy; others are removed.
    pub inline: Option<(String, Value)>,
    /// The permissions boundary; one that is there although `None` is wanted is removed.
    pub boundary: Option<Ref<PolicyArn>>,
    /// Hours that a session may last, 1 to 12 (`CreateRole`, MaxSessionDuration).
    pub session_hours: u8,
}

/// A managed policy of a role.
pub enum Managed {
    /// The ARN of one that AWS made.
    Aws(String),
    /// One of this graph.
    Ours(Ref<PolicyArn>),
}

/// Who may assume a role.
#[derive(Default)]
pub struct Trust {
    /// Services: `vpc-flow-logs.amazonaws.com`.
    pub services: Vec<String>,
    /// Accounts (12 digits) and ARNs of roles and users.
    pub principals: Vec<String>,
    /// Who signs in through this SAML provider, in the console or on the command line.
    pub saml: Option<Ref<SamlArn>>,
}

/// The ARN of a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleArn(pub String);
