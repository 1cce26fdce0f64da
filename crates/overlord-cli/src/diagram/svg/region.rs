//! A region: its VPC, with zones as columns and layers as rows.
use super::{
    draw::{Area, COMPUTE, INK, Look, MUTED, NETWORK, OUTLINE, PAPER, Sheet, type_of},
    facts,
    icons::{Icon, icon},
    routes, surroundings,
};
use crate::diagram::picture::{Exit, NatKind, RegionPicture, Subnet};
use aws_core::model::Layer;

/// A zone's column is at least this wide: `100.100.100.0/24` fits.
const COLUMN: f64 = 152.0;
/// Between columns, where routes run.
pub(super) const GAP: f64 = 34.0;
/// The column with the layers' names.
const LABELS: f64 = 118.0;
/// Between layers.
const ROW_GAP: f64 = 24.0;
/// Bars of applications in a layer, and of load balancers; the rest is counted.
const BARS: usize = 4;
/// Subnets of one layer in one zone; the rest is counted.
const CIDRS: usize = 3;
/// Height of a bar with the space below it.
const BAR: f64 = 36.0;
/// Height of a NAT with the space below it.
const NAT: f64 = 48.0;
/// From the last column to the end of the layers.
const END: f64 = 10.0;
const PAD: f64 = 20.0;
/// From the VPC's upper edge to its zones' names.
const HEAD: f64 = 66.0;
/// Height of the zones' names.
const NAMES: f64 = 40.0;

/// The colours of a layer: ground, outline, name.
pub(super) fn colours(layer: Layer) -> (&'static str, &'static str, &'static str) {
    match layer {
        Layer::Public => ("#e7f4ea", "#a5d3af", "#2b6e3d"),
        Layer::Shared => ("#e6f0fb", "#a7c6ec", "#24589c"),
        Layer::Private => ("#f8f0e1", "#e0c691", "#85590f"),
    }
}

/// A layer on the page.
pub(super) struct Row {
    pub(super) layer: Layer,
    pub(super) band: Area,
    /// Where the bars begin.
    bars: f64,
}

/// Where the parts of a region stand.
pub(super) struct Plan<'r> {
    pub(super) region: &'r RegionPicture,
    pub(super) vpc: Area,
    /// The upper edge of what is in the VPC, without its head.
    pub(super) rows: Vec<Row>,
    columns: Vec<f64>,
    column: f64,
}

impl Plan<'_> {
    /// The place of a layer's subnets in a zone.
    pub(super) fn cell(&self, row: &Row, column: usize) -> Area {
        Area::new(self.columns[column], row.band.y + 8.0, self.column, row.band.h - 16.0)
    }
    /// Where the routes of a zone run.
    pub(super) fn rail(&self, column: usize) -> f64 {
        self.columns[column] - GAP / 2.0 - 1.0
    }
    pub(super) fn column_of(&self, zone: &str) -> Option<usize> {
        self.region.zones.iter().position(|z| z.name == zone)
    }
    pub(super) fn row(&self, layer: Layer) -> Option<&Row> {
        self.rows.iter().find(|r| r.layer == layer)
    }
    /// Left and right end of something that stands in these zones.
    pub(super) fn span(&self, zones: &[String]) -> (f64, f64) {
        let columns: Vec<usize> = zones.iter().filter_map(|z| self.column_of(z)).collect();
        let first = columns.iter().min().copied().unwrap_or(0);
        let last = columns.iter().max().copied().unwrap_or(self.columns.len().saturating_sub(1));
        (self.columns[first], self.columns[last] + self.column)
    }
    /// The place of a NAT.
    pub(super) fn nat(&self, index: usize) -> Option<Area> {
        let nat = &self.region.nats[index];
        let column = self.column_of(&nat.zone)?;
        let row = self.row(Layer::Public).or_else(|| self.rows.first())?;
        let cell = self.cell(row, column);
        let before = self.region.nats[..index].iter().filter(|n| n.zone == nat.zone).count();
        let top = row.bars - NAT * nats_deep(self.region) as f64 + NAT * before as f64;
        Some(Area::new(cell.x + 10.0, top, cell.w - 20.0, NAT - 8.0))
    }
    /// The place of a layer's bars of load balancers (0) or applications (1), as top and bottom.
    pub(super) fn bars(&self, layer: Layer, which: usize) -> Option<(f64, f64)> {
        let row = self.row(layer)?;
        let (balancers, applications) = bars_of(self.region, layer);
        let (before, own) = if which == 0 { (0, balancers) } else { (balancers, applications) };
        let top = row.bars + BAR * before as f64;
        (own > 0).then_some((top, top + BAR * own.min(BARS) as f64 - 8.0))
    }
}

