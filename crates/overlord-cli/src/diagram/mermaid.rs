//! The picture as Mermaid text, which many sites and editors draw (`flowchart` syntax of its documentation).
use super::picture::{Exit, Interconnect, NatKind, Picture, RegionPicture};
use std::fmt::Write as _;

/// The picture as a Mermaid `flowchart`. The same picture gives the same text.
pub fn mermaid(picture: &Picture) -> String {
    let mut page = Page::default();
    page.line("flowchart TB");
    page.depth = 1;
    let team = [format!("team {}", picture.team), format!("{} · {}", picture.organization, picture.account)];
    page.open("team", &team);
    for (n, domain) in picture.domains.iter().enumerate() {
        page.node(&format!("dns{n}"), Shape::Rounded, &["DNS zone".into(), domain.clone()]);
    }
    for (n, region) in picture.regions.iter().enumerate() {
        draw(&mut page, region, n);
    }
    page.close();
    if picture.regions.iter().any(|r| r.internet || r.egress_only) {
        page.node("internet", Shape::Circle, &["Internet".into()]);
    }
    let edges = std::mem::take(&mut page.edges);
    for edge in edges {
        page.line(&edge);
    }
    for (class, style) in [
        ("public", "fill:#e7f4ea,stroke:#2b6e3d,color:#1e293b"),
        ("shared", "fill:#e6f0fb,stroke:#24589c,color:#1e293b"),
        ("private", "fill:#f8f0e1,stroke:#85590f,color:#1e293b"),
    ] {
        page.line(&format!("classDef {class} {style}"));
    }
    page.text
}

fn draw(page: &mut Page, region: &RegionPicture, n: usize) {
    let id = |what: &str| format!("r{n}{what}");
    page.open(&id(""), std::slice::from_ref(&region.region));
    let name = region.vpc.as_deref().map_or_else(|| "VPC".to_owned(), |v| format!("VPC {v}"));
    page.open(&id("vpc"), &[name, region.cidrs.join(", ")]);
    if region.internet {
        page.node(&id("igw"), Shape::Hexagon, &["Internet gateway".into()]);
        page.edge(&id("igw"), "-->", "internet");
    }
    if region.egress_only {
        page.node(&id("eigw"), Shape::Hexagon, &["Egress-only internet gateway".into()]);
        page.edge(&id("eigw"), "-->", "internet");
    }
    for (z, zone) in region.zones.iter().enumerate() {
        page.open(&id(&format!("z{z}")), &[zone.name.clone(), zone.id.clone()]);
        for (i, nat) in region.nats.iter().enumerate().filter(|(_, nat)| nat.zone == zone.name) {
            let what = match nat.kind {
                NatKind::Gateway => "NAT gateway",
                NatKind::Instance => "NAT instance",
            };
            let address = nat.address.clone().unwrap_or_else(|| "a public address".into());
            page.node(&id(&format!("nat{i}")), Shape::Rounded, &[what.into(), address]);
            if region.internet {
                page.edge(&id(&format!("nat{i}")), "-->", &id("igw"));
            }
        }
        for (i, subnet) in region.subnets.iter().enumerate().filter(|(_, s)| s.zone == zone.name) {
            let own = id(&format!("net{i}"));
            page.node(&own, Shape::Box(subnet.layer.as_str()), &[subnet.layer.to_string(), subnet.cidr.clone()]);
            match subnet.exit {
                Exit::Internet if region.internet => page.edge(&own, "-->", &id("igw")),
                Exit::Nat(nat) => page.edge(&own, "-->", &id(&format!("nat{nat}"))),
                _ => {}
            }
        }
        page.close();
    }
    for (i, balancer) in region.balancers.iter().enumerate() {
        let what = if balancer.internal { "internal load balancer" } else { "public load balancer" };
        page.node(&id(&format!("lb{i}")), Shape::Stadium, &[what.into(), balancer.name.clone()]);
    }
    for (i, application) in region.applications.iter().enumerate() {
        let count = format!("{} × {}", application.instances, application.layer);
        page.node(&id(&format!("app{i}")), Shape::Rounded, &[application.name.clone(), count]);
        for (b, _) in region.balancers.iter().enumerate().filter(|(_, b)| b.name == application.name) {
            page.edge(&id(&format!("lb{b}")), "-.->", &id(&format!("app{i}")));
        }
    }
    page.close();
    beyond(page, region, n);
    page.close();
}

