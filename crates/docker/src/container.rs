//! Containers.
use crate::{Engine, errors::Told as _};
use aws_core::{Error, Result};
use bollard::{
    container::LogOutput,
    models::{ContainerCreateBody, ContainerInspectResponse, VolumeCreateRequest},
    query_parameters::{
        CreateContainerOptions, LogsOptions, RemoveContainerOptions, StopContainerOptions, UploadToContainerOptions,
        WaitContainerOptions,
    },
};
use futures::{Stream, StreamExt as _};
use std::collections::BTreeMap;

/// How a container is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Whether its process runs.
    pub running: bool,
    /// How its process ended.
    pub exit_code: i64,
    /// Whether it was ended for want of memory.
    pub out_of_memory: bool,
    /// What kept it from starting.
    pub error: String,
    /// How often the engine started it again.
    pub restarts: i64,
    /// The container's TCP ports, and where they are published on this computer.
    pub ports: BTreeMap<u16, u16>,
    /// Its address in the engine's network; none in the host's network.
    pub address: Option<String>,
}

/// A line of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Whether it went to standard error.
    pub error: bool,
    /// The bytes, with their line end.
    pub text: String,
}

impl Engine {
    /// Creates a container; its id.
    ///
    /// # Errors
    /// When the engine does not have the image, or refuses the configuration.
    pub async fn create(&self, name: Option<&str>, body: ContainerCreateBody) -> Result<String> {
        let options = CreateContainerOptions { name: name.map(str::to_owned), ..CreateContainerOptions::default() };
        Ok(self.client().create_container(Some(options), body).await.told("the container cannot be created")?.id)
    }

    /// Starts a container.
    ///
    /// # Errors
    /// When its program cannot be run, a port is taken, or the engine lacks what it needs.
    pub async fn start(&self, container: &str) -> Result<()> {
        self.client().start_container(container, None).await.told("the container cannot be started")
    }

    /// How a container is; none when there is none of that name.
    pub async fn state(&self, container: &str) -> Result<Option<State>> {
        let found = self.client().inspect_container(container, None).await;
        Ok(found.told_unless_absent(&format!("container {container}"))?.map(State::from))
    }

    /// The last `lines` lines of a container's log, oldest first.
    ///
    /// # Errors
    /// When there is no such container, or its log driver cannot be read.
    pub async fn last_words(&self, container: &str, lines: usize) -> Result<Vec<String>> {
        let options = LogsOptions { stdout: true, stderr: true, tail: lines.to_string(), ..LogsOptions::default() };
        let mut stream = self.client().logs(container, Some(options));
        let mut text = String::new();
        while let Some(piece) = stream.next().await {
            text.push_str(&piece.told("the container's log cannot be read")?.to_string());
        }
        Ok(text.lines().map(|line| line.trim_end().to_owned()).collect())
    }

    /// A container's log from its beginning, until the container ends.
    pub fn follow(&self, container: &str) -> impl Stream<Item = Result<LogLine>> + use<> {
        let options =
            LogsOptions { stdout: true, stderr: true, follow: true, tail: "all".to_owned(), ..LogsOptions::default() };
        let stream = self.client().logs(container, Some(options));
        stream.map(|piece| {
            let piece = piece.told("the container's log cannot be read")?;
            Ok(LogLine { error: matches!(piece, LogOutput::StdErr { .. }), text: piece.to_string() })
        })
    }

    /// Asks a container to end, and ends it by force after `seconds`.
    pub async fn stop(&self, container: &str, seconds: i32) -> Result<()> {
        let options = StopContainerOptions { t: Some(seconds), ..StopContainerOptions::default() };
        let stopped = self.client().stop_container(container, Some(options)).await;
        stopped.told_unless_absent("the container cannot be stopped").map(|_| ())
    }

    /// Removes a container, running or not, and its nameless volumes; whether it was there.
    pub async fn remove(&self, container: &str) -> Result<bool> {
        let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
        let removed = self.client().remove_container(container, Some(options)).await;
        if removed.as_ref().is_err_and(being_removed) {
            // Somebody else is at it, and it is not gone yet.
            let mut gone = self.client().wait_container(container, None::<WaitContainerOptions>);
            while let Some(Ok(_)) = gone.next().await {}
            return Ok(false);
        }
        Ok(removed.told_unless_absent("the container cannot be removed")?.is_some())
    }

    /// Unpacks a tar archive into a directory of a container, running or not, in its volumes too.
    ///
    /// # Errors
    /// When there is no such directory, or the engine cannot.
    pub async fn unpack(&self, container: &str, directory: &str, tar: Vec<u8>) -> Result<()> {
        let options = UploadToContainerOptions { path: directory.to_owned(), ..UploadToContainerOptions::default() };
        let sent = self.client().upload_to_container(container, Some(options), bollard::body_full(tar.into())).await;
        sent.told("files cannot be put into the container")
    }

    /// Lets everybody write to a directory of a container that exists already, running or not: in volumes too, and without
    /// a program in the image.
    pub async fn open_directory(&self, container: &str, directory: &str) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o1777);
        header.set_size(0);
        let mut archive = tar::Builder::new(Vec::new());
        let path = format!("{}/", directory.trim_matches('/'));
        let written = archive.append_data(&mut header, path, std::io::empty()).and_then(|()| archive.into_inner());
        let archive = written.map_err(|e| Error::failed(format!("{directory} cannot be archived: {e}")))?;
        self.unpack(container, "/", archive).await
    }

    /// Creates a volume.
    pub async fn create_volume(&self, volume: VolumeCreateRequest) -> Result<()> {
        self.client().create_volume(volume).await.told("a volume cannot be created").map(|_| ())
    }
}

fn being_removed(fault: &bollard::errors::Error) -> bool {
    use bollard::errors::Error::DockerResponseServerError;
    matches!(fault, DockerResponseServerError { status_code: 409, message } if message.contains("already in progress"))
}

impl From<ContainerInspectResponse> for State {
    fn from(found: ContainerInspectResponse) -> Self {
        let state = found.state.unwrap_or_default();
        let network = found.network_settings.unwrap_or_default();
        let published = network.ports.unwrap_or_default();
        let ports = published.into_iter().filter_map(|(port, bindings)| {
            let inside = port.strip_suffix("/tcp")?.parse().ok()?;
            let outside = bindings?.first()?.host_port.as_ref()?.parse().ok()?;
            Some((inside, outside))
        });
        let networks = network.networks.unwrap_or_default();
        Self {
            running: state.running.unwrap_or_default(),
            exit_code: state.exit_code.unwrap_or_default(),
            out_of_memory: state.oom_killed.unwrap_or_default(),
            error: state.error.unwrap_or_default(),
            restarts: found.restart_count.unwrap_or_default(),
            ports: ports.collect(),
            address: networks.into_values().filter_map(|n| n.ip_address).find(|a| !a.is_empty()),
        }
    }
}
