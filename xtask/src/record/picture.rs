//! Shots as one animated SVG: a strip of pictures that is moved past a window. Where nothing moves (a reader's wish, or
//! a program that knows no animation) the last picture stands. No scripts, no fonts of its own.
use super::{
    screen::{Ink, Look, Row, Run},
    session::Shot,
    story::{Step, Story},
};
use std::{collections::BTreeMap, fmt::Write as _};
use svg::{
    Document,
    node::element::{Circle, Definitions, Description, Group, Rectangle, SVG, Style, Text, Title, Use},
};

/// A letter's cell, in the picture's units. Letters of other fonts are squeezed into it.
const CELL: f64 = 8.4;
const LINE: f64 = 19.0;
/// From a row's top to its base line.
const BASE: f64 = 14.0;
const EDGE: f64 = 16.0;
const BAR: f64 = 34.0;

const DARK: [&str; 16] = [
    "#6e7681", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#8b949e", "#ffa198",
    "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
];
const LIGHT: [&str; 16] = [
    "#24292f", "#cf222e", "#116329", "#7d4e00", "#0969da", "#8250df", "#1b7c83", "#57606a", "#57606a", "#a40e26",
    "#1a7f37", "#633c01", "#0550ae", "#6639ba", "#136061", "#24292f",
];

pub(super) fn draw(story: &Story, shots: &[Shot]) -> String {
    let width = f64::from(story.columns) * CELL;
    let height = f64::from(story.rows) * LINE;
    let (whole_width, whole_height) = (width + 2.0 * EDGE, height + BAR + EDGE);

    let mut rows: BTreeMap<&Row, usize> = BTreeMap::new();
    // The last picture is where the strip stands by itself, the others are above it.
    let last = shots.len().saturating_sub(1);
    let mut strip = Group::new().set("class", "strip");
    for (index, shot) in shots.iter().enumerate() {
        let mut picture = Group::new()
            .set("transform", format!("translate(0 {})", round(index as f64 * height - last as f64 * height)));
        for (line, row) in shot.screen.iter().enumerate().filter(|(_, row)| !row.0.is_empty()) {
            let next = rows.len();
            let id = *rows.entry(row).or_insert(next);
            picture = picture.add(Use::new().set("href", format!("#r{id}")).set("y", round(line as f64 * LINE)));
        }
        strip = strip.add(picture);
    }
    let mut by_id: Vec<(usize, &Row)> = rows.into_iter().map(|(row, id)| (id, row)).collect();
    by_id.sort_unstable_by_key(|(id, _)| *id);
    let definitions = by_id.into_iter().fold(Definitions::new(), |all, (id, row)| all.add(drawn(id, row)));

    // An inner picture shows what is within its edges only.
    let window = SVG::new()
        .set("x", EDGE)
        .set("y", BAR)
        .set("width", round(width))
        .set("height", round(height))
        .set("viewBox", format!("0 0 {} {}", round(width), round(height)))
        .set("overflow", "hidden")
        .add(strip);
    let frame = Rectangle::new().set("class", "frame").set("x", 0.5).set("y", 0.5).set("rx", 8);
    let frame = frame.set("width", round(whole_width - 1.0)).set("height", round(whole_height - 1.0));
    let dots = ["#ff5f57", "#febc2e", "#28c840"].into_iter().zip(0_u8..);
    let dots = dots.map(|(fill, n)| {
        Circle::new().set("cx", EDGE + 6.0 + 20.0 * f64::from(n)).set("cy", BAR / 2.0).set("r", 6).set("fill", fill)
    });
    let name = Text::new(story.title.clone()).set("class", "name").set("x", round(whole_width / 2.0)).set("y", 22);
    let document = Document::new()
        .set("viewBox", format!("0 0 {} {}", round(whole_width), round(whole_height)))
        .set("width", round(whole_width))
        .set("height", round(whole_height))
        .set("role", "img")
        .set("aria-labelledby", "title told")
        .add(Title::new(story.title.clone()).set("id", "title"))
        .add(Description::new().set("id", "told").add(svg::node::Text::new(told(story))))
        .add(Style::new(style(shots, height)))
        .add(definitions)
        .add(frame);
    tight(&dots.fold(document, Document::add).add(name).add(window).to_string())
}

