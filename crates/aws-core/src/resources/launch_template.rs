//! Launch templates: what the instances of one version are made of.
use super::{
    compare::{Fixed, join},
    role::RoleId,
    security_group::GroupId,
    target_group::IMMUTABLE,
};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        ec2::{ec2_tags, specification},
        network::tag_map,
        operations::ec2,
    },
    engine::{Change, Cx, Needs, Ref, Resource},
    model::{Owner, Owning as _, tag_rules},
    resources::kind::{Kind, named},
};
use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplate as Template, LaunchTemplateBlockDeviceMappingRequest,
    LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecificationRequest, LaunchTemplateInstanceMarketOptionsRequest,
    LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptionsRequest,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, LaunchTemplateTagSpecificationRequest,
    LaunchTemplateVersion, MarketType, RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData, VolumeType,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// Length of a name (EC2 `CreateLaunchTemplate`).
const NAME: std::ops::RangeInclusive<usize> = 3..=128;
/// User data, in bytes before they are encoded ("Run commands when you launch an EC2 instance with user data input").
pub const USER_DATA: usize = 16_384;

/// A launch template has one version, its first: ours is never changed, and what others add is not used.
pub(super) const VERSION: &str = "1";

/// A launch template.
#[derive(Needs)]
pub struct LaunchTemplate {
    /// For whom.
    pub owner: Owner,
    /// The name; at most 128 characters. Instances are named so, too.
    pub name: String,
    /// The noun phrase of step lines.
    pub noun: String,
    /// The machine image. That of the day of creation stays: it is not compared.
    pub image_id: String,
    /// The instance type.
    pub instance_type: String,
    /// The key pair, for SSH.
    pub key_name: Option<String>,
    /// Security groups of the instances.
    pub security_groups: Vec<Ref<GroupId>>,
    /// The role of the instances.
    pub role: Ref<RoleId>,
    /// What the instances do when they start, in plain text; at most 16384 bytes.
    pub user_data: String,
    /// Where the image attaches its root volume.
    pub root_device: String,
    /// Volumes. When the root volume is not among them it is added: encrypted, of the image's size.
    pub volumes: Vec<Volume>,
    /// Whether the instances get public addresses.
    pub public_ip: bool,
    /// Whether they are spot instances.
    pub spot: bool,
}

/// An EBS volume of each instance. It goes with its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Where it is attached.
    pub device: String,
    /// Its size; `None` for the image's.
    pub size_gib: Option<i32>,
    /// Its type; `None` for `gp3`.
    pub kind: Option<String>,
    /// Whether it is encrypted with the account's key for EBS.
    pub encrypted: bool,
}

/// The id of a launch template, `lt-..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchTemplateId(pub String);

/// What was found.
pub struct LiveLaunchTemplate {
    template: Template,
    data: ResponseLaunchTemplateData,
}

/// What instances of the template of this name are: their type, and whether they are Spot instances. `None` when there is
/// no such template.
pub async fn launches(cloud: &Cloud, name: &str) -> Result<Option<(String, bool)>> {
    let call = cloud.ec2().describe_launch_template_versions().launch_template_name(name).versions(VERSION);
    let answer = call.send().await.unless_gone(cloud, name)?;
    let version = answer.and_then(|a| a.launch_template_versions.unwrap_or_default().into_iter().next());
    Ok(version.and_then(|v| v.launch_template_data).and_then(|data| {
        let kind = data.instance_type()?.as_str().to_owned();
        Some((kind, is_spot(&data)))
    }))
}

fn is_spot(data: &ResponseLaunchTemplateData) -> bool {
    data.instance_market_options().and_then(|o| o.market_type()) == Some(&MarketType::Spot)
}

impl LaunchTemplate {
    fn all_volumes(&self) -> Vec<Volume> {
        let mut volumes = self.volumes.clone();
        if !volumes.iter().any(|v| v.device == self.root_device) {
            let root = Volume { device: self.root_device.clone(), size_gib: None, kind: None, encrypted: true };
            volumes.insert(0, root);
        }
        volumes
    }

