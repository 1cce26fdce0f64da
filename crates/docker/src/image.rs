//! Images: building, pulling, pushing, looking.
use crate::{Engine, buildkit, context::Context, errors::Told as _};
use aws_core::{Error, Result, error::Kind, model::image::ImageRef};
use bollard::{
    auth::DockerCredentials,
    models::{CreateImageInfo, ProgressDetail},
    query_parameters::{BuildImageOptions, CreateImageOptions, PushImageOptions, RemoveImageOptions, TagImageOptions},
};
use futures::StreamExt as _;
use std::collections::{BTreeMap, HashMap};

/// What to build.
#[derive(Debug)]
pub struct Build {
    /// The directory that the Dockerfile copies from.
    pub context: Context,
    /// The Dockerfile's path in the context.
    pub dockerfile: String,
    /// Build arguments (`ARG`).
    pub arguments: BTreeMap<String, String>,
    /// `linux/arm64`; without one, the engine's own.
    pub platform: Option<String>,
    /// Names of the image: `repository:tag`.
    pub tags: Vec<String>,
    /// Labels on the image.
    pub labels: BTreeMap<String, String>,
    /// Whether to take no step from the cache.
    pub no_cache: bool,
    /// Whether to ask the registry for newer base images.
    pub pull: bool,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A line of the log.
    Line(String),
    /// A layer on its way.
    Layer {
        /// The layer's short id.
        id: String,
        /// What happens to it: `Pushing`.
        status: String,
        /// Bytes done and in all, where they are known.
        bytes: Option<(u64, u64)>,
    },
}

/// What to show a registry.
#[derive(Clone, Default)]
pub struct Credential {
    /// The registry's host; Docker Hub's is `https://index.docker.io/v1/`.
    pub registry: String,
    /// User and password.
    pub password: Option<(String, String)>,
    /// An OAuth 2 refresh token, instead of these.
    pub identity: Option<String>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl From<Credential> for DockerCredentials {
    fn from(c: Credential) -> Self {
        let (username, password) = c.password.unzip();
        Self { username, password, identitytoken: c.identity, serveraddress: Some(c.registry), ..Self::default() }
    }
}

/// What the engine knows of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDetails {
    /// `sha256:..`: of the image's configuration, or of its index with newer engines.
    pub id: String,
    /// In Go's words: `amd64`, `arm64`.
    pub architecture: String,
    /// `repository@sha256:..`, for each repository that it was pushed to or pulled from.
    pub digests: Vec<String>,
    /// `repository:tag`.
    pub tags: Vec<String>,
    /// The user that it names; empty for none.
    pub user: String,
    /// In bytes.
    pub size: u64,
}

impl Engine {
    /// Builds an image with the engine's classic builder; its id. Dropped before its end, the build is ended.
    ///
    /// # Errors
    /// The step that failed, in the engine's words; a context that cannot be read.
    pub async fn build(&self, build: Build, mut progress: impl FnMut(Progress)) -> Result<String> {
        let mut tags = build.tags.iter();
        let options = BuildImageOptions {
            dockerfile: build.dockerfile,
            t: tags.next().cloned(),
            rm: true,
            forcerm: true,
            nocache: build.no_cache,
            pull: build.pull.then(|| "1".to_owned()),
            buildargs: (!build.arguments.is_empty()).then(|| build.arguments.into_iter().collect()),
            labels: (!build.labels.is_empty()).then(|| build.labels.into_iter().collect()),
            platform: build.platform.unwrap_or_default(),
            ..BuildImageOptions::default()
        };
        let dockerfile = build.context.dockerfile();
        let (context, trouble) = build.context.into_stream();
        let body = bollard::body_try_stream(context);
        let mut stream = self.client().build_image(options, None::<HashMap<_, _>>, Some(body));
        let (mut id, mut lines) = (None, Lines::default());
        while let Some(item) = stream.next().await {
            let item = match item.told("the image cannot be built") {
                Ok(item) => item,
                // A context that breaks off is the cause of whatever the engine says then.
                Err(error) => return Err(trouble.take().unwrap_or_else(|| with_hint(error, dockerfile.as_deref()))),
            };
            id = item.aux.and_then(|aux| aux.id).or(id);
            if let Some(text) = item.stream {
                lines.take(&text, &mut progress);
            } else if let Some(status) = item.status {
                progress(moved(item.id, status, item.progress_detail));
            }
        }
        lines.rest(&mut progress);
        if let Some(error) = trouble.take() {
            return Err(error);
        }
        // Engines before 1.29 of the interface only name it in the log.
        let id = id.or(lines.built).ok_or_else(|| Error::failed("the engine built no image, and does not say why"))?;
        for tag in tags {
            self.tag(&id, tag).await?;
        }
        Ok(id)
    }