/// Puts text right between its tags: the lines' ends that the library writes there would be drawn as spaces.
fn tight(svg: &str) -> String {
    let mut whole = String::with_capacity(svg.len());
    for line in svg.lines() {
        whole.push_str(line);
        if !line.starts_with("<text ") {
            whole.push('\n');
        }
    }
    whole.replace("\n</text>", "</text>")
}

/// The commands, for who cannot see the picture.
fn told(story: &Story) -> String {
    let line = |step: &Step| match step {
        Step::Say(words) => Some(format!("# {words}")),
        Step::Run(line) => Some(format!("$ {line}")),
        _ => None,
    };
    let lines: Vec<String> = story.steps.iter().filter_map(line).collect();
    format!("A recorded terminal session; waits are cut. {}", lines.join(" "))
}

fn drawn(id: usize, row: &Row) -> Group {
    let mut group = Group::new().set("id", format!("r{id}"));
    for run in &row.0 {
        let (ink, paper) = match run.look.inverse {
            true => (run.look.paper, run.look.ink),
            false => (run.look.ink, run.look.paper),
        };
        let filled = run.look.inverse || paper != Ink::Plain;
        if filled {
            let back = Rectangle::new().set("x", x(run)).set("width", w(run)).set("height", LINE);
            group = group.add(match paper {
                Ink::Plain => back.set("class", "fg"),
                Ink::Named(index) => back.set("class", format!("c{index}")),
                Ink::Exact(..) => back.set("fill", hex(paper)),
            });
        }
        let mut text = Text::new(run.text.clone()).set("x", x(run)).set("y", BASE).set("textLength", w(run));
        let mut classes = look(run.look);
        match ink {
            Ink::Plain if run.look.inverse => classes.push("bg".to_owned()),
            Ink::Plain => {}
            Ink::Named(index) => classes.push(format!("c{index}")),
            Ink::Exact(..) => text = text.set("style", format!("fill:{}", hex(ink))),
        }
        if !classes.is_empty() {
            text = text.set("class", classes.join(" "));
        }
        group = group.add(text);
    }
    group
}

fn look(look: Look) -> Vec<String> {
    let all = [(look.bold, "b"), (look.dim, "d"), (look.italic, "i"), (look.underline, "u")];
    all.iter().filter(|(is, _)| *is).map(|(_, class)| (*class).to_owned()).collect()
}

fn style(shots: &[Shot], height: f64) -> String {
    let mut css = String::from(
        "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;\
         white-space:pre}.name{text-anchor:middle;font-size:13px}\
         .b{font-weight:bold}.d{opacity:.7}.i{font-style:italic}.u{text-decoration:underline}",
    );
    css += &palette("#e6edf3", "#0d1117", "#30363d", &DARK);
    let _ = write!(css, "@media(prefers-color-scheme:light){{{}}}", palette("#1f2328", "#ffffff", "#d0d7de", &LIGHT));

    let total: f64 = shots.iter().map(|shot| shot.lasts.as_secs_f64()).sum();
    let last = shots.len().saturating_sub(1);
    let place = |index: usize| format!("translateY({}px)", round((last - index) as f64 * height));
    let _ = write!(css, ".strip{{animation:strip {}s steps(1,end) infinite}}@keyframes strip{{", round(total));
    let mut at = 0.0;
    for (index, shot) in shots.iter().enumerate() {
        let _ = write!(css, "{:.3}%{{transform:{}}}", at * 100.0 / total, place(index));
        at += shot.lasts.as_secs_f64();
    }
    let _ = write!(css, "100%{{transform:{}}}}}", place(last));
    css.push_str("@media(prefers-reduced-motion:reduce){.strip{animation:none}}");
    css
}

/// Colours as they are, not as variables, which few programs but browsers know.
fn palette(ink: &str, paper: &str, edge: &str, colours: &[&str; 16]) -> String {
    let mut css = format!(
        "text,.fg{{fill:{ink}}}.bg{{fill:{paper}}}.frame{{fill:{paper};stroke:{edge}}}.name{{fill:{}}}",
        colours[8]
    );
    for (index, colour) in colours.iter().enumerate() {
        let _ = write!(css, ".c{index}{{fill:{colour}}}");
    }
    css
}

fn x(run: &Run) -> f64 {
    round(f64::from(run.column) * CELL)
}

fn w(run: &Run) -> f64 {
    round(f64::from(run.width) * CELL)
}

fn hex(ink: Ink) -> String {
    match ink {
        Ink::Exact(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => "currentColor".to_owned(),
    }
}

/// To a hundredth.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
