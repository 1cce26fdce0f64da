//! The network that the documentation shows.
use aws_core::model::Layer;
use overlord::diagram::{
    Application, Balancer, Exit, Interconnect, Nat, NatKind, Picture, RegionPicture, Source, Subnet, Vpn, Zone,
};

/// `n` zones with subnets in `10.<net>.0.0/19`; `nat` says which NAT a zone uses.
pub(crate) fn ground(region: &str, short: &str, net: u8, n: u8, nat: impl Fn(u8) -> Exit) -> RegionPicture {
    let name = |i: u8| format!("{region}{}", char::from(b'a' + i));
    let mut picture = RegionPicture {
        region: region.into(),
        vpc: Some(format!("vpc-0b7e9a091dfa2564{net:x}")),
        cidrs: vec![format!("10.{net}.0.0/19")],
        zones: (0..n).map(|i| Zone { name: name(i), id: format!("{short}-az{}", i + 1) }).collect(),
        internet: true,
        s3: true,
        ..RegionPicture::default()
    };
    for i in 0..n {
        let subnet = |layer, cidr, exit| Subnet { layer, zone: name(i), cidr, exit };
        picture.subnets.extend([
            subnet(Layer::Public, format!("10.{net}.{i}.0/24"), Exit::Internet),
            subnet(Layer::Shared, format!("10.{net}.{}.0/24", 8 + i), nat(i)),
            subnet(Layer::Private, format!("10.{net}.{}.0/23", 16 + 2 * i), nat(i)),
        ]);
    }
    picture
}

/// A load balancer in all zones, and the version behind it.
pub(crate) fn version(region: &mut RegionPicture, name: &str, instances: i32, internal: bool) {
    let zones: Vec<String> = region.zones.iter().map(|z| z.name.clone()).collect();
    let layer = if internal { Layer::Shared } else { Layer::Public };
    region.balancers.push(Balancer { name: name.into(), internal, layer, zones: zones.clone() });
    region.applications.push(Application { name: name.into(), instances, layer: Layer::Private, zones });
}

/// Three zones with a NAT gateway each, a transit gateway, a VPN, three versions of two applications.
pub(crate) fn example() -> Picture {
    let mut region = ground("eu-west-1", "euw1", 2, 3, |i| Exit::Nat(usize::from(i)));
    region.nats = (0..3)
        .map(|i| Nat {
            kind: NatKind::Gateway,
            zone: region.zones[i].name.clone(),
            address: Some(format!("203.0.113.{}", 10 + 7 * i)),
        })
        .collect();
    region.interconnect =
        Interconnect::Transit { gateway: Some("tgw-0d3a6e91c5b7f2084".into()), pool: vec!["10.0.0.0/8".into()] };
    region.vpn = Some(vec![Vpn {
        gateway: "198.51.100.7".into(),
        asn: "65000".into(),
        routes: vec!["192.168.0.0/20".into(), "172.20.0.0/16".into()],
    }]);
    version(&mut region, "clojure-web-hello-world 2.0", 3, true);
    version(&mut region, "clojure-web-hello-world 2.1", 1, true);
    version(&mut region, "shop 1.4", 6, false);
    Picture {
        organization: "acme".into(),
        team: "red".into(),
        account: "123456789012".into(),
        domains: vec!["red.example.org".into(), "red.example.net".into()],
        regions: vec![region],
        source: Source::Aws,
    }
}
