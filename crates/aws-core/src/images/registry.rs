//! What is asked of a registry.
use super::answers;
use super::ecr;
use super::{
    credentials::Credential,
    platforms::Platforms,
    wire::{self, Answer},
};
use crate::{
    Error, Result,
    cloud::Cloud,
    error::Kind,
    model::image::{EcrHost, ImageRef, valid_digest},
};
use reqwest::{Method, StatusCode};
use sha2::{Digest as _, Sha256, Sha512};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Mutex, OnceLock},
    time::Duration,
};

/// What decides how registries are asked. It may hold passwords, so it is never shown.
#[derive(Clone)]
pub struct RegistryOptions {
    /// Hosts (with port) that are asked over plain HTTP. Loopback hosts always are.
    pub insecure: Vec<String>,
    /// Docker's `config.json`, for credentials: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
    /// It may name helpers, which are looked for in `PATH` and read the environment by themselves.
    pub docker_config: Option<PathBuf>,
    /// The value of `DOCKER_AUTH_CONFIG`, which Docker reads before that file.
    pub docker_auth: Option<String>,
    /// Credentials that come before all others, by the registry's host.
    pub credentials: BTreeMap<String, Credential>,
    /// For one question, all its requests included.
    pub timeout: Duration,
}
impl Default for RegistryOptions {
    fn default() -> Self {
        let (insecure, docker_config, docker_auth, credentials) = Default::default();
        Self { insecure, docker_config, docker_auth, credentials, timeout: Duration::from_secs(30) }
    }
}

/// Whose login a registry was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// One of [`RegistryOptions::credentials`].
    Given,
    /// The operator's own, from Docker's store.
    Stored,
    /// The one that AWS gives for Amazon's registries.
    Aws,
}

/// What a reference stands for at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of the image, or of the index when there is one for several architectures.
    pub digest: String,
    /// The architectures in Go's words: `amd64`, `arm64`, ..; none when the image does not name all of them.
    pub architectures: Vec<String>,
}

/// A tagged image in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryImage {
    /// The repository, without the registry's host.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest, where the listing says it (Amazon's registries do).
    pub digest: Option<String>,
    /// When it was pushed, where the listing says it.
    pub pushed: Option<jiff::Timestamp>,
}

/// Asks registries. Remembers tokens as long as it lives.
pub struct Registry<'c> {
    pub(super) options: RegistryOptions,
    pub(super) cloud: Option<&'c Cloud>,
    pub(super) tokens: Mutex<HashMap<String, String>>,
    pub(super) logins: Mutex<HashMap<String, Login>>,
    direct: OnceLock<reqwest::Client>,
    proxied: OnceLock<reqwest::Client>,
}

/// What is accepted for a manifest: OCI's and Docker's index and image; Docker's first format to say so.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1";
/// Pages of a list that are read at most; a page has [`PAGE`] names, or what the registry likes better.
const PAGES: usize = 200;
const PAGE: usize = 1000;
/// Time for the tags that an error names; the error itself is known by then.
const SUGGEST: Duration = Duration::from_secs(5);

impl<'c> Registry<'c> {
    /// Calls nothing yet. `cloud` is asked for the password of Amazon's registries.
    pub fn connect(options: RegistryOptions, cloud: Option<&'c Cloud>) -> Self {
        let (tokens, logins) = Default::default();
        Self { options, cloud, tokens, logins, direct: OnceLock::new(), proxied: OnceLock::new() }
    }

    pub(super) fn is_plain(&self, registry: &str) -> bool {
        wire::is_loopback(registry) || self.options.insecure.iter().any(|h| h == registry)
    }

    pub(super) fn client(&self, host: &str) -> Result<&reqwest::Client> {
        let direct = wire::is_loopback(host);
        let cell = if direct { &self.direct } else { &self.proxied };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = wire::client(direct)?;
        Ok(cell.get_or_init(|| client))
    }

    /// The digest and the architectures of an image.
    ///
    /// # Errors
    /// Usage without tag and digest; not found, with tags that are there; access; or what is wrong with the
    /// registry or its answer.
    pub async fn resolve(&self, image: &ImageRef) -> Result<Resolved> {
        let Some(reference) = image.digest().or(image.tag()) else {
            return Err(Error::usage(format!("image {image} has no tag"))
                .hint(format!("Name one, e.g. {image}:1.0; `latest` is not assumed, because it changes.")));
        };
        self.bounded(image.registry(), self.ask(image, reference)).await.map_err(unchecked)
    }

