//! Columns without borders, as the listings have them. The layout is `tabled`'s; what is said here is only
//! how ours look: what is piped is never wrapped, and a terminal of 40 columns still gets something to read.
use crate::{
    Cell, Column,
    look::{BOLD, plain},
    wrap::{self, wrap},
};
use tabled::{
    Table,
    builder::Builder,
    settings::{
        Alignment, Color, Padding, Style, Width,
        formatting::{AlignmentStrategy, TrimStrategy},
        object::{Cell as At, Columns, Rows},
    },
};

/// Beside its title a value of a record needs this much room to be wrapped there.
const RECORD_VALUE: usize = 12;

/// The table as lines. `width` is the terminal's; none when piped.
pub(crate) fn render(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>, color: bool) -> String {
    let head = columns.iter().map(|c| Cell::styled(c.title, Some(BOLD))).collect();
    let whole =
        |r: &Vec<Cell>| r.iter().cloned().chain(std::iter::repeat(Cell::default())).take(columns.len()).collect();
    let lines: Vec<Vec<Cell>> = std::iter::once(head).chain(rows.iter().map(whole)).map(one_line).collect();
    let print = |lines: &[Vec<Cell>]| {
        let mut table = grid(lines, color);
        for (at, _) in columns.iter().enumerate().filter(|(_, c)| c.right) {
            table.modify(Columns::one(at), Alignment::right());
        }
        print(&table)
    };
    let Some(width) = width else { return print(&lines) };
    match wrap::fit(&lines, width) {
        Some(fitted) => print(&fitted),
        None if rows.is_empty() => print(&lines),
        None => records(&lines, width, color),
    }
}

/// The cells without line breaks of their own.
fn one_line(cells: Vec<Cell>) -> Vec<Cell> {
    let one = |c: Cell| Cell { text: plain(&c.text).replace(['\n', '\t'], " "), style: c.style };
    cells.into_iter().map(one).collect()
}

/// Titles and values of one thing.
pub(crate) fn pairs(rows: &[(&str, Cell)], width: Option<usize>, color: bool) -> String {
    let head = rows.iter().map(|(title, _)| Cell::styled(title, Some(BOLD))).collect();
    let values = rows.iter().map(|(_, cell)| cell.clone()).collect();
    records(&[head, one_line(values)], width.unwrap_or(0), color)
}

