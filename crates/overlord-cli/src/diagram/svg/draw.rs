//! Boxes, lines and words. Lengths are in pixels, at a scale of 1.
use svg::node::element::{Group, Path, Rectangle, Text};

/// Words on the page.
pub(super) const INK: &str = "#1e293b";
/// Words that matter less.
pub(super) const MUTED: &str = "#5b6b80";
/// What belongs to the network: gateways, load balancers.
pub(super) const NETWORK: &str = "#6d4fc4";
/// What computes.
pub(super) const COMPUTE: &str = "#c2620e";
/// What stores.
pub(super) const STORAGE: &str = "#3c7a2a";
/// Outlines of what is outside, and of zones.
pub(super) const OUTLINE: &str = "#94a3b8";
/// White.
pub(super) const PAPER: &str = "#ffffff";
const SANS: &str = "Helvetica, Arial, sans-serif";

/// A place on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl Area {
    pub(super) fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }
    pub(super) fn right(self) -> f64 {
        self.x + self.w
    }
    pub(super) fn bottom(self) -> f64 {
        self.y + self.h
    }
    pub(super) fn middle(self) -> f64 {
        self.y + self.h / 2.0
    }
}

/// How a word looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    size: f64,
    bold: bool,
    colour: &'static str,
    anchor: &'static str,
}

/// Words of this size.
pub(super) fn type_of(size: f64) -> Type {
    Type { size, bold: false, colour: INK, anchor: "start" }
}

impl Type {
    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
    pub(super) fn colour(self, colour: &'static str) -> Self {
        Self { colour, ..self }
    }
    pub(super) fn centred(self) -> Self {
        Self { anchor: "middle", ..self }
    }
    pub(super) fn to_the_right(self) -> Self {
        Self { anchor: "end", ..self }
    }
    /// How wide these words are, in pixels: rather too wide than too narrow, as fonts differ.
    pub(super) fn width(self, words: &str) -> f64 {
        let em: f64 = words.chars().map(em).sum();
        em * self.size * if self.bold { 1.09 } else { 1.02 }
    }
    /// The words, cut so that they are at most this wide.
    pub(super) fn fit(self, words: &str, width: f64) -> String {
        if self.width(words) <= width {
            return words.to_owned();
        }
        let mut kept: Vec<char> = words.chars().collect();
        while kept.pop().is_some() {
            let cut = format!("{}…", kept.iter().collect::<String>().trim_end());
            if self.width(&cut) <= width {
                return cut;
            }
        }
        "…".into()
    }
}

/// A character's width in parts of the font's size, after Helvetica and its wider relatives.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' | ' ' | '·' => 0.31,
        'f' | 't' | 'r' | 'I' | '-' | '(' | ')' | '[' | ']' | '/' => 0.37,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.92,
        'A'..='Z' | '+' | '×' | '–' | '=' => 0.72,
        c if c.is_ascii() => 0.6,
        _ => 1.0,
    }
}

/// How a box looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) fill: &'static str,
    pub(super) stroke: &'static str,
    pub(super) width: f64,
    pub(super) radius: f64,
    pub(super) dashed: bool,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A default route.
    Route,
    /// Requests that are passed on.
    Requests,
    /// A connection that packets pass in both directions.
    Link,
    /// A connection that does not stand yet.
    Waiting,
}

impl Line {
    fn colour(self) -> &'static str {
        match self {
            Self::Route => "#2563a8",
            Self::Requests => COMPUTE,
            Self::Link | Self::Waiting => "#64748b",
        }
    }
}

/// What is drawn, from back to front.
#[derive(Default)]
pub(super) struct Sheet(Group);

impl Sheet {
    pub(super) fn add(&mut self, node: impl Into<Box<dyn svg::Node>>) {
        self.0 = std::mem::take(&mut self.0).add(node);
    }

    pub(super) fn finish(self) -> Group {
        self.0.set("font-family", SANS)
    }

    pub(super) fn rect(&mut self, area: Area, look: Look) {
        let mut rect = Rectangle::new()
            .set("x", number(area.x))
            .set("y", number(area.y))
            .set("width", number(area.w.max(0.0)))
            .set("height", number(area.h.max(0.0)))
            .set("rx", number(look.radius))
            .set("fill", look.fill)
            .set("stroke", look.stroke)
            .set("stroke-width", number(look.width));
        if look.dashed {
            rect = rect.set("stroke-dasharray", "5 4");
        }
        self.add(rect);
    }

