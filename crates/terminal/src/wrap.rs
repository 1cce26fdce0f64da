//! Where the text of a cell may be broken. A name in crumbs cannot be read, and half an id cannot be copied.
use crate::Cell;
use tabled::grid::util::string::get_line_width;

/// After these, within a word, a line may end.
const SEAMS: [char; 3] = ['/', '-', ':'];
/// A cell whose words are broken has at most this many lines; else there are no columns.
const BROKEN: usize = 2;

/// How wide the text is on a terminal.
pub(crate) fn width(text: &str) -> usize {
    get_line_width(text)
}

/// The text in lines of `room` at most, unless a piece that must not be broken is wider.
pub(crate) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        for (at, piece) in pieces(word).into_iter().enumerate() {
            let line = lines.last_mut().expect("there is always a line");
            let gap = if at == 0 && !line.is_empty() { " " } else { "" };
            if line.is_empty() || width(line) + gap.len() + width(piece) <= room {
                line.push_str(gap);
                line.push_str(piece);
            } else {
                lines.push(piece.to_owned());
            }
        }
    }
    lines
}

/// The cells, broken so that all columns fit into `room`, one space between them. None when a column would
/// have to break what must not be broken, or to break words into crumbs.
pub(crate) fn fit(lines: &[Vec<Cell>], room: usize) -> Option<Vec<Vec<Cell>>> {
    let columns = lines.first().map_or(0, Vec::len);
    let most = |measure: &dyn Fn(&str) -> usize| -> Vec<usize> {
        (0..columns).map(|x| lines.iter().map(|l| measure(&l[x].text)).max().unwrap_or(0)).collect()
    };
    let least = most(&|text| text.split(' ').flat_map(pieces).map(width).max().unwrap_or(0));
    let mut widths = most(&width);
    while widths.iter().sum::<usize>() + columns.saturating_sub(1) > room {
        // From the widest one, the rightmost of several.
        let widest = (0..columns).filter(|x| widths[*x] > least[*x]).max_by_key(|x| widths[*x])?;
        widths[widest] -= 1;
    }
    let cell = |(cell, width): (&Cell, &usize)| {
        let broken = wrap(&cell.text, *width);
        let at_words = broken.iter().flat_map(|l| l.split(' ')).eq(cell.text.split(' ').filter(|w| !w.is_empty()));
        let good = broken.len() <= BROKEN || at_words;
        good.then(|| Cell { text: broken.join("\n"), style: cell.style })
    };
    lines.iter().map(|line| line.iter().zip(&widths).map(cell).collect()).collect()
}

/// The parts of a word that stay whole.
fn pieces(word: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = word;
    if !is_id(word) {
        let is_seam = |c: char| SEAMS.contains(&c);
        let ends = word.char_indices().zip(word.chars().skip(1)).filter(|((at, c), next)| {
            // Not after the sign of a number, and not between the slashes of a URL.
            *at > 0 && is_seam(*c) && !is_seam(*next)
        });
        let mut begin = 0;
        for ((at, _), _) in ends {
            let (piece, after) = rest.split_at(at + 1 - begin);
            pieces.push(piece);
            (rest, begin) = (after, at + 1);
        }
    }
    pieces.push(rest);
    pieces
}

/// An id of AWS's: `i-0123456789abcdef0`.
fn is_id(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.split_once('-').is_some_and(|(kind, number)| {
        kind.bytes().all(|b| b.is_ascii_lowercase())
            && number.len() >= 8
            && number.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_at_their_seams_and_ids_do_not() {
        assert_eq!(pieces("hjacobs/hello-world:0.1"), ["hjacobs/", "hello-", "world:", "0.1"]);
        assert_eq!(pieces("https://x.y/z"), ["https://", "x.y/", "z"]);
        assert_eq!(pieces("-1"), ["-1"]);
        assert_eq!(pieces("ends-"), ["ends-"]);
        assert_eq!(pieces("日-本"), ["日-", "本"]);
        for id in ["i-0123456789abcdef0", "vpc-0123abcd,", "(sg-0123456789abcdef0)"] {
            assert_eq!(pieces(id), [id]);
        }
        assert_eq!(wrap("clojure-web-hello-world", 12), ["clojure-web-", "hello-world"]);
        assert_eq!(wrap("2x InService 1x i-0123456789abcdef0", 12), ["2x InService", "1x", "i-0123456789abcdef0"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let line = |texts: &[&str]| vec![texts.iter().map(Cell::new).collect::<Vec<_>>()];
        let fitted =
            |texts: &[&str], room| fit(&line(texts), room).map(|l| l[0].iter().map(|c| c.text.clone()).collect());
        assert_eq!(fitted(&["ab-cd", "1"], 5), Some(vec!["ab-\ncd".to_owned(), "1".to_owned()]));
        assert_eq!(fitted(&["ab-cd", "1"], 4), None::<Vec<String>>);
        assert_eq!(fitted(&["ab-cd-ef", "1"], 5), None, "three lines of one word are crumbs");
        assert_eq!(fitted(&["ab cd ef", "1"], 4), Some(vec!["ab\ncd\nef".to_owned(), "1".to_owned()]));
        assert_eq!(fitted(&["i-0123456789abcdef0", "1"], 20), None);
        assert_eq!(fitted(&[], 0), Some(Vec::new()));
    }
}
