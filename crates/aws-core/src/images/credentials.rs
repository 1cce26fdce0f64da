//! Docker's credential store, read as Docker reads it (docker/cli, `cli/config/configfile/file.go` and
//! `cli/config/credentials`): helpers before the file, an empty `auth` is none, a wrapped one is decoded.
use crate::{Error, Result, error::Kind, model::image::DOCKER_HUB};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use docker_credential::{CredentialRetrievalError as Fault, DockerCredential};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, io::ErrorKind, path::Path};

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
/// Docker Hub's hosts.
const HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
/// Docker's Base64, but for the padding, which other tools leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The part of Docker's configuration that is about credentials.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Config {
    /// The helper that has this registry's credentials; one registry's may be none, whatever the others have.
    fn helper(&self, key: &str) -> Option<&str> {
        let own = self.cred_helpers.as_ref().and_then(|helpers| helpers.get(key));
        let name = own.map_or(self.creds_store.as_deref(), |own| own.as_deref());
        name.filter(|name| !name.is_empty())
    }

    /// The registry's entry, also under a key with scheme and path, as older versions of Docker wrote it.
    fn entry(&self, key: &str, registry: &str) -> Option<&Entry> {
        let auths = self.auths.as_ref()?;
        let same = |host: &str| match registry {
            DOCKER_HUB => HUB_HOSTS.contains(&host),
            _ => host == registry,
        };
        let found = auths.get(key).or_else(|| auths.iter().find(|(key, _)| same(host_of(key))).map(|(_, e)| e));
        found?.as_ref()
    }
}

/// `https://host/v1/` to `host` (docker/cli, `ConvertToHostname`).
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or_default()
}

impl Entry {
    /// What the entry holds, if anything; or what is wrong with it.
    fn credential(&self) -> Result<Option<Credential>, &'static str> {
        let some = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        if let Some(token) = some(&self.identitytoken) {
            return Ok(Some(Credential::Identity(token)));
        }
        let Some(auth) = some(&self.auth) else {
            return Ok(some(&self.username).zip(some(&self.password)).map(|(u, p)| Credential::Password(u, p)));
        };
        // Docker's decoder skips line ends (Go, `encoding/base64`).
        let auth: String = auth.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let text = BASE64.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or("`auth` cannot be decoded")?;
        let (user, password) = text.split_once(':').ok_or("`auth` does not hold USER:PASSWORD")?;
        let password = password.trim_matches('\0');
        Ok((!user.is_empty()).then(|| Credential::Password(user.to_owned(), password.to_owned())))
    }
}

/// What Docker's configuration has for this registry: the variable `DOCKER_AUTH_CONFIG` (`variable`), then the file at
/// `path`. Blocks: a credential helper may run.
pub(super) fn stored(path: Option<&Path>, variable: Option<&str>, registry: &str) -> Result<Option<Credential>> {
    let key = if registry == DOCKER_HUB { HUB_KEY } else { registry };
    let from_variable = variable.and_then(|text| serde_json::from_str::<Config>(text).ok());
    // What cannot be read there does not keep Docker from reading the file, either.
    let of_variable = from_variable.as_ref().and_then(|c| c.entry(key, registry)?.credential().ok().flatten());
    if of_variable.is_some() {
        return Ok(of_variable);
    }
    let Some(path) = path else { return Ok(None) };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            let message = format!("Docker's configuration {} cannot be read: {e}", path.display());
            return Err(Error::failed(message).hint("Correct the file's permissions, or set DOCKER_CONFIG."));
        }
    };
    let broken = |why: String| {
        Error::new(Kind::Access, format!("no credentials for registry {registry}: {why}")).hint(format!(
            "Run `{}` again, or correct {}.",
            login_command(registry),
            path.display()
        ))
    };
    let config: Config =
        serde_json::from_slice(&text).map_err(|_| broken(format!("{} is not Docker's JSON", path.display())))?;
    if let Some(helper) = config.helper(key)
        && let Some(found) = from_helper(helper, key).map_err(&broken)?
    {
        return Ok(Some(found));
    }
    let entry = config.entry(key, registry).map(Entry::credential).transpose();
    Ok(entry.map_err(|why| broken(format!("its {why}")))?.flatten())
}

/// The command that stores a login for this registry.
pub(super) fn login_command(registry: &str) -> String {
    if registry == DOCKER_HUB { "docker login".to_owned() } else { format!("docker login {registry}") }
}

/// Asks the program `docker-credential-<helper>`.
fn from_helper(helper: &str, key: &str) -> Result<Option<Credential>, String> {
    let named = format!("credential helper docker-credential-{helper}");
    // The crate reads a configuration: one that names this helper alone.
    let config = serde_json::json!({ "credHelpers": { key: helper } }).to_string();
    match docker_credential::get_credential_from_reader(config.as_bytes(), key) {
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
            Err(format!("{named} failed: {}", first_line(&format!("{said}\n{stderr}"))))
        }
        Err(Fault::HelperCommunicationError) => Err(format!("{named} cannot be run")),
        Err(_) => Err(format!("{named} gave no sensible answer")),
    }
}

