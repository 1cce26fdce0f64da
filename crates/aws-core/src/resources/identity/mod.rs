//! Who may do what in a team's account: policies, roles, the SAML provider.
pub(crate) mod account;
pub mod alias;
pub mod managed_policy;
pub mod password_policy;
pub mod saml_provider;
pub mod team_role;
