//! The world as it is: the emulator's EC2 and load balancers, and the container engine.
use super::{
    launch::GROUP_TAG,
    state::{Subnet, Template},
    world::{Check, Launched, Order, Seen, Sight, TargetGroup, World},
};
use crate::place::{INSTANCE_LABEL, LABEL, MACHINE_LABEL};
use aws_core::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::Operation},
};
use aws_sdk_ec2::types::{Instance, LaunchTemplateSpecification, ResourceType, Tag, TagSpecification};
use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetDescription};
use bollard::{
    container::LogOutput,
    exec::{CreateExecOptions, StartExecResults},
    models::ContainerSummaryStateEnum,
    query_parameters::{ListContainersOptions, ListVolumesOptions, RemoveContainerOptions, RemoveVolumeOptions},
};
use futures::StreamExt as _;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;

/// How long a check may take.
const CHECK: Duration = Duration::from_secs(3);
/// The delay of a target group that does not say, in seconds.
const DELAY: i64 = 300;

/// Asks for `$2` at port `$1` and writes the status line. Busybox's `nc` runs a program on the connection, so the
/// request needs no end of input, which some servers take for a client that has left. Its `wget` is no help: the
/// static build ends in a segmentation fault on some systems.
const ASK: &str = r#"nc -w 2 127.0.0.1 "$1" -e sh -c 'printf "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: ELB-HealthChecker/2.0\r\nConnection: close\r\n\r\n" "$0"; read -r line; echo "$line" >&2' "$2""#;
/// Whether port `$1` accepts connections.
const CONNECT: &str = r#"nc -w 2 127.0.0.1 "$1" -e true && echo open"#;

/// The emulator and the engine.
pub(super) struct Emulator {
    cloud: Arc<Cloud>,
    engine: docker::Engine,
    id: String,
}

impl Emulator {
    pub(super) fn new(cloud: Arc<Cloud>, engine: docker::Engine, id: String) -> Self {
        Self { cloud, engine, id }
    }

    /// What a command in the instance's container writes, on both streams.
    async fn execute(&self, instance: &str, script: &str, arguments: &[&str]) -> Result<String> {
        let containers = self.containers(&[format!("{MACHINE_LABEL}={instance}")], false).await?;
        let Some(id) = containers.into_iter().find_map(|c| c.id) else {
            return Err(Error::not_found(format!("no container of instance {instance} runs")));
        };
        let failed = |e| Error::failed(format!("cannot run a command in instance {instance}")).caused_by(e);
        let command = ["sh", "-c", script, "sh"].iter().chain(arguments).map(|s| (*s).to_owned()).collect();
        let options = CreateExecOptions::<String> {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command),
            ..CreateExecOptions::default()
        };
        let exec = self.engine.client().create_exec(&id, options).await.map_err(failed)?;
        let started = self.engine.client().start_exec(&exec.id, None).await.map_err(failed)?;
        let mut text = String::new();
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(Ok(LogOutput::StdOut { message } | LogOutput::StdErr { message })) = output.next().await {
                text.push_str(&String::from_utf8_lossy(&message));
            }
        }
        Ok(text)
    }

    async fn containers(&self, labels: &[String], all: bool) -> Result<Vec<bollard::models::ContainerSummary>> {
        let filters = Some(HashMap::from([("label".to_owned(), labels.to_vec())]));
        let options = ListContainersOptions { all, filters, ..ListContainersOptions::default() };
        let listed = self.engine.client().list_containers(Some(options)).await;
        listed.map_err(|e| Error::failed("the container engine does not list its containers").caused_by(e))
    }

    async fn volumes(&self, labels: &[String]) -> Result<Vec<bollard::models::Volume>> {
        let filters = Some(HashMap::from([("label".to_owned(), labels.to_vec())]));
        let listed = self.engine.client().list_volumes(Some(ListVolumesOptions { filters })).await;
        let listed =
            listed.map_err(|e| Error::failed("the container engine does not list its volumes").caused_by(e))?;
        Ok(listed.volumes.unwrap_or_default())
    }

    fn ours(&self) -> String {
        format!("{LABEL}={}", self.id)
    }
}

impl World for Emulator {
    fn region(&self) -> String {
        self.cloud.region().to_owned()
    }

    async fn account(&self) -> Result<String> {
        self.cloud.account().await
    }

    async fn subnets(&self, ids: &[String]) -> Result<Vec<Subnet>> {
        let call = self.cloud.ec2().describe_subnets().set_subnet_ids(Some(ids.to_vec())).send().await;
        let answer = call.unless_gone(&self.cloud, ids.join(", "))?;
        let subnets = answer.and_then(|a| a.subnets).unwrap_or_default();
        let subnet = |s: &aws_sdk_ec2::types::Subnet| {
            let zone = s.availability_zone().unwrap_or_default().to_owned();
            Some(Subnet { id: s.subnet_id()?.to_owned(), zone })
        };
        Ok(subnets.iter().filter_map(subnet).collect())
    }

