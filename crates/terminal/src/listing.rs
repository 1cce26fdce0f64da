//! Listings: a table for people, and the same as JSON, YAML or tab-separated values for programs.
use crate::{Format, Style, Terminal, table};
use aws_core::{Error, Result};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its header: `Application Name`.
    pub title: &'static str,
    /// Whether its cells stand at the right, as numbers do.
    pub right: bool,
}

impl Column {
    /// A column of words.
    pub const fn left(title: &'static str) -> Self {
        Self { title, right: false }
    }
    /// A column of numbers.
    pub const fn right(title: &'static str) -> Self {
        Self { title, right: true }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How it looks, where there is colour.
    pub style: Option<Style>,
}

impl Cell {
    /// A cell without a look of its own.
    pub fn new(text: impl ToString) -> Self {
        Self { text: text.to_string(), style: None }
    }
    /// A cell with a look.
    pub fn styled(text: impl ToString, style: Option<Style>) -> Self {
        Self { text: text.to_string(), style }
    }
    /// The text, or an empty cell.
    pub fn maybe(text: Option<impl ToString>) -> Self {
        Self { text: text.map(|t| t.to_string()).unwrap_or_default(), style: None }
    }
    /// How long ago that was (`9m ago`), green when young.
    pub fn age(then: Timestamp, now: Timestamp) -> Self {
        Self { text: crate::age::ago(then, now), style: crate::age::style(then, now) }
    }
}

/// What can be listed. The names of its serialised fields are a promise to scripts.
pub trait Listing: Serialize {
    /// The columns of the table.
    fn columns() -> &'static [Column];
    /// A cell for each column.
    fn cells(&self, now: Timestamp) -> Vec<Cell>;
    /// The names of the serialised fields in their order, for the header row of empty tab-separated output
    /// (with rows, the header is taken from the first one).
    fn fields() -> &'static [&'static str] {
        &[]
    }
}

impl Terminal {
    /// Prints a listing to standard output.
    pub fn listing<T: Listing>(&self, output: impl Into<Format>, items: &[T]) -> Result<()> {
        self.listing_at(output, items, Timestamp::now())
    }

    /// As [`Terminal::listing`], with ages as of `now`.
    ///
    /// # Errors
    /// As [`Terminal::listing`].
    pub fn listing_at<T: Listing>(&self, output: impl Into<Format>, items: &[T], now: Timestamp) -> Result<()> {
        let text = match output.into() {
            Format::Table => {
                let rows: Vec<Vec<Cell>> = items.iter().map(|i| i.cells(now)).collect();
                table::render(T::columns(), &rows, self.0.out.width(), self.0.out.color)
            }
            Format::Json => json(&items)?,
            Format::Yaml => yaml(&items)?,
            Format::Tsv => tsv(items, T::fields())?,
        };
        self.data(&text)
    }

    /// Prints one thing to standard output: `rows` (title and value) as a table, or `item` itself as an
    /// object in the other formats.
    pub fn details<T: Serialize>(&self, output: impl Into<Format>, item: &T, rows: &[(&str, Cell)]) -> Result<()> {
        let text = match output.into() {
            Format::Table => table::pairs(rows, self.0.out.width(), self.0.out.color),
            Format::Json => json(item)?,
            Format::Yaml => yaml(item)?,
            Format::Tsv => tsv(std::slice::from_ref(item), &[])?,
        };
        self.data(&text)
    }
}

fn json<T: Serialize>(value: &T) -> Result<String> {
    Ok(serde_json::to_string_pretty(value).map_err(unserialisable)? + "\n")
}

fn yaml<T: Serialize>(value: &T) -> Result<String> {
    let text = serde_yaml::to_string(value).map_err(unserialisable)?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

fn tsv<T: Serialize>(items: &[T], fields: &[&str]) -> Result<String> {
    let mut out = String::new();
    let mut header = fields.join("\t");
    for (i, item) in items.iter().enumerate() {
        let json = serde_json::to_string(item).map_err(unserialisable)?;
        let Fields(fields) = serde_json::from_str(&json).map_err(unserialisable)?;
        if i == 0 {
            header = fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\t");
        }
        out.push_str(&fields.iter().map(|(_, value)| field(value)).collect::<Vec<_>>().join("\t"));
        out.push('\n');
    }
    Ok(if header.is_empty() { out } else { format!("{header}\n{out}") })
}

/// Text as it is but for what would break the row; lists and maps as compact JSON; nothing for null.
fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => {
            text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
        }
        other => other.to_string(),
    }
}

fn unserialisable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("the result cannot be printed in this format").caused_by(error)
}

