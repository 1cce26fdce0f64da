//! What AWS accepts as tags. Every resource gets every tag, so the strictest service decides.
use crate::{Error, Result};
use std::collections::BTreeMap;
use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// Longest key, in characters (IAM `Tag`, EC2 "Tag restrictions").
pub const KEY_LIMIT: usize = 128;
/// Longest value, in characters (the same pages).
pub const VALUE_LIMIT: usize = 256;
/// Tags of one resource, those that we set included ("Tag restrictions" of EC2, ELB, EC2 Auto Scaling, S3, SSM; IAM
/// quotas). A hosted zone has 10 and is handled where it is made.
pub const MOST: usize = 50;
/// Keys that `minion` and `overlord` set themselves.
const OURS: [&str; 3] = ["Name", super::tags::MANAGED_BY, super::tags::TEAM];
/// The beginnings of keys that `minion` and `overlord` set themselves, and go by to find what is whose.
const OUR_PREFIXES: [&str; 2] = ["minion:", "overlord:"];

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]` (IAM and ELBv2 `Tag`). Rust's `char::is_alphanumeric` is wider: it counts vowel signs and
/// other marks as alphabetic.
fn allowed(c: char) -> bool {
    use Category::{
        DecimalNumber, LetterNumber, LineSeparator, LowercaseLetter, ModifierLetter, OtherLetter, OtherNumber,
        ParagraphSeparator, SpaceSeparator, TitlecaseLetter, UppercaseLetter,
    };
    "_.:/=+-@".contains(c)
        || matches!(
            get_general_category(c),
            UppercaseLetter
                | LowercaseLetter
                | TitlecaseLetter
                | ModifierLetter
                | OtherLetter
                | DecimalNumber
                | LetterNumber
                | OtherNumber
                | SpaceSeparator
                | LineSeparator
                | ParagraphSeparator
        )
}

/// A character that is not allowed, so that it can be read and found: combining and invisible ones show only by number.
pub fn named(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    if c.is_ascii_graphic() { format!("`{c}` ({number})") } else { number }
}

fn characters(what: &str, text: &str, longest: usize) -> Result<(), String> {
    let count = text.chars().count();
    if count > longest {
        return Err(format!("invalid {what}: it has {count} characters; AWS allows at most {longest}"));
    }
    if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!(
            "invalid {what} `{text}`: the character {} is not allowed; use letters, digits, spaces and _ . : / = + - @",
            named(c)
        ));
    }
    // ELB user guides, "Tag restrictions".
    if text.trim() != text {
        return Err(format!("invalid {what} `{text}`: it must not begin or end with a space"));
    }
    if has_prefix(text, "aws:") {
        return Err(format!("invalid {what} `{text}`: it must not begin with aws:, which AWS reserves"));
    }
    Ok(())
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether every service accepts this key.
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn key(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("invalid tag key: it must not be empty".into());
    }
    characters("tag key", key, KEY_LIMIT)
}

/// Whether every service accepts this value.
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn value(value: &str) -> Result<(), String> {
    characters("tag value", value, VALUE_LIMIT)
}

/// Whether a person may choose this key: valid, and none that `minion`, `overlord` or (beside them) `more` set
/// themselves. IAM compares keys without regard to case ("Tags for IAM resources", case sensitivity), so
/// `Team` is as much ours as `team`.
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn chosen_key(chosen: &str, more: &[&str]) -> Result<(), String> {
    key(chosen)?;
    if let Some(prefix) = OUR_PREFIXES.iter().find(|p| has_prefix(chosen, p)) {
        return Err(format!(
            "invalid tag key `{chosen}`: keys that begin with {prefix} are set by {}",
            &prefix[..prefix.len() - 1]
        ));
    }
    let folded = chosen.to_lowercase();
    match OURS.iter().chain(more).find(|ours| ours.to_lowercase() == folded) {
        None => Ok(()),
        Some(ours) if *ours == chosen => Err(format!("invalid tag key `{chosen}`: this tag is set automatically")),
        Some(ours) => Err(format!(
            "invalid tag key `{chosen}`: the tag `{ours}` is set automatically, and IAM does not distinguish upper and lower case in tag keys"
        )),
    }
}

/// Two keys that differ only in case, which IAM refuses as `Duplicate tag keys`: the later one, and the one before it.
pub fn alike<'k>(keys: impl IntoIterator<Item = &'k str>) -> Option<(&'k str, &'k str)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    keys.into_iter().find_map(|key| seen.insert(key.to_lowercase(), key).map(|before| (key, before)))
}

/// What to say about [`alike`] keys.
pub fn alike_text(key: &str, before: &str) -> String {
    format!(
        "invalid tag key `{key}`: it differs from `{before}` only in case, and IAM does not distinguish upper and lower case in tag keys"
    )
}

/// Checks all tags of a resource, ours included: the net below the checks of the files.
///
/// # Errors
/// A usage error with all that is wrong.
pub fn set(tags: &BTreeMap<String, String>) -> Result<()> {
    let mut wrong: Vec<String> = tags.keys().filter_map(|k| key(k).err()).collect();
    wrong.extend(tags.iter().filter_map(|(k, v)| value(v).err().map(|e| format!("tag {k}: {e}"))));
    wrong.extend(alike(tags.keys().map(String::as_str)).map(|(key, before)| alike_text(key, before)));
    if tags.len() > MOST {
        wrong.push(format!("{} tags; AWS allows {MOST} on a resource", tags.len()));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::usage(wrong.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_go_by_general_category() {
        // Composed letters, other scripts without signs, letters and digits of any kind, and spaces of any width.
        for good in [
            "Zürich",
            "cost-center",
            "Kostenstelle Süd",
            "東京",
            "Ελλάδα",
            "a b\u{a0}c",
            "x²",
            "Ⅷ",
            "٤٧",
            "ʰ",
            "ກ",
            "a=b+c@d:e/f_g.h",
        ] {
            key(good).unwrap();
            value(good).unwrap();
        }
        for (bad, name) in [
            ("ทีม", "U+0E35"),
            ("हिन्दी", "U+093F"),
            ("Zu\u{308}rich", "U+0308"),
            ("வேலை", "U+0BC7"),
            ("é\u{301}", "U+0301"),
            ("a\u{200d}b", "U+200D"),
            ("a\u{feff}", "U+FEFF"),
            ("a\tb", "U+0009"),
            ("100 €", "U+20AC"),
            ("👍", "U+1F44D"),
            ("a,b", "`,` (U+002C)"),
            ("50%", "`%` (U+0025)"),
            ("Ⓐ", "U+24B6"),
        ] {
            for told in [key(bad).unwrap_err(), value(bad).unwrap_err()] {
                assert!(told.contains(name), "{bad}: {told}");
            }
        }
    }

    #[test]
    fn lengths_edges_and_prefixes() {
        key(&"ä".repeat(128)).unwrap();
        value(&"ä".repeat(256)).unwrap();
        value("").unwrap();
        for bad in ["", " a", "a ", "\u{a0}a", "aws:x", "AWS:x", "aWs:", &"a".repeat(129)] {
            assert!(key(bad).is_err(), "{bad}");
        }
        for bad in [" ", "a ", "aws:x", "Aws:x", &"a".repeat(257)] {
            assert!(value(bad).is_err(), "{bad}");
        }
        key("awsome:x").unwrap();
    }

    #[test]
    fn keys_of_ours_in_any_case() {
        for bad in [
            "Name",
            "name",
            "NAME",
            "team",
            "Team",
            "managed-by",
            "Managed-By",
            "minion:x",
            "Minion:vpc",
            "overlord:team",
            "OVERLORD:x",
        ] {
            assert!(chosen_key(bad, &[]).is_err(), "{bad}");
        }
        for good in ["teams", "team-lead", "names", "layer", "minion", "overlord-x", "managed by"] {
            chosen_key(good, &[]).unwrap();
        }
        assert!(chosen_key("Layer", &["layer"]).unwrap_err().contains("`layer`"));
    }

    #[test]
    fn keys_alike() {
        assert_eq!(alike(["Stage", "b", "stage"]), Some(("stage", "Stage")));
        assert_eq!(alike(["ÄRA", "ära"]), Some(("ära", "ÄRA")));
        assert_eq!(alike(["a", "b", "ab"]), None);
    }

    #[test]
    fn a_whole_set() {
        let tags = |list: &[(&str, &str)]| {
            list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>()
        };
        set(&tags(&[("a", "1"), ("b", "")])).unwrap();
        let told = set(&tags(&[("Team", "x"), ("team", "y"), ("a,", "1"), ("b", "%")])).unwrap_err().to_string();
        for part in ["`Team`", "`team`", "U+002C", "tag b", "U+0025"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let many: BTreeMap<String, String> = (0..51).map(|n| (n.to_string(), String::new())).collect();
        assert!(set(&many).unwrap_err().to_string().contains("51 tags"));
    }
}