    async fn ask(&self, image: &ImageRef, reference: &str) -> Result<Resolved> {
        let (registry, repository) = (image.registry(), image.repository());
        let scope = format!("repository:{repository}:pull");
        let url = self.url(registry, &format!("{repository}/manifests/{reference}"))?;
        let answer = self.get(registry, &url, &scope, MANIFESTS).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(self.missing(image, &answer).await);
        }
        if answer.status != StatusCode::OK {
            return Err(self.refusal(registry, &format!("image {image}"), &answer));
        }
        let manifest =
            answers::manifest(&answer.body).map_err(|e| odd(image, format!("its manifest cannot be read: {e}")))?;
        let digest = checked(image.digest(), &answer).map_err(|why| odd(image, why))?;
        let architectures = Platforms::of(self, image, manifest).await?;
        Ok(Resolved { digest, architectures })
    }

    /// Whether somebody without any login may pull the image. It costs no pull: Docker Hub counts those that get a
    /// manifest, and not those that look whether it is there (Docker Hub "Pull usage and limits").
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub async fn is_public(&self, image: &ImageRef, digest: &str) -> Result<bool> {
        let options = RegistryOptions {
            insecure: self.options.insecure.clone(),
            timeout: self.options.timeout,
            ..RegistryOptions::default()
        };
        let (anybody, registry, repository) = (Registry::connect(options, None), image.registry(), image.repository());
        let scope = format!("repository:{repository}:pull");
        let url = self.url(registry, &format!("{repository}/manifests/{digest}"))?;
        let asked = anybody.ask_for(Method::HEAD, registry, &url, &scope, MANIFESTS);
        match self.bounded(registry, asked).await {
            Ok(answer) if answer.status.is_success() => Ok(true),
            Ok(answer) if [401, 403, 404].contains(&answer.status.as_u16()) => Ok(false),
            Ok(answer) => Err(anybody.refusal(registry, &format!("image {image}"), &answer)),
            Err(e) if e.kind() == Kind::Access => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// A manifest that an index names.
    pub(super) async fn manifest_of(&self, image: &ImageRef, digest: &str) -> Result<Vec<u8>> {
        self.part(image, digest, "manifests", MANIFESTS).await
    }

    /// The configuration that an image names.
    pub(super) async fn configuration_of(&self, image: &ImageRef, digest: &str) -> Result<Vec<u8>> {
        self.part(image, digest, "blobs", "*/*").await
    }

    async fn part(&self, image: &ImageRef, digest: &str, of: &str, accept: &str) -> Result<Vec<u8>> {
        let (registry, repository) = (image.registry(), image.repository());
        let url = self.url(registry, &format!("{repository}/{of}/{digest}"))?;
        let answer = self.get(registry, &url, &format!("repository:{repository}:pull"), accept).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refusal(registry, &format!("{digest} of image {image}"), &answer));
        }
        hashed(digest, &answer.body).map_err(|why| odd(image, why))?;
        Ok(answer.body)
    }

    /// Which part is missing, and what is there instead.
    async fn missing(&self, image: &ImageRef, answer: &Answer) -> Error {
        let (registry, repository) = (image.registry(), image.repository());
        let base = format!("image {image} not found in registry {registry}");
        let (path, scope) = (format!("{repository}/tags/list"), format!("repository:{repository}:pull"));
        let listing = self.list(registry, &path, &scope);
        let tags = match tokio::time::timeout(SUGGEST, listing).await {
            Ok(Ok(Some(tags))) => tags,
            // Also when the list is not given: the code of the first answer says which.
            Ok(Ok(None)) => return absent(format!("{base}: there is no repository {repository}")),
            _ if answers::error(&answer.body).0.as_deref() == Some("NAME_UNKNOWN") => {
                return absent(format!("{base}: there is no repository {repository}"));
            }
            _ => return absent(base),
        };
        let wanted = match (image.digest(), image.tag()) {
            (Some(digest), _) => {
                return absent(format!("{base}: repository {repository} has nothing of digest {digest}"));
            }
            (None, tag) => tag.unwrap_or_default(),
        };
        let near = match answers::nearest(wanted, &tags, 5).as_slice() {
            [] => "The repository has no tags at all.".to_owned(),
            near => format!("Tags that are there: {}.", near.join(", ")),
        };
        Error::not_found(format!("{base}: repository {repository} has no tag {wanted}")).hint(near)
    }

    /// The names of all repositories of a registry, sorted.
    ///
    /// # Errors
    /// Many public registries do not tell (Docker Hub does not).
    pub async fn repositories(&self, registry: &str) -> Result<Vec<String>> {
        let listing = async {
            if let (Some(host), Some(cloud)) = (EcrHost::parse(registry), self.cloud) {
                return ecr::repositories(cloud, &host).await;
            }
            let names = self.list(registry, "_catalog", "registry:catalog:*").await.map_err(|e| {
                e.hint("Not every registry lists its repositories: name one, as in `minion images REPOSITORY`.")
            })?;
            names.ok_or_else(|| {
                Error::failed(format!("registry {registry} does not list its repositories"))
                    .hint("Name one: `minion images REPOSITORY`.")
            })
        };
        let mut names = self.bounded(registry, listing).await?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A repository's tags, sorted as people count.
    ///
    /// # Errors
    /// Not found, access, or what is wrong with the registry or its answer.
    pub async fn tags(&self, registry: &str, repository: &str) -> Result<Vec<RepositoryImage>> {
        let listing = async {
            if let (Some(host), Some(cloud)) = (EcrHost::parse(registry), self.cloud) {
                return ecr::images(cloud, &host, repository).await;
            }
            let scope = format!("repository:{repository}:pull");
            let tags = self.list(registry, &format!("{repository}/tags/list"), &scope).await?.ok_or_else(|| {
                Error::not_found(format!("repository {repository} is not in registry {registry}"))
                    .hint("`minion images` lists the repositories.")
            })?;
            let image = |tag| RepositoryImage { repository: repository.into(), tag, digest: None, pushed: None };
            Ok(tags.into_iter().map(image).collect())
        };
        let mut images = self.bounded(registry, listing).await?;
        images.sort_by_cached_key(|i| answers::natural(&i.tag));
        Ok(images)
    }

    /// All pages of a list; `None` when the registry has no such thing.
    async fn list(&self, registry: &str, path: &str, scope: &str) -> Result<Option<Vec<String>>> {
        let mut url = self.url(registry, &format!("{path}?n={PAGE}"))?;
        let mut names = Vec::new();
        for _ in 0..PAGES {
            let answer = self.get(registry, &url, scope, "application/json").await?;
            if answer.status == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            if answer.status != StatusCode::OK {
                return Err(self.refusal(registry, path, &answer));
            }
            let page: answers::Page = serde_json::from_slice(&answer.body).map_err(|e| {
                Error::failed(format!("registry {registry}: its list {path} cannot be read: {e}"))
                    .hint("Check that the host is a container registry.")
            })?;
            names.extend(page.names());
            match answer.next(&url) {
                Some(next) => url = next,
                None => return Ok(Some(names)),
            }
        }
        Err(Error::failed(format!("registry {registry}: its list {path} has more than {PAGES} pages")))
    }

    async fn bounded<T>(&self, registry: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(self.options.timeout, work).await.unwrap_or_else(|_| {
            Err(Error::deadline(format!("registry {registry} gave no answer within {:?}", self.options.timeout))
                .hint("Check the network, a proxy, the registry, and Docker's credential helper."))
        })
    }
}