/// What is beyond the VPC.
fn beyond(page: &mut Page, region: &RegionPicture, n: usize) {
    let id = |what: &str| format!("r{n}{what}");
    match &region.interconnect {
        Interconnect::None => {}
        Interconnect::Transit { gateway, pool } => {
            let name = gateway.as_ref().map_or_else(|| "Transit gateway".into(), |g| format!("Transit gateway {g}"));
            page.node(&id("tgw"), Shape::Hexagon, &[name, pool.join(", ")]);
            page.edge(&id("vpc"), "<-->", &id("tgw"));
        }
        Interconnect::Peering { peers } if peers.is_empty() => {
            page.node(&id("peers"), Shape::Box(""), &["Other teams that peer".into()]);
            page.edge(&id("vpc"), "<-->", &id("peers"));
        }
        Interconnect::Peering { peers } => {
            for (i, peer) in peers.iter().enumerate() {
                let own = id(&format!("peer{i}"));
                page.node(&own, Shape::Box(""), &[format!("peer {}", peer.name), peer.cidrs.join(", ")]);
                page.edge(&id("vpc"), if peer.active { "<-->" } else { "-.-" }, &own);
            }
        }
    }
    for (i, vpn) in region.vpn.iter().flatten().enumerate() {
        let own = id(&format!("vpn{i}"));
        let gateway = format!("Customer gateway {} · AS {}", vpn.gateway, vpn.asn);
        page.node(&own, Shape::Hexagon, &[gateway, vpn.routes.join(", ")]);
        page.edge(&id("vpc"), "<-->", &own);
    }
    if region.s3 {
        page.node(&id("storage"), Shape::Cylinder, &["Amazon S3".into()]);
        page.edge(&id("vpc"), "-->", &id("storage"));
    }
}

/// Shapes of nodes; a box may have a class of the same name as its layer.
enum Shape {
    Box(&'static str),
    Rounded,
    Stadium,
    Hexagon,
    Circle,
    Cylinder,
}

#[derive(Default)]
struct Page {
    text: String,
    depth: usize,
    edges: Vec<String>,
}

impl Page {
    fn line(&mut self, line: &str) {
        writeln!(self.text, "{:1$}{line}", "", self.depth * 2).expect("a string takes everything");
    }
    fn open(&mut self, id: &str, label: &[String]) {
        self.line(&format!("subgraph {id}[\"{}\"]", label_of(label)));
        self.depth += 1;
    }
    fn close(&mut self) {
        self.depth -= 1;
        self.line("end");
    }
    fn node(&mut self, id: &str, shape: Shape, label: &[String]) {
        let (open, close, class) = match shape {
            Shape::Box(class) => ("[", "]", class),
            Shape::Rounded => ("(", ")", ""),
            Shape::Stadium => ("([", "])", ""),
            Shape::Hexagon => ("{{", "}}", ""),
            Shape::Circle => ("((", "))", ""),
            Shape::Cylinder => ("[(", ")]", ""),
        };
        let class = if class.is_empty() { String::new() } else { format!(":::{class}") };
        self.line(&format!("{id}{open}\"{}\"{close}{class}", label_of(label)));
    }
    /// Edges come last: one before its nodes would make them, outside of their boxes.
    fn edge(&mut self, from: &str, how: &str, to: &str) {
        self.edges.push(format!("{from} {how} {to}"));
    }
}

/// Lines of a label, in quotes. What has a meaning in Mermaid, HTML or Markdown is written by its number.
fn label_of(lines: &[String]) -> String {
    let lines = lines.iter().filter(|l| !l.is_empty());
    lines.map(|l| l.chars().map(escaped).collect::<String>()).collect::<Vec<_>>().join("<br/>")
}

fn escaped(c: char) -> String {
    match c {
        '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' | '*' | '_' | '[' | ']' | '{' | '}' => {
            format!("#{};", u32::from(c))
        }
        c if c.is_control() => " ".into(),
        c => c.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let label = label_of(&["a \"b\" <i>#1</i>".into(), String::new(), "x\ny".into()]);
        assert_eq!(label, "a #34;b#34; #60;i#62;#35;1#60;/i#62;<br/>x y");
    }
}
