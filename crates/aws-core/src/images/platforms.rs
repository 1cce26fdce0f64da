//! For which architectures an image is: by its index, and where that names none, by what it leads to.
use super::{
    answers::{self, Manifest},
    registry::{Registry, odd},
};
use crate::{
    Error, Result,
    model::image::{ImageRef, valid_digest},
};
use std::collections::{BTreeSet, VecDeque};

/// Manifests of an index without platforms that are read at most.
const READ: usize = 16;

/// What was found out so far.
#[derive(Default)]
pub(super) struct Platforms {
    architectures: Vec<String>,
    other_systems: Vec<String>,
    /// Whether there is an image that does not say.
    unknown: bool,
    /// Why something could not be read.
    error: Option<Error>,
}

impl Platforms {
    /// The architectures of this manifest's images for Linux; none when they do not say. Docker pulls those, too.
    pub(super) async fn of(registry: &Registry<'_>, image: &ImageRef, manifest: Manifest) -> Result<Vec<String>> {
        let mut found = Self::default();
        let mut left = VecDeque::new();
        match &manifest {
            Manifest::Schema1 => {
                return Err(odd(image, "it is in Docker's schema 1, which Docker no longer pulls".into()));
            }
            Manifest::Other(kind) => return Err(odd(image, format!("it is not a container image ({kind})"))),
            Manifest::Image { config } if !valid_digest(config) => {
                return Err(odd(image, "its manifest names no configuration".into()));
            }
            Manifest::Index { .. } | Manifest::Image { .. } => {}
        }
        let done = found.add(registry, image, manifest, &mut left).await;
        found.note(done);
        let mut seen = BTreeSet::new();
        while let Some(digest) = left.pop_front() {
            if !valid_digest(&digest) || !seen.insert(digest.clone()) {
                continue;
            }
            if seen.len() > READ {
                found.unknown = true;
                break;
            }
            let done = found.read(registry, image, &digest, &mut left).await;
            found.note(done);
        }
        found.told(image)
    }

    fn note(&mut self, done: Result<()>) {
        if let Err(error) = done {
            self.error.get_or_insert(error);
        }
    }

    async fn read(
        &mut self,
        registry: &Registry<'_>,
        image: &ImageRef,
        digest: &str,
        left: &mut VecDeque<String>,
    ) -> Result<()> {
        let body = registry.manifest_of(image, digest).await?;
        let manifest = answers::manifest(&body)
            .map_err(|e| odd(image, format!("manifest {digest} of its index cannot be read: {e}")))?;
        self.add(registry, image, manifest, left).await
    }

    /// Adds what a manifest says; what it leads to is put into `left`.
    async fn add(
        &mut self,
        registry: &Registry<'_>,
        image: &ImageRef,
        manifest: Manifest,
        left: &mut VecDeque<String>,
    ) -> Result<()> {
        match manifest {
            Manifest::Index { architectures, other_systems, unnamed } => {
                architectures.into_iter().for_each(|a| add(&mut self.architectures, a));
                other_systems.into_iter().for_each(|s| add(&mut self.other_systems, s));
                left.extend(unnamed);
            }
            Manifest::Image { config } if valid_digest(&config) => {
                let body = registry.configuration_of(image, &config).await?;
                let read = answers::platform(&body);
                match read.map_err(|e| odd(image, format!("its configuration cannot be read: {e}")))? {
                    (os, Some(architecture)) if os == "linux" => add(&mut self.architectures, architecture),
                    (os, None) if os == "linux" => self.unknown = true,
                    (os, _) => add(&mut self.other_systems, os),
                }
            }
            // Beside images, an index may name what is none.
            Manifest::Image { .. } | Manifest::Schema1 | Manifest::Other(_) => {}
        }
        Ok(())
    }

    fn told(self, image: &ImageRef) -> Result<Vec<String>> {
        match (self.unknown, self.architectures.is_empty(), self.other_systems.as_slice()) {
            (true, ..) => Ok(Vec::new()),
            (_, false, _) => Ok(self.architectures),
            (.., []) => Err(self.error.unwrap_or_else(|| odd(image, "its index names no image that can run".into()))),
            (.., systems) => Err(Error::refused(format!("image {image} is for {}, not for Linux", systems.join(", ")))),
        }
    }
}

fn add(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}
