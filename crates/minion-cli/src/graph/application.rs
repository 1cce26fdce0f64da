//! What an application is on AWS: security groups, role, log group, key pair, stored manifest.
use super::policy::{Location, policy};
use crate::deployed::{Purpose, VersionPort, ports_tag, ranges};
use crate::{
    manifest::{Manifest, limits},
    site::Ground,
};
use aws_core::{
    Result,
    cloud::Cloud,
    engine::{Graph, NodeId, Ref},
    model::{ApplicationName, Owner, tag_rules::VALUE_LIMIT},
    resources::{
        application_manifest::ApplicationManifest,
        key_pair::KeyPair,
        kind::Named,
        log_group::LogGroup,
        role::Role,
        security_group::{GroupId, Ingress, Protocol, SecurityGroup, Source},
    },
};
use files::{Problem, Step::Key};
use ipnet::{IpNet, Ipv4Net};
use std::{collections::BTreeSet, sync::Arc};

/// Stores the private key of a new key pair: name, PEM text.
pub type SaveKey = Arc<dyn Fn(&str, &str) -> Result<()> + Send + Sync>;

/// What the graph is made from.
pub struct Input<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The manifest's text, to be stored.
    pub text: &'a str,
    /// The ownership tags.
    pub owner: Owner,
    /// The VPC's settings and network.
    pub ground: &'a Ground,
    /// The region.
    pub region: &'a str,
    /// Ports of versions that exist: they stay open, whatever the manifest says now.
    pub kept_ports: BTreeSet<VersionPort>,
    /// While versions run: the present inline policy of the role, of which they may need more than the
    /// manifest says now.
    pub running_policy: Option<&'a serde_json::Value>,
    /// What to do with a new private key.
    pub save_key: SaveKey,
}

/// The owner with what the manifest adds to the tags.
pub fn owner_of(manifest: &Manifest, owner: Owner) -> Owner {
    Owner { team: manifest.team_name.as_ref().map(ToString::to_string), extra: manifest.extra_tags(), ..owner }
}

/// What the role grants although the manifest does not say so: versions that run need it at their next boot.
pub fn kept_grants(input: &Input<'_>) -> Vec<String> {
    let kept = |policy| super::policy::kept(input.manifest, &location(input.region, input.ground), policy);
    input.running_policy.map(kept).unwrap_or_default()
}

/// What AWS would refuse of what the manifest makes in this region: known before anything is looked at.
pub fn problem(manifest: &Manifest, region: &str) -> Option<Problem> {
    // Numbers of accounts are all of one length.
    let at = Location { region, account: "123456789012" };
    limits::inline(&policy(manifest, &at, None)).or_else(|| ports_problem(manifest))
}

/// Everything that `applications create` and `update` converge.
pub fn graph(input: &Input<'_>) -> Graph<Cloud> {
    let Input { manifest, ground, .. } = input;
    let name = &manifest.application_name;
    let owner = owner_of(manifest, input.owner.clone());
    let mut graph = Graph::default();
    if manifest.ssh_key {
        let (save, key) = (input.save_key.clone(), name.resource());
        graph.add(KeyPair {
            owner: owner.clone(),
            name: name.resource(),
            noun: format!("key pair for application {name}"),
            save: Arc::new(move |pem| save(&key, pem)),
        });
    }
    let load_balancer = graph.add(SecurityGroup {
        owner: owner.clone(),
        name: name.load_balancer_group(),
        noun: format!("LB security group {}", name.load_balancer_group()),
        description: format!("Load balancers of application {name}"),
        ingress: from_networks(manifest, ground, &input.kept_ports),
    });
    graph.add(SecurityGroup {
        owner: owner.clone(),
        name: name.resource(),
        noun: format!("application security group {}", name.resource()),
        description: format!("Instances of application {name}"),
        ingress: from_load_balancer(manifest, load_balancer, &input.kept_ports),
    });
    graph.add(Role {
        owner: owner.clone(),
        name: name.role(input.region),
        noun: "IAM role and instance profile".into(),
        policy: policy(manifest, &location(input.region, ground), input.running_policy),
        managed_policies: {
            let partition = location(input.region, ground).partition();
            manifest.managed_policies.iter().map(|p| p.arn(partition)).collect()
        },
        boundary: ground.vpc_settings.permissions_boundary.clone(),
    });
    if manifest.uses_log_group() {
        graph.add(LogGroup {
            owner: owner.clone(),
            name: name.log_group(),
            noun: format!("log group {}", name.log_group()),
            retention_days: manifest.logging.retention_days,
        });
    }
    graph.add(ApplicationManifest { owner, noun: format!("stored manifest of {name}"), yaml: input.text.to_owned() });
    graph
}

/// The ports of a version have to fit into a tag: found out here, and not once its load balancer stands.
fn ports_problem(manifest: &Manifest) -> Option<Problem> {
    let length = ports_tag(&version_ports(manifest)).len();
    let message = format!(
        "the list of the {} exposed_ports has {length} characters; it is kept in a tag, and AWS takes {VALUE_LIMIT}",
        manifest.exposed_ports.len()
    );
    let hint = "Ports without gaps between them count as one: 20000 to 20044 are `20000-20044`.";
    (length > VALUE_LIMIT).then(|| Problem::new(&[Key("exposed_ports")], message).hint(hint))
}

/// Where an application of this region and network runs.
pub fn location<'a>(region: &'a str, ground: &'a Ground) -> Location<'a> {
    Location { region, account: &ground.place.account }
}

