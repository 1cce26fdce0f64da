//! Reading a team's file: its own keys, and those of [`Defaults`] beside them.
//!
//! Serde's `flatten` would do it, but it forgets where in the text a key stands, and cannot refuse keys that do not
//! exist. Here one map is read once: the team's own keys are kept, the others are handed on.
use super::types::{Defaults, Reach, TeamAccount, TeamFile, Zones};
use crate::addresses::SLOTS;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor, value},
    forward_to_deserialize_any,
};
use std::{fmt, sync::LazyLock};

/// The keys that only a team's file has.
pub(super) const OWN: [&str; 4] = ["team", "account", "domains", "network_size"];

/// Every key of a team's file.
static KEYS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut keys = OWN.to_vec();
    keys.extend_from_slice(shared());
    keys
});

/// The keys of [`Defaults`], asked of the code that serde made.
fn shared() -> &'static [&'static str] {
    struct Ask<'a>(&'a mut &'static [&'static str]);
    impl<'de> Deserializer<'de> for Ask<'_> {
        type Error = value::Error;
        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
            Err(value::Error::custom("only a struct has keys"))
        }
        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, value::Error> {
            *self.0 = fields;
            Err(value::Error::custom("the keys are known"))
        }
        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut keys: &[&str] = &[];
    // The answer is always the error; what was asked for is in `keys`.
    drop(Defaults::deserialize(Ask(&mut keys)));
    keys
}

/// A key that exists.
struct Key(&'static str);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Known;
        impl Visitor<'_> for Known {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E: de::Error>(self, s: &str) -> Result<Key, E> {
                let known = KEYS.iter().find(|key| **key == s);
                known.map(|key| Key(key)).ok_or_else(|| E::unknown_field(s, &KEYS))
            }
        }
        d.deserialize_identifier(Known)
    }
}

/// A team's name; what is wrong with it is told with its hint.
#[derive(Deserialize)]
struct Name(#[serde(deserialize_with = "files::from_text")] aws_core::model::TeamName);

/// A team's own keys, as they are met.
#[derive(Default)]
struct Head {
    team: Option<aws_core::model::TeamName>,
    account: Option<TeamAccount>,
    domains: Option<Vec<String>>,
    network_size: Option<u8>,
}

/// A map without the team's own keys.
struct Rest<'a, A> {
    map: A,
    head: &'a mut Head,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            match key {
                "team" => self.head.team = Some(self.map.next_value::<Name>()?.0),
                "account" => self.head.account = self.map.next_value()?,
                "domains" => self.head.domains = self.map.next_value()?,
                "network_size" => self.head.network_size = self.map.next_value()?,
                shared => return seed.deserialize(shared.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl<'de> Deserialize<'de> for TeamFile {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct File;
        impl<'de> Visitor<'de> for File {
            type Value = TeamFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a team's file")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TeamFile, A::Error> {
                let mut head = Head::default();
                let rest = Rest { map, head: &mut head };
                let overrides = Defaults::deserialize(value::MapAccessDeserializer::new(rest))?;
                let Head { team, account, domains, network_size } = head;
                let team = team.ok_or_else(|| A::Error::missing_field("team"))?;
                Ok(TeamFile { team, account, domains, network_size, overrides })
            }
        }
        d.deserialize_struct("TeamFile", &KEYS, File)
    }
}

impl<'de> Deserialize<'de> for TeamAccount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Account;
        impl<'de> Visitor<'de> for Account {
            type Value = TeamAccount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`current`, `new`, an account number in quotes, or `{account: \"..\", role: ..}`")
            }
            fn visit_str<E>(self, s: &str) -> Result<TeamAccount, E> {
                Ok(match s {
                    "current" => TeamAccount::Current,
                    "new" => TeamAccount::New,
                    number => TeamAccount::Number(number.to_owned()),
                })
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<TeamAccount, E> {
                Err(E::custom(UNQUOTED))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<TeamAccount, E> {
                Err(E::custom(UNQUOTED))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<TeamAccount, E> {
                Err(E::custom(UNQUOTED))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TeamAccount, A::Error> {
                Reach::deserialize(value::MapAccessDeserializer::new(map)).map(TeamAccount::Reach)
            }
        }
        d.deserialize_any(Account)
    }
}

impl<'de> Deserialize<'de> for Zones {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Zones;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ZONES)
            }
            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Zones, E> {
                let out_of_range = |_| E::custom(format!("{count} is out of range: 1 to {SLOTS}"));
                u8::try_from(count).map(Zones::Count).map_err(out_of_range)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Zones, E> {
                Err(E::custom(ZONES))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Zones, E> {
                Err(match number.fract() == 0.0 {
                    true => E::custom(format!("{ZONES}. Write {number}.")),
                    false => E::custom(ZONES),
                })
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Zones, E> {
                Err(E::custom(ZONES))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Zones, E> {
                // What YAML does not take for a number.
                Err(match text.parse::<f64>() {
                    Ok(number) if number.fract() == 0.0 => {
                        E::custom(format!("{ZONES}, found `{text}`. Write {number}."))
                    }
                    _ => E::custom(ZONES),
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Zones, A::Error> {
                Err(A::Error::custom(ZONES))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Zones, A::Error> {
                Vec::deserialize(value::SeqAccessDeserializer::new(seq)).map(Zones::Named)
            }
        }
        d.deserialize_any(Either)
    }
}

/// What is wrong with other values.
const ZONES: &str = "expected a number of zones, or a list of their IDs, e.g. 3 or [euw1-az1, euw1-az2]";

/// What is wrong with a number.
const UNQUOTED: &str = "an account number stands in quotes, e.g. \"012345678901\": YAML takes digits without quotes for \
                        a number, and drops zeros in front";

#[cfg(test)]
mod tests {
    #[test]
    fn the_keys_are_those_that_are_written() {
        assert!(super::shared().contains(&"guard_rails"));
        let schema = files::reference::schema::<super::TeamFile>();
        let mut documented: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut read = super::KEYS.clone();
        documented.sort_unstable();
        read.sort_unstable();
        assert_eq!(read, documented);
    }
}
