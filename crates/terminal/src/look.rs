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

/// The text without passwords in addresses, and without control characters, which AWS's answers, tags and boot logs may
/// hold, and which could move the cursor or change the terminal's title. Line breaks and tabs stay.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    let text = hidden(text);
    if !text.contains(control) {
        return text;
    }
    text.replace("\r\n", "\n").replace(control, "\u{fffd}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_gets_through() {
        assert_eq!(plain("a\tb\nc"), "a\tb\nc");
        assert_eq!(plain("a\x1b[31mb\r\n\x07"), "a\u{fffd}[31mb\n\u{fffd}");
    }

    #[test]
    fn colour_only_when_asked_for() {
        assert_eq!(paint(GOOD, "OK", false), "OK");
        assert_eq!(paint(GOOD, "OK", true), "\u{1b}[32mOK\u{1b}[0m");
    }
}
