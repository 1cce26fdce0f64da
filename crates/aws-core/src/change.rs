//! What differs between what is there and what is wanted.
use std::fmt;

/// One field that differs from what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field's name, as the user knows it.
    pub field: String,
    /// What is there now.
    pub from: String,
    /// What is wanted.
    pub to: String,
    /// Set when it cannot be changed in place: what to do instead.
    pub refused: Option<String>,
}

impl Change {
    /// A change that can be made in place.
    pub fn new(field: impl Into<String>, from: impl fmt::Display, to: impl fmt::Display) -> Self {
        Self { field: field.into(), from: from.to_string(), to: to.to_string(), refused: None }
    }
    /// A change that is refused; `hint` says what to do instead.
    pub fn refused(
        field: impl Into<String>,
        from: impl fmt::Display,
        to: impl fmt::Display,
        hint: impl Into<String>,
    ) -> Self {
        Self { refused: Some(hint.into()), ..Self::new(field, from, to) }
    }
    /// Pushes a change onto `list` when the two differ.
    pub fn compare<T: PartialEq + fmt::Display>(list: &mut Vec<Self>, field: &str, live: &T, wanted: &T) {
        if live != wanted {
            list.push(Self::new(field, live, wanted));
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.field, self.from, self.to)
    }
}
