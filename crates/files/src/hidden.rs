//! Lines that an error may not show: where a secret stands, or may have been written in place of a reference to one.
//!
//! A file with an error may be no YAML at all, so this goes by lines, indentation and brackets, and rather hides a line too
//! many than one too few.
use crate::{SecretBelow, quoting};

/// Whether the line of this number, from 0, is at or below one of the keys.
pub(crate) fn hides(text: &str, line: usize, keys: &[SecretBelow]) -> bool {
    if keys.is_empty() {
        return false;
    }
    let lines: Vec<&str> = text.lines().collect();
    let depths = quoting::depths(lines.iter().copied());
    let of = |below: &SecretBelow| {
        (0..=line.min(lines.len().saturating_sub(1))).filter(|n| has_key(lines.get(*n).unwrap_or(&""), below.key)).any(
            |first| {
                let end = end_of(&lines, &depths, first);
                line < end && (below.words.is_empty() || mentions(&lines[first..end], below.words))
            },
        )
    };
    keys.iter().any(of)
}

fn mentions(lines: &[&str], words: &[&str]) -> bool {
    lines.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        words.iter().any(|word| line.contains(word))
    })
}

/// The line behind the last one that belongs to the key in line `first`.
fn end_of(lines: &[&str], depths: &[usize], first: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[first]);
    let ends = |n: &usize| {
        let line = lines[*n].trim();
        // A list may be as far to the left as its key.
        let list = line.starts_with('-') && indent(lines[*n]) == own;
        !line.is_empty() && !line.starts_with('#') && !list && indent(lines[*n]) <= own && depths[*n] <= depths[first]
    };
    (first + 1..lines.len()).find(ends).unwrap_or(lines.len())
}

/// Whether the line has this key, in quotes or without.
fn has_key(line: &str, key: &str) -> bool {
    if line.trim_start().starts_with('#') {
        return false;
    }
    line.match_indices(key).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
        before.is_none_or(|c| c.is_whitespace() || "{,[\"'?-\u{feff}".contains(c)) && behind.starts_with(':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [SecretBelow; 2] =
        [SecretBelow { key: "secrets", words: &[] }, SecretBelow { key: "options", words: &["token"] }];

    #[test]
    fn lines_with_secrets() {
        for (text, hidden) in [
            ("a: 1\nsecrets:\n  A: x\n\n  # y\n  B: z\nb: 2\n", &[1, 2, 3, 4, 5][..]),
            ("a: 1\n\"secrets\": {A: x,\nB: y\n}\nb: 2\n", &[1, 2, 3]),
            ("{a: 1, secrets: {A: x},\n b: 2}\n", &[0, 1]),
            ("secrets:\n- x\n- y\nb: 2\n", &[0, 1, 2]),
            ("my-secret: 1\nsecretsx: 2\n# secrets: 3\nb: secrets\n", &[]),
            ("l:\n  options:\n    url: x\n    Token: y\n  days: 3\n", &[1, 2, 3]),
            ("l:\n  options:\n    url: x\n  days: 3\n", &[]),
        ] {
            let found: Vec<usize> = (0..text.lines().count()).filter(|n| hides(text, *n, &KEYS)).collect();
            assert_eq!(found, hidden, "{text}");
        }
        assert!(!hides("", 0, &KEYS) && !hides("secrets: x\n", 0, &[]));
    }
}
