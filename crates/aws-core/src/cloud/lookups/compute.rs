//! Instance types, machine images, instances, and how they fare.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, ec2::filter},
    model::{Architecture, tags},
};
use aws_sdk_ec2::types::{Filter, Image, Instance, InstanceType};
use base64::Engine as _;
use jiff::Timestamp;

/// What an instance type offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The processor's architecture.
    pub architecture: Architecture,
    /// All of its instance store, in GiB (AWS counts in GB); `None` when it has none.
    pub instance_store_gib: Option<i64>,
    /// Memory, in MiB.
    pub memory_mib: i64,
    /// Virtual processors.
    pub vcpus: i32,
}

impl Machine {
    /// Virtual processors of so many of them.
    pub fn processors(&self, instances: i32) -> u64 {
        let number = |n: i32| u64::try_from(n).unwrap_or_default();
        number(self.vcpus) * number(instances)
    }
}

/// What this instance type offers. Asked once in each run.
///
/// # Errors
/// Usage, when EC2 does not know the type in this region, or it runs no Linux of ours.
pub async fn machine(cloud: &Cloud, instance_type: &str) -> Result<Machine> {
    let load = read_machine(cloud, instance_type);
    Ok(cloud.once(format!("instance type {instance_type}"), load).await?.as_ref().clone())
}

async fn read_machine(cloud: &Cloud, instance_type: &str) -> Result<Machine> {
    let unknown = || {
        Error::usage(format!("{} has no instance type `{instance_type}`", cloud.region())).hint(
            "Check instance_type in the manifest, or --instance-type; `aws ec2 describe-instance-types` lists them.",
        )
    };
    let call = cloud.ec2().describe_instance_types().instance_types(InstanceType::from(instance_type));
    let answer = call.send().await.unless_gone(cloud, instance_type)?.ok_or_else(unknown)?;
    let info = answer.instance_types().first().ok_or_else(unknown)?;
    let supported = info.processor_info().map(|p| p.supported_architectures()).unwrap_or_default();
    let architecture = supported.iter().find_map(|a| Architecture::from_aws(a.as_str())).ok_or_else(|| {
        Error::usage(format!("instance type {instance_type} runs neither amd64 nor arm64 images"))
            .hint("Choose another instance_type.")
    })?;
    Ok(Machine {
        architecture,
        instance_store_gib: info.instance_storage_info().and_then(|s| s.total_size_in_gb()),
        memory_mib: info.memory_info().and_then(|m| m.size_in_mib()).unwrap_or_default(),
        vcpus: info.v_cpu_info().and_then(|c| c.default_v_cpus()).unwrap_or_default(),
    })
}

/// The machine images that AWS recommends for containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amis {
    /// For Intel and AMD.
    pub amd64: Option<String>,
    /// For ARM.
    pub arm64: Option<String>,
}

impl Amis {
    /// The one for this architecture.
    pub fn of(&self, architecture: Architecture) -> Option<&str> {
        match architecture {
            Architecture::Amd64 => self.amd64.as_deref(),
            Architecture::Arm64 => self.arm64.as_deref(),
        }
    }
}

/// Public parameters with the ECS-optimised Amazon Linux 2023 images.
const AMI_AMD64: &str = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id";
const AMI_ARM64: &str = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id";

/// The ECS-optimised Amazon Linux 2023 images of today, in one call. One that is not offered in this region is `None`.
pub async fn recommended_amis(cloud: &Cloud) -> Result<Amis> {
    let names = [AMI_AMD64, AMI_ARM64].map(str::to_owned);
    let answer = cloud.ssm().get_parameters().set_names(Some(names.into())).send().await;
    let answer = answer.told(cloud, "the recommended machine images")?;
    let value = |name| answer.parameters().iter().find(|p| p.name() == Some(name))?.value().map(str::to_owned);
    Ok(Amis { amd64: value(AMI_AMD64), arm64: value(AMI_ARM64) })
}

/// What matters of a machine image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmiDetails {
    /// Where its root volume is attached, e.g. `/dev/xvda`.
    pub root_device: String,
    /// The root volume's least size, in GiB.
    pub root_size_gib: Option<i32>,
    /// The processor it is made for.
    pub architecture: Option<Architecture>,
}

/// What matters of this machine image.
///
/// # Errors
/// Not found, when it does not exist in this region or is not shared with this account.
pub async fn image_details(cloud: &Cloud, ami: &str) -> Result<AmiDetails> {
    let answer = cloud.ec2().describe_images().image_ids(ami).send().await;
    let image = answer.unless_gone(cloud, ami)?.and_then(|a| a.images.unwrap_or_default().into_iter().next());
    image.map(|i| ami_details(&i)).ok_or_else(|| {
        Error::not_found(format!("there is no machine image {ami} in {}", cloud.region()))
            .hint("Check ami_id in the VPC's settings or the manifest; an image id is valid in one region only.")
    })
}

fn ami_details(image: &Image) -> AmiDetails {
    let root_device = image.root_device_name().unwrap_or("/dev/xvda").to_owned();
    let root = image.block_device_mappings().iter().find(|m| m.device_name() == Some(&root_device));
    AmiDetails {
        root_size_gib: root.and_then(|m| m.ebs()?.volume_size()),
        architecture: image.architecture().and_then(|a| Architecture::from_aws(a.as_str())),
        root_device,
    }
}

