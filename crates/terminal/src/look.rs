//! Colours, and what keeps foreign text from steering the terminal.
use crate::passwords::hidden;
use anstyle::AnsiColor;
pub use anstyle::Style;
use std::borrow::Cow;

/// `OK`, things that are made, young things.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// `FAILED`, errors, things that are removed.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Warnings, things that change.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();
/// Headers.
pub const BOLD: Style = Style::new().bold();

/// The text in that style, or just the text when colour is off.
pub(crate) fn paint(style: Style, text: &str, color: bool) -> String {
    if color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// The text without passwords in addresses, and with control characters spelled out: AWS's answers, tags, boot logs and a
/// user's own arguments may hold some that move the cursor or change the terminal's title. Line breaks and tabs stay.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    escaped(hidden(text))
}

/// The text with control characters, and others that cannot be seen, spelled out: `\r`, `\u{1b}`. Line breaks and tabs stay.
fn escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    let odd = |c: char| (c.is_control() && c != '\n' && c != '\t') || is_invisible(c);
    if !text.contains(odd) {
        return text;
    }
    let mut told = String::with_capacity(text.len() + 8);
    for c in text.replace("\r\n", "\n").chars() {
        match odd(c) {
            true => told.extend(c.escape_default()),
            false => told.push(c),
        }
    }
    told.into()
}

/// What an error of parsing says about these arguments, fit for a terminal. A line break in an argument is spelled out, too.
pub(crate) fn plain_arguments(text: &str, arguments: &[std::ffi::OsString]) -> String {
    let mut told = text.to_owned();
    for argument in arguments.iter().map(|a| a.to_string_lossy()) {
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for part in [&argument, value].into_iter().filter(|part| part.contains(['\n', '\t'])) {
            told = told.replace(part, &part.escape_debug().to_string());
        }
    }
    plain(&told).into_owned()
}

/// A byte order mark, and marks that reverse or hide text around them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_gets_through() {
        assert_eq!(plain("a\tb\nc"), "a\tb\nc");
        assert_eq!(plain("a\x1b[31mb\r\n\x07"), "a\\u{1b}[31mb\n\\u{7}");
        assert_eq!(plain("web:1.0\r"), "web:1.0\\r");
        assert_eq!(plain("\u{feff}A \u{202e}x Zürich ทีม"), "\\u{feff}A \\u{202e}x Zürich ทีม");
    }

    #[test]
    fn arguments_are_spelled_out() {
        let arguments = ["t", "a\nb", "--env=X=1\ny", "c\rd"].map(std::ffi::OsString::from);
        let told =
            plain_arguments("error: invalid value 'a\nb' for <A>\n\nand '1\ny' and 'X=1\ny' and 'c\rd'\n", &arguments);
        assert_eq!(told, "error: invalid value 'a\\nb' for <A>\n\nand '1\ny' and 'X=1\\ny' and 'c\\rd'\n");
    }

    #[test]
    fn colour_only_when_asked_for() {
        assert_eq!(paint(GOOD, "OK", false), "OK");
        assert_eq!(paint(GOOD, "OK", true), "\u{1b}[32mOK\u{1b}[0m");
    }
}
