//! Values as they are written. What is text for AWS or Docker must not become a number or a boolean on the way:
//! `1.10` is no version 1.1, and `012345678901` no account 12345678901.
//!
//! Where a key is text and nothing else, serde asks for a string, and gets what is written. Where a key may be a text or
//! a list or a map, serde asks for anything, and the YAML reader makes numbers and booleans of what looks like them.
//! Here the text is taken from the document instead, by the place at which the reader found it.
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, Error as _, value},
};
use serde_yaml::{Location, Spanned};
use std::{cell::RefCell, fmt, marker::PhantomData};

thread_local! {
    /// The document that is being read. Serde hands a value's reader nothing but the value; the place that it can ask for
    /// is worth nothing without the text.
    static DOCUMENT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Puts the document that was read before back in its place, also when the reader panics.
struct Before(Option<String>);

impl Drop for Before {
    fn drop(&mut self) {
        DOCUMENT.set(self.0.take());
    }
}

/// Reads `text` by `read`; [`one_or_many`] and [`TextOr`] then know what is written.
pub(crate) fn reading<T>(text: &str, read: impl FnOnce() -> T) -> T {
    let _before = Before(DOCUMENT.replace(Some(text.to_owned())));
    read()
}

/// What stands at a place of the document that is being read.
fn at(place: Location) -> Option<String> {
    let span = place.span();
    let from = usize::try_from(span.byte_offset()?).ok()?;
    let to = from.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    DOCUMENT.with_borrow(|text| text.as_deref()?.get(from..to).map(|s| s.trim().to_owned()))
}

/// A text as it is written, or something with a structure: a list with `LIST`, else a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TextOr<T, const LIST: bool = false> {
    /// One value, as it is written.
    Text(String),
    /// A list or a map.
    Structure(T),
}

/// A text, or a list of texts.
pub type OneOrMany = TextOr<Vec<String>, true>;

/// What the YAML reader makes of a value.
enum Read<T, const LIST: bool> {
    Text(String),
    /// A number or a boolean; as it would be shown, where that is known to be what is written.
    Inferred(Option<String>),
    Structure(T),
}

impl<'de, T: DeserializeOwned, const LIST: bool> Deserialize<'de> for Read<T, LIST> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Anything<T, const LIST: bool>(PhantomData<T>);
        impl<'de, T: DeserializeOwned, const LIST: bool> de::Visitor<'de> for Anything<T, LIST> {
            type Value = Read<T, LIST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, s: &str) -> Result<Read<T, LIST>, E> {
                Ok(Read::Text(s.to_owned()))
            }
            fn visit_bool<E>(self, b: bool) -> Result<Read<T, LIST>, E> {
                Ok(Read::Inferred(Some(b.to_string())))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Read<T, LIST>, E> {
                Ok(Read::Inferred(Some(n.to_string())))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Read<T, LIST>, E> {
                Ok(Read::Inferred(Some(n.to_string())))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Read<T, LIST>, E> {
                Ok(Read::Inferred(None))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Read<T, LIST>, E> {
                Err(E::custom("missing value; write \"\" where an empty text is meant"))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Read<T, LIST>, A::Error> {
                if !LIST {
                    return Err(A::Error::custom("expected one value, or keys with values, not a list"));
                }
                T::deserialize(value::SeqAccessDeserializer::new(seq)).map(Read::Structure)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Read<T, LIST>, A::Error> {
                if LIST {
                    return Err(A::Error::custom("expected one value, or a list of values, not a map"));
                }
                T::deserialize(value::MapAccessDeserializer::new(map)).map(Read::Structure)
            }
        }
        d.deserialize_any(Anything(PhantomData))
    }
}

impl<'de, T: DeserializeOwned, const LIST: bool> Deserialize<'de> for TextOr<T, LIST> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Spanned { value, defined, .. } = Spanned::<Read<T, LIST>>::deserialize(d)?;
        match value {
            Read::Text(text) => Ok(Self::Text(text)),
            Read::Structure(structure) => Ok(Self::Structure(structure)),
            Read::Inferred(shown) => at(defined)
                .or(shown)
                .map(Self::Text)
                .ok_or_else(|| D::Error::custom("put this value in quotes: YAML reads it as a number")),
        }
    }
}

/// A text, or a list of texts, each as it is written. For serde's `deserialize_with`.
///
/// # Errors
/// When it is neither.
pub fn one_or_many<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    Ok(match OneOrMany::deserialize(d)? {
        OneOrMany::Text(one) => vec![one],
        OneOrMany::Structure(many) => many,
    })
}