/// An instance behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The instance's id.
    pub instance: String,
    /// The port on it.
    pub port: Option<i32>,
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining` or `unavailable`.
    pub state: String,
    /// ELB's code, e.g. `Target.FailedHealthChecks`.
    pub reason: Option<String>,
    /// ELB's sentence.
    pub description: Option<String>,
}

/// The targets of this group and their health, sorted by instance.
pub async fn target_health(cloud: &Cloud, target_group_arn: &str) -> Result<Vec<Target>> {
    let call = cloud.elb().describe_target_health().target_group_arn(target_group_arn).send().await;
    let answer = call.told(cloud, target_group_arn)?;
    let mut targets: Vec<Target> = answer
        .target_health_descriptions()
        .iter()
        .filter_map(|d| {
            let health = d.target_health();
            Some(Target {
                instance: d.target()?.id()?.to_owned(),
                port: d.target().and_then(|t| t.port()),
                state: health.and_then(|h| h.state()).map_or("unknown", |s| s.as_str()).to_owned(),
                reason: health.and_then(|h| h.reason()).map(|r| r.as_str().to_owned()),
                description: health.and_then(|h| h.description()).map(str::to_owned),
            })
        })
        .collect();
    targets.sort();
    Ok(targets)
}

/// Something that an Auto Scaling group did, or tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// E.g. `Successful`, `Failed`, `InProgress`.
    pub status: String,
    /// What: `Launching a new EC2 instance: i-..`.
    pub description: String,
    /// Why it failed.
    pub message: Option<String>,
    /// When it began.
    pub at: Option<Timestamp>,
}

/// The latest activities of this group, newest first: the first page, at most 100, which is what a
/// report of a failure shows the beginning of.
pub async fn scaling_activities(cloud: &Cloud, group: &str) -> Result<Vec<Activity>> {
    let call = cloud.autoscaling().describe_scaling_activities().auto_scaling_group_name(group).send().await;
    let answer = call.told(cloud, group)?;
    let activity = |a: &aws_sdk_autoscaling::types::Activity| Activity {
        status: a.status_code().map_or("unknown", |s| s.as_str()).to_owned(),
        description: a.description().unwrap_or_default().to_owned(),
        message: a.status_message().filter(|m| !m.is_empty()).map(str::to_owned),
        at: a.start_time().and_then(|t| Timestamp::from_second(t.secs()).ok()),
    };
    Ok(answer.activities().iter().map(activity).collect())
}

/// What the instance wrote on its console: the latest, or where the type has no such thing, what it wrote
/// soon after its start. `None` when there is nothing yet, or the instance is gone.
pub async fn console_output(cloud: &Cloud, instance: &str) -> Result<Option<String>> {
    for latest in [true, false] {
        // `latest` is understood by Nitro types only.
        let call = cloud.ec2().get_console_output().instance_id(instance).latest(latest).send().await;
        let answer = call.unless_gone(cloud, instance)?;
        let text = answer.and_then(|a| decoded(a.output()?)).filter(|t| !t.trim().is_empty());
        if text.is_some() {
            return Ok(text);
        }
    }
    Ok(None)
}

/// The last lines that an instance's container has written to CloudWatch Logs; none when it has written nothing, or
/// writes elsewhere.
pub async fn last_words(cloud: &Cloud, group: &str, instance: &str, lines: i32) -> Result<Vec<String>> {
    let call = cloud.logs().get_log_events().log_group_name(group).log_stream_name(instance).limit(lines);
    let answer = call.start_from_head(false).send().await.unless_gone(cloud, group)?;
    let events = answer.and_then(|a| a.events).unwrap_or_default();
    Ok(events.into_iter().filter_map(|e| e.message).map(|m| m.trim_end().to_owned()).collect())
}

/// EC2 answers in base64.
fn decoded(output: &str) -> Option<String> {
    let compact: String = output.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The instances of applications in this VPC that are not terminated, of all, one application, or one
/// version.
pub async fn instances(
    cloud: &Cloud,
    vpc: &str,
    application: Option<&str>,
    version: Option<&str>,
) -> Result<Vec<Instance>> {
    let live = ["pending", "running", "shutting-down", "stopping", "stopped"].map(str::to_owned);
    let mut filters = vec![
        filter("vpc-id", vpc),
        Filter::builder().name("instance-state-name").set_values(Some(live.into())).build(),
    ];
    filters.push(match application {
        Some(a) => filter(format!("tag:{}", tags::APPLICATION), a),
        None => filter("tag-key", tags::APPLICATION),
    });
    filters.extend(version.map(|v| filter(format!("tag:{}", tags::VERSION), v)));
    let pages = cloud.ec2().describe_instances().set_filters(Some(filters)).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, vpc)?;
    Ok(found.into_iter().flat_map(|r| r.instances.unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{ArchitectureValues, BlockDeviceMapping, EbsBlockDevice};

    #[test]
    fn an_images_root_volume() {
        let mapping = |device: &str, size| {
            let ebs = EbsBlockDevice::builder().volume_size(size).build();
            BlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
        };
        let image = Image::builder()
            .root_device_name("/dev/xvda")
            .architecture(ArchitectureValues::Arm64)
            .block_device_mappings(mapping("/dev/sdb", 5))
            .block_device_mappings(mapping("/dev/xvda", 30))
            .build();
        assert_eq!(
            ami_details(&image),
            AmiDetails {
                root_device: "/dev/xvda".into(),
                root_size_gib: Some(30),
                architecture: Some(Architecture::Arm64)
            }
        );
    }

    #[test]
    fn console_output_is_base64_with_line_breaks() {
        assert_eq!(decoded("aGVs\nbG8=").as_deref(), Some("hello"));
        assert_eq!(decoded("%"), None);
    }
}
