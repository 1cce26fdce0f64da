//! Stored YAML, read so that nothing in it changes: what would come out otherwise than it is written stays text.
//!
//! A key that we do not know is written back beside ours, and one that we know may be text: `team: 1.10` is no number
//! 1.1, and `0123` no 123.
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Number, Value};
use serde_yaml::{MessageFormatter as _, Spanned};
use std::fmt;

/// What the YAML reader makes of a document, with the places of all values.
enum Node {
    Null,
    /// A number or a boolean; `None` where JSON has no such number.
    Inferred(Option<Value>),
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

/// A mapping as it is written; `None` when the document is another thing.
///
/// # Errors
/// When it is no YAML: why, without the text.
pub(crate) fn mapping(yaml: &str) -> Result<Option<Map<String, Value>>, String> {
    if yaml.trim().is_empty() {
        return Ok(Some(Map::new()));
    }
    let options = serde_yaml::options! {
        // JSON has none: kept as text.
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::PassThrough,
        // Stored values are nobody's to quote.
        with_snippet: false,
    };
    let root: Spanned<Node> = serde_yaml::from_str_with_options(yaml, options).map_err(|e| why(&e))?;
    Ok(match value(&root, yaml) {
        Value::Object(map) => Some(map),
        // Comments alone.
        Value::Null => Some(Map::new()),
        _ => None,
    })
}

/// What is wrong, and where; without a line of the text.
fn why(e: &serde_yaml::Error) -> String {
    let e = e.without_snippet();
    let message = serde_yaml::DefaultMessageFormatter.format_message(e);
    match e.location() {
        Some(place) if place.line() > 0 => format!("line {}, column {}: {message}", place.line(), place.column()),
        _ => message.into_owned(),
    }
}

fn value(node: &Spanned<Node>, yaml: &str) -> Value {
    match &node.value {
        Node::Null => Value::Null,
        Node::Text(text) => Value::String(text.clone()),
        Node::Inferred(inferred) => {
            let span = node.defined.span();
            let part = |from: u64, len: u64| {
                let from = usize::try_from(from).ok()?;
                yaml.get(from..from.checked_add(usize::try_from(len).ok()?)?)
            };
            let written =
                span.byte_offset().zip(span.byte_len()).and_then(|(from, len)| part(from, len)).map(str::trim);
            match (inferred, written) {
                (Some(inferred), Some(written)) if inferred.to_string().as_str() == written => inferred.clone(),
                (_, Some(written)) => Value::String(written.to_owned()),
                (Some(inferred), None) => inferred.clone(),
                (None, None) => Value::Null,
            }
        }
        Node::List(items) => items.iter().map(|item| value(item, yaml)).collect(),
        Node::Map(entries) => Value::Object(entries.iter().map(|(key, v)| (key.clone(), value(v, yaml))).collect()),
    }
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
                Ok(Node::Null)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Node, E> {
                Ok(Node::Inferred(Some(b.into())))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
                Ok(Node::Inferred(Some(n.into())))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Node, E> {
                Ok(Node::Inferred(Some(n.into())))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Node, E> {
                Ok(Node::Inferred(Number::from_f64(n).map(Value::Number)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Node, E> {
                Ok(Node::Text(s.to_owned()))
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
    use serde_json::json;

    #[test]
    fn nothing_changes_on_the_way() {
        let yaml = "team: 1.10\naccount: 012345678901\nhex: 0x10\nswitch: on\nlong: 1_000\nnone: .nan\nlist: [1, 01, {a: 1e3}]\n\
                    plain: 10\nyes: true\nfraction: 0.5\ntext: a b\nquoted: '1.10'\nempty:\n";
        let wanted = json!({
            "team": "1.10", "account": "012345678901", "hex": "0x10", "switch": "on", "long": "1_000", "none": ".nan",
            "list": [1, "01", {"a": "1e3"}], "plain": 10, "yes": true, "fraction": 0.5, "text": "a b",
            "quoted": "1.10", "empty": null,
        });
        let read = Value::Object(mapping(yaml).unwrap().unwrap());
        assert_eq!(read, wanted);
        // Written and read again, it is the same.
        let again = serde_yaml::to_string(&read).unwrap();
        assert_eq!(Value::Object(mapping(&again).unwrap().unwrap()), wanted, "{again}");
    }

    #[test]
    fn other_documents() {
        for nothing in [" ", "# nothing yet\n", "---\n"] {
            assert_eq!(mapping(nothing).unwrap(), Some(Map::new()), "{nothing}");
        }
        assert_eq!(mapping("[1]").unwrap(), None);
        assert_eq!(mapping("production").unwrap(), None);
        let error = mapping("a: hunter2\nb: c: d\n").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
