//! What a picture shows, in plain values: both kinds of pictures are made from this alone.
use aws_core::{
    model::{Layer, OrganizationName},
    registry::teams::TeamRecord,
};

/// A team's networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The organization.
    pub organization: String,
    /// The team.
    pub team: String,
    /// Its account's number.
    pub account: String,
    /// Its domains, each a hosted zone.
    pub domains: Vec<String>,
    /// Its regions, the first one first.
    pub regions: Vec<RegionPicture>,
    /// Where this was read.
    pub source: Source,
}

/// Where a picture was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// On AWS.
    Aws,
    /// In the team's file: nothing of it needs to be there.
    File,
}

/// A team's network in a region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegionPicture {
    /// The region.
    pub region: String,
    /// The VPC's id, once it has one.
    pub vpc: Option<String>,
    /// The VPC's address ranges, the main one first.
    pub cidrs: Vec<String>,
    /// The availability zones, in the order of their names.
    pub zones: Vec<Zone>,
    /// The subnets.
    pub subnets: Vec<Subnet>,
    /// Whether there is an internet gateway.
    pub internet: bool,
    /// Whether there is an egress-only internet gateway.
    pub egress_only: bool,
    /// What translates addresses.
    pub nats: Vec<Nat>,
    /// Whether there is an endpoint of S3.
    pub s3: bool,
    /// The VPN gateway's connections; `None` without such a gateway.
    pub vpn: Option<Vec<Vpn>>,
    /// How other teams are reached.
    pub interconnect: Interconnect,
    /// The load balancers.
    pub balancers: Vec<Balancer>,
    /// The applications' versions.
    pub applications: Vec<Application>,
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name in this account: `eu-west-1a`.
    pub name: String,
    /// Which one it is: `euw1-az1`.
    pub id: String,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its layer.
    pub layer: Layer,
    /// Its zone's name.
    pub zone: String,
    /// Its address range.
    pub cidr: String,
    /// Where its default route leads.
    pub exit: Exit,
}

/// Where a subnet's default route leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Exit {
    /// Nowhere.
    #[default]
    None,
    /// To the internet gateway.
    Internet,
    /// To this one of [`RegionPicture::nats`].
    Nat(usize),
    /// To the transit gateway, or a peer.
    Elsewhere,
}

/// What translates addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nat {
    /// Gateway or instance.
    pub kind: NatKind,
    /// The zone it stands in.
    pub zone: String,
    /// Its public address, once it has one.
    pub address: Option<String>,
}

/// What translates addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// A NAT gateway.
    Gateway,
    /// An instance.
    Instance,
}

/// A VPN connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpn {
    /// The public address of the other side.
    pub gateway: String,
    /// Its autonomous system number.
    pub asn: String,
    /// The networks behind it.
    pub routes: Vec<String>,
}

/// How other teams are reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Interconnect {
    /// Not at all.
    #[default]
    None,
    /// Through a transit gateway.
    Transit {
        /// Its id, once it is known.
        gateway: Option<String>,
        /// What is sent there.
        pool: Vec<String>,
    },
    /// By peering connections.
    Peering {
        /// The peers; empty in a plan, which does not know them.
        peers: Vec<Peer>,
    },
}

/// A VPC at the other end of a peering connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The team's name, or what the connection is called.
    pub name: String,
    /// The VPC's id.
    pub vpc: String,
    /// Its address ranges.
    pub cidrs: Vec<String>,
    /// Whether packets can pass.
    pub active: bool,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// Its name, or that of the version it belongs to.
    pub name: String,
    /// Whether only private addresses reach it.
    pub internal: bool,
    /// The layer it stands in.
    pub layer: Layer,
    /// The zones it stands in.
    pub zones: Vec<String>,
}

/// A version of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Application and version.
    pub name: String,
    /// How many instances are wanted.
    pub instances: i32,
    /// The layer the instances are in.
    pub layer: Layer,
    /// The zones they are spread over.
    pub zones: Vec<String>,
}

impl Picture {
    /// A picture of what was seen on AWS.
    pub fn of_aws(organization: &OrganizationName, record: &TeamRecord, regions: Vec<RegionPicture>) -> Self {
        Self {
            organization: organization.to_string(),
            team: record.team.to_string(),
            account: record.account.clone(),
            domains: record.domains.iter().map(|d| d.name.clone()).collect(),
            regions,
            source: Source::Aws,
        }
    }
}

impl RegionPicture {
    /// Calls peers by their teams' names: AWS knows the others' VPCs only by their ids.
    pub fn name_peers(&mut self, teams: &[TeamRecord]) {
        let Interconnect::Peering { peers } = &mut self.interconnect else { return };
        for peer in peers.iter_mut() {
            let theirs = |t: &&TeamRecord| t.regions.iter().any(|r| r.vpc.as_deref() == Some(peer.vpc.as_str()));
            if let Some(team) = teams.iter().find(theirs) {
                peer.name = team.team.to_string();
            }
        }
        peers.sort_by(|a, b| (&a.name, &a.vpc).cmp(&(&b.name, &b.vpc)));
    }

    /// The subnets of a layer in a zone.
    pub(super) fn cell(&self, layer: Layer, zone: &str) -> Vec<&Subnet> {
        self.subnets.iter().filter(|s| s.layer == layer && s.zone == zone).collect()
    }

    /// The layers that have subnets.
    pub(super) fn layers(&self) -> Vec<Layer> {
        Layer::ALL.into_iter().filter(|l| self.subnets.iter().any(|s| s.layer == *l)).collect()
    }
}