    fn data(&self, groups: &BTreeSet<String>, profile: &str) -> RequestLaunchTemplateData {
        let groups: Vec<String> = groups.iter().cloned().collect();
        let metadata = LaunchTemplateInstanceMetadataOptionsRequest::builder()
            .http_endpoint(LaunchTemplateInstanceMetadataEndpointState::Enabled)
            .http_tokens(LaunchTemplateHttpTokensState::Required)
            // One hop more than the instance itself: its containers.
            .http_put_response_hop_limit(2)
            .build();
        let mappings = self.all_volumes().iter().map(mapping).collect();
        let data = RequestLaunchTemplateData::builder()
            .image_id(&self.image_id)
            .instance_type(InstanceType::from(self.instance_type.as_str()))
            .set_key_name(self.key_name.clone())
            .iam_instance_profile(LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(profile).build())
            .user_data(STANDARD.encode(&self.user_data))
            .set_block_device_mappings(Some(mappings))
            .metadata_options(metadata)
            .set_tag_specifications(Some(self.launch_tags()))
            .set_instance_market_options(
                self.spot.then(|| {
                    LaunchTemplateInstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).build()
                }),
            );
        // EC2 takes security groups either for the instance or for its interfaces, never both.
        if !self.public_ip {
            return data.set_security_group_ids(Some(groups)).build();
        }
        let interface = LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
            .device_index(0)
            .associate_public_ip_address(true)
            .delete_on_termination(true)
            .set_groups(Some(groups))
            .build();
        data.network_interfaces(interface).build()
    }

    fn fits(&self) -> Result<()> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"().-/_".contains(&b);
        if !NAME.contains(&self.name.len()) || !self.name.bytes().all(allowed) {
            return Err(Error::usage(format!("invalid launch template name `{}`", self.name))
                .hint("EC2 accepts 3 to 128 letters, digits and ().-/_ in the name of a launch template."));
        }
        let size = self.user_data.len();
        if size > USER_DATA {
            return Err(Error::usage(format!("user data of {size} bytes; EC2 allows {USER_DATA}")));
        }
        Ok(())
    }

    fn launch_tags(&self) -> Vec<LaunchTemplateTagSpecificationRequest> {
        let tags = ec2_tags(&self.owner.tags(&self.name));
        let of =
            |kind| LaunchTemplateTagSpecificationRequest::builder().resource_type(kind).set_tags(Some(tags.clone()));
        [ResourceType::Instance, ResourceType::Volume].map(|kind| of(kind).build()).into()
    }

    fn compare(
        &self,
        data: &ResponseLaunchTemplateData,
        groups: &BTreeSet<String>,
        profile: Option<&str>,
    ) -> Vec<Change> {
        let mut fixed = Fixed::new(IMMUTABLE);
        fixed.compare("instance type", data.instance_type().map(InstanceType::as_str), Some(&self.instance_type));
        fixed.compare("key pair", data.key_name(), Some(self.key_name.as_deref().unwrap_or("-")));
        let interface = data.network_interfaces().first();
        let public_ip = interface.and_then(|i| i.associate_public_ip_address()).unwrap_or(false);
        fixed.compare("public address", Some(public_ip), Some(self.public_ip));
        let live_groups = data.security_group_ids().iter().chain(interface.map(|i| i.groups()).unwrap_or_default());
        let live_groups: BTreeSet<String> = live_groups.cloned().collect();
        fixed.compare("security groups", Some(join(&live_groups)), Some(join(groups)));
        let live_profile = data.iam_instance_profile();
        fixed.compare("instance profile", live_profile.and_then(|p| p.name()), profile);
        fixed.compare("spot", Some(is_spot(data)), Some(self.spot));
        // Hashes only: user data may hold values that are nobody's business.
        fixed.compare("user data", data.user_data().map(|d| hash(&decoded(d))), Some(hash(self.user_data.as_bytes())));
        // The root volume's device depends on the machine image, which is not compared.
        for wanted in self.volumes.iter().filter(|v| v.device != self.root_device) {
            let live = data.block_device_mappings().iter().find(|m| m.device_name() == Some(&wanted.device));
            let live = live.and_then(|m| m.ebs()).map(|ebs| {
                let size = wanted.size_gib.and(ebs.volume_size());
                describe(size, ebs.volume_type().map(VolumeType::as_str), ebs.encrypted().unwrap_or(false))
            });
            let wanted_text = describe(wanted.size_gib, wanted.kind.as_deref(), wanted.encrypted);
            fixed.compare(&format!("volume {}", wanted.device), live, Some(wanted_text));
        }
        fixed.changes
    }
}

fn mapping(volume: &Volume) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .set_volume_size(volume.size_gib)
        .volume_type(volume.kind.as_deref().map_or(VolumeType::Gp3, VolumeType::from))
        // `false` is refused for a snapshot that is encrypted; absent means "as it is".
        .set_encrypted(volume.encrypted.then_some(true))
        .delete_on_termination(true)
        .build();
    LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&volume.device).ebs(ebs).build()
}

fn describe(size: Option<i32>, kind: Option<&str>, encrypted: bool) -> String {
    let size = size.map_or_else(String::new, |s| format!("{s} GiB "));
    format!("{size}{}{}", kind.unwrap_or("gp3"), if encrypted { " encrypted" } else { "" })
}

fn decoded(user_data: &str) -> Vec<u8> {
    let compact: String = user_data.split_whitespace().collect();
    STANDARD.decode(&compact).unwrap_or_else(|_| compact.into_bytes())
}

