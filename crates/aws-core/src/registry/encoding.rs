//! Texts of any size and content as parameter values.
//!
//! A text that a parameter takes as it is, is stored as it is, for people to read. Any other (too large;
//! empty; with `{{` or `}}`, which Systems Manager refuses as a reference to another parameter) is stored
//! as Base64: behind the head's first line where it fits, else in parts. Parts are named by their text's
//! digest, so that writing a new text leaves the parts of the old one alone until the head has changed.
use crate::{Error, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// Largest value of a parameter of the standard tier, in bytes (SSM `PutParameter`).
pub const VALUE: usize = 4096;
/// Most parts of one text: a bound on what a damaged head can make us read. An account has 10,000
/// parameters of the standard tier.
const PARTS: usize = 64;
/// The largest text, in bytes.
pub const TEXT: usize = PARTS * VALUE / 4 * 3;
/// How a head begins that is not the text itself. A comment in YAML.
const MARK: &str = "#minion-base64 ";

/// A text, ready to be stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The head's value.
    pub head: String,
    /// Names (below the head) and values.
    pub parts: Vec<(String, String)>,
}

/// A head, read.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// The text itself.
    Plain(String),
    /// Where the text is.
    Coded {
        /// SHA-256 of the text, in hexadecimal digits.
        digest: String,
        /// The parts' names below the head, in order.
        parts: Vec<String>,
        /// What of the text stands in the head.
        here: String,
    },
}

/// Whether a parameter takes the text as it is.
fn plain(text: &str) -> bool {
    let refused = text.trim().is_empty() || text.contains("{{") || text.contains("}}") || text.contains('\0');
    text.len() <= VALUE && !refused && !text.starts_with(MARK)
}

fn digest(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

fn part_names(digest: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("parts/{}-{n}", &digest[..16])).collect()
}

/// How a text is stored.
///
/// # Errors
/// When the text is larger than [`TEXT`].
pub fn encode(text: &str) -> Result<Encoded> {
    if plain(text) {
        return Ok(Encoded { head: text.to_owned(), parts: Vec::new() });
    }
    if text.len() > TEXT {
        return Err(Error::usage(format!("{} bytes are too many to store; the most is {TEXT}", text.len()))
            .hint("Shorten it: large values belong into parameters or secrets of their own."));
    }
    let digest = digest(text.as_bytes());
    let code = STANDARD.encode(text);
    let here = format!("{MARK}sha256:{digest} parts:0\n{code}");
    if here.len() <= VALUE {
        return Ok(Encoded { head: here, parts: Vec::new() });
    }
    // Base64 is ASCII: it can be cut anywhere.
    let values: Vec<&str> = (0..code.len()).step_by(VALUE).map(|at| &code[at..code.len().min(at + VALUE)]).collect();
    let names = part_names(&digest, values.len());
    Ok(Encoded {
        head: format!("{MARK}sha256:{digest} parts:{}", values.len()),
        parts: names.into_iter().zip(values.into_iter().map(str::to_owned)).collect(),
    })
}

/// What a head's value says; `None` when it says nothing that we wrote.
pub fn parse(value: &str) -> Option<Head> {
    let Some(rest) = value.strip_prefix(MARK) else { return Some(Head::Plain(value.to_owned())) };
    let (line, here) = rest.split_once('\n').unwrap_or((rest, ""));
    let (digest, count) = line.trim_end().strip_prefix("sha256:")?.split_once(" parts:")?;
    let count: usize = count.parse().ok()?;
    let hexadecimal = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    (hexadecimal && count <= PARTS).then(|| Head::Coded {
        digest: digest.to_owned(),
        parts: part_names(digest, count),
        here: here.to_owned(),
    })
}

/// Puts a text together; `None` when a part is missing or the digest is another.
pub fn join<'a>(head: &Head, mut part: impl FnMut(&str) -> Option<&'a str>) -> Option<String> {
    match head {
        Head::Plain(text) => Some(text.clone()),
        Head::Coded { digest: wanted, parts, here } => {
            let mut code = here.trim_end().to_owned();
            for name in parts {
                code.push_str(part(name)?);
            }
            let text = STANDARD.decode(code).ok()?;
            (digest(&text) == *wanted).then(|| String::from_utf8(text).ok()).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn back(encoded: &Encoded) -> Option<String> {
        let parts: BTreeMap<_, _> = encoded.parts.iter().cloned().collect();
        join(&parse(&encoded.head)?, |name| parts.get(name).map(String::as_str))
    }

    fn check(text: &str) -> Encoded {
        let encoded = encode(text).unwrap();
        for value in encoded.parts.iter().map(|p| &p.1).chain([&encoded.head]) {
            assert!((1..=VALUE).contains(&value.len()), "{}", value.len());
            assert!(!value.contains("{{") && !value.contains("}}"));
        }
        assert_eq!(back(&encoded).as_deref(), Some(text));
        encoded
    }

    #[test]
    fn a_text_is_stored_as_it_is_when_it_can_be() {
        assert_eq!(check("application_name: a\n").head, "application_name: a\n");
        assert_eq!(check(&"x".repeat(VALUE)).parts.len(), 0);
        assert_eq!(check(&"ä".repeat(VALUE / 2)).head, "ä".repeat(VALUE / 2));
    }

    #[test]
    fn any_other_text_is_encoded() {
        for text in ["", " \n", "a: {{ssm:secret}}", "{a: {b: c}}", "#minion-base64 sha256:0 parts:9"] {
            let encoded = check(text);
            assert!(encoded.head.starts_with(MARK) && encoded.parts.is_empty(), "{text}");
        }
        assert_eq!(check(&"x".repeat(VALUE + 1)).parts.len(), 2);
        assert_eq!(check(&format!("x{}", "ä".repeat(VALUE / 2))).parts.len(), 2);
        assert_eq!(check(&"x".repeat(TEXT)).parts.len(), PARTS);
        assert!(encode(&"x".repeat(TEXT + 1)).is_err());
    }

    #[test]
    fn damage_is_seen() {
        let encoded = encode(&"x".repeat(9000)).unwrap();
        let head = parse(&encoded.head).unwrap();
        assert_eq!(join(&head, |_| None), None);
        assert_eq!(join(&head, |_| Some("AAAA")), None);
        assert_eq!(join(&head, |_| Some("no base64")), None);
        for broken in ["sha256:00 parts:1", "sha256:", "", &format!("sha256:{} parts:65", "0".repeat(64))] {
            assert_eq!(parse(&format!("{MARK}{broken}")), None, "{broken}");
        }
    }

    #[test]
    fn two_texts_have_parts_of_different_names() {
        let (a, b) = (encode(&"a".repeat(5000)).unwrap(), encode(&"b".repeat(5000)).unwrap());
        assert!(a.parts.iter().all(|p| b.parts.iter().all(|q| p.0 != q.0)));
    }

    proptest! {
        #[test]
        fn every_text_comes_back(piece in "[a-zä€𝄞{} \n]{1,9}", extra in ".{0,20}", size in 0usize..14_000) {
            let mut text = piece.repeat(size / piece.len() + 1);
            text.push_str(&extra);
            check(&text);
        }
        #[test]
        fn and_around_the_limit(shift in 0usize..12, wide in prop::sample::select(vec!["x", "ä", "€", "𝄞"])) {
            let text = wide.repeat((VALUE - 6 + shift) / wide.len());
            let encoded = check(&text);
            prop_assert_eq!(encoded.parts.is_empty(), text.len() <= VALUE);
        }
    }
}