/// Bars of load balancers and of applications in a layer, with one that counts the rest.
fn bars_of(region: &RegionPicture, layer: Layer) -> (usize, usize) {
    let balancers = region.balancers.iter().filter(|b| b.layer == layer).count();
    let applications = region.applications.iter().filter(|a| a.layer == layer).count();
    (balancers.min(BARS + 1), applications.min(BARS + 1))
}

/// The most NATs in one zone.
fn nats_deep(region: &RegionPicture) -> usize {
    let of = |zone: &str| region.nats.iter().filter(|n| n.zone == zone).count();
    region.zones.iter().map(|z| of(&z.name)).max().unwrap_or(0)
}

/// How wide this region is at least.
pub(super) fn least_width(region: &RegionPicture) -> f64 {
    let columns = region.zones.len().max(1) as f64 * (COLUMN + GAP);
    2.0 * PAD + 12.0 + LABELS + columns + END + surroundings::edge(region) + surroundings::width(region)
}

/// Draws a region below `at`; answers where it ends.
pub(super) fn region(sheet: &mut Sheet, region: &RegionPicture, at: Area) -> f64 {
    let beside = surroundings::width(region);
    let above = if region.internet || region.egress_only { 104.0 } else { 48.0 };
    let vpc_width = at.w - 2.0 * PAD - beside;
    let columns = region.zones.len().max(1) as f64;
    let column = (vpc_width - 12.0 - LABELS - END - surroundings::edge(region)) / columns - GAP;
    let left = at.x + PAD + 12.0 + LABELS + GAP;
    let mut plan = Plan {
        region,
        vpc: Area::new(at.x + PAD, at.y + above, vpc_width, 0.0),
        rows: Vec::new(),
        columns: (0..region.zones.len()).map(|n| left + n as f64 * (column + GAP)).collect(),
        column,
    };
    let mut y = plan.vpc.y + HEAD + NAMES;
    let band_width = vpc_width - 12.0 - surroundings::edge(region);
    for layer in region.layers() {
        let (band, bars) = band(region, layer, Area::new(plan.vpc.x + 12.0, y, band_width, 0.0));
        y = band.bottom() + ROW_GAP;
        plan.rows.push(Row { layer, band, bars });
    }
    let content = if plan.rows.is_empty() { y + 30.0 } else { y - ROW_GAP + 18.0 };
    plan.vpc.h = (content - plan.vpc.y).max(surroundings::height(region) + 40.0);
    let ends = plan.vpc.bottom() + if plan.rows.is_empty() { 20.0 } else { 48.0 };

    let outer = Look { fill: PAPER, stroke: "#c6d2df", width: 1.2, radius: 12.0, dashed: false };
    sheet.rect(Area::new(at.x, at.y, at.w, ends - at.y), outer);
    icon(sheet, Icon::Internet, at.x + PAD, at.y + 14.0, 22.0, "#0f7f86");
    sheet.text(at.x + PAD + 32.0, at.y + 30.0, &region.region, type_of(15.0).bold());
    let vpc = Look { fill: "#fdfcff", stroke: NETWORK, width: 1.8, radius: 10.0, dashed: false };
    sheet.rect(plan.vpc, vpc);
    bands(sheet, &plan);
    zones(sheet, &plan);
    cells(sheet, &plan);
    routes::draw(sheet, &plan);
    nats(sheet, &plan);
    for row in &plan.rows {
        bars(sheet, &plan, row);
    }
    surroundings::draw(sheet, &plan, at);
    head(sheet, &plan);
    legend(sheet, &plan, at);
    ends
}

/// The place of a layer, and where its bars begin.
fn band(region: &RegionPicture, layer: Layer, at: Area) -> (Area, f64) {
    let lines = region.zones.iter().map(|z| lines_of(&region.cell(layer, &z.name))).max().unwrap_or(1).max(1);
    let holds_nats = region.layers().first() == Some(&layer);
    let nats = if holds_nats { NAT * nats_deep(region) as f64 } else { 0.0 };
    let bars = at.y + 8.0 + 30.0 + 17.0 * (lines as f64 - 1.0) + nats + 2.0;
    let (balancers, applications) = bars_of(region, layer);
    let height = (bars - at.y + BAR * (balancers + applications) as f64 + 12.0).max(90.0);
    (Area { h: height, ..at }, bars)
}

/// Lines of text that a cell has.
fn lines_of(subnets: &[&Subnet]) -> usize {
    let cut = usize::from(subnets.len() > CIDRS);
    subnets.len().min(CIDRS) + cut + usize::from(note(subnets).is_some())
}

