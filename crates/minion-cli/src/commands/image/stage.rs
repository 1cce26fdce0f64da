//! The container of a run with its volumes: made, and removed whatever happens.
use super::local::{LABEL, Local, local, ports};
use crate::{manifest::Manifest, user_data::Arguments};
use aws_core::{
    Error, Result,
    engine::{Cancel, Stop},
};
use docker::{Engine, ImageDetails};
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};
use terminal::Terminal;

/// How long the application may take to end, in seconds; Docker's own patience.
const PATIENCE: i32 = 10;

pub(super) struct Stage {
    pub(super) engine: Engine,
    id: String,
}

/// A container that was started.
pub(super) struct Started {
    pub(super) container: String,
    /// The container's ports, and where they are published.
    pub(super) ports: BTreeMap<u16, u16>,
}

impl Stage {
    pub(super) fn new(engine: Engine) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { engine, id: format!("{:08x}", now.subsec_nanos() ^ std::process::id().rotate_left(16)) }
    }

    /// Makes and starts the container.
    pub(super) async fn start(
        &self,
        manifest: &Manifest,
        arguments: &Arguments<'_>,
        secrets: &BTreeMap<String, String>,
        image: (&str, &ImageDetails),
    ) -> Result<Started> {
        let mut ports = ports(manifest);
        let make = |ports: &BTreeMap<u16, u16>| local(arguments, secrets, image.0, &image.1.user, ports, &self.id);
        let local = make(&ports)?;
        for volume in &local.volumes {
            self.engine.create_volume(volume.clone()).await?;
        }
        let started = match self.container(manifest, local).await {
            // The port was taken meanwhile, or is not the engine's to take.
            Err(error) if is_about_ports(&error) && ports.values().any(|p| *p != 0) => {
                self.engine.remove(&self.name(manifest)).await?;
                ports.values_mut().for_each(|p| *p = 0);
                self.container(manifest, make(&ports)?).await
            }
            other => other,
        };
        let container = started?;
        let state = self.engine.state(&container).await?.unwrap_or_default();
        Ok(Started { container, ports: state.ports })
    }

    fn name(&self, manifest: &Manifest) -> String {
        format!("minion-run-{}-{}", manifest.application_name, self.id)
    }

    async fn container(&self, manifest: &Manifest, local: Local) -> Result<String> {
        let container = self.engine.create(Some(&self.name(manifest)), local.body).await?;
        for directory in local.open {
            self.engine.open_directory(&container, &directory).await?;
        }
        self.engine.start(&container).await?;
        Ok(container)
    }

    /// Removes all that the run made. An application that is still `running` ends gently, until the operator is out of
    /// patience; without, it ends at once.
    pub(super) async fn remove(&self, terminal: &Terminal, cancel: &Cancel, running: Option<&Started>) -> Result<()> {
        let step = terminal.step("Removing the container");
        if let Some(started) = running {
            tokio::select! {
                // What cannot be stopped is removed by force.
                _ = self.engine.stop(&started.container, PATIENCE) => {}
                () = cancel.reached(Stop::Now) => {}
            }
        }
        let label = format!("{LABEL}={}", self.id);
        let removed = step.end(self.engine.remove_labelled(&label).await);
        removed.map(|_| ()).map_err(|e| {
            e.hint(format!("What is left carries the label {label}: `docker ps -a --filter label={label}` shows it."))
        })
    }
}

fn is_about_ports(error: &Error) -> bool {
    let said = error.to_string();
    ["port is already allocated", "address already in use", "privileged port"].iter().any(|w| said.contains(w))
}