/// A helper's words may be long; never more than a line of them.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("no message").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &str, registry: &str) -> Result<Option<Credential>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), config).unwrap();
        stored(Some(file.path()), None, registry)
    }
    fn me() -> Option<Credential> {
        Some(Credential::Password("me".into(), "password".into()))
    }

    /// `printf me:password | base64` is `bWU6cGFzc3dvcmQ=`.
    #[test]
    fn an_entry_is_read_as_docker_reads_it() {
        for (entry, wanted) in [
            (r#"{"auth":"bWU6cGFzc3dvcmQ="}"#, me()),
            (r#"{"auth":"","username":"me","password":"password"}"#, me()),
            (r#"{"username":"me","password":"password"}"#, me()),
            (r#"{"auth":"bWU6cGFz\nc3dvcmQ="}"#, me()),
            (r#"{"auth":"bWU6\r\ncGFz\r\nc3dvcmQ=\r\n"}"#, me()),
            (r#"{"auth":"bWU6cGFzc3dvcmQ"}"#, me()),
            // `auth` decides; NUL characters around a password are dropped.
            (r#"{"auth":"bWU6cGFzc3dvcmQ=","username":"other","password":"other"}"#, me()),
            (r#"{"auth":"bWU6cGFzc3dvcmQAAA=="}"#, me()),
            (r#"{"auth":null,"username":"me","password":"password","email":"me@example.org"}"#, me()),
            (r#"{"auth":""}"#, None),
            (r#"{"auth":"","username":"","password":""}"#, None),
            (r#"{"username":"me"}"#, None),
            (r#"{"auth":"OnBhc3N3b3Jk"}"#, None),
            ("{}", None),
            ("null", None),
            (r#"{"auth":"bWU6","identitytoken":"T"}"#, Some(Credential::Identity("T".into()))),
            (r#"{"auth":"bWU6cGFzc3dvcmQ=","identitytoken":""}"#, me()),
        ] {
            let got = read(&format!(r#"{{"auths":{{"reg.example:5000":{entry}}}}}"#), "reg.example:5000").unwrap();
            assert_eq!(got, wanted, "{entry}");
        }
        for bad in ["%%%", "bWU", "bm8gY29sb24=", "//8="] {
            let error = read(&format!(r#"{{"auths":{{"r":{{"auth":"{bad}"}}}}}}"#), "r").unwrap_err();
            assert_eq!(error.kind(), Kind::Access);
            assert!(error.to_string().contains("`auth`") && !error.to_string().contains(bad), "{error}");
        }
    }

    #[test]
    fn an_entry_is_found_under_every_form_of_its_key() {
        let at = |key: &str, registry: &str| {
            read(&format!(r#"{{"auths":{{"{key}":{{"auth":"bWU6cGFzc3dvcmQ="}}}}}}"#), registry).unwrap()
        };
        for (key, registry, found) in [
            ("ghcr.io", "ghcr.io", true),
            ("https://ghcr.io", "ghcr.io", true),
            ("http://127.0.0.1:5000/v2/", "127.0.0.1:5000", true),
            ("https://index.docker.io/v1/", DOCKER_HUB, true),
            ("docker.io", DOCKER_HUB, true),
            ("index.docker.io", DOCKER_HUB, true),
            ("https://registry-1.docker.io", DOCKER_HUB, true),
            ("ghcr.io.example", "ghcr.io", false),
            ("https://example/ghcr.io", "ghcr.io", false),
            ("127.0.0.1", "127.0.0.1:5000", false),
        ] {
            assert_eq!(at(key, registry).is_some(), found, "{key} for {registry}");
        }
        for none in ["{}", r#"{"auths":null}"#, r#"{"auths":{}}"#, r#"{"credsStore":"","credHelpers":{}}"#] {
            assert_eq!(read(none, "r").unwrap(), None, "{none}");
        }
        // A registry without a helper, whatever the others have.
        let config =
            r#"{"credsStore":"no-such-helper","credHelpers":{"r":""},"auths":{"r":{"auth":"bWU6cGFzc3dvcmQ="}}}"#;
        assert_eq!(read(config, "r").unwrap(), me());
        assert!(read(config, "other").is_err(), "the helper is asked");
    }

    #[test]
    fn the_variable_comes_before_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"auths":{"r":{"username":"file","password":"x"}}}"#).unwrap();
        let user = |variable: &str| match stored(Some(file.path()), Some(variable), "r").unwrap() {
            Some(Credential::Password(user, _)) => user,
            other => panic!("{other:?}"),
        };
        assert_eq!(user(r#"{"auths":{"r":{"auth":"bWU6cGFzc3dvcmQ="}}}"#), "me");
        for falls_back in
            ["", "no JSON", "{}", r#"{"auths":{"s":{"auth":"bWU6cGFzc3dvcmQ="}}}"#, r#"{"auths":{"r":{"auth":"%"}}}"#]
        {
            assert_eq!(user(falls_back), "file", "{falls_back}");
        }
        let alone = stored(None, Some(r#"{"auths":{"r":{"auth":"bWU6cGFzc3dvcmQ="}}}"#), "r").unwrap();
        assert_eq!(alone, me());
    }
}