/// What is unusual about the way out of these subnets.
fn note(subnets: &[&Subnet]) -> Option<&'static str> {
    let first = subnets.first()?;
    match (first.layer, first.exit) {
        (_, Exit::Elsewhere) => Some("default route: other teams"),
        (Layer::Public, Exit::Internet) | (Layer::Shared | Layer::Private, Exit::Nat(_)) => None,
        (Layer::Public, Exit::Nat(_)) => Some("behind NAT"),
        (Layer::Shared | Layer::Private, Exit::Internet) => Some("straight to the internet"),
        (_, Exit::None) => Some("no way to the internet"),
    }
}

fn bands(sheet: &mut Sheet, plan: &Plan) {
    for row in &plan.rows {
        let (fill, stroke, name) = colours(row.layer);
        sheet.rect(row.band, Look { fill, stroke, width: 1.0, radius: 8.0, dashed: false });
        let (x, y) = (row.band.x + 14.0, row.band.y + 28.0);
        sheet.text(x, y, row.layer.as_str(), type_of(15.5).bold().colour(name));
        for (n, words) in facts::purpose(row.layer).into_iter().enumerate() {
            sheet.text(x, y + 19.0 + 14.0 * n as f64, words, type_of(11.5).colour(MUTED));
        }
    }
    if plan.rows.is_empty() {
        let y = plan.vpc.y + HEAD + NAMES;
        sheet.text(plan.vpc.x + 26.0, y, "No subnets yet.", type_of(13.0).colour(MUTED));
    }
}

fn zones(sheet: &mut Sheet, plan: &Plan) {
    let Some(last) = plan.rows.last() else { return };
    let top = plan.vpc.y + HEAD;
    for (zone, x) in plan.region.zones.iter().zip(&plan.columns) {
        let area = Area::new(x - 7.0, top, plan.column + 14.0, last.band.bottom() + 8.0 - top);
        sheet.rect(area, Look { fill: "none", stroke: OUTLINE, width: 1.2, radius: 8.0, dashed: true });
        let name = type_of(12.5).bold();
        sheet.text(x + 3.0, top + 17.0, &name.fit(&zone.name, plan.column - 32.0), name);
        sheet.text(x + 3.0, top + 32.0, &zone.id, type_of(11.0).colour(MUTED));
    }
}

fn cells(sheet: &mut Sheet, plan: &Plan) {
    for row in &plan.rows {
        let (_, stroke, accent) = colours(row.layer);
        for (column, zone) in plan.region.zones.iter().enumerate() {
            let subnets = plan.region.cell(row.layer, &zone.name);
            if subnets.is_empty() {
                continue;
            }
            let cell = plan.cell(row, column);
            sheet.rect(cell, Look { fill: PAPER, stroke, width: 1.2, radius: 6.0, dashed: false });
            let mut y = cell.y + 21.0;
            for subnet in subnets.iter().take(CIDRS) {
                sheet.text(cell.x + 11.0, y, &subnet.cidr, type_of(13.0).bold().colour(accent));
                y += 17.0;
            }
            let small = type_of(11.0).colour(MUTED);
            if subnets.len() > CIDRS {
                sheet.text(cell.x + 11.0, y, &format!("+ {} more", subnets.len() - CIDRS), small);
                y += 17.0;
            }
            if let Some(words) = note(&subnets) {
                sheet.text(cell.x + 11.0, y - 1.0, &small.fit(words, cell.w - 18.0), small);
            }
        }
    }
}

fn nats(sheet: &mut Sheet, plan: &Plan) {
    for (n, nat) in plan.region.nats.iter().enumerate() {
        let Some(area) = plan.nat(n) else { continue };
        let (words, colour) = match nat.kind {
            NatKind::Gateway => ("NAT gateway", NETWORK),
            NatKind::Instance => ("NAT instance", COMPUTE),
        };
        sheet.rect(area, Look { fill: PAPER, stroke: colour, width: 1.4, radius: 7.0, dashed: false });
        icon(sheet, Icon::Nat, area.x + 7.0, area.y + 7.0, 26.0, colour);
        sheet.text(area.x + 39.0, area.y + 17.0, words, type_of(11.5).bold());
        let address = nat.address.as_deref().unwrap_or("a public address");
        let small = type_of(11.0).colour(MUTED);
        sheet.text(area.x + 39.0, area.y + 32.0, &small.fit(address, area.w - 42.0), small);
    }
}

/// A load balancer or an Auto Scaling group: a bar over the zones it stands in.
struct Bar<'p> {
    name: &'p str,
    about: String,
    icon: Icon,
    colour: &'static str,
    zones: &'p [String],
}