/// An object's fields in the order of the struct, which `serde_json::Map` does not keep.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Ordered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Captured, Globals, flags::ColorWhen, look};
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Version {
        version: &'static str,
        application_name: &'static str,
        image: &'static str,
        instance_states: BTreeMap<&'static str, u32>,
        desired: u32,
        weight: Option<f64>,
        created_at: Timestamp,
    }
    impl Listing for Version {
        fn columns() -> &'static [Column] {
            const COLUMNS: &[Column] = &[
                Column::left("Application Name"),
                Column::left("Ver."),
                Column::left("Docker Image"),
                Column::left("Instance States"),
                Column::right("Desired#"),
                Column::right("Weight"),
                Column::left("Created"),
            ];
            COLUMNS
        }
        fn cells(&self, now: Timestamp) -> Vec<Cell> {
            let states: Vec<String> = self.instance_states.iter().map(|(s, n)| format!("{n}x {s}")).collect();
            vec![
                Cell::new(self.application_name),
                Cell::new(self.version),
                Cell::new(self.image),
                Cell::new(states.join(" ")),
                Cell::new(self.desired),
                Cell::maybe(self.weight),
                Cell::age(self.created_at, now),
            ]
        }
        fn fields() -> &'static [&'static str] {
            &["version", "application_name"]
        }
    }

    const NOW: &str = "2026-01-02T03:04:05Z";

    fn versions() -> Vec<Version> {
        vec![Version {
            version: "2.0",
            application_name: "clojure-web-hello-world",
            image: "hjacobs/hello-world:0.1",
            instance_states: BTreeMap::from([("InService", 1)]),
            desired: 1,
            weight: None,
            created_at: "2026-01-02T02:55:00Z".parse().unwrap(),
        }]
    }

    fn print(format: Format, items: &[Version], terminal: (Terminal, Captured)) -> String {
        terminal.0.listing_at(format, items, NOW.parse().unwrap()).unwrap();
        assert_eq!(terminal.1.err(), "");
        terminal.1.out()
    }

    #[test]
    fn a_table_is_the_transcript() {
        let piped = Terminal::captured(40, false);
        assert_eq!(
            print(Format::Table, &versions(), piped),
            "Application Name        Ver. Docker Image            Instance States Desired# Weight Created\n\
             clojure-web-hello-world 2.0  hjacobs/hello-world:0.1 1x InService           1        9m ago\n"
        );
        assert!(print(Format::Table, &[], Terminal::captured(80, false)).starts_with("Application Name Ver. Docker"));
    }

    #[test]
    fn a_narrow_table_wraps() {
        assert_eq!(
            print(Format::Table, &versions(), Terminal::captured(72, true)),
            "Application  Ver. Docker Image   Instance     Desired# Weight Created\n\
             Name                             States\n\
             clojure-web- 2.0  hjacobs/hello- 1x InService        1        9m ago\n\
             hello-world       world:0.1\n"
        );
    }

    #[test]
    fn forty_columns_are_readable() {
        let text = print(Format::Table, &versions(), Terminal::captured(40, true));
        assert_eq!(
            text,
            "Application Name  clojure-web-hello-\n                  world\nVer.              2.0\n\
             Docker Image      hjacobs/hello-world:\n                  0.1\nInstance States   1x InService\n\
             Desired#          1\nCreated           9m ago\n"
        );
        assert!(text.lines().all(|l| l.len() <= 40));
        assert_eq!(print(Format::Table, &[], Terminal::captured(40, true)).lines().count(), 1);
    }

    #[test]
    fn young_is_green() {
        let globals = Globals { color: ColorWhen::Always, ..Globals::default() };
        let text = print(Format::Table, &versions(), Terminal::captured_with(200, true, &globals));
        assert!(text.ends_with(&format!("{}\n", look::paint(look::GOOD, "9m ago", true))), "{text}");
    }

    #[test]
    fn json_and_yaml() {
        let text = print(Format::Json, &versions(), Terminal::captured(80, false));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["version"], "2.0");
        assert_eq!(value[0]["weight"], Value::Null);
        assert!(text.starts_with("[\n  {\n    \"version\": \"2.0\",\n    \"application_name\""), "{text}");
        assert_eq!(print(Format::Json, &[], Terminal::captured(80, false)), "[]\n");

        let text = print(Format::Yaml, &versions(), Terminal::captured(80, false));
        let value: Vec<BTreeMap<String, Value>> = serde_yaml::from_str(&text).unwrap();
        assert_eq!(value[0]["version"], "2.0", "a version that looks like a number stays text: {text}");
        assert_eq!(print(Format::Yaml, &[], Terminal::captured(80, false)).trim(), "[]");
    }

    #[test]
    fn tab_separated_values() {
        let mut items = versions();
        items[0].image = "a\tb\nc\\";
        assert_eq!(
            print(Format::Tsv, &items, Terminal::captured(80, false)),
            "version\tapplication_name\timage\tinstance_states\tdesired\tweight\tcreated_at\n\
             2.0\tclojure-web-hello-world\ta\\tb\\nc\\\\\t{\"InService\":1}\t1\t\t2026-01-02T02:55:00Z\n"
        );
        assert_eq!(print(Format::Tsv, &[], Terminal::captured(80, false)), "version\tapplication_name\n");
    }

    #[test]
    fn one_thing() {
        let (terminal, captured) = Terminal::captured(80, false);
        let item = &versions()[0];
        let rows = [("Version", Cell::new("2.0")), ("DNS Name", Cell::new("x")), ("Empty", Cell::new(""))];
        terminal.details(Format::Table, item, &rows).unwrap();
        assert_eq!(captured.out(), "Version   2.0\nDNS Name  x\n");
        terminal.details(Format::Json, item, &rows).unwrap();
        assert!(captured.out().contains("{\n  \"version\""));
    }
}
