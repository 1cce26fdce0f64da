//! Docker's credential store.
use crate::{Error, Result, error::Kind, model::image::DOCKER_HUB};
use docker_credential::{CredentialRetrievalError as Fault, DockerCredential};
use serde::Deserialize;
use std::{collections::HashMap, fmt, io::ErrorKind, path::Path};

/// What to show a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// User and password, for basic authentication and for asking for tokens.
    Password(String, String),
    /// An OAuth 2 refresh token, for asking for tokens.
    Identity(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(..) => "password",
            Self::Identity(_) => "identity token",
        })
    }
}

/// Under which name Docker stores Docker Hub's credentials.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// What Docker's configuration file at `path` has for this registry. Blocks: a credential helper may run.
pub(super) fn stored(path: &Path, registry: &str) -> Result<Option<Credential>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            let message = format!("Docker's configuration {} cannot be read: {e}", path.display());
            return Err(Error::failed(message).hint("Correct the file's permissions, or set DOCKER_CONFIG."));
        }
    };
    let key = if registry == DOCKER_HUB { HUB_KEY } else { registry };
    let broken = |why: String| {
        Error::new(Kind::Access, format!("no credentials for registry {registry}: {why}"))
            .hint(format!("Run `docker login {registry}` again, or correct {}.", path.display()))
    };
    // The library does not say which helper it means.
    let helper = || match helper_for(&text, key) {
        Some(name) => format!("credential helper docker-credential-{name}"),
        None => "the credential helper".to_owned(),
    };
    match docker_credential::get_credential_from_reader(text.as_slice(), key) {
        Ok(DockerCredential::UsernamePassword(user, _)) if user.is_empty() => Ok(None),
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(Credential::Password(user, password))),
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credential::Identity(token))),
        Err(Fault::NoCredentialConfigured | Fault::ConfigNotFound) => Ok(None),
        // How a helper says that it has none (docker/docker-credential-helpers, credentials/error.go).
        Err(Fault::HelperFailure { stdout, stderr, .. })
            if format!("{stdout}{stderr}").to_lowercase().contains("credentials not found") =>
        {
            Ok(None)
        }
        Err(Fault::HelperFailure { stdout, stderr, .. }) => {
            // Its error is on its output. What looks like an answer is none that may be shown.
            let said = if stdout.contains('{') { "" } else { stdout.as_str() };
            Err(broken(format!("{} failed: {}", helper(), first_line(&format!("{said}\n{stderr}")))))
        }
        Err(Fault::HelperCommunicationError) => Err(broken(format!("{} cannot be run", helper()))),
        Err(Fault::MalformedHelperResponse) => Err(broken(format!("{} gave no sensible answer", helper()))),
        Err(Fault::ConfigReadError) => Err(broken(format!("{} is not Docker's JSON", path.display()))),
        Err(e @ (Fault::CredentialDecodingError | Fault::CredentialMismatchError)) => Err(broken(e.to_string())),
    }
}

fn helper_for(config: &[u8], key: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Helpers {
        creds_store: Option<String>,
        cred_helpers: Option<HashMap<String, String>>,
    }
    let helpers: Helpers = serde_json::from_slice(config).ok()?;
    helpers.cred_helpers.and_then(|mut h| h.remove(key)).filter(|h| !h.is_empty()).or(helpers.creds_store)
}

/// A helper's words may be long; never more than a line of them.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("no message").chars().take(200).collect()
}
