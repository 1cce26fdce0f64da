//! Taking an input apart.
use aws_core::{Error, error::Kind};
use std::borrow::Cow;

/// Ends a part of an input that has several. No UTF-8 text has it, so no part needs an escape.
pub const END: u8 = 0xff;

/// The parts of an input, as text. Those that are missing are empty.
pub fn parts<const N: usize>(data: &[u8]) -> ([Cow<'_, str>; N], impl Iterator<Item = Cow<'_, str>>) {
    let mut rest = data.split(|b| *b == END).map(String::from_utf8_lossy);
    let first = std::array::from_fn(|_| rest.next().unwrap_or_default());
    (first, rest)
}

/// An error about something that a person wrote: their mistake, in bounded words. With `lined`, it is about a file: it says
/// which line, unless it is about the whole, and shows no control character of it. (Those of a command line show where all is
/// printed.)
pub fn assert_told(error: &Error, lined: bool) {
    assert_eq!(error.kind(), Kind::Usage, "{error}");
    let text = error.to_string();
    assert!(text.chars().count() < 20_000, "{} characters", text.chars().count());
    for words in error.hints().iter().map(String::as_str).chain([text.as_str()]).filter(|_| lined) {
        assert!(words.chars().all(|c| c == '\n' || !c.is_control()), "{words:?}");
    }
    let whole = [" is empty", " is too large", "too much: "].iter().any(|w| text.contains(w));
    assert!(!lined || whole || text.contains(", line "), "no line: {text}");
}
