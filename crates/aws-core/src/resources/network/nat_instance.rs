//! NAT instances: a small machine of one's own as the way from private subnets to the internet, at a fraction of a
//! NAT gateway's price.
use super::{
    address::ElasticIp,
    fresh::known,
    ids::{AllocationId, NatInstanceId, SubnetId, VpcId},
    kinds::{self, KindId, On, Part, listed},
    lists::{self, Tagged, filter, tagged},
    subnet::Subnet,
    vpc::Vpc,
    waiting::{nameless, until},
};
use crate::{
    Error, Result,
    cloud::{
        Cloud, Told as _,
        lookups::{image_details, machine},
        operations::{ec2, ssm},
        wait::Look,
    },
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    model::{Architecture, Owning as _, TeamOwner, tag_rules},
    resources::{kind::itself, tag_drift},
};
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, BlockDeviceMapping, EbsBlockDevice, Filter, HttpTokensState, Instance,
    InstanceMetadataEndpointState, InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification,
    InstanceStateName, InstanceType, IpPermission, IpRange, ResourceType, SecurityGroup, VolumeType,
};
use aws_smithy_types::DateTime;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::Ipv4Net;
use std::{collections::BTreeSet, time::SystemTime};

/// An instance that forwards packets, with its security group, which has the same name.
///
/// Amazon Linux 2023 from AWS's public parameter, IMDSv2 only, an encrypted root volume, no key and no way in but
/// for what it forwards. A newer image is no difference: terminate the instance, and the next run makes it anew.
#[derive(Clone, Needs)]
pub struct NatInstance {
    /// For whom.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// The public subnet that it stands in.
    pub subnet: Ref<SubnetId>,
    /// Its address on the internet.
    pub address: Ref<AllocationId>,
    /// The instance type: `t4g.nano`.
    pub instance_type: String,
    /// The networks whose packets it forwards.
    pub from: Vec<Ipv4Net>,
}

/// What there is of a NAT instance. When only its group is left, the rest is made anew.
#[derive(Debug, Clone, Default)]
pub struct Live {
    group: Option<SecurityGroup>,
    instance: Option<Instance>,
    /// The owner's addresses that the instance has.
    addresses: Vec<String>,
}

const USER_DATA: &str = include_str!("nat_instance/user_data.sh");
/// The size of Amazon Linux 2023's root volume, in GiB, should the image not tell.
const ROOT_GIB: i32 = 8;

tagged!(Instance, SecurityGroup);

/// The instance of a [`NatInstance`].
pub struct Machine;

impl Part for Machine {
    const NAME: &'static str = NatInstance::KIND;
    const RARE: Option<&'static str> = Some("instance");
    const ON: On = &[KindId::of::<Subnet>, KindId::of::<ElasticIp>, KindId::of::<MachineGroup>];
    type Item = Instance;
    type Output = ();

    fn id(item: &Instance) -> &str {
        item.instance_id().unwrap_or_default()
    }
    fn is_gone(item: &Instance) -> bool {
        matches!(state(item), Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated))
    }
    async fn list(cloud: &Cloud, of: &str, filters: Vec<Filter>) -> Result<Vec<Instance>> {
        let pages = cloud.ec2().describe_instances().set_filters(Some(filters)).into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, of)?;
        Ok(found.into_iter().flat_map(|r| r.instances.unwrap_or_default()).collect())
    }
    /// So long its group, subnet and address are in use.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &Instance) -> Result<()> {
        let id = Self::id(item);
        if cloud.ec2().terminate_instances().instance_ids(id).send().await.unless_gone(cloud, name)?.is_none() {
            return Ok(());
        }
        until(&format!("NAT instance {name} to be gone"), || async move {
            Ok(match read(cloud, name, id).await?.as_ref().and_then(state) {
                None | Some(InstanceStateName::Terminated) => Look::Done(()),
                Some(state) => Look::NotYet(state.as_str().to_owned()),
            })
        })
        .await
    }
    fn output(_: &Instance) {}
}

