//! What a sandbox has made in the engine, found by its label.
use aws_core::{Error, Result};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptionsBuilder,
};
use docker::Engine;
use std::{collections::HashMap, fmt};

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    containers: usize,
    networks: usize,
    volumes: usize,
    images: usize,
}

impl Removed {
    /// Whether nothing was.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.containers, "container"),
            (self.networks, "network"),
            (self.volumes, "volume"),
            (self.images, "image"),
        ];
        let told: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
            .collect();
        f.write_str(&told.join(", "))
    }
}

/// Removes all that carries the label.
///
/// # Errors
/// What the engine says of the first thing that it cannot remove.
pub async fn remove(engine: &Engine, name: &str, value: &str) -> Result<Removed> {
    let client = engine.client();
    let label = format!("{name}={value}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let mut removed = Removed::default();
    let said = |what: &str, e: &bollard::errors::Error| Error::failed(format!("{what}: {e}"));
    // Containers restart, and fakecloud's helpers come and go: until there is none.
    loop {
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = client.list_containers(Some(options)).await.map_err(|e| said("containers cannot be listed", &e))?;
        if found.is_empty() {
            break;
        }
        for id in found.into_iter().filter_map(|container| container.id) {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            match client.remove_container(&id, Some(options)).await {
                Ok(()) => removed.containers += 1,
                Err(e) if gone(&e) => {}
                Err(e) => return Err(said(&format!("container {id} cannot be removed"), &e)),
            }
        }
    }
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let found = client.list_networks(Some(options)).await.map_err(|e| said("networks cannot be listed", &e))?;
    for id in found.into_iter().filter_map(|network| network.id) {
        match client.remove_network(&id).await {
            Ok(()) => removed.networks += 1,
            Err(e) if gone(&e) => {}
            Err(e) => return Err(said(&format!("network {id} cannot be removed"), &e)),
        }
    }
    let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
    let found = client.list_volumes(Some(options)).await.map_err(|e| said("volumes cannot be listed", &e))?;
    for volume in found.volumes.unwrap_or_default() {
        let options = RemoveVolumeOptionsBuilder::default().force(true).build();
        match client.remove_volume(&volume.name, Some(options)).await {
            Ok(()) => removed.volumes += 1,
            Err(e) if gone(&e) => {}
            Err(e) => return Err(said(&format!("volume {} cannot be removed", volume.name), &e)),
        }
    }
    let options = ListImagesOptionsBuilder::default().all(false).filters(&filters).build();
    let found = client.list_images(Some(options)).await.map_err(|e| said("images cannot be listed", &e))?;
    for image in found {
        let options = RemoveImageOptionsBuilder::default().force(true).build();
        match client.remove_image(&image.id, Some(options), None).await {
            Ok(_) => removed.images += 1,
            Err(e) if gone(&e) => {}
            Err(e) => return Err(said(&format!("image {} cannot be removed", image.id), &e)),
        }
    }
    Ok(removed)
}

/// Whether somebody else was faster.
fn gone(e: &bollard::errors::Error) -> bool {
    use bollard::errors::Error::DockerResponseServerError;
    matches!(e, DockerResponseServerError { status_code: 404, .. })
        || matches!(e, DockerResponseServerError { status_code: 409, message } if message.contains("already in progress"))
}