    async fn template(&self, asked: &Template) -> Result<Option<Template>> {
        let call = self
            .cloud
            .ec2()
            .describe_launch_template_versions()
            .set_launch_template_id(asked.id.clone())
            .set_launch_template_name(asked.name.clone())
            .versions(asked.version.as_deref().unwrap_or("$Default"));
        let named = asked.id.as_ref().or(asked.name.as_ref()).cloned().unwrap_or_default();
        let answer = call.send().await.unless_gone(&self.cloud, named)?;
        let found = answer.and_then(|a| a.launch_template_versions.unwrap_or_default().into_iter().next());
        Ok(found.map(|v| Template {
            id: v.launch_template_id,
            name: v.launch_template_name,
            version: asked.version.clone(),
        }))
    }

    async fn target_group(&self, arn: &str) -> Result<Option<TargetGroup>> {
        let elb = self.cloud.elb();
        let call = elb.describe_target_groups().target_group_arns(arn).send().await;
        // An ARN that is none is not there, either.
        let none = |row: &Operation, code: &str| row.gone.contains(&code) || code == "ValidationError";
        let answer = call.told_unless(&self.cloud, arn, none)?;
        let Some(group) = answer.and_then(|a| a.target_groups.unwrap_or_default().into_iter().next()) else {
            return Ok(None);
        };
        let call = elb.describe_target_group_attributes().target_group_arn(arn).send().await;
        let Some(answer) = call.told_unless(&self.cloud, arn, none)? else { return Ok(None) };
        let delay = answer.attributes().iter().find(|a| a.key() == Some("deregistration_delay.timeout_seconds"));
        let port = group.port().unwrap_or(80);
        // A port of its own, or `traffic-port`.
        let checked = group.health_check_port().and_then(|p| p.parse().ok()).unwrap_or(port);
        let http = group.health_check_protocol() == Some(&ProtocolEnum::Http);
        let matcher = group.matcher().and_then(|m| m.http_code()).unwrap_or("200").to_owned();
        let path = group.health_check_path().unwrap_or("/").to_owned();
        Ok(Some(TargetGroup {
            port,
            check: Check { port: checked, http: http.then_some((path, matcher)) },
            delay: delay.and_then(|d| d.value()?.parse().ok()).unwrap_or(DELAY),
        }))
    }

    /// Instances first: one that runs by then has its container.
    async fn look(&self) -> Result<Sight> {
        let pages = self.cloud.ec2().describe_instances().into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.told(&self.cloud, "")?;
        let instances = pages.iter().flat_map(|p| p.reservations()).flat_map(|r| r.instances());
        let instances = instances.filter_map(|i| Some((i.instance_id()?.to_owned(), seen(i)))).collect();
        let mut containers = BTreeMap::new();
        for container in self.containers(&[MACHINE_LABEL.to_owned()], true).await? {
            if let Some(id) = container.labels.as_ref().and_then(|l| l.get(MACHINE_LABEL)) {
                let runs = container.state == Some(ContainerSummaryStateEnum::RUNNING);
                containers.entry(id.clone()).and_modify(|r| *r |= runs).or_insert(runs);
            }
        }
        Ok(Sight { instances, containers })
    }

    async fn launch(&self, order: &Order) -> Result<Launched> {
        let template = LaunchTemplateSpecification::builder()
            .set_launch_template_id(order.template.id.clone())
            .set_version(order.template.version.clone())
            .build();
        let tags = order.tags.iter().map(|t| Tag::builder().key(&t.key).value(&t.value).build()).collect();
        let tags = TagSpecification::builder().resource_type(ResourceType::Instance).set_tags(Some(tags)).build();
        let call = self
            .cloud
            .ec2()
            .run_instances()
            .launch_template(template)
            .subnet_id(&order.subnet)
            .tag_specifications(tags)
            .client_token(&order.token)
            .min_count(1)
            .max_count(1);
        let answer = call.send().await.told(&self.cloud, &order.subnet)?;
        let instance = answer.instances().first();
        let id = instance.and_then(|i| i.instance_id());
        let id = id.ok_or_else(|| Error::failed("ec2:RunInstances answered without an instance"))?;
        let kind = instance.and_then(|i| i.instance_type()).map(|t| t.as_str().to_owned()).unwrap_or_default();
        Ok(Launched { id: id.to_owned(), kind })
    }

    async fn terminate(&self, instance: &str) -> Result<()> {
        let call = self.cloud.ec2().terminate_instances().instance_ids(instance).send().await;
        call.unless_gone(&self.cloud, instance).map(drop)
    }