/// Who reaches an internal load balancer: the VPC and its peers, on the ports it listens on, and no one else.
fn from_networks(manifest: &Manifest, ground: &Ground, kept: &BTreeSet<VersionPort>) -> Vec<Ingress> {
    let ports = ranges(&listening_ports(manifest, kept));
    let own = &ground.place.cidrs;
    // A group has room for few rules: networks beside or within each other are one.
    let networks = Ipv4Net::aggregate(&own.iter().chain(&ground.vpc_settings.peers).copied().collect());
    let mut rules = Vec::new();
    for network in networks {
        let whose = if Ipv4Net::aggregate(own).contains(&network) {
            "the VPC"
        } else if own.iter().any(|cidr| network.contains(cidr)) {
            "the VPC and its peers"
        } else {
            "a peer network"
        };
        rules.extend(ports.iter().map(|ports| Ingress {
            protocol: Protocol::Tcp,
            ports: Some(*ports),
            from: Source::Cidr(IpNet::V4(network)),
            description: format!("minion: {whose}"),
        }));
    }
    rules
}

/// The ports on which an instance of this manifest answers its load balancer.
pub fn version_ports(manifest: &Manifest) -> BTreeSet<VersionPort> {
    let purpose = match manifest.exposed_protocol {
        crate::manifest::Protocol::Http => Purpose::Http,
        crate::manifest::Protocol::Tcp => Purpose::Tcp,
    };
    let traffic = manifest.traffic_ports().iter().map(|p| VersionPort { purpose, number: p.get() });
    let health = manifest.health_check.port.map(|p| VersionPort { purpose: Purpose::Health, number: p.get() });
    traffic.chain(health).collect()
}

/// The ports that load balancers of this application listen on: those of the manifest, and of the versions
/// that there are.
fn listening_ports(manifest: &Manifest, kept: &BTreeSet<VersionPort>) -> BTreeSet<u16> {
    version_ports(manifest).union(kept).flat_map(|p| p.listening()).collect()
}

/// Who reaches an instance: its load balancer on the ports it forwards to, and other instances of the application.
fn from_load_balancer(manifest: &Manifest, load_balancer: Ref<GroupId>, kept: &BTreeSet<VersionPort>) -> Vec<Ingress> {
    let ports: BTreeSet<u16> = version_ports(manifest).union(kept).map(|p| p.number).collect();
    let mut rules: Vec<Ingress> = ranges(&ports)
        .into_iter()
        .map(|ports| Ingress {
            protocol: Protocol::Tcp,
            ports: Some(ports),
            from: Source::Group(load_balancer),
            description: "minion: the load balancer".into(),
        })
        .collect();
    rules.push(Ingress {
        protocol: Protocol::All,
        ports: None,
        from: Source::Itself,
        description: "minion: instances of the same application".into(),
    });
    rules
}

/// The security group that opens public load balancers to the world: made by the first public version, and
/// shared by all. `kept` are the ports of versions that exist.
pub fn public_group(
    owner: Owner,
    name: &ApplicationName,
    manifest: &Manifest,
    kept: &BTreeSet<VersionPort>,
) -> SecurityGroup {
    let ports = ranges(&listening_ports(manifest, kept));
    let everywhere = [IpNet::V4(Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())];
    let ingress = everywhere.into_iter().flat_map(|net| {
        ports.iter().map(move |ports| Ingress {
            protocol: Protocol::Tcp,
            ports: Some(*ports),
            from: Source::Cidr(net),
            description: "minion: everybody".into(),
        })
    });
    SecurityGroup {
        owner,
        name: public_group_name(name),
        noun: format!("public LB security group {}", public_group_name(name)),
        description: format!("Public load balancers of application {name}"),
        ingress: ingress.collect(),
    }
}

/// The name of [`public_group`].
pub fn public_group_name(name: &ApplicationName) -> String {
    format!("{}-public", name.load_balancer_group())
}

/// Everything of an application that `applications delete` removes, whatever the stored manifest says. Key
/// pair, groups, role, log group and manifest have names that follow from the application's.
pub fn deletion(name: &ApplicationName, owner: &Owner, region: &str, keep_logs: bool) -> Graph<Cloud> {
    let mut graph = Graph::default();
    // The stored manifest goes last, so that an interrupted deletion can be continued.
    let manifest = Named::<ApplicationManifest>::new(owner, &owner.application);
    let stored = graph.absent(manifest.called(format!("stored manifest of {name}"))).node();
    let key = Named::<KeyPair>::new(owner, name.resource()).called(format!("key pair for application {name}"));
    graph.absent(key.before([stored]));
    let mut group = |group: String, kind: &str, before: Vec<NodeId>| {
        let noun = format!("{kind} {group}");
        graph.absent(Named::<SecurityGroup>::new(owner, group).called(noun).before(before)).node()
    };
    let public = group(public_group_name(name), "public LB security group", vec![stored]);
    let load_balancer = group(name.load_balancer_group(), "LB security group", vec![stored]);
    // The application's group refers to the load balancers', so it has to go first.
    group(name.resource(), "application security group", vec![stored, load_balancer, public]);
    let role = Named::<Role>::new(owner, name.role(region)).called("IAM role and instance profile");
    graph.absent(role.before([stored]));
    if !keep_logs {
        let noun = format!("log group {}", name.log_group());
        graph.absent(Named::<LogGroup<Owner>>::new(owner, name.log_group()).called(noun).before([stored]));
    }
    graph
}
