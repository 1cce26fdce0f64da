//! The YAML reader's errors in our words, and what to do about them.
use crate::{Text, number, quoting, spelling};
use aws_core::Error;
use serde_yaml::{Error as Yaml, Location, MessageFormatter as _};

impl Text<'_> {
    /// The YAML reader's error in our words.
    pub(crate) fn yaml(&self, e: &Yaml) -> Error {
        let mut e = e.without_snippet();
        let mut place = e.location();
        while let Yaml::AliasError { error, locations, .. } = e {
            place = Some(locations.reference_location);
            e = error.without_snippet();
        }
        match e {
            Yaml::SerdeUnknownField { field, expected, .. } => self.unknown_key(place, field, expected),
            Yaml::SerdeUnknownVariant { variant, expected, .. } => self.unknown_word(place, variant, expected),
            Yaml::SerdeMissingField { field, .. } => self.error(place, &format!("`{field}` is missing")),
            Yaml::DuplicateMappingKey { key: Some(key), .. } => self.error(place, &format!("duplicate key `{key}`")),
            Yaml::Eof { .. } if self.says_nothing() => self.empty(),
            Yaml::MultipleDocuments { .. } => self.error(place, "a second document begins here").hint(format!(
                "{}: write each {} into a file of its own.",
                self.kind.one_document(),
                self.kind.about
            )),
            Yaml::Unexpected { expected, .. } => self.other_structure(place, expected),
            Yaml::NullIntoString { .. } => {
                let error = self.error(place, "missing value");
                error.hint(self.no_text(place))
            }
            Yaml::InvalidScalar { ty, .. } => self.no_number(place, ty),
            Yaml::SerdeInvalidType { expected, .. } | Yaml::SerdeInvalidValue { expected, .. } => {
                self.error(place, &format!("expected {expected}"))
            }
            Yaml::AliasReplayLimitExceeded { .. }
            | Yaml::AliasExpansionLimitExceeded { .. }
            | Yaml::AliasReplayStackDepthExceeded { .. }
            | Yaml::Budget { .. } => self.too_much(place),
            Yaml::UnsupportedTag { tag, .. } if !self.hides(place) => {
                let error = self.error(place, &format!("unsupported YAML tag `{tag}`"));
                self.with_quotes(error, place)
            }
            // What a value's own check says, or the reader of addresses.
            Yaml::Message { .. } => self.refused(place, e),
            _ => self.syntax(place, e),
        }
    }

    fn unknown_key(&self, place: Option<Location>, key: &str, known: &[&str]) -> Error {
        let meant = nearest(key, known);
        // A part of a pasted secret may look like a key; a file that may hold secrets anywhere has keys of its own.
        let named = meant.is_some() || self.kind.secret || !self.hides(place);
        let message = if named { format!("unknown key `{key}`") } else { "unknown key".to_owned() };
        let secret = meant.is_some_and(|meant| self.kind.secret_below.iter().any(|below| below.key == meant));
        let error = if secret { self.hidden(place, &message) } else { self.error(place, &message) };
        if let Some(before) = self.split_by_comma(place, key) {
            return error.hint(before);
        }
        match meant {
            Some(key) => error.hint(format!("Did you mean `{key}`?")),
            None => error.hint(format!("The keys here are {}.", known.join(", "))),
        }
    }

    fn unknown_word(&self, place: Option<Location>, word: &str, known: &[&str]) -> Error {
        if self.hides(place) {
            return self.error(place, &format!("expected one of {}", known.join(", ")));
        }
        let error = self.error(place, &format!("invalid value `{word}`: expected one of {}", known.join(", ")));
        match nearest(word, known) {
            Some(word) => error.hint(format!("Did you mean `{word}`?")),
            None => error,
        }
    }

    fn other_structure(&self, place: Option<Location>, expected: &str) -> Error {
        match expected {
            "sequence start" => self.error(place, &format!("expected a list, e.g. {}", self.kind.list)),
            "mapping start" => self.error(place, &format!("expected keys with values, e.g. `{}`", self.kind.pair)),
            "string scalar" => {
                let error = self.error(place, "expected one value, not a list or a map");
                self.with_quotes(error, place)
            }
            other => self.error(place, other),
        }
    }

    /// A value that is no number, or none of the wanted kind, or not `true` or `false`.
    fn no_number(&self, place: Option<Location>, ty: &str) -> Error {
        let what = match ty {
            "bool" | "boolean" => return self.error(place, "expected `true` or `false`"),
            "f32" | "f64" | "floating point" => "number",
            _ => "whole number",
        };
        let value = self.value(place).filter(|_| !self.hides(place));
        let bare = value.as_deref().map(|v| v.trim_matches(['"', '\'']));
        if let Some(value) = bare
            && let Some(fault) = number::fault(value, ty)
        {
            let error = self.error(place, &format!("invalid {what} `{value}`: {}", fault.rule));
            return match fault.meant {
                Some(meant) => error.hint(format!("Write {meant}.")),
                None => error,
            };
        }
        let sign = if ty.starts_with('u') { " that is not negative" } else { "" };
        self.error(place, &format!("expected a {what}{sign}"))
    }

    fn too_much(&self, place: Option<Location>) -> Error {
        let one = self.kind.one;
        let message =
            format!("too much: an alias (*name) stands for more than {one} can hold, or the nesting is too deep");
        self.error(place, &message).hint("Write the values out instead of using anchors and aliases.")
    }

    /// What a value's own check says.
    fn refused(&self, place: Option<Location>, e: &Yaml) -> Error {
        if self.kind.secret {
            return self.error(place, "invalid value");
        }
        let message = serde_yaml::DefaultMessageFormatter.format_message(e);
        // Those of `std` and of `ipnet`.
        if !["invalid IP address syntax", "invalid IPv4 address syntax"].contains(&&*message) {
            // Without the line, the key says which value is meant.
            return match self.key_before(place).filter(|_| self.hides(place)) {
                Some(key) => self.error(place, &format!("{key}: {message}")),
                None => self.error(place, &message),
            };
        }
        let error = self.error(place, "expected an address or network, e.g. 10.0.0.1 or 10.0.0.0/16");
        match self.value(place).as_deref().map(|v| v.trim_matches(['"', '\''])).and_then(number::without_zeros) {
            Some(bare) => error.hint(format!("Write {bare}: an address has no leading zeros.")),
            None => error,
        }
    }

    /// What is no YAML.
    fn syntax(&self, place: Option<Location>, e: &Yaml) -> Error {
        let message = serde_yaml::DefaultMessageFormatter.format_message(e);
        if message.contains("tabs") {
            return self.error(place, &message).hint("Indent with spaces: YAML allows no tabs there.");
        }
        if self.hides(place) {
            return self.error(place, "this is not valid YAML").hint(
                "Quote the value, e.g. KEY: \"@value\", if it has characters that YAML reserves: * & ! | > @ ` % # { [ or \": \".",
            );
        }
        let error = self.error(place, &message);
        self.with_quotes(error, place)
    }

    /// What to write where a text is missing.
    fn no_text(&self, place: Option<Location>) -> String {
        let value = self.value(place).filter(|_| !self.hides(place)).unwrap_or_default();
        // `null` and its other names, written out.
        if ["null", "Null", "NULL", "~"].contains(&value.as_str()) {
            return format!("Quote the value, if it is text: \"{value}\".");
        }
        // Behind a space it is a comment, and meant as one.
        let comment = value.starts_with("# ");
        // In brackets, what comes last before a place without a value is its key.
        let key = value.ends_with(':') || value.contains(": ");
        let hint = self.quotes(place).filter(|_| !comment && !key);
        hint.unwrap_or_else(|| "Write \"\" where an empty text is meant.".to_owned())
    }

    fn with_quotes(&self, error: Error, place: Option<Location>) -> Error {
        match self.quotes(place) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// The advice to quote the value at a place, as it must be written.
    fn quotes(&self, place: Option<Location>) -> Option<String> {
        if self.hides(place) {
            return None;
        }
        let value = self.value(place)?;
        let (quoted, reserved) = (quoting::quoted(&value)?, quoting::reserved(&value)?);
        Some(format!("Quote the value: {quoted} (YAML reserves `{reserved}`)."))
    }

    /// The value at, or last before, a place, as it is written.
    fn value(&self, place: Option<Location>) -> Option<String> {
        let place = place.filter(|p| p.line() > 0)?;
        let number = usize::try_from(place.line() - 1).ok()?;
        let column = usize::try_from(place.column().max(1) - 1).ok()?;
        let open = quoting::open_brackets(self.body().lines().take(number));
        quoting::value_at(self.body().lines().nth(number)?, &open, column)
    }

    /// The key that stands right before the value at a place, in the same line.
    fn key_before(&self, place: Option<Location>) -> Option<String> {
        let place = place?;
        let line = self.body().lines().nth(usize::try_from(place.line().checked_sub(1)?).ok()?)?;
        let before: String = line.chars().take(usize::try_from(place.column().checked_sub(1)?).ok()?).collect();
        let before = before.trim_end().strip_suffix(':')?.trim_end();
        let key = before.rsplit(['{', ',', ' ']).next()?.trim_matches(['"', '\'']);
        (!key.is_empty()).then(|| key.to_owned())
    }

    /// The advice for a "key" that is the second half of a value: in brackets a comma ends one.
    fn split_by_comma(&self, place: Option<Location>, key: &str) -> Option<&'static str> {
        let place = place?;
        let line = self.body().lines().nth(usize::try_from(place.line().checked_sub(1)?).ok()?)?;
        let rest: String = line.chars().skip(usize::try_from(place.column().checked_sub(1)?).ok()?).collect();
        let end = rest.strip_prefix(key)?.trim_start();
        end.starts_with([',', '}']).then_some("Quote a value that has a comma inside { }, e.g. \"200,204\".")
    }

    /// Whether there is nothing but comments and white space.
    fn says_nothing(&self) -> bool {
        self.body().lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
    }
}

/// The word that was probably meant.
fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    words
        .iter()
        .map(|w| (spelling::distance(word, w), *w))
        .min()
        .filter(|(distance, w)| *distance <= spelling::most(w))
        .map(|(_, w)| w)
}
