//! What the Query protocol carries, both ways: `A.B.member.1.C=x` in a request, nested elements in an answer.
use super::fault::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text, a structure, or a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    /// A text, a number or a truth.
    Text(String),
    /// Named values.
    Fields(BTreeMap<String, Value>),
    /// Values in order: `member.1`, `member.2`, ..
    List(Vec<Value>),
}

/// The most parts that a parameter's name may have: the deepest of the service's own has eleven.
const DEPTH: usize = 16;

impl Value {
    /// A structure without fields.
    pub(super) fn empty() -> Self {
        Self::Fields(BTreeMap::new())
    }

    /// The parameters of a request.
    pub(super) fn of_form(form: &BTreeMap<String, String>) -> Self {
        let mut root = BTreeMap::new();
        // Names become those of XML elements in answers.
        let known = |name: &str| {
            name.split('.').count() <= DEPTH && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
        };
        for (name, value) in form.iter().filter(|(name, _)| known(name)) {
            let path: Vec<&str> = name.split('.').collect();
            place(&mut root, &path, value);
        }
        Self::Fields(root.into_iter().map(|(k, v)| (k, v.listed())).collect())
    }

    /// Turns `{member: {1: .., 2: ..}}` into a list, at every depth.
    fn listed(self) -> Self {
        let Self::Fields(mut fields) = self else { return self };
        if fields.len() == 1
            && let Some(Self::Fields(members)) = fields.remove("member")
        {
            let mut members: Vec<(u32, Self)> =
                members.into_iter().map(|(n, v)| (n.parse().unwrap_or(u32::MAX), v.listed())).collect();
            members.sort_by_key(|(n, _)| *n);
            return Self::List(members.into_iter().map(|(_, v)| v).collect());
        }
        Self::Fields(fields.into_iter().map(|(k, v)| (k, v.listed())).collect())
    }

    /// The field of this name, if it is given and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Fields(fields) = self else { return None };
        fields.get(name).filter(|v| !matches!(v, Self::Text(t) if t.is_empty()))
    }

    /// The text of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of this name.
    ///
    /// # Errors
    /// When it is missing.
    pub(super) fn required(&self, name: &str) -> Result<String, Fault> {
        self.text(name).map(str::to_owned).ok_or_else(|| Fault::invalid(format!("{name} is required")))
    }

    /// The number of this name.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<i32>, Fault> {
        let read = |text: &str| {
            text.parse().map_err(|_| Fault::invalid(format!("{name}: `{text}` is not a number between 0 and 2^31")))
        };
        self.text(name).map(read).transpose()
    }

    /// The truth of this name.
    ///
    /// # Errors
    /// When it is neither `true` nor `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let read = |text: &str| {
            text.to_lowercase().parse().map_err(|_| Fault::invalid(format!("{name}: `{text}` is not true or false")))
        };
        self.text(name).map(read).transpose()
    }

    /// The list of this name; empty when it is not given.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        match self.get(name) {
            Some(Self::List(list)) => list,
            _ => &[],
        }
    }

    /// The list of texts of this name.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let text = |v: &Self| if let Self::Text(text) = v { Some(text.clone()) } else { None };
        self.list(name).iter().filter_map(text).collect()
    }

    /// With one more field.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Self>) -> Self {
        if let Self::Fields(fields) = &mut self {
            fields.insert(name.to_owned(), value.into());
        }
        self
    }

    /// With one more field, if there is a value for it.
    #[must_use]
    pub(super) fn maybe(self, name: &str, value: Option<impl Into<Self>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Text(number.to_string())
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Text(truth.to_string())
    }
}
impl From<jiff::Timestamp> for Value {
    fn from(time: jiff::Timestamp) -> Self {
        Self::Text(time.to_string())
    }
}
impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Self::List(list)
    }
}
impl<'a> FromIterator<&'a String> for Value {
    fn from_iter<I: IntoIterator<Item = &'a String>>(texts: I) -> Self {
        Self::List(texts.into_iter().map(Self::from).collect())
    }
}

fn place(fields: &mut BTreeMap<String, Value>, path: &[&str], value: &str) {
    match path {
        [] => {}
        [name] => {
            fields.entry((*name).to_owned()).or_insert_with(|| value.into());
        }
        [name, rest @ ..] => {
            let inner = fields.entry((*name).to_owned()).or_insert_with(Value::empty);
            // `X=` stands for an empty list: what is in the list counts.
            if matches!(inner, Value::Text(_)) {
                *inner = Value::empty();
            }
            if let Value::Fields(inner) = inner {
                place(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Value {
        Value::of_form(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn lists_keep_the_order_of_their_numbers() {
        let names: Vec<(String, String)> = (1..=11).map(|n| (format!("Names.member.{n}"), format!("n{n}"))).collect();
        let read = Value::of_form(&names.into_iter().collect());
        assert_eq!(read.texts("Names")[1], "n2");
        assert_eq!(read.texts("Names")[10], "n11");
    }

    #[test]
    fn structures_are_read_at_every_depth() {
        let read = form(&[
            ("MinSize", "2"),
            ("Empty", ""),
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.PropagateAtLaunch", "true"),
            ("LaunchTemplate.Version", "1"),
        ]);
        assert_eq!(read.number("MinSize"), Ok(Some(2)));
        assert_eq!(read.number("Missing"), Ok(None));
        assert!(read.number("LaunchTemplate").is_ok_and(|n| n.is_none()));
        assert!(read.list("Empty").is_empty());
        assert_eq!(read.list("Tags")[0].flag("PropagateAtLaunch"), Ok(Some(true)));
        assert_eq!(read.get("LaunchTemplate").unwrap().text("Version"), Some("1"));
        assert!(form(&[("MinSize", "two")]).number("MinSize").is_err());
    }
}