/// The security group of a [`NatInstance`], whose name it has.
pub struct MachineGroup;

impl Part for MachineGroup {
    // The group goes with its instance.
    const NAME: &'static str = NatInstance::KIND;
    const NOUN: &'static str = "security group";
    const RARE: Option<&'static str> = Some("security-group");
    const ON: On = &[KindId::of::<Vpc>];
    type Item = SecurityGroup;
    type Output = ();

    fn id(item: &SecurityGroup) -> &str {
        item.group_id().unwrap_or_default()
    }
    fn is_of_vpc(item: &SecurityGroup) -> bool {
        item.group_name() == Some("default")
    }
    listed!(describe_security_groups);

    /// What goes away holds it for a while.
    async fn delete(cloud: &Cloud, _: &TeamOwner, name: &str, item: &SecurityGroup) -> Result<()> {
        let done = cloud.ec2().delete_security_group().group_id(Self::id(item)).send().await;
        done.unless_gone(cloud, name).map(drop)
    }
    fn output(_: &SecurityGroup) {}
}

async fn read(cloud: &Cloud, name: &str, id: &str) -> Result<Option<Instance>> {
    let found = cloud.ec2().describe_instances().instance_ids(id).send().await.unless_gone(cloud, name)?;
    let all = found.and_then(|f| f.reservations).unwrap_or_default();
    Ok(all.into_iter().flat_map(|r| r.instances.unwrap_or_default()).next())
}

/// Waits until the instance is in this state.
async fn reach(cloud: &Cloud, name: &str, id: &str, wanted: &InstanceStateName) -> Result<Instance> {
    until(&format!("NAT instance {name} to be {}", wanted.as_str()), || async move {
        let Some(live) = read(cloud, name, id).await? else { return Ok(Look::NotYet("it is to appear".into())) };
        match state(&live) {
            Some(there) if there == wanted => Ok(Look::Done(live)),
            Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown) => {
                let why = live.state_reason().and_then(|r| r.message()).unwrap_or("AWS does not say why").to_owned();
                Err(Error::failed(format!("NAT instance {name} ({id}) did not start: {why}")))
            }
            state => Ok(Look::NotYet(state.map_or("unknown", InstanceStateName::as_str).to_owned())),
        }
    })
    .await
}

fn state(live: &Instance) -> Option<&InstanceStateName> {
    live.state()?.name()
}

/// The image of today.
async fn image(cloud: &Cloud, architecture: Architecture) -> Result<String> {
    let architecture = match architecture {
        Architecture::Amd64 => "x86_64",
        Architecture::Arm64 => "arm64",
    };
    let name = format!("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}");
    let found = cloud.ssm().get_parameter().name(&name).send().await.told(cloud, &name)?;
    found.parameter.and_then(|p| p.value).ok_or_else(nameless::<ssm::GetParameter>)
}

/// The rules of a group: the networks that may send all they like, and what else is open.
fn rules(group: &SecurityGroup) -> (BTreeSet<Ipv4Net>, Vec<IpPermission>) {
    let mut open = BTreeSet::new();
    let mut other = Vec::new();
    for rule in group.ip_permissions() {
        let mut rest = rule.clone();
        if rule.ip_protocol() == Some("-1") {
            let ranges = rule.ip_ranges().iter().filter_map(|r| r.cidr_ip()?.parse::<Ipv4Net>().ok());
            open.extend(ranges);
            rest.ip_ranges = None;
        }
        let sources = rest.ip_ranges().len() + rest.ipv6_ranges().len() + rest.prefix_list_ids().len();
        if sources + rest.user_id_group_pairs().len() > 0 {
            other.push(rest);
        }
    }
    (open, other)
}

fn all_from(networks: impl IntoIterator<Item = Ipv4Net>) -> IpPermission {
    let range = |n: Ipv4Net| IpRange::builder().cidr_ip(n.to_string()).description("overlord: forwarded").build();
    let ranges = networks.into_iter().map(range).collect();
    IpPermission::builder().ip_protocol("-1").set_ip_ranges(Some(ranges)).build()
}

