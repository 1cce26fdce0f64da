//! What stands on the VPC's edge, and what is beyond it.
use super::{
    draw::{Area, INK, Line, Look, MUTED, NETWORK, PAPER, STORAGE, Sheet, type_of},
    icons::{Icon, icon},
    region::Plan,
};
use crate::diagram::picture::{Interconnect, RegionPicture};

/// Width of what stands on the edge.
const CHIP: f64 = 126.0;
/// Height of what stands on the edge.
const CHIP_HEIGHT: f64 = 34.0;
/// Width of what is beyond.
const CARD: f64 = 226.0;
/// From the chip to the card.
const WAY: f64 = 36.0;
/// Between cards.
const SPACE: f64 = 18.0;
/// Height of a line in a card.
const LINE: f64 = 17.0;
/// Lines in a card; the rest is counted.
const LINES: usize = 8;
/// Width of the gateways above.
const ABOVE: f64 = 158.0;

/// Something beyond the edge, and what leads there.
struct Beyond {
    chip: &'static str,
    chip_icon: Icon,
    icon: Icon,
    colour: &'static str,
    title: String,
    about: String,
    lines: Vec<(String, String)>,
    line: Line,
}

fn beyond(region: &RegionPicture) -> Vec<Beyond> {
    let mut all = Vec::new();
    let plain = |lines: &[String]| lines.iter().map(|l| (l.clone(), String::new())).collect::<Vec<_>>();
    match &region.interconnect {
        Interconnect::None => {}
        Interconnect::Transit { gateway, pool } => all.push(Beyond {
            chip: "attachment",
            chip_icon: Icon::Hub,
            icon: Icon::Hub,
            colour: NETWORK,
            title: "Transit gateway".into(),
            about: gateway.clone().unwrap_or_else(|| "to all other teams".into()),
            lines: plain(pool),
            line: Line::Link,
        }),
        Interconnect::Peering { peers } => all.push(Beyond {
            chip: "peering",
            chip_icon: Icon::Peering,
            icon: Icon::Peering,
            colour: NETWORK,
            title: match peers.len() {
                0 => "Other teams".into(),
                1 => "1 peer".into(),
                n => format!("{n} peers"),
            },
            about: if peers.is_empty() { "with each that peers" } else { "other teams' networks" }.into(),
            lines: peers
                .iter()
                .map(|p| (p.name.clone(), if p.active { p.cidrs.join(", ") } else { "not accepted".into() }))
                .collect(),
            line: if peers.iter().all(|p| p.active) { Line::Link } else { Line::Waiting },
        }),
    }
    match region.vpn.as_deref() {
        None => {}
        Some([]) => all.push(Beyond {
            chip: "VPN gateway",
            chip_icon: Icon::Vpn,
            icon: Icon::Vpn,
            colour: "#475569",
            title: "No VPN connection".into(),
            about: "the gateway leads nowhere".into(),
            lines: Vec::new(),
            line: Line::Waiting,
        }),
        Some(some) => all.extend(some.iter().map(|v| Beyond {
            chip: "VPN gateway",
            chip_icon: Icon::Vpn,
            icon: Icon::Gateway,
            colour: "#475569",
            title: "Customer gateway".into(),
            about: format!("{} · AS {}", v.gateway, v.asn),
            lines: plain(&v.routes),
            line: Line::Link,
        })),
    }
    if region.s3 {
        all.push(Beyond {
            chip: "S3 endpoint",
            chip_icon: Icon::Bucket,
            icon: Icon::Bucket,
            colour: STORAGE,
            title: "Amazon S3".into(),
            about: format!("in {}", region.region),
            lines: Vec::new(),
            line: Line::Link,
        });
    }
    all
}

impl Beyond {
    fn lines(&self) -> usize {
        self.lines.len().min(LINES) + usize::from(self.lines.len() > LINES)
    }
    fn height(&self) -> f64 {
        52.0 + if self.lines.is_empty() { 0.0 } else { LINE * self.lines() as f64 + 9.0 }
    }
}

/// Width of everything beyond the VPC's right edge.
pub(super) fn width(region: &RegionPicture) -> f64 {
    if beyond(region).is_empty() { 0.0 } else { CHIP / 2.0 + WAY + CARD }
}

/// Width that the chips on the edge take inside the VPC.
pub(super) fn edge(region: &RegionPicture) -> f64 {
    if beyond(region).is_empty() { 14.0 } else { CHIP / 2.0 + 16.0 }
}

/// Height of everything beyond the VPC's right edge.
pub(super) fn height(region: &RegionPicture) -> f64 {
    let all = beyond(region);
    all.iter().map(|b| b.height() + SPACE).sum::<f64>() - if all.is_empty() { 0.0 } else { SPACE }
}

