//! The one way from a value to a word of a shell script.

/// A word that a POSIX shell reads as exactly this text: in single quotes, within which nothing is special but
/// the single quote itself. A NUL cannot be in a word; callers refuse it.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