    async fn register(&self, arn: &str, instance: &str, port: i32) -> Result<()> {
        let target = TargetDescription::builder().id(instance).port(port).build();
        let call = self.cloud.elb().register_targets().target_group_arn(arn).targets(target).send().await;
        call.told(&self.cloud, instance).map(drop)
    }

    async fn deregister(&self, arn: &str, instance: &str) -> Result<()> {
        let target = TargetDescription::builder().id(instance).build();
        let call = self.cloud.elb().deregister_targets().target_group_arn(arn).targets(target).send().await;
        call.unless_gone(&self.cloud, instance).map(drop)
    }

    async fn unhealthy(&self, arn: &str) -> Result<BTreeSet<String>> {
        let call = self.cloud.elb().describe_target_health().target_group_arn(arn).send().await;
        let answer = call.told(&self.cloud, arn)?;
        let all = answer.target_health_descriptions().iter();
        let state = |d: &aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription| {
            Some(d.target_health()?.state()?.as_str() == "unhealthy")
        };
        let unhealthy = all.filter(|d| state(d) == Some(true));
        Ok(unhealthy.filter_map(|d| Some(d.target()?.id()?.to_owned())).collect())
    }

    async fn answers(&self, instance: &str, check: &Check) -> bool {
        let port = check.port.to_string();
        let asked = async {
            match &check.http {
                Some((path, matcher)) => {
                    let said = self.execute(instance, ASK, &[&port, path]).await?;
                    Ok::<bool, Error>(status(&said).is_some_and(|status| matches(matcher, status)))
                }
                None => Ok(self.execute(instance, CONNECT, &[&port]).await?.contains("open")),
            }
        };
        timeout(CHECK, asked).await.is_ok_and(|answered| answered.unwrap_or(false))
    }

    async fn owners(&self) -> Result<BTreeSet<String>> {
        let labels = [self.ours(), INSTANCE_LABEL.to_owned()];
        let containers = self.containers(&labels, true).await?;
        let of_containers = containers.into_iter().filter_map(|c| c.labels?.remove(INSTANCE_LABEL));
        let volumes = self.volumes(&labels).await?;
        Ok(of_containers.chain(volumes.into_iter().filter_map(|mut v| v.labels.remove(INSTANCE_LABEL))).collect())
    }

    async fn clear(&self, instance: &str) -> Result<()> {
        let labels = [self.ours(), format!("{INSTANCE_LABEL}={instance}")];
        let failed = |what: &str, e| Error::failed(format!("cannot remove {what} of {instance}")).caused_by(e);
        for container in self.containers(&labels, true).await? {
            let id = container.id.unwrap_or_default();
            let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
            absent(self.engine.client().remove_container(&id, Some(options)).await)
                .map_err(|e| failed("the container", e))?;
        }
        for volume in self.volumes(&labels).await? {
            let options = RemoveVolumeOptions { force: true };
            absent(self.engine.client().remove_volume(&volume.name, Some(options)).await)
                .map_err(|e| failed("the volume", e))?;
        }
        Ok(())
    }
}

fn seen(instance: &Instance) -> Seen {
    let group = instance.tags().iter().find(|t| t.key() == Some(GROUP_TAG)).and_then(|t| t.value());
    let state = instance.state().and_then(|s| s.name()).map(|n| n.as_str());
    let zone = instance.placement().and_then(|p| p.availability_zone());
    Seen {
        state: state.unwrap_or_default().to_owned(),
        kind: instance.instance_type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        subnet: instance.subnet_id().unwrap_or_default().to_owned(),
        zone: zone.unwrap_or_default().to_owned(),
        group: group.map(str::to_owned),
    }
}

/// What is not there, or is just going, needs no removing.
fn absent(removed: Result<(), bollard::errors::Error>) -> Result<(), bollard::errors::Error> {
    match removed {
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        other => other,
    }
}

/// The status in a status line.
fn status(said: &str) -> Option<u16> {
    let line = said.lines().find(|l| l.trim_start().starts_with("HTTP/"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a status is one of those in a matcher: `200`, `200,301` or `200-299`.
fn matches(matcher: &str, status: u16) -> bool {
    matcher.split(',').any(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let bound = |text: &str| text.trim().parse::<u16>().ok();
        bound(from).zip(bound(to)).is_some_and(|(from, to)| (from..=to).contains(&status))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_compared_with_the_matcher() {
        assert!(matches("200", 200) && !matches("200", 204));
        assert!(matches("200-299", 204) && matches("200, 301-302", 302) && !matches("200,301", 302));
        assert_eq!(status("HTTP/1.1 503 Service Unavailable\r\n"), Some(503));
        assert_eq!(status("nc: can't connect to remote host: Connection refused\n"), None);
    }
}