    /// Words with their baseline at `y`.
    pub(super) fn text(&mut self, x: f64, y: f64, words: &str, style: Type) {
        let mut text = Text::new(clean(words))
            .set("x", number(x))
            .set("y", number(y))
            .set("font-size", number(style.size))
            .set("fill", style.colour);
        if style.bold {
            text = text.set("font-weight", 600);
        }
        if style.anchor != "start" {
            text = text.set("text-anchor", style.anchor);
        }
        self.add(text);
    }

    /// A line through these points, its corners rounded, with an arrow head at its end when it is directed.
    pub(super) fn line(&mut self, points: &[(f64, f64)], line: Line, head: bool) {
        let Some((&end, &from)) = points.last().zip(points.iter().rev().nth(1)) else { return };
        let mut path = Path::new()
            .set("d", rounded(points))
            .set("fill", "none")
            .set("stroke", line.colour())
            .set("stroke-linecap", "round")
            .set("stroke-width", number(if line == Line::Link { 2.0 } else { 1.6 }));
        if matches!(line, Line::Requests | Line::Waiting) {
            path = path.set("stroke-dasharray", "4 4");
        }
        self.add(path);
        if head {
            self.add(Path::new().set("d", arrow_head(from, end)).set("fill", line.colour()));
        }
    }

    /// A point where lines meet.
    pub(super) fn joint(&mut self, x: f64, y: f64, line: Line) {
        let dot = svg::node::element::Circle::new()
            .set("cx", number(x))
            .set("cy", number(y))
            .set("r", "2.8")
            .set("fill", line.colour());
        self.add(dot);
    }
}

/// Without what XML 1.0 does not allow, however it is written.
pub(super) fn clean(words: &str) -> String {
    words.replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), " ")
}

/// At most one digit after the point: what is drawn is the same on every machine.
pub(super) fn number(n: f64) -> String {
    let tenths = (n * 10.0).round() / 10.0;
    if tenths == tenths.trunc() { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}

/// How far from a corner it begins to turn.
const CORNER: f64 = 7.0;

fn rounded(points: &[(f64, f64)]) -> String {
    let at = |(x, y): (f64, f64)| format!("{} {}", number(x), number(y));
    let towards = |a: (f64, f64), b: (f64, f64)| {
        let length = (b.0 - a.0).hypot(b.1 - a.1).max(0.1);
        let by = CORNER.min(length / 2.0) / length;
        (a.0 + (b.0 - a.0) * by, a.1 + (b.1 - a.1) * by)
    };
    let mut d = points.first().map(|p| format!("M{}", at(*p))).unwrap_or_default();
    for three in points.windows(3) {
        let (before, corner, after) = (three[0], three[1], three[2]);
        d.push_str(&format!("L{}Q{} {}", at(towards(corner, before)), at(corner), at(towards(corner, after))));
    }
    points.last().map_or_else(String::new, |p| format!("{d}L{}", at(*p)))
}

fn arrow_head(from: (f64, f64), to: (f64, f64)) -> String {
    let length = (to.0 - from.0).hypot(to.1 - from.1).max(0.1);
    let (dx, dy) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
    let (bx, by) = (to.0 - dx * 9.0, to.1 - dy * 9.0);
    let point = |x: f64, y: f64| format!("{} {}", number(x), number(y));
    format!(
        "M{}L{}L{}Z",
        point(to.0 + dx, to.1 + dy),
        point(bx - dy * 4.5, by + dx * 4.5),
        point(bx + dy * 4.5, by - dx * 4.5)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_to_their_place() {
        let small = type_of(12.0);
        assert_eq!(small.fit("short", 100.0), "short");
        let cut = small.fit("a name that is far too long for its place", 100.0);
        assert!(cut.ends_with('…') && small.width(&cut) <= 100.0 && cut.len() > 8, "{cut}");
        assert_eq!(small.fit("anything", 1.0), "…");
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(clean("a\u{1}b\nc\u{ffff}ü"), "a b c ü");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([number(1.0), number(0.25), number(-0.04), number(12.34)], ["1", "0.3", "-0", "12.3"]);
    }
}
