//! Which image a new version runs: where it was found, and what its name stands for at this moment.
use crate::{
    boot,
    deployed::Deployed,
    manifest::Manifest,
    site::{Session, Site},
};
use aws_core::{
    Error, Result,
    images::{Login, Resolved},
    model::image::ImageRef,
    registry::settings::VpcSettings,
};
use docker::{Engine, ImageDetails};

/// An image that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Its digest and architectures. The digest of an image of this computer's engine is its id.
    pub(super) resolved: Resolved,
    /// Whether it is this computer's engine that has it, which only a sandbox's instances can use.
    pub(super) local: bool,
}

impl Image {
    /// What the instances are told to run: it names the same bytes for ever.
    pub(super) fn pinned(&self, image: &ImageRef) -> String {
        if self.local { self.resolved.digest.clone() } else { image.pinned(&self.resolved.digest) }
    }

    /// What people are told of it.
    pub(super) fn shown(&self, image: &ImageRef) -> String {
        match (self.local, image.digest()) {
            (true, _) => format!("{image} ({} of this computer)", self.resolved.digest),
            (false, None) => format!("{image}@{}", self.resolved.digest),
            (false, Some(_)) => image.to_string(),
        }
    }

    /// An image of the engine. It may be in no registry.
    fn of_engine(details: ImageDetails) -> Self {
        let architectures = Some(details.architecture).filter(|a| !a.is_empty()).into_iter().collect();
        Self { resolved: Resolved { digest: details.id, architectures }, local: true }
    }

    /// The same tag may mean another image by now.
    pub(super) fn same(&self, existing: &Deployed, image: &ImageRef) -> Result<()> {
        match existing.digest() {
            Some(digest) if digest != self.resolved.digest => Err(Error::refused(format!(
                "{} exists already with image {image} as {digest}; {} has {} under that tag now",
                existing.id,
                if self.local { "this computer's engine" } else { "the registry" },
                self.resolved.digest
            ))
            .hint("A version never changes: give the new image a version name of its own.")),
            _ => Ok(()),
        }
    }
}

/// Finds the image: in its registry; for a sandbox, whose instances are here, in this computer's engine first.
///
/// # Errors
/// When it is not there, or cannot be asked for.
pub(super) async fn find(
    session: &Session,
    site: &Site,
    settings: &VpcSettings,
    manifest: &Manifest,
    image: &ImageRef,
) -> Result<Image> {
    let terminal = &session.terminal;
    if site.settings.values.sandbox.is_some() {
        let step = terminal.step(&format!("Looking for {image} in the container engine"));
        let looked = async { Engine::connect().await?.image_details(image.as_str()).await };
        match looked.await {
            Ok(Some(details)) => {
                step.ok_with("it is there");
                return Ok(Image::of_engine(details));
            }
            Ok(None) => step.ok_with("it is not there"),
            Err(error) => return step.end(Err(error)),
        }
        not_amazons(image)?;
    }
    // Instances sign in to Amazon's registries with their role.
    let reference = manifest.registry_credential(image.registry()).filter(|_| image.ecr().is_none());
    let credentials = boot::credentials(terminal, site, image.registry(), reference).await?;
    let registry = boot::registry(site, settings, credentials);
    let resolved = terminal.during("Checking Docker registry ", registry.resolve(image)).await?;
    if reference.is_none() && registry.login(image.registry()) == Some(Login::Stored) {
        match registry.is_public(image, &resolved.digest).await {
            Ok(true) => {}
            Ok(false) => return Err(boot::without_login(image, site.cloud.region())),
            Err(e) => terminal.warn(&format!(
                "Could not check whether instances, which have no login to the registry, may pull {image}: {e}"
            )),
        }
    }
    Ok(Image { resolved, local: false })
}

/// A sandbox has no credentials for Amazon's registries, and asks for none.
///
/// # Errors
/// The refusal.
pub(crate) fn not_amazons(image: &ImageRef) -> Result<()> {
    if image.ecr().is_none() {
        return Ok(());
    }
    Err(Error::refused(format!("{image} is in a registry of AWS, which a sandbox does not speak to")).hint(
        "Pull it with `docker pull`, or give it a name without that registry (`docker tag`): an image that this \
         computer's engine has needs no registry. With another --profile, AWS is asked.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_the_engine_goes_by_its_id() {
        let details = ImageDetails { id: "sha256:abc".into(), architecture: "amd64".into(), ..ImageDetails::default() };
        let local = Image::of_engine(details);
        let image: ImageRef = "myapp:1.0".parse().unwrap();
        assert_eq!(local.pinned(&image), "sha256:abc");
        assert_eq!(local.resolved.architectures, ["amd64"]);
        assert_eq!(local.shown(&image), "myapp:1.0 (sha256:abc of this computer)");
        let remote = Image { local: false, ..local };
        assert_eq!(remote.pinned(&image), "docker.io/library/myapp@sha256:abc");
        assert_eq!(remote.shown(&image), "myapp:1.0@sha256:abc");
    }

    #[test]
    fn amazons_registries_are_refused() {
        let of = |name: &str| not_amazons(&name.parse().unwrap());
        assert!(of("myapp:1").is_ok() && of("localhost:5000/myapp:1").is_ok());
        for host in
            ["dkr.ecr.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws", "dkr.ecr-fips.us-east-2.amazonaws.com"]
        {
            let error = of(&format!("123456789012.{host}/myapp:1")).unwrap_err();
            assert_eq!(error.kind(), aws_core::error::Kind::Refused);
        }
    }
}
