//! The application's container of an instance: it runs on the engine of this computer, in the instance's network.
use super::{Instances, Reply, Request, logs};
use crate::place::{INSTANCE_LABEL, LABEL, MACHINE_LABEL};
use aws_core::{Error, Result, model::image::DOCKER_HUB};
use bollard::{
    auth::DockerCredentials,
    models::{ContainerInspectResponse, VolumeCreateRequest},
    query_parameters::{CreateImageOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder},
};
use docker::run_line::{self, RunLine};
use futures::StreamExt as _;
use serde_json::Value;
use std::{collections::HashMap, sync::PoisonError};

/// Runs `docker ..` of an instance.
pub(super) async fn run(server: &Instances, instance: &str, request: &Request) -> Reply {
    let words: Vec<&str> = request.arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["info" | "version", ..] => Ok(String::new()),
        ["login", ..] => login(server, instance, request),
        ["pull", ..] => pull(server, instance, request.last()).await,
        ["image", "inspect", ..] => inspect_image(server, request).await,
        ["inspect", ..] => inspect(server, instance, request).await,
        ["logs", ..] => return printed(server, instance, request).await,
        ["run", ..] => start(server, instance, request).await,
        _ => Err(Error::failed(format!("`docker {}` is not known in the sandbox", words.join(" ")))),
    };
    match done {
        Ok(output) => Reply::done(output),
        Err(error) => {
            let hints: String = error.hints().iter().map(|hint| format!("{hint}\n")).collect();
            Reply::failed(1, format!("{error}\n{hints}"))
        }
    }
}

/// The name of the application's container of an instance.
pub(crate) fn container_name(instance: &str) -> String {
    format!("{instance}-app")
}

fn said(what: &str, e: &bollard::errors::Error) -> Error {
    Error::failed(format!("{what}: {e}"))
}

fn login(server: &Instances, instance: &str, request: &Request) -> Result<String> {
    let user = request.option("--username").unwrap_or_default().to_owned();
    // Without a registry it is Docker Hub's.
    let registry = if request.last().starts_with('-') { DOCKER_HUB } else { request.last() };
    let mut logins = server.logins.lock().unwrap_or_else(PoisonError::into_inner);
    logins.insert((instance.to_owned(), registry.to_owned()), (user, request.input.trim_end().to_owned()));
    Ok("Login Succeeded\n".into())
}

async fn pull(server: &Instances, instance: &str, image: &str) -> Result<String> {
    let client = server.parts.engine.client();
    // Pinned by its digest or its id, it is the one that was meant: no registry need be asked, and one that was built on
    // this computer is in none.
    if (image.contains('@') || image.starts_with("sha256:")) && client.inspect_image(image).await.is_ok() {
        return Ok(format!("{image}\n"));
    }
    let registry = image.split('/').next().unwrap_or_default();
    // The name under which Docker knows Docker Hub's login.
    let address = if registry == DOCKER_HUB { "https://index.docker.io/v1/" } else { registry };
    let credentials = server.login(instance, registry).map(|(username, password)| DockerCredentials {
        username: Some(username),
        password: Some(password),
        serveraddress: Some(address.to_owned()),
        ..DockerCredentials::default()
    });
    let options = CreateImageOptionsBuilder::default().from_image(image).build();
    let mut progress = client.create_image(Some(options), None, credentials);
    while let Some(step) = progress.next().await {
        step.map_err(|e| said(&format!("{image} cannot be pulled"), &e))?;
    }
    Ok(format!("{image}\n"))
}

async fn inspect_image(server: &Instances, request: &Request) -> Result<String> {
    let image = request.last();
    let found = server.parts.engine.client().inspect_image(image).await;
    let found = found.map_err(|e| said(&format!("image {image} cannot be looked at"), &e))?;
    Ok(filled(request.option("--format").unwrap_or("{{.Id}}"), &as_json(&found)) + "\n")
}

async fn inspect(server: &Instances, instance: &str, request: &Request) -> Result<String> {
    let found = app(server, instance).await?;
    Ok(filled(request.option("--format").unwrap_or("{{.Id}}"), &as_json(&found)) + "\n")
}

