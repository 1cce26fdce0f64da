//! How far a word is from the one that was probably meant.

/// Letters that were added, left out, replaced, or swapped with their neighbor.
pub(crate) fn distance(word: &str, meant: &str) -> usize {
    strsim::damerau_levenshtein(word, meant)
}

/// The largest distance at which a word may stand for this one.
pub(crate) fn most(meant: &str) -> usize {
    1.max(meant.len() / 3)
}
