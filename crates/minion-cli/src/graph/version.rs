//! What a version is on AWS: launch template, target groups, load balancer, listeners, Auto Scaling group,
//! DNS name.
use super::application::{owner_of, public_group, version_ports};
use crate::{
    deployed::{DIGEST, DNS_NAME, IMAGE, PORTS, VersionPort, ports_tag},
    manifest::{Manifest, Protocol},
};
use aws_core::{
    cloud::{Cloud, network::Choice, quotas},
    engine::{Graph, NodeId, Ref},
    model::{
        Owner,
        names::{AppVersion, LOAD_BALANCER, shorten},
    },
    resources::{
        alias_record::{Alias, AliasRecord},
        auto_scaling_group::{AutoScalingGroup, Size},
        kind::Named,
        launch_template::{LaunchTemplate, Volume},
        listener::{Listener, ListenerAction, ListenerProtocol},
        load_balancer::{LoadBalancer, LoadBalancerId},
        role::{ExistingRole, RoleId},
        security_group::{ExistingGroup, GroupId},
        target_group::{HealthCheck, TargetGroup, TargetGroupArn, Traffic},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Seconds during which a target that leaves may finish its requests. AWS's default is 300, which makes every
/// deletion wait five minutes; requests of most services end within seconds.
const DRAIN: Duration = Duration::from_secs(30);
/// Time after its launch during which an instance is not replaced for failing health checks: boot, image pull
/// and start of the application. As long as `versions create` waits by default, so that an instance that never
/// gets healthy is still there for a look. An instance that was healthy once is out of the load balancer at once.
const GRACE: Duration = Duration::from_secs(900);

/// What the graph is made from: everything that was found out, decided and rendered before.
pub struct Input<'a> {
    /// Application and version.
    pub id: &'a AppVersion,
    /// The stored manifest.
    pub manifest: &'a Manifest,
    /// The application's ownership tags (no version).
    pub owner: Owner,
    /// The region.
    pub region: &'a str,
    /// The VPC.
    pub vpc: &'a str,
    /// Where the load balancer stands, and the instances.
    pub load_balancer_subnets: &'a Choice,
    /// Subnets of the instances.
    pub instance_subnets: &'a Choice,
    /// Whether the load balancer is reached from the internet.
    pub public: bool,
    /// Whether instances need a public address, because their subnets have no other way out.
    pub instances_public: bool,
    /// The machine image, its root device and that one's size in GiB.
    pub machine_image: &'a str,
    /// Device name of the root volume.
    pub root_device: &'a str,
    /// Size of the root volume in GiB.
    pub root_gib: i32,
    /// EC2 instance type.
    pub instance_type: &'a str,
    /// The virtual processors of all instances to begin with.
    pub processors: u64,
    /// The script that boots the container.
    pub user_data: String,
    /// The image as the operator wrote it, and its digest if known.
    pub image: &'a str,
    /// The digest that the instances run.
    pub digest: Option<&'a str>,
    /// Instances to begin with.
    pub desired: i32,
    /// The certificate of the HTTPS listener.
    pub certificate_arn: Option<&'a str>,
    /// Hosted zone of the version's record; `None` leaves the record out.
    pub zone_id: Option<&'a str>,
    /// The version's DNS name.
    pub dns_name: String,
    /// Ports of versions that exist: the public security group, which all share, keeps them open.
    pub kept_ports: BTreeSet<VersionPort>,
}

/// The owner of a version's own things.
pub fn version_owner(owner: &Owner, id: &AppVersion) -> Owner {
    Owner { version: Some(id.version.to_string()), ..owner.clone() }
}

/// The name of the target group of the `index`-th port.
pub fn target_group_name(id: &AppVersion, index: usize, port: u16) -> String {
    match index {
        0 => id.load_balancer(),
        _ => shorten(&format!("app-{}-{port}", id.label()), LOAD_BALANCER),
    }
}

fn target_group_noun(id: &AppVersion, index: usize, port: u16) -> String {
    if index == 0 { format!("target group for {id}") } else { format!("target group for port {port} of {id}") }
}

/// Everything that `versions create` converges.
pub fn graph(input: &Input<'_>) -> Graph<Cloud> {
    let mut graph = Graph::default();
    add(&mut graph, input);
    graph
}

fn add(graph: &mut Graph<Cloud>, input: &Input<'_>) {
    let Input { id, manifest, .. } = input;
    let application = owner_of(manifest, input.owner.clone());
    let owner = version_owner(&application, id);

    let (instances_group, load_balancers_group, role) = ground(graph, id, &application, input.region);
    let mut balancer_groups = vec![load_balancers_group];
    if input.public {
        let public = public_group(application.clone(), &id.application, manifest, &input.kept_ports);
        balancer_groups.push(graph.add(public));
    }
    let template = graph.add(LaunchTemplate {
        owner: owner.clone(),
        name: id.resource(),
        noun: format!("launch template for {id}"),
        image_id: input.machine_image.to_owned(),
        instance_type: input.instance_type.to_owned(),
        key_name: manifest.ssh_key.then(|| id.application.resource()),
        security_groups: vec![instances_group],
        role,
        user_data: input.user_data.clone(),
        root_device: input.root_device.to_owned(),
        volumes: volumes(input),
        public_ip: input.instances_public,
        spot: manifest.spot,
    });
    let (targets, balancer, listeners) = balancer(graph, input, &owner, balancer_groups);
    let mut marks =
        BTreeMap::from([(IMAGE.to_owned(), input.image.to_owned()), (DNS_NAME.to_owned(), input.dns_name.clone())]);
    marks.insert(PORTS.to_owned(), ports_tag(&version_ports(manifest)));
    marks.extend(input.digest.map(|d| (DIGEST.to_owned(), d.to_owned())));
    graph.add(AutoScalingGroup {
        owner: owner.clone(),
        name: id.resource(),
        noun: format!("auto scaling group for {id}"),
        launch_template: template,
        target_groups: targets,
        after: listeners,
        subnets: input.instance_subnets.ids.clone(),
        size: size(manifest, input.desired),
        processors: quotas::uses_processors(input.instance_type, manifest.spot, input.processors),
        grace: GRACE,
        target_cpu_percent: manifest.scaling.target_cpu_percent,
        marks,
    });
    if let Some(zone_id) = input.zone_id {
        graph.add(AliasRecord { alias: alias(id, zone_id, &input.dns_name, Vec::new()), load_balancer: balancer });
    }
}

/// What a version stands on and its application has: the groups of its instances and of its load balancers, and the role.
pub fn ground(
    graph: &mut Graph<Cloud>,
    id: &AppVersion,
    application: &Owner,
    region: &str,
) -> (Ref<GroupId>, Ref<GroupId>, Ref<RoleId>) {
    let vpc = &application.vpc;
    let mut group = |name: String| graph.external(ExistingGroup { vpc: vpc.clone(), name });
    let (instances, balancers) = (group(id.application.resource()), group(id.application.load_balancer_group()));
    (instances, balancers, graph.external(ExistingRole { name: id.application.role(region) }))
}

fn alias(id: &AppVersion, zone_id: &str, dns_name: &str, after: Vec<NodeId>) -> Alias {
    Alias { zone_id: zone_id.to_owned(), name: dns_name.to_owned(), load_balancer_name: id.load_balancer(), after }
}

/// The sizes of the Auto Scaling group: the manifest's bounds, widened to what was asked for.
fn size(manifest: &Manifest, desired: i32) -> Size {
    let bound = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    Size { min: bound(manifest.scaling.min).min(desired), max: bound(manifest.scaling.max).max(desired), desired }
}

fn volumes(input: &Input<'_>) -> Vec<Volume> {
    let mut volumes = vec![Volume {
        device: input.root_device.to_owned(),
        size_gib: Some(input.root_gib),
        kind: Some("gp3".into()),
        encrypted: true,
    }];
    volumes.extend(input.manifest.ebs_volumes().into_iter().map(|v| Volume {
        device: v.device,
        size_gib: i32::try_from(v.size_gib).ok(),
        kind: Some(v.volume_type.as_str().into()),
        encrypted: v.encrypted,
    }));
    volumes
}

type Balancer = (Vec<Ref<TargetGroupArn>>, Ref<LoadBalancerId>, Vec<NodeId>);

/// Target groups, load balancer and listeners: HTTPS with a redirect where there is a certificate.
fn balancer(
    graph: &mut Graph<Cloud>,
    input: &Input<'_>,
    owner: &Owner,
    security_groups: Vec<Ref<GroupId>>,
) -> Balancer {
    let Input { id, manifest, .. } = input;
    let traffic = match manifest.exposed_protocol {
        Protocol::Http => Traffic::Http,
        Protocol::Tcp => Traffic::Tcp,
    };
    let ports: Vec<u16> = manifest.traffic_ports().iter().map(|p| p.get()).collect();
    let targets: Vec<_> = ports
        .iter()
        .enumerate()
        .map(|(index, port)| {
            graph.add(TargetGroup {
                owner: owner.clone(),
                name: target_group_name(id, index, *port),
                noun: target_group_noun(id, index, *port),
                vpc: input.vpc.to_owned(),
                protocol: traffic,
                port: *port,
                health: health_check(manifest),
                deregistration_delay: DRAIN,
            })
        })
        .collect();
    let balancer = graph.add(LoadBalancer {
        owner: owner.clone(),
        name: id.load_balancer(),
        noun: format!("load balancer for {id}"),
        traffic,
        internal: !input.public,
        subnets: input.load_balancer_subnets.ids.clone(),
        security_groups,
    });
    let mut listen = |port: u16, protocol: ListenerProtocol, action: ListenerAction| {
        let listener = graph.add(Listener {
            owner: owner.clone(),
            name: format!("{}:{port}", id.load_balancer()),
            noun: format!("listener on port {port} for {id}"),
            load_balancer: balancer,
            port,
            protocol,
            action,
        });
        listener.node()
    };
    let listeners = match (manifest.exposed_protocol, input.certificate_arn) {
        (Protocol::Http, Some(arn)) => vec![
            listen(
                443,
                ListenerProtocol::Https { certificate_arn: arn.to_owned() },
                ListenerAction::Forward(targets[0]),
            ),
            listen(80, ListenerProtocol::Http, ListenerAction::RedirectToHttps),
        ],
        (Protocol::Http, None) => vec![listen(80, ListenerProtocol::Http, ListenerAction::Forward(targets[0]))],
        (Protocol::Tcp, _) => ports
            .iter()
            .zip(&targets)
            .map(|(port, target)| listen(*port, ListenerProtocol::Tcp, ListenerAction::Forward(*target)))
            .collect(),
    };
    (targets, balancer, listeners)
}

fn health_check(manifest: &Manifest) -> HealthCheck {
    let check = &manifest.health_check;
    HealthCheck {
        path: manifest.health_check_path().map(str::to_owned),
        port: check.port.map(|p| p.get()),
        interval: check.interval,
        timeout: check.timeout,
        healthy: check.healthy_threshold,
        unhealthy: check.unhealthy_threshold,
        codes: manifest.health_check_codes().map(str::to_owned),
    }
}

/// Adds everything of a version that `versions delete` removes: names follow from application, version and
/// ports. `home` is the hosted zone of its DNS name, and that name.
pub fn deletion(
    graph: &mut Graph<Cloud>,
    id: &AppVersion,
    manifest: &Manifest,
    owner: &Owner,
    home: Option<(&str, &str)>,
) {
    let owner = version_owner(owner, id);
    let template = Named::<LaunchTemplate>::new(&owner, id.resource()).called(format!("launch template for {id}"));
    let template = graph.absent(template).node();
    let ports = manifest.traffic_ports();
    let targets: Vec<NodeId> = ports
        .iter()
        .enumerate()
        .map(|(index, port)| {
            let group = Named::<TargetGroup>::new(&owner, target_group_name(id, index, port.get()));
            graph.absent(group.called(target_group_noun(id, index, port.get()))).node()
        })
        .collect();
    // Its listeners go with it.
    let balancer = Named::<LoadBalancer>::new(&owner, id.load_balancer()).called(format!("load balancer for {id}"));
    let balancer = graph.absent(balancer.before(targets.iter().copied())).node();
    let group = Named::<AutoScalingGroup>::new(&owner, id.resource()).called(format!("auto scaling group for {id}"));
    graph.absent(group.before(targets).before([balancer, template]));
    if let Some((zone_id, dns_name)) = home {
        graph.absent(alias(id, zone_id, dns_name, vec![balancer]));
    }
}
