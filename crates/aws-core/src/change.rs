//! What is to be done with a resource, and what of it differs from what is wanted.
use crate::{Error, Result};
use std::fmt;

/// What is to be done with a node, or was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is as it should be, or not there and not to be.
    Keep,
    /// Make it.
    Create,
    /// Change these fields in place.
    Update(Vec<Change>),
    /// Remove it.
    Delete,
    /// Nothing, although it should not exist: why.
    Leave(String),
}

impl Action {
    /// Whether it changes nothing.
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Keep | Self::Leave(_))
    }
    /// Whether it is a change that cannot be made in place.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Update(changes) if changes.iter().any(|c| c.refused.is_some()))
    }
    /// The verb of a step line: `Creating`, `Updating`, ..
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Keep | Self::Leave(_) => "Checking",
            Self::Create => "Creating",
            Self::Update(_) => "Updating",
            Self::Delete => "Deleting",
        }
    }
}

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
    /// A refusal of the first of these that `what` cannot make in place.
    pub fn allowed(changes: &[Self], what: impl fmt::Display) -> Result<()> {
        let refused = changes.iter().find_map(|change| Some((change, change.refused.clone()?)));
        let Some((change, hint)) = refused else { return Ok(()) };
        Err(Error::refused(format!("{what} cannot change {change}")).hint(hint))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.field, self.from, self.to)
    }
}
