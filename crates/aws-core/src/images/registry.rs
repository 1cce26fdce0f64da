//! What is asked of a registry.
use super::answers::{self, Manifest};
use super::ecr::{self, EcrHost};
use super::wire::{self, Answer, refusal};
use crate::{
    Error, Result,
    cloud::Cloud,
    error::Kind,
    model::image::{ImageRef, valid_digest},
};
use reqwest::StatusCode;
use sha2::{Digest as _, Sha256, Sha512};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, OnceLock},
    time::Duration,
};

/// What decides how registries are asked.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// Hosts (with port) that are asked over plain HTTP. Loopback hosts always are.
    pub insecure: Vec<String>,
    /// Docker's `config.json`, for credentials: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
    /// It may name helpers, which are looked for in `PATH` and read the environment by themselves.
    pub docker_config: Option<PathBuf>,
    /// For one question, all its requests included.
    pub timeout: Duration,
}
impl Default for RegistryOptions {
    fn default() -> Self {
        Self { insecure: Vec::new(), docker_config: None, timeout: Duration::from_secs(30) }
    }
}

/// What a reference stands for at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of the image, or of the index when there is one for several architectures.
    pub digest: String,
    /// The architectures in Go's words: `amd64`, `arm64`, ..
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
        let tokens = Mutex::default();
        Self { options, cloud, tokens, direct: OnceLock::new(), proxied: OnceLock::new() }
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
            return Err(refusal(registry, &format!("image {image}"), &answer));
        }
        let odd = |why: String| {
            Error::failed(format!("image {image} in registry {registry}: {why}"))
                .hint("Push the image again with a current Docker, or check that the host is a container registry.")
        };
        let manifest = answers::manifest(&answer.body).map_err(|e| odd(format!("its manifest cannot be read: {e}")))?;
        let digest = checked(image.digest(), &answer).map_err(odd)?;
        let (architectures, systems) = match manifest {
            Manifest::Index { architectures, other_systems } => (architectures, other_systems),
            Manifest::Schema1 => {
                return Err(odd("it is in Docker's schema 1, which Docker no longer pulls".into()));
            }
            Manifest::Other(kind) => return Err(odd(format!("it is not a container image ({kind})"))),
            Manifest::Image { config } => {
                if !valid_digest(&config) {
                    return Err(odd("its manifest names no configuration".into()));
                }
                let url = self.url(registry, &format!("{repository}/blobs/{config}"))?;
                let blob = self.get(registry, &url, &scope, "*/*").await?;
                if blob.status != StatusCode::OK {
                    return Err(refusal(registry, &format!("the configuration of image {image}"), &blob));
                }
                hashed(&config, &blob.body).map_err(odd)?;
                let read = answers::platform(&blob.body);
                match read.map_err(|e| odd(format!("its configuration cannot be read: {e}")))? {
                    (os, Some(architecture)) if os == "linux" => (vec![architecture], Vec::new()),
                    (os, None) if os == "linux" => (Vec::new(), Vec::new()),
                    (os, _) => (Vec::new(), vec![os]),
                }
            }
        };
        match (architectures.is_empty(), systems.is_empty()) {
            (false, _) => Ok(Resolved { digest, architectures }),
            (true, false) => Err(Error::refused(format!("image {image} is for {}, not for Linux", systems.join(", ")))),
            (true, true) => Err(odd("it does not say for which architecture it is".into())),
        }
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
                return Err(refusal(registry, path, &answer));
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