/// The place of the internet gateway.
pub(super) fn internet_gateway(plan: &Plan) -> Area {
    let middle = plan.vpc.x + plan.vpc.w / 2.0;
    let x = middle - if plan.region.egress_only { ABOVE + 12.0 } else { ABOVE / 2.0 };
    Area::new(x, plan.vpc.y - CHIP_HEIGHT / 2.0, ABOVE, CHIP_HEIGHT)
}

fn egress_only_gateway(plan: &Plan) -> Area {
    let middle = plan.vpc.x + plan.vpc.w / 2.0;
    let x = if plan.region.internet { middle + 12.0 } else { middle - ABOVE / 2.0 };
    Area::new(x, plan.vpc.y - CHIP_HEIGHT / 2.0, ABOVE, CHIP_HEIGHT)
}

fn chip(sheet: &mut Sheet, area: Area, sign: Icon, words: &str, colour: &'static str) {
    sheet.rect(area, Look { fill: PAPER, stroke: colour, width: 1.6, radius: 17.0, dashed: false });
    icon(sheet, sign, area.x + 6.0, area.y + 6.0, 22.0, colour);
    sheet.text(area.x + 34.0, area.y + 21.5, words, type_of(11.0).bold());
}

pub(super) fn draw(sheet: &mut Sheet, plan: &Plan, at: Area) {
    above(sheet, plan, at);
    let all = beyond(plan.region);
    let mut y = plan.vpc.y + (plan.vpc.h - height(plan.region)) / 2.0;
    for one in &all {
        let x = at.right() - 20.0 - CARD;
        let card = Area::new(x, y, CARD, one.height());
        let middle = card.y + 26.0;
        let edge = Area::new(plan.vpc.right() - CHIP / 2.0, middle - CHIP_HEIGHT / 2.0, CHIP, CHIP_HEIGHT);
        sheet.line(&[(edge.right(), middle), (card.x, middle)], one.line, false);
        chip(sheet, edge, one.chip_icon, one.chip, one.colour);
        content(sheet, one, card);
        y = card.bottom() + SPACE;
    }
}

fn content(sheet: &mut Sheet, one: &Beyond, card: Area) {
    sheet.rect(card, Look { fill: "#f8fafc", stroke: "#cbd5e1", width: 1.2, radius: 8.0, dashed: false });
    icon(sheet, one.icon, card.x + 11.0, card.y + 11.0, 30.0, one.colour);
    let (title, small) = (type_of(13.0).bold(), type_of(11.5).colour(MUTED));
    sheet.text(card.x + 51.0, card.y + 23.0, &title.fit(&one.title, CARD - 58.0), title);
    sheet.text(card.x + 51.0, card.y + 38.5, &small.fit(&one.about, CARD - 58.0), small);
    let mut y = card.y + 66.0;
    let words = type_of(12.0).colour(INK);
    for (left, right) in one.lines.iter().take(LINES) {
        let beside = small.fit(right, CARD * 0.5);
        let room = CARD - 28.0 - if right.is_empty() { 0.0 } else { small.width(&beside) + 8.0 };
        sheet.text(card.x + 14.0, y, &words.fit(left, room), words);
        if !right.is_empty() {
            sheet.text(card.right() - 12.0, y, &beside, small.to_the_right());
        }
        y += LINE;
    }
    if one.lines.len() > LINES {
        sheet.text(card.x + 14.0, y, &format!("+ {} more", one.lines.len() - LINES), small);
    }
}

/// The internet, and the gateways to it.
fn above(sheet: &mut Sheet, plan: &Plan, at: Area) {
    if !plan.region.internet && !plan.region.egress_only {
        return;
    }
    let middle = plan.vpc.x + plan.vpc.w / 2.0;
    let internet = Area::new(middle - 86.0, at.y + 14.0, 172.0, 40.0);
    let gateways = [
        (plan.region.internet, internet_gateway(plan), "Internet gateway", Icon::Gateway),
        (plan.region.egress_only, egress_only_gateway(plan), "IPv6 egress only", Icon::Nat),
    ];
    for (there, area, words, sign) in gateways {
        if there {
            let x = (area.x + area.w / 2.0).clamp(internet.x + 22.0, internet.right() - 22.0);
            sheet.line(&[(x, area.y), (x, internet.bottom() + 1.0)], Line::Route, true);
            chip(sheet, area, sign, words, NETWORK);
        }
    }
    sheet.rect(internet, Look { fill: "#eef2f7", stroke: "#94a3b8", width: 1.4, radius: 20.0, dashed: false });
    icon(sheet, Icon::Internet, internet.x + 38.0, internet.y + 8.0, 24.0, "#475569");
    sheet.text(internet.x + 72.0, internet.y + 25.0, "Internet", type_of(14.0).bold());
}