async fn app(server: &Instances, instance: &str) -> Result<ContainerInspectResponse> {
    let name = container_name(instance);
    server.parts.engine.client().inspect_container(&name, None).await.map_err(|e| said("No such object: app", &e))
}

fn as_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A template of Go as far as the boot script uses it: `{{.State.Running}}`.
fn filled(template: &str, value: &Value) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let (path, after) = after.split_once("}}").unwrap_or((after, ""));
        let mut found = value;
        for name in path.trim().trim_start_matches('.').split('.') {
            found = &found[name];
        }
        match found {
            Value::Null => {}
            Value::String(word) => text.push_str(word),
            other => text.push_str(&other.to_string()),
        }
        rest = after;
    }
    text + rest
}

/// `docker logs --tail N app`
async fn printed(server: &Instances, instance: &str, request: &Request) -> Reply {
    let tail = request.option("--tail").unwrap_or("all");
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(tail).build();
    let mut lines = server.parts.engine.client().logs(&container_name(instance), Some(options));
    let mut reply = Reply::default();
    while let Some(line) = lines.next().await {
        match line {
            Ok(bollard::container::LogOutput::StdErr { message }) => {
                reply.errors.push_str(&String::from_utf8_lossy(&message));
            }
            Ok(other) => reply.output.push_str(&String::from_utf8_lossy(&other.into_bytes())),
            Err(e) => return Reply::failed(1, format!("{e}\n")),
        }
    }
    reply
}

async fn start(server: &Instances, instance: &str, request: &Request) -> Result<String> {
    let engine = &server.parts.engine;
    let line = run_line::parse(&request.arguments[1..], &request.environment)?;
    let network = instance_container(server, instance).await?;
    let RunLine { image, command, volumes, mut config, .. } = line;
    let labels =
        HashMap::from([(LABEL.to_owned(), server.parts.id.clone()), (INSTANCE_LABEL.to_owned(), instance.to_owned())]);
    let mut host = config.host_config.take().unwrap_or_default();
    // What the boot script calls the host's network is the instance's.
    host.network_mode = Some(format!("container:{network}"));
    let logging = host.log_config.take();
    let mut targets = Vec::new();
    for (n, volume) in volumes.iter().enumerate() {
        let parts = volume.split_once(':');
        let (_, target) = parts.ok_or_else(|| Error::usage(format!("volume {volume} has no target")))?;
        let name = format!("{instance}-{n}");
        let labels = Some(labels.clone());
        engine.create_volume(VolumeCreateRequest { name: Some(name.clone()), labels, ..Default::default() }).await?;
        host.binds.get_or_insert_default().push(format!("{name}:{target}"));
        targets.push(target);
    }
    config.host_config = Some(host);
    config.image = Some(image);
    if !command.is_empty() {
        config.cmd = Some(command);
    }
    config.labels = Some(labels);
    let name = container_name(instance);
    // A boot that was repeated: the container of the last one goes.
    engine.remove(&name).await?;
    let id = engine.create(Some(&name), config).await?;
    for target in targets {
        // As the boot script does it on an instance.
        engine.open_directory(&id, target).await?;
    }
    engine.start(&id).await?;
    logs::follow(server.parts.clone(), instance.to_owned(), logging);
    Ok(format!("{id}\n"))
}

/// The container that is the instance.
async fn instance_container(server: &Instances, instance: &str) -> Result<String> {
    let label = format!("{MACHINE_LABEL}={instance}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let options = ListContainersOptionsBuilder::default().filters(&filters).build();
    let found = server.parts.engine.client().list_containers(Some(options)).await;
    let found = found.map_err(|e| said("the instance cannot be found", &e))?;
    let id = found.into_iter().find_map(|container| container.id);
    id.ok_or_else(|| Error::not_found(format!("instance {instance} has no container")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        let value = serde_json::json!({ "State": { "Running": true, "ExitCode": 0, "Error": "" }, "RestartCount": 2 });
        let filled = |template| filled(template, &value);
        assert_eq!(filled("{{.State.Running}} {{.RestartCount}}"), "true 2");
        assert_eq!(filled("exit code {{.State.ExitCode}}, {{.State.Error}}!"), "exit code 0, !");
        assert_eq!(filled("{{.Nothing.There}}plain"), "plain");
    }
}