fn bars(sheet: &mut Sheet, plan: &Plan, row: &Row) {
    let balancers = plan.region.balancers.iter().filter(|b| b.layer == row.layer).map(|b| Bar {
        name: &b.name,
        about: if b.internal { "internal load balancer" } else { "public load balancer" }.to_owned(),
        icon: Icon::Balancer,
        colour: NETWORK,
        zones: &b.zones,
    });
    let applications = plan.region.applications.iter().filter(|a| a.layer == row.layer).map(|a| Bar {
        name: &a.name,
        about: format!("{} instance{}", a.instances, if a.instances == 1 { "" } else { "s" }),
        icon: Icon::Instances,
        colour: COMPUTE,
        zones: &a.zones,
    });
    let mut y = row.bars;
    y = group(sheet, plan, balancers.collect(), "load balancers", y);
    group(sheet, plan, applications.collect(), "versions of applications", y);
}

fn group(sheet: &mut Sheet, plan: &Plan, bars: Vec<Bar>, what: &str, mut y: f64) -> f64 {
    for bar in bars.iter().take(BARS) {
        let (left, right) = plan.span(bar.zones);
        let area = Area::new(left + 10.0, y, right - left - 20.0, BAR - 8.0);
        sheet.rect(area, Look { fill: PAPER, stroke: bar.colour, width: 1.3, radius: 6.0, dashed: false });
        icon(sheet, bar.icon, area.x + 4.0, area.y + 4.0, 20.0, bar.colour);
        let (name, small) = (type_of(12.5).bold(), type_of(11.5).colour(MUTED));
        let room = area.w - 42.0;
        let about = small.width(&bar.about);
        // Where there is no room for both, the name matters more.
        let both = name.width(bar.name) + 14.0 + about <= room || room - about > 150.0;
        let words = name.fit(bar.name, if both { room - about - 14.0 } else { room });
        sheet.text(area.x + 32.0, area.y + 18.5, &words, name);
        if both {
            sheet.text(area.right() - 11.0, area.y + 18.5, &bar.about, small.to_the_right());
        }
        y += BAR;
    }
    if bars.len() > BARS {
        let (left, right) = plan.span(&[]);
        let area = Area::new(left + 10.0, y, right - left - 20.0, BAR - 8.0);
        sheet.rect(area, Look { fill: PAPER, stroke: OUTLINE, width: 1.1, radius: 6.0, dashed: true });
        let words = format!("+ {} more {what}", bars.len() - BARS);
        sheet.text(area.x + 12.0, area.y + 18.5, &words, type_of(12.0).colour(INK));
        y += BAR;
    }
    y
}

fn head(sheet: &mut Sheet, plan: &Plan) {
    let (x, y) = (plan.vpc.x + 16.0, plan.vpc.y);
    icon(sheet, Icon::Network, x, y + 16.0, 28.0, NETWORK);
    let (name, small) = (type_of(14.0).bold(), type_of(12.0).colour(MUTED));
    // Up to the first zone's way to the internet gateway.
    let room = plan.columns.first().map_or(240.0, |c| (c + plan.column - 40.0 - x - 38.0).min(260.0));
    let (main, more) = plan.region.cidrs.split_first().map_or(("", &[][..]), |(m, rest)| (m.as_str(), rest));
    sheet.text(x + 38.0, y + 29.0, &name.fit(format!("VPC {main}").trim(), room), name);
    let id = plan.region.vpc.as_deref().unwrap_or("not made yet");
    let mut line = y + 45.0;
    for words in [more.join(" · ").as_str(), id] {
        if !words.is_empty() {
            sheet.text(x + 38.0, line, &small.fit(words, room), small);
            line += 14.5;
        }
    }
}

/// The layers' addresses, below the VPC.
fn legend(sheet: &mut Sheet, plan: &Plan, at: Area) {
    if plan.rows.is_empty() {
        return;
    }
    let (y, small) = (plan.vpc.bottom() + 16.0, type_of(11.5).colour(MUTED));
    let mut x = at.x + PAD;
    for row in &plan.rows {
        let (fill, stroke, _) = colours(row.layer);
        sheet.rect(Area::new(x, y, 16.0, 16.0), Look { fill, stroke, width: 1.2, radius: 4.0, dashed: false });
        let words = format!("{}: {}", row.layer, facts::room(plan.region, row.layer));
        sheet.text(x + 24.0, y + 12.0, &words, small);
        x += 24.0 + small.width(&words) + 24.0;
    }
    if let Some(free) = facts::free(plan.region) {
        let words = small.fit(&format!("in no subnet yet: {free}"), at.right() - PAD - x - 24.0);
        let open = Look { fill: "#fdfcff", stroke: NETWORK, width: 1.2, radius: 4.0, dashed: false };
        sheet.rect(Area::new(x, y, 16.0, 16.0), open);
        sheet.text(x + 24.0, y + 12.0, &words, small);
    }
}
