//! Credentials of a role. The SDK has this too, with a client of its own: where AWS limits the rate, that gives up.
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use std::time::SystemTime;

/// A role to work as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role.
    pub role_arn: String,
    /// What CloudTrail shows: `overlord`.
    pub session: String,
    /// The external id that the role's trust asks for.
    pub external_id: Option<String>,
}

/// Assumes it, with a client of those who may, each time that credentials are needed.
#[derive(Debug)]
pub(super) struct RoleCredentials {
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) role: AssumedRole,
}

impl RoleCredentials {
    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let call = self.sts.assume_role().role_arn(&self.role.role_arn).role_session_name(&self.role.session);
        let assumed = call.set_external_id(self.role.external_id.clone()).send().await;
        let given = assumed.map_err(CredentialsError::provider_error)?.credentials;
        let given = given.ok_or_else(|| CredentialsError::unhandled("sts:AssumeRole answered without credentials"))?;
        let expires = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        let (id, secret, token) = (given.access_key_id, given.secret_access_key, given.session_token);
        Ok(Credentials::new(id, secret, Some(token), Some(expires), "AssumeRole"))
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
