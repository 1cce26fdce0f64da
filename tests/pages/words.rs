//! Names of actions in texts.

/// `service:Operation`
pub(crate) fn is_action(word: &str) -> bool {
    word.split_once(':').is_some_and(|(service, operation)| {
        !service.is_empty()
            && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            && operation.starts_with(|c: char| c.is_ascii_uppercase())
            && operation.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// What stands between quotes, and between the texts in quotes: words that are no actions do not matter.
pub(crate) fn quoted(text: &str, quote: char) -> impl Iterator<Item = &str> {
    text.split(quote)
}