fn hash(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("sha256:{digits}..")
}

impl Kind for LaunchTemplate {
    const NAME: &'static str = "launch template";
    type Owner = Owner;
    type Live = LiveLaunchTemplate;
    type Output = LaunchTemplateId;
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<LiveLaunchTemplate>> {
        let load = async {
            let template = async {
                let call = cloud.ec2().describe_launch_templates().launch_template_names(name).send().await;
                call.unless_gone(cloud, name)
            };
            let version = async {
                let call = cloud.ec2().describe_launch_template_versions().launch_template_name(name);
                call.versions(VERSION).send().await.unless_gone(cloud, name)
            };
            futures::try_join!(template, version)
        };
        let read = cloud.once(format!("launch template {name}"), load).await?;
        let (template, version) = read.as_ref().clone();
        // An emulator may answer with others, too.
        let ours = |t: &Template| t.launch_template_name() == Some(name);
        let Some(template) = template.and_then(|t| t.launch_templates.unwrap_or_default().into_iter().find(ours))
        else {
            return Ok(None);
        };
        owner.claim(Self::NAME, name, &tag_map(template.tags()))?;
        let version: Option<LaunchTemplateVersion> =
            version.and_then(|v| v.launch_template_versions.unwrap_or_default().into_iter().next());
        let data = version.and_then(|v| v.launch_template_data);
        // Without its first version it is of no use: every field differs, which is refused.
        let data = data.unwrap_or_else(|| ResponseLaunchTemplateData::builder().build());
        Ok(Some(LiveLaunchTemplate { template, data }))
    }
    async fn remove(cloud: &Cloud, _: &Owner, name: &str, live: &LiveLaunchTemplate) -> Result<()> {
        let id = live.template.launch_template_id().unwrap_or_default();
        cloud.ec2().delete_launch_template().launch_template_id(id).send().await.unless_gone(cloud, name).map(drop)
    }
    fn output(_: &str, live: &LiveLaunchTemplate) -> LaunchTemplateId {
        LaunchTemplateId(live.template.launch_template_id().unwrap_or_default().into())
    }
}

impl Resource for LaunchTemplate {
    named!(noun);

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &LiveLaunchTemplate) -> Vec<Change> {
        let groups = self.security_groups.iter().filter_map(|g| cx.try_get(*g)).map(|g| g.0.clone()).collect();
        self.compare(&live.data, &groups, cx.try_get(self.role).map(|r| r.profile.as_str()))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveLaunchTemplate> {
        let groups = self.security_groups.iter().map(|g| cx.get(*g).0.clone()).collect();
        let tags = specification(ResourceType::LaunchTemplate, &self.owner.tags(&self.name));
        let token = cx.cloud.token::<ec2::CreateLaunchTemplate>(&self.name);
        let call = cx.cloud.ec2().create_launch_template().client_token(token).launch_template_name(&self.name);
        let call = call.launch_template_data(self.data(&groups, &cx.get(self.role).profile)).tag_specifications(tags);
        let template = call.send().await.told(cx.cloud, &self.name)?.launch_template;
        let template =
            template.ok_or_else(|| Error::failed("AWS answered without the new launch template").retryable())?;
        Ok(LiveLaunchTemplate { template, data: ResponseLaunchTemplateData::builder().build() })
    }
    async fn update(&self, _: &Cx<'_, Cloud>, _: &LiveLaunchTemplate, _: &[Change]) -> Result<LiveLaunchTemplate> {
        Err(Error::refused(format!("launch template {} never changes", self.name)).hint(IMMUTABLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_is_only_ever_shown_as_a_hash() {
        let shown = hash(&decoded(&STANDARD.encode("password=1")));
        assert_eq!(shown, hash(b"password=1"));
        assert!(shown.starts_with("sha256:") && !shown.contains("password"));
        assert_ne!(shown, hash(b"password=2"));
    }

    #[test]
    fn volumes_are_gp3_and_go_with_their_instance() {
        let volume = Volume { device: "/dev/sdf".into(), size_gib: Some(7), kind: None, encrypted: true };
        let ebs = mapping(&volume).ebs.unwrap();
        assert_eq!(ebs.volume_type, Some(VolumeType::Gp3));
        assert_eq!((ebs.volume_size, ebs.encrypted, ebs.delete_on_termination), (Some(7), Some(true), Some(true)));
        let as_it_is = Volume { encrypted: false, kind: Some("io2".into()), size_gib: None, ..volume };
        let ebs = mapping(&as_it_is).ebs.unwrap();
        assert_eq!((ebs.volume_type, ebs.volume_size, ebs.encrypted), (Some(VolumeType::Io2), None, None));
    }
}
