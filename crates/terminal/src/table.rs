//! Columns without borders, as the listings have them.
//!
//! Laid out here rather than by a table crate, because three things must hold at once: what is piped is
//! never cut or wrapped, `--color` decides alone (not NO_COLOR read anew elsewhere), and a terminal of 40
//! columns still gets something to read.
use crate::{
    Cell, Column,
    look::{BOLD, Style, paint, plain},
};
use dialoguer::console::measure_text_width as wide;

/// No column is made narrower than this to fit a terminal, unless its cells are.
const NARROWEST: usize = 8;
/// Beside its title a value of a record needs this much room to be wrapped there.
const RECORD_VALUE: usize = 12;

/// The table as lines. `width` is the terminal's; none when piped.
pub(crate) fn render(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>, color: bool) -> String {
    let head: Vec<Cell> = columns.iter().map(|c| Cell { text: c.title.into(), style: Some(BOLD) }).collect();
    let head = clean(&head, columns.len());
    let rows: Vec<Vec<Cell>> = rows.iter().map(|r| clean(r, columns.len())).collect();
    let natural: Vec<usize> = (0..columns.len())
        .map(|i| std::iter::once(&head).chain(&rows).map(|r| wide(&r[i].text)).max().unwrap_or(0))
        .collect();
    let widths = match width {
        None => Some(natural),
        Some(width) => fit(natural, width),
    };
    let mut out = String::new();
    match (widths, width) {
        (Some(widths), _) => {
            for row in std::iter::once(&head).chain(&rows) {
                push_row(&mut out, row, columns, &widths, color);
            }
        }
        (None, Some(width)) if !rows.is_empty() => push_records(&mut out, &head, &rows, width, color),
        _ => push_row(&mut out, &head, columns, &vec![0; columns.len()], color),
    }
    out
}

/// Titles and values of one thing.
pub(crate) fn pairs(rows: &[(&str, Cell)], width: Option<usize>, color: bool) -> String {
    let head: Vec<Cell> = rows.iter().map(|(title, _)| Cell::styled(title, Some(BOLD))).collect();
    let values: Vec<Cell> = rows.iter().map(|(_, cell)| cell.clone()).collect();
    let mut out = String::new();
    push_records(&mut out, &head, &[clean(&values, rows.len())], width.unwrap_or(0), color);
    out
}

/// A cell for each column, each on one line.
fn clean(row: &[Cell], columns: usize) -> Vec<Cell> {
    let blank = Cell { text: String::new(), style: None };
    let one_line = |c: &Cell| Cell { text: plain(&c.text).replace(['\n', '\t'], " "), style: c.style };
    row.iter().map(one_line).chain(std::iter::repeat(blank)).take(columns).collect()
}

/// Takes from the widest column until all fit; none when they cannot.
fn fit(mut widths: Vec<usize>, room: usize) -> Option<Vec<usize>> {
    let gaps = widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let widest = widths.iter_mut().max()?;
        if *widest <= NARROWEST {
            return None;
        }
        *widest -= 1;
    }
    Some(widths)
}

fn push_row(out: &mut String, row: &[Cell], columns: &[Column], widths: &[usize], color: bool) {
    let cells: Vec<Vec<String>> = row.iter().zip(widths).map(|(c, w)| wrap(&c.text, *w)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        // Spaces wait for text to come after them, so that no line ends in spaces.
        let mut spaces = 0;
        for (i, cell) in cells.iter().enumerate() {
            let text = cell.get(line).map_or("", String::as_str);
            let padding = widths[i].saturating_sub(wide(text));
            let (before, after) = if columns[i].right { (padding, 0) } else { (0, padding) };
            spaces += before;
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(' ', spaces));
                spaces = 0;
                push_text(out, row[i].style, text, color);
            }
            spaces += after + 1;
        }
        out.push('\n');
    }
}

/// One block of `title  value` lines for each row, where columns would be too narrow to read.
fn push_records(out: &mut String, head: &[Cell], rows: &[Vec<Cell>], width: usize, color: bool) {
    let titles = head.iter().map(|h| wide(&h.text)).max().unwrap_or(0);
    let room = width.saturating_sub(titles + 2);
    let room = if room < RECORD_VALUE { 0 } else { room };
    for (i, row) in rows.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        for (title, cell) in head.iter().zip(row).filter(|(_, c)| !c.text.is_empty()) {
            push_text(out, title.style, &title.text, color);
            out.extend(std::iter::repeat_n(' ', titles - wide(&title.text)));
            for (n, line) in wrap(&cell.text, room).iter().enumerate() {
                out.extend(std::iter::repeat_n(' ', if n == 0 { 2 } else { titles + 2 }));
                push_text(out, cell.style, line, color);
                out.push('\n');
            }
        }
    }
}

fn push_text(out: &mut String, style: Option<Style>, text: &str, color: bool) {
    match style {
        Some(style) => out.push_str(&paint(style, text, color)),
        None => out.push_str(text),
    }
}

/// Lines of at most `room` columns (0: no bound), broken at a space if there is one.
fn wrap(text: &str, room: usize) -> Vec<String> {
    if room == 0 || wide(text) <= room {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text.chars() {
        line.push(c);
        if wide(&line) <= room {
            continue;
        }
        // A break at a space is only worth it when the line does not become very short.
        let rest = match line.rfind(' ') {
            Some(at) if wide(&line[..at]) * 3 >= room => line.split_off(at + 1),
            _ => line.pop().map(String::from).unwrap_or_default(),
        };
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line = rest;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_spaces_or_anywhere() {
        assert_eq!(wrap("2x InService 1x Pending", 12), ["2x InService", "1x Pending"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("abc", 0), ["abc"]);
        assert_eq!(wrap("日", 1), ["日"], "wider than the room, and yet it ends");
    }
}
