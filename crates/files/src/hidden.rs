//! Lines that an error may not show: where a secret stands, or may have been written in place of a reference to one.
//!
//! A file with an error may be no YAML at all, so this goes by lines, indentation and brackets, and rather hides a line too
//! many than one too few.
use crate::{SecretBelow, quoting, spelling};

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

/// The line behind the last one that belongs to the key in line `first`. A value of several lines that was pasted may be
/// further to the left than its key: only another key ends the block, or a document.
fn end_of(lines: &[&str], depths: &[usize], first: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[first]);
    let mut quote = open_quote(lines[first], None);
    for (n, line) in lines.iter().enumerate().skip(first + 1) {
        let left = indent(line) <= own && depths[n] <= depths[first];
        if quote.is_none() && left && (is_key(line.trim()) || is_document(line)) {
            return n;
        }
        quote = open_quote(line, quote);
    }
    lines.len()
}

/// Whether a line begins with a key of ours: small letters, with or without quotes. (`DEK-Info: ..` is part of a private key.)
fn is_key(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else { return false };
    let key = key.trim_end().trim_matches(['"', '\'']);
    let first = key.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    first
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && (value.is_empty() || value.starts_with(char::is_whitespace))
}

fn is_document(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// The quote that is open behind a line, given the one that is open before it.
fn open_quote(line: &str, mut open: Option<char>) -> Option<char> {
    // Where a value begins, a quote opens; elsewhere it is a character like others.
    let mut begins = true;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match open {
            Some('"') if c == '\\' => _ = chars.next(),
            Some('\'') if c == '\'' && chars.peek() == Some(&'\'') => _ = chars.next(),
            Some(quote) if c == quote => (open, begins) = (None, false),
            Some(_) => {}
            None if begins && (c == '"' || c == '\'') => open = Some(c),
            None if begins && c == '#' => break,
            None => begins = c.is_whitespace() || "{[,:".contains(c),
        }
    }
    open
}

/// Whether the line has this key, in quotes or without, or one that was probably meant to be it.
fn has_key(line: &str, key: &str) -> bool {
    if line.trim_start().starts_with('#') {
        return false;
    }
    let exact = line.match_indices(key).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
        before.is_none_or(|c| c.is_whitespace() || "{,[\"'?-\u{feff}".contains(c)) && behind.starts_with(':')
    });
    let near = |(at, _): (usize, &str)| {
        let before = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let word = before.rsplit(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).next().unwrap_or_default();
        is_near(word.trim_start_matches('-'), key)
    };
    exact || line.match_indices(':').any(near)
}

/// Whether a word may be the key, misspelled. Where the first letter is another, fewer of the rest may be: `actions` of a
/// policy is two letters away from `options`.
fn is_near(word: &str, key: &str) -> bool {
    let word = word.to_lowercase();
    let most = if word.chars().next() == key.chars().next() { spelling::most(key) } else { 1 };
    spelling::distance(&word, key) <= most
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
            ("my-secret: 1\nmysecrets: 2\n# secrets: 3\nb: secrets\n", &[]),
            ("secret: {A: x}\nb: 2\nSecrets:\n  A: x\nc: 3\n\"secerts\" : x\n", &[0, 2, 3, 5]),
            ("l: {option: {token: x}}\nb: 2\nactions: token\n", &[0]),
            (
                "secrets:\n  A: |\n-----BEGIN KEY-----\nDEK-Info: AES,1\n\nabc\n-----END KEY-----\nb: 2\n",
                &[0, 1, 2, 3, 4, 5, 6],
            ),
            ("secrets:\n  A: \"x\ny: \\\" z\nb: 2\"\nc: 'it''s'\n", &[0, 1, 2, 3]),
            ("secrets:\n  A: 'x\ny: ''z''\n'\nb: 2\n", &[0, 1, 2, 3]),
            ("secrets:\n  A: it's # \"x\nb: 2\n", &[0, 1]),
            ("secrets:\n  A: x\n--- # \"next\nb: 2\n", &[0, 1]),
            ("l:\n  options:\n    url: x\n    Token: y\n  days: 3\n", &[1, 2, 3]),
            ("l:\n  options:\n    url: x\n  days: 3\n", &[]),
        ] {
            let found: Vec<usize> = (0..text.lines().count()).filter(|n| hides(text, *n, &KEYS)).collect();
            assert_eq!(found, hidden, "{text}");
        }
        assert!(!hides("", 0, &KEYS) && !hides("secrets: x\n", 0, &[]));
    }
}
