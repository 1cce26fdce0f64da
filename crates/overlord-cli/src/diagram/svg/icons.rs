//! Small signs in white on a coloured square, each drawn in a field of 24 by 24.
use super::draw::{PAPER, Sheet, number};
use svg::node::element::{Group, Path, Rectangle};

/// What a sign stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    /// A cloud of networks.
    Internet,
    /// A gate in an arch.
    Gateway,
    /// An arrow that leaves.
    Nat,
    /// A bucket.
    Bucket,
    /// A lock.
    Vpn,
    /// A hub with spokes.
    Hub,
    /// Two rings.
    Peering,
    /// One line that becomes three.
    Balancer,
    /// Boxes behind each other.
    Instances,
    /// A name on a plate.
    Dns,
    /// A house of networks.
    Network,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Internet => "M12 4a8 8 0 1 0 .01 0ZM4 12h16M12 4c-5 5-5 11 0 16M12 4c5 5 5 11 0 16",
            Self::Gateway => "M5 20v-8a7 7 0 0 1 14 0v8M9.500 20v-7a2.500 2.500 0 0 1 5 0v7M3.500 20h17",
            Self::Nat => "M4 6h6v12H4M10 12h10M16 8l4 4l-4 4",
            Self::Bucket => "M5 7l2 13h10l2-13M5 7a7 2.500 0 1 0 14 0a7 2.500 0 1 0-14 0",
            Self::Vpn => "M6 11h12v9H6ZM8.500 11V8a3.500 3.500 0 0 1 7 0v3M12 14.500v2",
            Self::Hub => "M12 9a3 3 0 1 0 .01 0ZM12 9V4M12 15v5M9 12H4M15 12h5",
            Self::Peering => "M9.500 7a5 5 0 1 0 .01 0ZM14.500 7a5 5 0 1 0 .01 0Z",
            Self::Balancer => "M4 12h5M9 12c4 0 3-6 7-6h4M9 12h11M9 12c4 0 3 6 7 6h4",
            Self::Instances => "M4 9h11v11H4ZM8 9V4.500h11.500V16H15",
            Self::Dns => "M4 7h16v10H4ZM8 7v10M11 12h6",
            Self::Network => "M12 4v5M6 20v-5.500h12V20M12 9v5.500M4 20h4M10 4h4M16 20h4",
        }
    }
}

/// The sign in a square of this size, its upper left corner at `x`, `y`.
pub(super) fn icon(sheet: &mut Sheet, icon: Icon, x: f64, y: f64, size: f64, colour: &'static str) {
    let square = Rectangle::new()
        .set("width", number(size))
        .set("height", number(size))
        .set("rx", number(size * 0.2))
        .set("fill", colour);
    let sign = Path::new()
        .set("d", icon.path())
        .set("fill", "none")
        .set("stroke", PAPER)
        .set("stroke-width", "1.8")
        .set("stroke-linecap", "round")
        .set("stroke-linejoin", "round")
        .set("transform", format!("translate({0} {0}) scale({1:.3})", number(size * 0.08), size * 0.84 / 24.0));
    let place = format!("translate({} {})", number(x), number(y));
    sheet.add(Group::new().set("transform", place).add(square).add(sign));
}