impl NatInstance {
    fn wanted(&self) -> BTreeSet<Ipv4Net> {
        self.from.iter().map(Ipv4Net::trunc).collect()
    }

    /// What is otherwise than it should be; what is still to be made is not compared.
    fn differs(&self, live: &Live, vpc: Option<&str>, subnet: Option<&str>, address: Option<&str>) -> Vec<Change> {
        let mut changes = self.group_differs(live.group.as_ref(), vpc);
        let mut tags = live.group.iter().map(Tagged::tag_map).chain(live.instance.iter().map(Tagged::tag_map));
        let stale = tags.by_ref().map(|t| tag_drift::changes(&self.owner, &t)).find(|c| !c.is_empty());
        match &live.instance {
            None => changes.push(Change::new("instance", "missing", "running")),
            Some(instance) => changes.extend(self.instance_differs(instance, live, subnet, address)),
        }
        changes.extend(stale.unwrap_or_default());
        changes
    }

    fn group_differs(&self, group: Option<&SecurityGroup>, vpc: Option<&str>) -> Vec<Change> {
        let Some(group) = group else { return vec![Change::new(MachineGroup::NOUN, "missing", &self.name)] };
        let mut changes = Vec::new();
        if let Some(vpc) = vpc.filter(|v| group.vpc_id() != Some(v)) {
            let hint =
                format!("Terminate the instance and delete {}, then run the same command.", MachineGroup::id(group));
            changes.push(Change::refused("VPC", group.vpc_id().unwrap_or("-"), vpc, hint));
        }
        let (wanted, (open, other)) = (self.wanted(), rules(group));
        changes
            .extend(wanted.difference(&open).map(|n| Change::new(format!("packets from {n}"), "refused", "forwarded")));
        changes
            .extend(open.difference(&wanted).map(|n| Change::new(format!("packets from {n}"), "forwarded", "refused")));
        if !other.is_empty() {
            changes.push(Change::new("other rules of its security group", other.len(), 0));
        }
        changes
    }

    fn instance_differs(
        &self,
        instance: &Instance,
        live: &Live,
        subnet: Option<&str>,
        address: Option<&str>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(subnet) = subnet.filter(|s| instance.subnet_id() != Some(s)) {
            let hint = format!("Terminate {}, then run the same command: it is made anew.", Machine::id(instance));
            changes.push(Change::refused("subnet", instance.subnet_id().unwrap_or("-"), subnet, hint));
        }
        let running = InstanceStateName::Running.as_str();
        let there = state(instance).map_or("unknown", InstanceStateName::as_str);
        if there != running {
            changes.push(Change::new("state", there, running));
        }
        let kind = instance.instance_type().map_or("-", InstanceType::as_str);
        if kind != self.instance_type {
            changes.push(Change::new("instance type (it is stopped for a minute)", kind, &self.instance_type));
        }
        if instance.source_dest_check() != Some(false) {
            changes.push(Change::new("source/destination check", "on", "off"));
        }
        if !safe_metadata(instance) {
            changes.push(Change::new("instance metadata", "IMDSv1, too", "IMDSv2 only"));
        }
        if let Some(group) = live.group.as_ref().filter(|g| !is_member(instance, g)) {
            changes.push(Change::new(MachineGroup::NOUN, "another", MachineGroup::id(group)));
        }
        if let Some(address) = address.filter(|a| !live.addresses.iter().any(|b| b == a)) {
            changes.push(Change::new("address", live.addresses.first().map_or("-", String::as_str), address));
        }
        changes
    }