/// One block of `title  value` lines for each row after the first, which holds the titles. What is empty is
/// left out.
fn records(lines: &[Vec<Cell>], width: usize, color: bool) -> String {
    let Some((head, rows)) = lines.split_first() else { return String::new() };
    // Measured over all of them, so that every block has its values at the same place.
    let titles = grid(&head.iter().map(|h| vec![h.clone()]).collect::<Vec<_>>(), false).total_width();
    let room = width.saturating_sub(titles + 2);
    let block = |row: &Vec<Cell>| {
        let told = head.iter().zip(row).filter(|(_, c)| !c.text.is_empty());
        let value = |c: &Cell| match room {
            RECORD_VALUE.. => Cell { text: wrap(&c.text, room).join("\n"), style: c.style },
            _ => c.clone(),
        };
        let mut table = grid(&told.map(|(h, c)| vec![h.clone(), value(c)]).collect::<Vec<_>>(), color);
        table.modify(Columns::first(), Width::increase(titles + 1));
        print(&table)
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The cells in columns, one space between them.
fn grid(lines: &[Vec<Cell>], color: bool) -> Table {
    let mut table = Builder::from_iter(lines.iter().map(|l| l.iter().map(|c| c.text.clone()))).build();
    table.with(Style::blank()).with(Padding::zero());
    table.modify(Rows::new(..), AlignmentStrategy::PerLine).modify(Rows::new(..), TrimStrategy::Horizontal);
    let cells = lines.iter().enumerate().flat_map(|(y, l)| l.iter().enumerate().map(move |(x, c)| (At::new(y, x), c)));
    for (at, cell) in cells.filter(|(_, c)| color && !c.text.is_empty()) {
        if let Some(style) = cell.style {
            // Set on the cell rather than written into its text, so that each line of a wrapped cell has it.
            table.modify(at, Color::new(style.render().to_string(), style.render_reset().to_string()));
        }
    }
    table
}

/// The table's lines, none of which ends in spaces.
fn print(table: &Table) -> String {
    table.to_string().lines().flat_map(|line| [line.trim_end_matches(' '), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::GOOD;

    const COLUMNS: &[Column] = &[Column::left("Some Name"), Column::right("N"), Column::left("What it is said to be")];

    fn row(name: &str, n: &str, what: &str) -> Vec<Cell> {
        vec![Cell::new(name), Cell::new(n), Cell::styled(what, Some(GOOD))]
    }

    #[test]
    fn piped_is_never_wrapped() {
        let long = "x".repeat(300);
        let text =
            render(COLUMNS, &[row("a", "10", &long), row("日本", "1", ""), vec![Cell::new("short")]], None, false);
        assert_eq!(
            text,
            format!("Some Name  N What it is said to be\na         10 {long}\n日本       1\nshort\n"),
            "columns of a width of two, empty cells and missing ones"
        );
    }

    #[test]
    fn wrapped_at_spaces_and_seams() {
        let rows =
            [row("abcdefghijklm", "1", "2x InService 1x Pending, 日本語 日本語"), row("b", "", "an-unbroken-word")];
        assert_eq!(
            render(COLUMNS, &rows, Some(28), false),
            "Some Name     N What it is\n                said to be\nabcdefghijklm 1 2x InService\n                \
             1x Pending,\n                日本語\n                日本語\nb               an-unbroken-\n                \
             word\n"
        );
    }

    #[test]
    fn records_rather_than_half_an_id() {
        let columns = &[Column::left("Name"), Column::left("Id")];
        let row = vec![Cell::new("hello-world"), Cell::new("i-0123456789abcdef0")];
        assert_eq!(
            render(columns, std::slice::from_ref(&row), Some(26), false),
            "Name   Id\nhello- i-0123456789abcdef0\nworld\n"
        );
        assert_eq!(render(columns, &[row], Some(20), false), "Name  hello-world\nId    i-0123456789abcdef0\n");
    }

    #[test]
    fn each_line_of_a_cell_has_its_colour() {
        let text = render(COLUMNS, &[row("a", "1", "2x InService 1x Pending")], Some(24), true);
        assert_eq!(
            text.replace('\x1b', "^"),
            "^[1mSome Name^[0m ^[1mN^[0m ^[1mWhat it is^[0m\n            ^[1msaid to be^[0m\n\
             a         1 ^[32m2x InService^[0m\n            ^[32m1x Pending^[0m\n"
        );
    }

    #[test]
    fn exact_lines_leave_no_gap() {
        let text = render(&[Column::left("H")], &[vec![Cell::new("abcdefgh ijklmnop qrstuvwx")]], Some(8), false);
        assert_eq!(text, "H\nabcdefgh\nijklmnop\nqrstuvwx\n");
    }

    #[test]
    fn records_where_columns_would_be_unreadable() {
        let rows = [row("abcdefghijklm", "1", "it is so"), row("b", "", "it is not so")];
        let columns = &[Column::left("Some Name"), Column::right("N"), Column::left("Unbreakable-Title")];
        assert_eq!(
            render(columns, &rows, Some(14), true).replace('\x1b', "^"),
            "^[1mSome Name^[0m          abcdefghijklm\n^[1mN^[0m                  1\n\
             ^[1mUnbreakable-Title^[0m  ^[32mit is so^[0m\n\n\
             ^[1mSome Name^[0m          b\n^[1mUnbreakable-Title^[0m  ^[32mit is not so^[0m\n",
            "each title and value on one line when there is no room to wrap in"
        );
        assert_eq!(pairs(&[("A", Cell::new("1")), ("Long Title", Cell::new(""))], Some(80), false), "A           1\n");
        assert_eq!(pairs(&[], Some(80), false), "");
        assert_eq!(render(&[], &[], Some(80), false), "");
    }

    #[test]
    fn nothing_in_a_cell_breaks_the_table() {
        let text = render(COLUMNS, &[row("a\nb\tc", "\x1b[2J", "")], None, true);
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains("\x1b[2J"), "{text:?}");
    }
}
