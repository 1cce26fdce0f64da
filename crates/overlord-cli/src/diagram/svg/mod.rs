//! The picture as SVG: one file, without scripts and without anything from elsewhere.
mod draw;
mod facts;
mod icons;
mod region;
mod routes;
mod surroundings;

use super::picture::{Picture, Source};
use draw::{Area, Line, Look, MUTED, NETWORK, OUTLINE, PAPER, Sheet, clean, number, type_of};
use icons::{Icon, icon};
use svg::{
    Document,
    node::element::{Description, Title},
};

/// Pixels around everything.
const MARGIN: f64 = 28.0;
/// The page is at least this wide.
const WIDTH: f64 = 1200.0;
/// Domains that are shown.
const DOMAINS: usize = 4;

/// The picture as SVG. The same picture gives the same text.
pub fn svg(picture: &Picture) -> String {
    let inner = picture.regions.iter().map(region::least_width).fold(WIDTH - 2.0 * MARGIN, f64::max);
    let width = inner + 2.0 * MARGIN;
    let mut sheet = Sheet::default();
    let mut y = header(&mut sheet, picture, width);
    for one in &picture.regions {
        y = region::region(&mut sheet, one, Area::new(MARGIN, y, inner, 0.0)) + 24.0;
    }
    if picture.regions.is_empty() {
        sheet.text(width / 2.0, y + 40.0, "This team has no network.", type_of(15.0).colour(MUTED).centred());
        y += 90.0;
    }
    let height = footer(&mut sheet, picture, width, y);
    let mut paper = Sheet::default();
    let page = Look { fill: "#f7f9fc", stroke: "#dbe2ea", width: 1.0, radius: 14.0, dashed: false };
    paper.rect(Area::new(0.5, 0.5, width - 1.0, height - 1.0), page);
    Document::new()
        .set("viewBox", format!("0 0 {} {}", number(width), number(height)))
        .set("width", number(width))
        .set("height", number(height))
        .set("role", "img")
        .set("aria-labelledby", "title description")
        .add(Title::new(clean(&format!("The network of team {}", picture.team))).set("id", "title"))
        .add(Description::new().set("id", "description").add(svg::node::Text::new(clean(&facts::sentence(picture)))))
        .add(paper.finish())
        .add(sheet.finish())
        .to_string()
        + "\n"
}

/// Whose network it is, and the team's DNS zones. Answers where the rest begins.
fn header(sheet: &mut Sheet, picture: &Picture, width: f64) -> f64 {
    icon(sheet, Icon::Network, MARGIN, 26.0, 42.0, NETWORK);
    let title = type_of(24.0).bold();
    let words = title.fit(&format!("Team {}", picture.team), width * 0.45);
    sheet.text(MARGIN + 56.0, 46.0, &words, title);
    let about = format!("organization {} · account {}", picture.organization, picture.account);
    sheet.text(MARGIN + 56.0, 67.0, &about, type_of(13.0).colour(MUTED));
    92.0 + 46.0 * domains(sheet, picture, width)
}

/// The team's DNS zones on the right. Answers how many rows more than one they take.
fn domains(sheet: &mut Sheet, picture: &Picture, width: f64) -> f64 {
    let (name, small) = (type_of(13.0).bold(), type_of(10.5).colour(MUTED));
    let more = picture.domains.len().saturating_sub(DOMAINS);
    let rest = (more > 0).then(|| format!("+ {more} more"));
    let pills = picture.domains.iter().take(DOMAINS).map(|d| (name.fit(d, 250.0), true));
    let mut rows: Vec<Vec<(String, bool, f64)>> = vec![Vec::new()];
    let mut left = width * 0.5;
    for (words, zone) in pills.chain(rest.map(|r| (r, false))) {
        let w = if zone { name.width(&words).max(56.0) + 58.0 } else { name.width(&words) + 8.0 };
        if left < w && rows.last().is_some_and(|r| !r.is_empty()) {
            rows.push(Vec::new());
            left = width * 0.5;
        }
        left -= w + 10.0;
        rows.last_mut().expect("there is a first row").push((words, zone, w));
    }
    for (n, row) in rows.iter().enumerate() {
        let y = 28.0 + 46.0 * n as f64;
        let mut x = width - MARGIN + 10.0 - row.iter().map(|(_, _, w)| w + 10.0).sum::<f64>();
        for (words, zone, w) in row {
            if *zone {
                let pill = Look { fill: PAPER, stroke: "#d5c9f3", width: 1.0, radius: 9.0, dashed: false };
                sheet.rect(Area::new(x, y, *w, 38.0), pill);
                icon(sheet, Icon::Dns, x + 7.0, y + 7.0, 24.0, NETWORK);
                sheet.text(x + 39.0, y + 16.0, "DNS zone", small);
                sheet.text(x + 39.0, y + 31.0, words, name);
            } else {
                sheet.text(x + 4.0, y + 24.0, words, name.colour(MUTED));
            }
            x += w + 10.0;
        }
    }
    rows.len().saturating_sub(1) as f64
}

/// What lines mean, and where the picture is from. Answers the page's height.
fn footer(sheet: &mut Sheet, picture: &Picture, width: f64, y: f64) -> f64 {
    let small = type_of(11.5).colour(MUTED);
    let mut x = MARGIN + 4.0;
    for (line, words) in [
        (Line::Route, "default route, towards the internet"),
        (Line::Requests, "requests that load balancers pass on"),
        (Line::Link, "private connection"),
    ] {
        sheet.line(&[(x, y + 2.0), (x + 34.0, y + 2.0)], line, line != Line::Link);
        sheet.text(x + 44.0, y + 6.0, words, small);
        x += 44.0 + small.width(words) + 26.0;
    }
    let zone = Look { fill: "none", stroke: OUTLINE, width: 1.2, radius: 4.0, dashed: true };
    sheet.rect(Area::new(x, y - 6.0, 30.0, 16.0), zone);
    sheet.text(x + 40.0, y + 6.0, "availability zone", small);
    let from = match picture.source {
        Source::Aws => "as it is on AWS",
        Source::File => "as the files ask for",
    };
    sheet.text(width - MARGIN, y + 6.0, from, small.to_the_right());
    y + 30.0
}
