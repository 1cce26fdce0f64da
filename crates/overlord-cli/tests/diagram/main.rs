//! Pictures of networks of all shapes, as SVG and as Mermaid text.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and the line says where")]
mod example;
mod samples;

use aws_core::{model::Layer, registry::teams::TeamRecord};
use overlord::{
    diagram::{self, Exit, Interconnect, NatKind, Picture, Source},
    organization::types::{self, Team, TeamAccount, Vpn, Zones},
};
use samples::{crowd, peering, sandbox};
use svg::parser::Event;

/// Left, top, width, height.
type Rectangle = (f64, f64, f64, f64);

/// The texts and the boxes of a picture, and that it is well-formed: every tag that opens is closed.
fn parse(text: &str) -> (Vec<String>, Vec<Rectangle>) {
    let (mut words, mut boxes, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for event in svg::read(text).unwrap() {
        match event {
            Event::Tag(name, kind, attributes) => {
                assert!(!["script", "image", "use", "a", "foreignObject", "style"].contains(&name), "{name}");
                for (key, value) in &attributes {
                    assert!(!key.contains("href") && !key.starts_with("on"), "{key}={value}");
                    assert!(!value.contains("NaN") && !value.contains("inf"), "{name} {key}={value}");
                }
                let n = |key: &str| attributes.get(key).and_then(|v| v.parse::<f64>().ok());
                if let ("rect", Some(x), Some(y)) = (name, n("x"), n("y")) {
                    boxes.push((x, y, n("width").unwrap(), n("height").unwrap()));
                }
                match kind {
                    svg::node::element::tag::Type::Start => open.push(name.to_owned()),
                    svg::node::element::tag::Type::End => assert_eq!(open.pop().as_deref(), Some(name)),
                    svg::node::element::tag::Type::Empty => {}
                }
            }
            Event::Text(text) => words.push(text.trim().to_owned()),
            Event::Error(e) => panic!("{e}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    (words, boxes)
}

#[test]
fn a_team_with_a_nat_in_each_zone_and_a_transit_gateway() {
    insta::assert_snapshot!("example_svg", diagram::svg(&example::example()));
    insta::assert_snapshot!("example_mermaid", diagram::mermaid(&example::example()));
}

#[test]
fn a_team_with_one_nat_and_peers() {
    insta::assert_snapshot!("peering_svg", diagram::svg(&peering()));
    insta::assert_snapshot!("peering_mermaid", diagram::mermaid(&peering()));
}

#[test]
fn a_sandbox_with_nothing() {
    insta::assert_snapshot!("sandbox_svg", diagram::svg(&sandbox()));
    insta::assert_snapshot!("sandbox_mermaid", diagram::mermaid(&sandbox()));
}

#[test]
fn any_number_of_zones_fits_on_the_page() {
    for zones in 1..=8 {
        for apps in [0, 1, 4, 5, 30] {
            let mut picture = example::example();
            let mut region = example::ground("ap-southeast-1", "apse1", 100, zones, |_| Exit::None);
            for n in 0..apps {
                example::version(&mut region, &format!("an-application-with-a-long-name-{n} 10.20.30"), n, n % 2 == 0);
            }
            region.interconnect = Interconnect::Transit { gateway: None, pool: vec!["10.0.0.0/8".into(); 20] };
            picture.regions = vec![region.clone(), region];
            let (words, boxes) = parse(&diagram::svg(&picture));
            let page = boxes[0];
            for (x, y, w, h) in &boxes {
                assert!(*x >= 0.0 && *y >= 0.0 && *w > 0.0 && *h > 0.0, "{zones} zones, {apps} applications");
                assert!(x + w <= page.2 + 1.0 && y + h <= page.3 + 1.0, "{zones} zones, {apps} applications");
            }
            assert!(words.iter().filter(|w| *w == &format!("ap-southeast-1{}", char::from(b'`' + zones))).count() == 2);
            assert_eq!(words.iter().any(|w| w.contains("more versions of applications")), apps > 4, "{words:?}");
        }
    }
}

#[test]
fn everything_is_escaped_and_counted() {
    let picture = crowd();
    let text = diagram::svg(&picture);
    assert_eq!(text, diagram::svg(&picture), "the same picture gives the same text");
    let (words, _) = parse(&text);
    let has = |w: &str| words.iter().any(|x| x == w);
    assert!(has("&lt;b&gt;&amp;\"quoted\"&lt;/b&gt; 1"), "{words:?}");
    assert!(has("+ 5 more load balancers") && has("+ 11 more versions of applications") && has("+ 5 more"));
    assert!(has("No subnets yet.") && has("13 peers") && has("NAT instance") && has("+ 2 more"));
    let mermaid = diagram::mermaid(&picture);
    assert!(mermaid.contains("#60;b#62;#38;#34;quoted#34;#60;/b#62; 1") && !mermaid.contains("<b>"), "{mermaid}");
    let starts = mermaid.lines().filter(|l| l.trim_start().starts_with("subgraph ")).count();
    assert_eq!(starts, mermaid.lines().filter(|l| l.trim() == "end").count());
}

#[test]
fn a_mermaid_name_means_one_thing() {
    for picture in [example::example(), peering(), sandbox(), crowd()] {
        let text = diagram::mermaid(&picture);
        let (nodes, edges): (Vec<&str>, Vec<&str>) = text.lines().skip(1).map(str::trim).partition(|l| l.contains('"'));
        let id = |l: &&str| l.trim_start_matches("subgraph ").split(['[', '(', '{']).next().unwrap().to_owned();
        let mut ids: Vec<String> = nodes.iter().map(id).collect();
        ids.sort();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "{ids:?}");
        for edge in edges.iter().filter(|l| l.contains("--") || l.contains("-.")) {
            let ends: Vec<&str> = edge.split(' ').collect();
            assert!([ends[0], ends[2]].iter().all(|e| ids.contains(&(*e).to_owned())), "{edge}");
        }
    }
}

fn team() -> Team {
    Team {
        organization: "acme".parse().unwrap(),
        name: "red".parse().unwrap(),
        account: TeamAccount::Current,
        regions: vec!["eu-west-1".into()],
        zones: Zones::Count(2),
        network_size: 19,
        nat: types::Nat::PerAz,
        interconnect: types::Interconnect::TransitGateway,
        ipv6: true,
        dns_servers: Vec::new(),
        internal_domain: None,
        flow_logs_days: None,
        vpn: Some(Vpn {
            gateway: "198.51.100.7".parse().unwrap(),
            asn: 65000,
            routes: vec!["192.168.0.0/20".parse().unwrap()],
        }),
        domains: Vec::new(),
        saml_metadata: None,
        trusted: None,
        session_hours: 1,
        account_alias: None,
        account_wide: true,
        audit_trail: true,
        audit_trail_days: None,
        ebs_encryption: true,
        block_public_buckets: true,
        imds_v2: true,
        password_policy: true,
        budget: None,
        cost_tags: Vec::new(),
        registry: None,
        peers: Vec::new(),
        tags: [].into(),
        pool: vec!["10.0.0.0/8".parse().unwrap()],
    }
}

fn record() -> TeamRecord {
    let zone = |letter: char, n: u8| {
        serde_json::json!({
            "id": format!("euw1-az{}", n + 1), "name": format!("eu-west-1{letter}"), "public": format!("10.2.{n}.0/24"),
            "shared": format!("10.2.{}.0/24", 8 + n), "private": format!("10.2.{}.0/23", 16 + 2 * n),
        })
    };
    serde_json::from_value(serde_json::json!({
        "team": "red", "account": "123456789012", "interconnect": "transit-gateway", "created": "2026-01-01T00:00:00Z",
        "regions": [{"region": "eu-west-1", "cidr": "10.2.0.0/19", "vpc": "vpc-1", "zones": [zone('a', 0), zone('b', 1)]}],
        "domains": [{"name": "red.example.org", "parent": "example.org"}],
    }))
    .unwrap()
}

#[test]
fn a_plan() {
    let mut team = team();
    let picture = diagram::from_plan(&team, &record());
    assert_eq!((picture.source, picture.domains.as_slice()), (Source::File, &["red.example.org".to_owned()][..]));
    let region = &picture.regions[0];
    assert_eq!((region.zones.len(), region.subnets.len(), region.nats.len()), (2, 6, 2));
    assert!(region.internet && region.egress_only && region.s3);
    assert_eq!(region.vpn.as_ref().unwrap()[0].gateway, "198.51.100.7");
    let exits = |p: &Picture, layer| -> Vec<Exit> {
        p.regions[0].subnets.iter().filter(|s| s.layer == layer).map(|s| s.exit).collect()
    };
    assert_eq!(exits(&picture, Layer::Private), [Exit::Nat(0), Exit::Nat(1)]);
    assert_eq!(exits(&picture, Layer::Public), [Exit::Internet, Exit::Internet]);

    (team.nat, team.interconnect, team.vpn) = (types::Nat::Instance, types::Interconnect::Peering, None);
    let picture = diagram::from_plan(&team, &record());
    let region = &picture.regions[0];
    assert_eq!((region.nats.len(), region.nats[0].kind), (1, NatKind::Instance));
    assert_eq!(exits(&picture, Layer::Shared), [Exit::Nat(0), Exit::Nat(0)]);
    assert_eq!((region.vpn.is_none(), &region.interconnect), (true, &Interconnect::Peering { peers: Vec::new() }));

    team.nat = types::Nat::None;
    let picture = diagram::from_plan(&team, &record());
    assert!(picture.regions[0].nats.is_empty());
    assert_eq!(exits(&picture, Layer::Private), [Exit::None, Exit::None]);
    parse(&diagram::svg(&picture));
}

#[test]
fn peers_get_their_teams_names() {
    let mut picture = peering();
    let mut blue = record();
    (blue.team, blue.regions[0].vpc) = ("blue-team".parse().unwrap(), Some("vpc-2".into()));
    picture.regions[0].name_peers(&[blue]);
    let Interconnect::Peering { peers } = &picture.regions[0].interconnect else { panic!("peers") };
    let names: Vec<&str> = peers.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["blue-team", "green", "ultramarine-and-a-longer-name"]);
}
