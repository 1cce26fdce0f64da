//! Where in the text a key stands, for what is found wrong only after the file was read.
use serde::{Deserialize, Deserializer, de};
use serde_yaml::{Location, Spanned};
use std::fmt;

/// A step into a document: a key of a map, or a place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A key of a map.
    Key(&'static str),
    /// A key of a map that has several spellings.
    AnyOf(&'static [&'static str]),
    /// The entry of a map whose key is the n-th in order, from 0: for keys that people choose.
    Nth(usize),
    /// A place in a list, from 0.
    At(usize),
}

/// Any document, with places.
enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

/// The place of the innermost thing on `path` that the document has.
pub(crate) fn place(text: &str, path: &[Step]) -> Option<Location> {
    let root: Spanned<Node> = serde_yaml::from_str_with_options(text, crate::parse::lenient()).ok()?;
    let mut here = &root;
    for step in path {
        let next = match (step, &here.value) {
            (Step::Key(key), Node::Map(entries)) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            (Step::AnyOf(keys), Node::Map(entries)) => {
                entries.iter().find(|(k, _)| keys.contains(&k.as_str())).map(|(_, v)| v)
            }
            (Step::Nth(n), Node::Map(entries)) => {
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                entries.get(*n).map(|(_, v)| v)
            }
            (Step::At(n), Node::List(items)) => items.get(*n),
            _ => None,
        };
        match next {
            Some(next) => here = next,
            None => break,
        }
    }
    Some(here.referenced)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> de::Visitor<'de> for Any {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }
        d.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_to_lines() {
        let text = "tags:\n  b: 1\n  A: 2\n  a: 3\nlist:\n  - Sid: x\n    Resource:\n      - y\n";
        let line = |path: &[Step]| place(text, path).unwrap().line();
        // In order: A, a, b.
        assert_eq!((0..3).map(|n| line(&[Step::Key("tags"), Step::Nth(n)])).collect::<Vec<_>>(), [3, 4, 2]);
        let resource = Step::AnyOf(&["resources", "Resource"]);
        assert_eq!(line(&[Step::Key("list"), Step::At(0), resource, Step::At(0)]), 8);
        // What is not there: the innermost thing that is.
        assert_eq!(line(&[Step::Key("list"), Step::At(0), Step::Key("nothing")]), 6);
    }
}
