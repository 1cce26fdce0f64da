//! Removing all that carries a label.
use crate::{Engine, errors::Told as _};
use aws_core::Result;
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions, RemoveVolumeOptions,
};
use std::{collections::HashMap, fmt};

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Containers, by name.
    pub containers: Vec<String>,
    /// Networks, by name.
    pub networks: Vec<String>,
    /// Volumes, by name.
    pub volumes: Vec<String>,
    /// Images, by tag, or by id without one.
    pub images: Vec<String>,
}

impl Removed {
    /// Whether there was nothing to remove.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            (self.containers.len(), "container"),
            (self.networks.len(), "network"),
            (self.volumes.len(), "volume"),
            (self.images.len(), "image"),
        ];
        let some = lists.into_iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> =
            some.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" })).collect();
        f.write_str(&told.join(", "))
    }
}

impl Engine {
    /// Removes all containers, then networks, volumes and images that carry this label (`name` or `name=value`). It goes
    /// on after an error, and tells the first one at the end.
    ///
    /// # Errors
    /// When something cannot be listed or removed: an image that another container uses, a network with others in it.
    pub async fn remove_labelled(&self, label: &str) -> Result<Removed> {
        let filters = || Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])]));
        let client = self.client();
        let (mut removed, mut first) = (Removed::default(), Ok(()));
        let mut note = |result: Result<bool>, name: String, list: &mut Vec<String>| match result {
            Ok(true) => list.push(name),
            Ok(false) => {}
            Err(error) if first.is_ok() => first = Err(error),
            Err(_) => {}
        };

        let options = ListContainersOptions { all: true, filters: filters(), ..ListContainersOptions::default() };
        for container in client.list_containers(Some(options)).await.told("containers cannot be listed")? {
            let id = container.id.unwrap_or_default();
            let name = container.names.unwrap_or_default().first().map_or_else(|| id.clone(), |n| plain(n));
            note(self.remove(&id).await, name, &mut removed.containers);
        }
        let options = ListNetworksOptions { filters: filters() };
        for network in client.list_networks(Some(options)).await.told("networks cannot be listed")? {
            let (id, name) = (network.id.unwrap_or_default(), network.name.unwrap_or_default());
            let gone =
                client.remove_network(&id).await.told_unless_absent(&format!("network {name} cannot be removed"));
            note(gone.map(|g| g.is_some()), name, &mut removed.networks);
        }
        let options = ListVolumesOptions { filters: filters() };
        let volumes = client.list_volumes(Some(options)).await.told("volumes cannot be listed")?;
        for volume in volumes.volumes.unwrap_or_default() {
            let what = format!("volume {} cannot be removed", volume.name);
            let options = RemoveVolumeOptions { force: true };
            let gone = client.remove_volume(&volume.name, Some(options)).await.told_unless_absent(&what);
            note(gone.map(|g| g.is_some()), volume.name, &mut removed.volumes);
        }
        let options = ListImagesOptions { filters: filters(), ..ListImagesOptions::default() };
        for image in client.list_images(Some(options)).await.told("images cannot be listed")? {
            let name = image.repo_tags.first().cloned().unwrap_or_else(|| image.id.clone());
            note(self.remove_image(&image.id).await, name, &mut removed.images);
        }
        first.map(|()| removed)
    }
}

/// Docker lists names with a slash in front.
fn plain(name: &str) -> String {
    name.trim_start_matches('/').to_owned()
}