    /// Makes whatever is missing and changes whatever differs, of the group first.
    async fn converge(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<Live> {
        let cloud = cx.cloud;
        let (VpcId { id: vpc, .. }, SubnetId(subnet)) = (cx.get(self.vpc), cx.get(self.subnet));
        let AllocationId(address) = cx.get(self.address);
        let changes = self.differs(live, Some(vpc), Some(subnet), Some(address));
        Change::allowed(&changes, format!("NAT instance {}", self.name))?;
        let group = match &live.group {
            Some(group) => group.clone(),
            None => self.create_group(cloud, vpc).await?,
        };
        self.open(cloud, &group).await?;
        let started = match &live.instance {
            Some(instance) => self.resized(cloud, instance).await?,
            None => self.launch(cloud, &group, subnet).await?,
        };
        let id = Machine::id(&started);
        let instance = match state(&started) {
            Some(InstanceStateName::Running) => started.clone(),
            _ => reach(cloud, &self.name, id, &InstanceStateName::Running).await?,
        };
        self.adjust(cloud, &instance, &group).await?;
        if live.instance.is_none() || !live.addresses.contains(address) {
            let call = cloud.ec2().associate_address().allocation_id(address).instance_id(id).allow_reassociation(true);
            call.send().await.told(cloud, &self.name)?;
            // Only with its address can a new one fetch what it lacks. A run that is cut off before has not associated it.
            if live.instance.as_ref().is_none_or(is_new) {
                ready::wait(cloud, &self.name, id).await?;
            }
        }
        for (id, tags) in [(MachineGroup::id(&group), group.tag_map()), (id, instance.tag_map())] {
            lists::retag(cloud, &self.owner, (id, &self.name), &tags, &[]).await?;
        }
        Ok(Live { group: Some(group), instance: Some(instance), addresses: vec![address.clone()] })
    }

    async fn create_group(&self, cloud: &Cloud, vpc: &str) -> Result<SecurityGroup> {
        let tags = self.owner.tags(&self.name);
        let call = cloud.ec2().create_security_group().group_name(&self.name).vpc_id(vpc);
        let call = call.description("Whose packets the NAT instance of this name forwards");
        let made = call.tag_specifications(lists::specification(ResourceType::SecurityGroup, &tags)).send().await;
        match made.told(cloud, &self.name) {
            Ok(made) => {
                let id = made.group_id.ok_or_else(nameless::<ec2::CreateSecurityGroup>)?;
                let group = SecurityGroup::builder().group_id(id).vpc_id(vpc).group_name(&self.name);
                Ok(group.set_tags(Some(lists::ec2_tags(&tags))).build())
            }
            Err(e) if e.code() == Some("InvalidGroup.Duplicate") => self.duplicate(cloud, vpc, e).await,
            Err(e) => Err(e),
        }
    }

    /// The group that has the name already: somebody else's, or ours when an answer got lost on its way.
    async fn duplicate(&self, cloud: &Cloud, vpc: &str, e: Error) -> Result<SecurityGroup> {
        let call = cloud.ec2().describe_security_groups().filters(filter("vpc-id", vpc));
        let found = call.filters(filter("group-name", &self.name)).send().await;
        let found = found.told(cloud, &self.name)?.security_groups.unwrap_or_default();
        let group = found.into_iter().next().ok_or_else(|| e.retryable())?;
        self.owner.claim(MachineGroup::NOUN, &self.name, &group.tag_map())?;
        Ok(group)
    }

    /// Opens the group for what is to be forwarded, and closes it for all else.
    async fn open(&self, cloud: &Cloud, group: &SecurityGroup) -> Result<()> {
        let (wanted, (open, mut other)) = (self.wanted(), rules(group));
        let missing: Vec<Ipv4Net> = wanted.difference(&open).copied().collect();
        if !missing.is_empty() {
            known(&self.name, || async {
                let call = cloud.ec2().authorize_security_group_ingress().group_id(MachineGroup::id(group));
                call.ip_permissions(all_from(missing.iter().copied())).send().await.told(cloud, &self.name)
            })
            .await?;
        }
        let extra: Vec<Ipv4Net> = open.difference(&wanted).copied().collect();
        if !extra.is_empty() {
            other.push(all_from(extra));
        }
        if !other.is_empty() {
            let call = cloud.ec2().revoke_security_group_ingress().group_id(MachineGroup::id(group));
            call.set_ip_permissions(Some(other)).send().await.told(cloud, &self.name)?;
        }
        Ok(())
    }

    async fn launch(&self, cloud: &Cloud, group: &SecurityGroup, subnet: &str) -> Result<Instance> {
        let machine = machine(cloud, &self.instance_type).await?;
        let image = image(cloud, machine.architecture).await?;
        let details = image_details(cloud, &image).await?;
        let disk = EbsBlockDevice::builder().encrypted(true).volume_type(VolumeType::Gp3).delete_on_termination(true);
        let disk = disk.volume_size(details.root_size_gib.unwrap_or(ROOT_GIB)).build();
        let disk = BlockDeviceMapping::builder().device_name(details.root_device).ebs(disk).build();
        let interface = InstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .subnet_id(subnet)
            .groups(MachineGroup::id(group))
            .associate_public_ip_address(false)
            .delete_on_termination(true)
            .build();
        let metadata = InstanceMetadataOptionsRequest::builder()
            .http_endpoint(InstanceMetadataEndpointState::Enabled)
            .http_tokens(HttpTokensState::Required)
            .http_put_response_hop_limit(1)
            .build();
        let tags = self.owner.tags(&self.name);
        let kinds = [ResourceType::Instance, ResourceType::Volume, ResourceType::NetworkInterface];
        let specifications = kinds.map(|kind| lists::specification(kind, &tags));
        // With the token, a try after a lost answer starts no second instance.
        let token = cloud.token::<ec2::RunInstances>(&self.name);
        let made = cloud
            .ec2()
            .run_instances()
            .client_token(token)
            .image_id(image)
            .instance_type(InstanceType::from(self.instance_type.as_str()))
            .min_count(1)
            .max_count(1)
            .network_interfaces(interface)
            .block_device_mappings(disk)
            .metadata_options(metadata)
            .user_data(STANDARD.encode(USER_DATA))
            .set_tag_specifications(Some(specifications.into()))
            .send()
            .await
            .told(cloud, &self.name)
            .map_err(|e| {
                let scarce = matches!(e.code(), Some("InsufficientInstanceCapacity" | "Unsupported"));
                if scarce { e.hint("The zone has none of this instance type: choose another one.") } else { e }
            })?;
        let made = made.instances.unwrap_or_default().into_iter().next();
        made.filter(|i| i.instance_id().is_some()).ok_or_else(nameless::<ec2::RunInstances>)
    }

    /// The instance, of the wanted type, and started.
    async fn resized(&self, cloud: &Cloud, live: &Instance) -> Result<Instance> {
        let id = Machine::id(live);
        let resize = live.instance_type().map(InstanceType::as_str) != Some(self.instance_type.as_str());
        let mut live = live.clone();
        if resize {
            let wanted = machine(cloud, &self.instance_type).await?.architecture;
            let there = live.architecture().and_then(|a| Architecture::from_aws(a.as_str()));
            if there.is_some_and(|there| there != wanted) {
                let what = format!("NAT instance {} cannot become a {}", self.name, self.instance_type);
                let hint = format!("Its image is for another processor: terminate {id}, then run the same command.");
                return Err(Error::refused(what).hint(hint));
            }
            if matches!(state(&live), Some(InstanceStateName::Pending)) {
                reach(cloud, &self.name, id, &InstanceStateName::Running).await?;
            }
            cloud.ec2().stop_instances().instance_ids(id).send().await.told(cloud, &self.name)?;
        }
        if resize || matches!(state(&live), Some(InstanceStateName::Stopping)) {
            live = reach(cloud, &self.name, id, &InstanceStateName::Stopped).await?;
        }
        if resize {
            let kind = AttributeValue::builder().value(&self.instance_type).build();
            let done = cloud.ec2().modify_instance_attribute().instance_id(id).instance_type(kind).send().await;
            done.told(cloud, &self.name)?;
        }
        if matches!(state(&live), Some(InstanceStateName::Stopped)) {
            cloud.ec2().start_instances().instance_ids(id).send().await.told(cloud, &self.name)?;
        }
        Ok(live)
    }

    /// What can be changed while it runs.
    async fn adjust(&self, cloud: &Cloud, live: &Instance, group: &SecurityGroup) -> Result<()> {
        let id = Machine::id(live);
        let modify = || cloud.ec2().modify_instance_attribute().instance_id(id);
        if live.source_dest_check() != Some(false) {
            let off = AttributeBooleanValue::builder().value(false).build();
            modify().source_dest_check(off).send().await.told(cloud, &self.name)?;
        }
        if !is_member(live, group) {
            modify().groups(MachineGroup::id(group)).send().await.told(cloud, &self.name)?;
        }
        if !safe_metadata(live) {
            let call = cloud.ec2().modify_instance_metadata_options().instance_id(id);
            call.http_tokens(HttpTokensState::Required).send().await.told(cloud, &self.name)?;
        }
        Ok(())
    }
}

/// Whether it runs since so short a time that its script, which runs at its first start, may still be at work.
fn is_new(instance: &Instance) -> bool {
    let runs = matches!(state(instance), Some(InstanceStateName::Pending | InstanceStateName::Running));
    let started = instance.launch_time().map_or(0, DateTime::secs);
    runs && DateTime::from(SystemTime::now()).secs() - started < 900
}

/// Whether the group is the only one of the instance.
fn is_member(instance: &Instance, group: &SecurityGroup) -> bool {
    let groups = instance.security_groups();
    groups.len() == 1 && groups.iter().all(|g| g.group_id() == group.group_id())
}

fn safe_metadata(instance: &Instance) -> bool {
    instance.metadata_options().and_then(|m| m.http_tokens()) == Some(&HttpTokensState::Required)
}

impl Identity for NatInstance {
    const KIND: &'static str = "NAT instance";
    type Cloud = Cloud;
    type Live = Live;
    type Output = NatInstanceId;
    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let (instance, group, addresses) = futures::try_join!(
            kinds::named::<Machine>(cx.cloud, &self.owner, &self.name),
            kinds::named::<MachineGroup>(cx.cloud, &self.owner, &self.name),
            kinds::owned::<ElasticIp>(cx.cloud, &self.owner),
        )?;
        let id = instance.as_ref().and_then(Instance::instance_id);
        let its = addresses.iter().filter(|a| id.is_some() && a.instance_id() == id);
        let addresses = its.filter_map(|a| a.allocation_id().map(str::to_owned)).collect();
        Ok((instance.is_some() || group.is_some()).then_some(Live { group, instance, addresses }))
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        if let Some(instance) = &live.instance {
            Machine::delete(cx.cloud, &self.owner, &self.name, instance).await?;
        }
        match &live.group {
            Some(group) => MachineGroup::delete(cx.cloud, &self.owner, &self.name, group).await,
            None => Ok(()),
        }
    }
    fn output(&self, live: &Live) -> NatInstanceId {
        let instance = live.instance.as_ref();
        let interfaces = instance.map(Instance::network_interfaces).unwrap_or_default();
        let first = interfaces.iter().find(|i| i.attachment().and_then(|a| a.device_index()) == Some(0));
        let interface = first.or(interfaces.first()).and_then(|i| i.network_interface_id());
        NatInstanceId {
            instance: instance.map(Machine::id).unwrap_or_default().to_owned(),
            interface: interface.unwrap_or_default().to_owned(),
        }
    }
}

impl Resource for NatInstance {
    itself!();

    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        let vpc = cx.try_get(self.vpc).map(|v| v.id.as_str());
        let subnet = cx.try_get(self.subnet).map(|s| s.0.as_str());
        self.differs(live, vpc, subnet, cx.try_get(self.address).map(|a| a.0.as_str()))
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        self.converge(cx, &Live::default()).await
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        self.converge(cx, live).await
    }
}

mod ready;
#[cfg(test)]
mod tests;
