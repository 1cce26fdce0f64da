//! Networks of all shapes.
use crate::example::{example, ground, version};
use aws_core::model::Layer;
use overlord::diagram::{
    Application, Exit, Interconnect, Nat, NatKind, Peer, Picture, RegionPicture, Source, Subnet, Zone,
};

fn nat(region: &RegionPicture, kind: NatKind, zone: usize, address: Option<&str>) -> Nat {
    Nat { kind, zone: region.zones[zone].name.clone(), address: address.map(str::to_owned) }
}

/// One NAT gateway for all zones; three peers, one of which has not accepted.
pub(crate) fn peering() -> Picture {
    let mut region = ground("eu-central-1", "euc1", 4, 2, |_| Exit::Nat(0));
    region.nats = vec![nat(&region, NatKind::Gateway, 0, Some("203.0.113.80"))];
    let peer = |n: u8, name: &str, active| Peer {
        name: name.into(),
        vpc: format!("vpc-{n}"),
        cidrs: vec![format!("10.{n}.0.0/19")],
        active,
    };
    let peers = vec![peer(2, "blue", true), peer(3, "green", true), peer(5, "ultramarine-and-a-longer-name", false)];
    region.interconnect = Interconnect::Peering { peers };
    version(&mut region, "api 7", 2, true);
    let domains = vec!["orange.example.org".into()];
    Picture { team: "orange".into(), domains, regions: vec![region], ..example() }
}

/// A NAT instance or nothing, and nobody to talk to.
pub(crate) fn sandbox() -> Picture {
    let mut region = ground("us-east-1", "use1", 9, 1, |_| Exit::None);
    (region.s3, region.vpc) = (false, None);
    let domains = Vec::new();
    Picture { team: "sandbox".into(), domains, regions: vec![region], source: Source::File, ..example() }
}

/// Eight zones, long names, many of everything, a second region that was imported, a third that is empty.
pub(crate) fn crowd() -> Picture {
    let mut first = ground("ap-southeast-1", "apse1", 11, 8, |i| Exit::Nat(usize::from(i)));
    first.nats = (0..8).map(|z| nat(&first, NatKind::Gateway, z, Some("203.0.113.101"))).collect();
    first.cidrs.push("2001:db8:1234:1a00::/56".into());
    first.egress_only = true;
    for n in 0..9 {
        version(&mut first, &format!("a-service-with-quite-a-long-name-for-tests 2026.{n}"), n, true);
    }
    for n in 0..6 {
        version(&mut first, &format!("public-{n} 1.0"), 8, false);
    }
    let peers = (0..13).map(|n| Peer {
        name: format!("team-{n}"),
        vpc: format!("vpc-{n}"),
        cidrs: vec![format!("10.{}.0.0/19", 20 + n)],
        active: true,
    });
    first.interconnect = Interconnect::Peering { peers: peers.collect() };
    first.vpn = Some(Vec::new());

    let mut second = ground("us-west-2", "usw2", 12, 3, |_| Exit::Nat(0));
    second.nats = vec![nat(&second, NatKind::Instance, 1, None)];
    second.subnets.retain(|s| s.layer != Layer::Shared && (s.layer, s.zone.as_str()) != (Layer::Public, "us-west-2c"));
    let more = |n: u8| Subnet {
        layer: Layer::Private,
        zone: "us-west-2a".into(),
        cidr: format!("10.12.{n}.0/26"),
        exit: Exit::Nat(0),
    };
    second.subnets.extend((24..28).map(more));
    second.interconnect =
        Interconnect::Transit { gateway: None, pool: vec!["10.0.0.0/8".into(), "172.16.0.0/12".into()] };
    second.applications.push(Application {
        name: "<b>&\"quoted\"</b> 1".into(),
        instances: 1,
        layer: Layer::Private,
        zones: vec!["us-west-2b".into()],
    });
    let third = RegionPicture {
        region: "eu-north-1".into(),
        vpc: Some("vpc-1".into()),
        cidrs: vec!["10.13.0.0/19".into()],
        zones: vec![Zone { name: "eu-north-1a".into(), id: "eun1-az1".into() }],
        ..RegionPicture::default()
    };
    let domains = (0..6).map(|n| format!("crowd-{n}.a-subdomain.example.org")).collect();
    Picture { team: "crowd".into(), domains, regions: vec![first, second, third], ..example() }
}