/// An image that is not as it should be.
pub(super) fn odd(image: &ImageRef, why: String) -> Error {
    Error::failed(format!("image {image} in registry {}: {why}", image.registry()))
        .hint("Push the image again with a current Docker, or check that the host is a container registry.")
}

fn absent(message: String) -> Error {
    Error::not_found(message).hint("`minion images` lists what is there.")
}

/// The way around a registry that cannot be asked, or does not have the image; for a deploy only. Not when the
/// image is one that cannot run, and not when AWS refuses: nothing else would work either.
fn unchecked(error: Error) -> Error {
    if error.kind() == Kind::Refused || error.aws().is_some() {
        return error;
    }
    error.hint("To deploy without asking the registry: --no-image-check.")
}

/// The manifest's digest: of the bytes themselves, which must be what was asked for and what the registry says.
fn checked(asked: Option<&str>, answer: &Answer) -> Result<String, String> {
    let said = answer.headers.get("docker-content-digest").and_then(|h| h.to_str().ok()).filter(|d| valid_digest(d));
    for digest in [asked, said].into_iter().flatten() {
        hashed(digest, &answer.body)?;
    }
    let own = || format!("sha256:{}", hex(&Sha256::digest(&answer.body)));
    Ok(asked.or(said).map_or_else(own, str::to_owned))
}

/// `Ok` when the bytes have this digest.
fn hashed(digest: &str, bytes: &[u8]) -> Result<(), String> {
    let same = match digest.split_once(':') {
        Some(("sha256", wanted)) => hex(&Sha256::digest(bytes)) == wanted,
        Some(("sha512", wanted)) => hex(&Sha512::digest(bytes)) == wanted,
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("the bytes that came are not those of {digest}")) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