    /// Gives an image another name.
    ///
    /// # Errors
    /// When there is no such image, or the name is none.
    pub async fn tag(&self, image: &str, name: &str) -> Result<()> {
        let parsed: ImageRef = name.parse()?;
        let tag = parsed.tag().map(str::to_owned);
        let repository = tag.as_ref().and_then(|t| name.strip_suffix(&format!(":{t}"))).unwrap_or(name);
        let options = TagImageOptions { repo: Some(repository.to_owned()), tag };
        self.client().tag_image(image, Some(options)).await.told(&format!("image {image} cannot be tagged {name}"))
    }

    /// Pulls an image.
    ///
    /// # Errors
    /// The registry's refusal, in the engine's words.
    pub async fn pull(
        &self,
        image: &ImageRef,
        platform: Option<&str>,
        credential: Option<Credential>,
        mut progress: impl FnMut(Progress),
    ) -> Result<()> {
        let tag = image.tag().is_none() && image.digest().is_none();
        let options = CreateImageOptions {
            from_image: Some(image.as_str().to_owned()),
            // Without a tag, all of them would be pulled.
            tag: tag.then(|| "latest".to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        };
        let mut stream = self.client().create_image(Some(options), None, credential.map(Into::into));
        while let Some(item) = stream.next().await {
            let item: CreateImageInfo = item.told(&format!("image {image} cannot be pulled"))?;
            if let Some(status) = item.status {
                progress(moved(item.id, status, item.progress_detail));
            }
        }
        Ok(())
    }

    /// Pushes an image to the registry that its name says; its digest there, where the engine tells it.
    ///
    /// # Errors
    /// The registry's refusal, in the engine's words.
    pub async fn push(
        &self,
        image: &ImageRef,
        credential: Option<Credential>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Option<String>> {
        let tag = image.tag().unwrap_or("latest");
        let name = image.as_str().split('@').next().unwrap_or_default();
        let name = name.strip_suffix(&format!(":{tag}")).unwrap_or(name);
        let options = PushImageOptions { tag: Some(tag.to_owned()), ..PushImageOptions::default() };
        let mut stream = self.client().push_image(name, Some(options), credential.map(Into::into));
        let mut digest = None;
        while let Some(item) = stream.next().await {
            let item = item.told(&format!("image {image} cannot be pushed"))?;
            let Some(status) = item.status else { continue };
            let done = pushed(&status);
            progress(match moved(None, status, item.progress_detail) {
                // What happens to one of the layers: without its id, that is no line for the log.
                Progress::Line(status) if done.is_none() && !status.starts_with("The push") => {
                    Progress::Layer { id: String::new(), status, bytes: None }
                }
                other => other,
            });
            digest = done.or(digest);
        }
        Ok(digest)
    }

    /// Whether the engine has this image.
    pub async fn has_image(&self, image: &str) -> Result<bool> {
        Ok(self.image_details(image).await?.is_some())
    }

    /// What the engine knows of an image; none when it does not have it.
    pub async fn image_details(&self, image: &str) -> Result<Option<ImageDetails>> {
        let found = self.client().inspect_image(image).await.told_unless_absent(&format!("image {image}"))?;
        Ok(found.map(|i| ImageDetails {
            id: i.id.unwrap_or_default(),
            architecture: i.architecture.unwrap_or_default(),
            digests: i.repo_digests.unwrap_or_default(),
            tags: i.repo_tags.unwrap_or_default(),
            user: i.config.and_then(|c| c.user).unwrap_or_default(),
            size: i.size.and_then(|s| u64::try_from(s).ok()).unwrap_or_default(),
        }))
    }

    /// Removes an image; whether it was there.
    ///
    /// # Errors
    /// When a container uses it.
    pub async fn remove_image(&self, image: &str) -> Result<bool> {
        let options = RemoveImageOptions { force: true, ..RemoveImageOptions::default() };
        let removed = self.client().remove_image(image, Some(options), None).await;
        Ok(removed.told_unless_absent(&format!("image {image} cannot be removed"))?.is_some())
    }
}

/// Adds what is known of errors of builds. The classic builder does not say that a Dockerfile needs BuildKit: it stumbles
/// over a flag or a word that it does not know.
fn with_hint(error: Error, dockerfile: Option<&str>) -> Error {
    let said = error.to_string();
    let used = dockerfile.and_then(buildkit::used);
    if used.is_some() || said.contains("BuildKit") || said.contains("failed to parse platform") {
        let what = used.map(|used| format!(" (`{used}`)")).unwrap_or_default();
        return error.hint(format!(
            "This Dockerfile needs BuildKit{what}, which `minion image build` does not use: build it with `docker build`, then \
             go on with `minion image run` and `minion image push`."
        ));
    }
    if error.hints().is_empty() && said.contains("returned a non-zero code") {
        return error.hint("The log above shows the command's own words.");
    }
    error
}

/// A line, or a layer on its way. Of layers that are pushed, the client's library does not pass the id on.
fn moved(id: Option<String>, status: String, detail: Option<ProgressDetail>) -> Progress {
    let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    let bytes = detail.and_then(|d| number(d.current).zip(number(d.total)));
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Progress::Layer { id, status, bytes },
        None if bytes.is_some() => Progress::Layer { id: String::new(), status, bytes },
        None => Progress::Line(status),
    }
}

/// `1.0: digest: sha256:.. size: 528`
fn pushed(status: &str) -> Option<String> {
    let (_, rest) = status.split_once("digest: ")?;
    rest.split_whitespace().next().filter(|d| d.starts_with("sha256:")).map(str::to_owned)
}

/// The log of a build comes in pieces.
#[derive(Default)]
struct Lines {
    open: String,
    built: Option<String>,
}

impl Lines {
    fn take(&mut self, text: &str, progress: &mut impl FnMut(Progress)) {
        self.open.push_str(text);
        while let Some(end) = self.open.find('\n') {
            let line: String = self.open.drain(..=end).collect();
            self.line(line.trim_end(), progress);
        }
    }
    fn rest(&mut self, progress: &mut impl FnMut(Progress)) {
        let line = std::mem::take(&mut self.open);
        self.line(line.trim_end(), progress);
    }
    fn line(&mut self, line: &str, progress: &mut impl FnMut(Progress)) {
        if let Some(id) = line.strip_prefix("Successfully built ") {
            self.built = Some(id.to_owned());
        }
        if !line.is_empty() {
            progress(Progress::Line(line.to_owned()));
        }
    }
}

/// The error of a build whose context could not be read, told by the thread that reads it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(std::sync::Arc<std::sync::Mutex<Option<String>>>);

impl Trouble {
    pub(crate) fn tell(&self, why: String) {
        if let Ok(mut place) = self.0.lock() {
            *place = Some(why);
        }
    }
    fn take(&self) -> Option<Error> {
        let why = self.0.lock().ok()?.take()?;
        Some(Error::new(Kind::Failed, format!("the directory cannot be sent to the engine: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_pieces_is_lines() {
        let (mut seen, mut lines) = (Vec::new(), Lines::default());
        let mut take = |p| {
            if let Progress::Line(line) = p {
                seen.push(line);
            }
        };
        for piece in ["Step 1/2 : FROM", " scratch", "\n", "\n", " ---> abc\nSuccessfully built 123\r\nend"] {
            lines.take(piece, &mut take);
        }
        lines.rest(&mut take);
        assert_eq!(seen, ["Step 1/2 : FROM scratch", " ---> abc", "Successfully built 123", "end"]);
        assert_eq!(lines.built.as_deref(), Some("123"));
    }

    #[test]
    fn what_a_push_says() {
        assert_eq!(pushed("1.0: digest: sha256:abc size: 528").as_deref(), Some("sha256:abc"));
        assert_eq!(pushed("Pushed"), None);
    }

    #[test]
    fn layers_have_an_id() {
        let detail = |current, total| Some(ProgressDetail { current, total });
        let layer = moved(Some("a1".into()), "Pushing".into(), detail(Some(5), Some(10)));
        assert_eq!(layer, Progress::Layer { id: "a1".into(), status: "Pushing".into(), bytes: Some((5, 10)) });
        assert_eq!(moved(None, "x".into(), detail(None, None)), Progress::Line("x".into()));
        let some = moved(Some("a1".into()), "Waiting".into(), None);
        assert_eq!(some, Progress::Layer { id: "a1".into(), status: "Waiting".into(), bytes: None });
    }

    #[test]
    fn builds_that_need_another_builder() {
        let e = with_hint(Error::failed("the --mount option requires BuildKit"), None);
        assert!(e.hints()[0].contains("docker build"));
        assert!(with_hint(Error::failed("x"), Some("FROM a\nRUN false\n")).hints().is_empty());
        let said = |said: &str, dockerfile| with_hint(Error::failed(said), Some(dockerfile)).hints()[0].clone();
        let link = "# syntax=docker/dockerfile:1\nFROM alpine:3.20\nCOPY --link app /app\n";
        assert!(said("Unknown flag: link", link).contains("BuildKit (`# syntax=docker/dockerfile:1`)"));
        let heredoc = "FROM alpine:3.20\nRUN <<DONE\ncat /app\nDONE\n";
        assert!(said("unknown instruction: CAT", heredoc).contains("`docker build`"));
        // Whatever goes wrong: the log alone does not say whether the syntax that was asked for would have helped.
        assert!(said("The command returned a non-zero code: 1", link).contains("BuildKit"));
    }

    #[test]
    fn credentials_are_not_shown() {
        let c = Credential { registry: "r".into(), password: Some(("me".into(), "hunter2".into())), identity: None };
        assert!(!format!("{c:?}").contains("hunter2"));
        let c = DockerCredentials::from(c);
        assert_eq!((c.username.as_deref(), c.password.as_deref()), (Some("me"), Some("hunter2")));
    }
}
