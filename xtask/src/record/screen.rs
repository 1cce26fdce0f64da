//! What a terminal shows: rows of runs of letters that look the same.
use vt100::{Cell, Color};

/// One picture of the terminal.
pub(super) type Screen = Vec<Row>;

/// A row, from left to right; blanks at its end are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row(pub(super) Vec<Run>);

/// Letters that look the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) column: u16,
    /// In columns: wide letters have two.
    pub(super) width: u16,
    pub(super) text: String,
    pub(super) look: Look,
}

/// How letters look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Look {
    pub(super) ink: Ink,
    pub(super) paper: Ink,
    pub(super) bold: bool,
    pub(super) dim: bool,
    pub(super) italic: bool,
    pub(super) underline: bool,
    pub(super) inverse: bool,
}

/// A colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Ink {
    #[default]
    Plain,
    /// One of the terminal's 16.
    Named(u8),
    Exact(u8, u8, u8),
}

impl From<Color> for Ink {
    fn from(color: Color) -> Self {
        match color {
            Color::Default => Self::Plain,
            Color::Idx(index @ 0..16) => Self::Named(index),
            // A cube of 6 x 6 x 6, then 24 greys (xterm).
            Color::Idx(index @ 16..232) => {
                let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
                let n = index - 16;
                Self::Exact(level(n / 36), level(n / 6 % 6), level(n % 6))
            }
            Color::Idx(index) => {
                let grey = 8 + 10 * (index - 232);
                Self::Exact(grey, grey, grey)
            }
            Color::Rgb(red, green, blue) => Self::Exact(red, green, blue),
        }
    }
}

impl From<&Cell> for Look {
    fn from(cell: &Cell) -> Self {
        Self {
            ink: cell.fgcolor().into(),
            paper: cell.bgcolor().into(),
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underline: cell.underline(),
            inverse: cell.inverse(),
        }
    }
}

impl Look {
    /// Whether a blank of this look can be seen.
    fn marks_blanks(self) -> bool {
        self.paper != Ink::Plain || self.underline || self.inverse
    }
}

/// What the terminal shows now.
pub(super) fn shown(screen: &vt100::Screen) -> Screen {
    let (rows, columns) = screen.size();
    (0..rows.get()).map(|row| self::row(screen, row, columns.get())).collect()
}

fn row(screen: &vt100::Screen, row: u16, columns: u16) -> Row {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let look = Look::from(cell);
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let width = if cell.is_wide() { 2 } else { 1 };
        match runs.last_mut() {
            // Letters that take two columns stand alone: their width differs from font to font.
            Some(run) if run.look == look && width == 1 && run.width as usize == run.text.chars().count() => {
                run.text.push_str(text);
                run.width += width;
            }
            _ => runs.push(Run { column, width, text: text.to_owned(), look }),
        }
    }
    let mut runs: Vec<Run> = runs.into_iter().flat_map(columns_of).collect();
    for run in &mut runs {
        if !run.look.marks_blanks() {
            let cut = run.text.trim_end().len();
            run.width -= (run.text.len() - cut) as u16;
            run.text.truncate(cut);
            let lead = run.text.len() - run.text.trim_start().len();
            run.text.drain(..lead);
            run.column += lead as u16;
            run.width -= lead as u16;
        }
    }
    runs.retain(|run| !run.text.is_empty());
    Row(runs)
}

/// Columns of a table, apart: each begins where it should in any font.
fn columns_of(run: Run) -> Vec<Run> {
    if run.look.marks_blanks() || run.width as usize != run.text.chars().count() {
        return vec![run];
    }
    let mut parts: Vec<Run> = Vec::new();
    let mut blanks = 2;
    for (letter, column) in run.text.chars().zip(run.column..) {
        if letter == ' ' {
            blanks += 1;
            continue;
        }
        match parts.last_mut() {
            Some(part) if blanks < 2 => {
                part.text.extend(std::iter::repeat_n(' ', blanks).chain([letter]));
                part.width += blanks as u16 + 1;
            }
            _ => parts.push(Run { column, width: 1, text: letter.to_string(), look: run.look }),
        }
        blanks = 0;
    }
    parts
}
