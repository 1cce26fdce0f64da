use super::*;
use aws_core::error::Kind as ErrorKind;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fs;

const GARDEN: Kind = Kind {
    noun: "garden file",
    one: "a garden file",
    about: "garden",
    least: "The least that it needs is beds.",
    pair: "beds: 1",
    list: "[rose]",
    secret: false,
    secret_below: &[],
};

/// A garden.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Garden {
    /// How many beds.
    #[schemars(range(min = 1, max = 9))]
    beds: u8,
    /// The fence,
    /// if there is one.
    #[serde(default)]
    fence: Option<Fence>,
    /// What grows.
    #[serde(default)]
    plants: Vec<Plant>,
}
/// A fence.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Fence {
    /// Metres.
    height: f64,
    /// Its gate.
    gate: Option<Gate>,
}
/// A gate.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Gate {
    /// Locked?
    locked: bool,
}
/// A plant.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Plant {
    /// Its name.
    name: String,
}

fn told(text: &str) -> String {
    let e = Text { kind: &GARDEN, source: "garden.yaml", text }.parse::<Garden>().expect_err(text);
    assert_eq!(e.kind(), ErrorKind::Usage);
    [e.to_string()].iter().chain(e.hints()).cloned().collect::<Vec<_>>().join("\n")
}

#[test]
fn errors_speak_of_the_kind_of_file() {
    assert_eq!(told(" \n"), "garden file garden.yaml is empty\nThe least that it needs is beds.");
    assert!(told("# nothing\n").starts_with("garden file garden.yaml is empty"));
    assert!(told("- rose\n").contains("expected keys with values, e.g. `beds: 1`"));
    assert!(told("beds: 1\nplants: rose\n").contains("line 2, column 9: expected a list, e.g. [rose]"));
    let two = told("beds: 1\n---\nbeds: 2\n");
    assert!(two.contains("A garden file is one document: write each garden into a file of its own."), "{two}");
    let large = told(&format!("beds: 1\n#{}", " ".repeat(256 * 1024)));
    assert!(large.contains("garden file garden.yaml is too large") && large.contains("has at most 256 KiB"), "{large}");
}

#[test]
fn files_are_read_in_bounds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("garden.yaml");
    let told = |path: &std::path::Path| read(path, &GARDEN).unwrap_err().to_string();
    assert!(told(&path).starts_with("garden file ") && told(&path).ends_with(" does not exist"));
    assert!(told(directory.path()).ends_with(" is a directory, not a garden file"));
    fs::write(&path, b"beds: 1\n# \xff\n").unwrap();
    assert!(told(&path).ends_with("line 2: not UTF-8 text"));
    fs::write(&path, " ".repeat(256 * 1024 + 1)).unwrap();
    assert!(told(&path).contains("262145 bytes"));
    fs::write(&path, "\u{feff}beds: 1\n").unwrap();
    let text = read(&path, &GARDEN).unwrap();
    Text { kind: &GARDEN, source: "g", text: &text }.parse::<Garden>().unwrap();
}

#[test]
fn a_problem_is_shown_where_it_is() {
    let text = "beds: 1\nplants:\n  - name: rose\n  - name: thorn\n";
    let shown = Text { kind: &GARDEN, source: "g", text };
    let at = |path: &[Step]| {
        let e = shown.wrong(&Problem::new(path, "no").hint("Dig."));
        assert_eq!(e.hints(), ["Dig."]);
        e.to_string().lines().next().unwrap().to_owned()
    };
    assert_eq!(at(&[Step::Key("plants"), Step::At(1), Step::Key("name")]), "g, line 4, column 11: no");
    // The innermost step that is there.
    assert_eq!(at(&[Step::Key("plants"), Step::At(0), Step::Key("colour")]), "g, line 3, column 5: no");
    assert_eq!(at(&[Step::Key("beds"), Step::At(0)]), "g, line 1, column 7: no");
    assert_eq!(at(&[Step::Key("fence")]), "g, line 1, column 1: no");
}

#[test]
fn the_reference_has_a_section_for_each_map() {
    let schema = reference::schema::<Garden>();
    assert!(!schema.to_string().contains("$ref") && !schema.to_string().contains("uint8"), "{schema}");
    let page = reference::tables(&schema);
    for line in [
        "| `beds` | whole number, 1 to 9 | (required) | How many beds. |",
        "| `fence` | map ([below](#fence)) |  | The fence, if there is one. |",
        "| `plants` | list of maps ([below](#plants)) |  | What grows. |",
        "## `fence`",
        "| `gate` | map ([below](#fencegate)) |  | Its gate. |",
        "## `fence`.`gate`",
        "| `locked` | `true` or `false` | (required) | Locked? |",
    ] {
        assert!(page.lines().any(|l| l == line), "{line}\nnot in\n{page}");
    }
}

/// A kind whose files may hold secrets.
const CELLAR: Kind = Kind { noun: "cellar file", one: "a cellar file", about: "cellar", secret: true, ..GARDEN };

#[test]
fn what_may_hold_secrets_is_never_quoted() {
    for text in [
        "beds: 1\npassword: hunter2\n",
        "beds: hunter2\n",
        "beds: 08\nfence: {height: hunter2}\n",
        "beds: 1\nfence: hunter2\n",
        "beds: [hunter2]\n",
        "beds: *hunter2\n",
        "beds: !hunter2 1\n",
        "beds: @hunter2\n",
        "beds: 'hunter2\n",
        "beds: \"\\hunter2\"\n",
        "beds: a: hunter2\n",
        "plants: [{name: [hunter2]}]\n",
        "beds: 1\nfence: {height: 1, gate: {locked: hunter2}}\n",
        "hunter2",
        "- hunter2\n",
        "beds: 1\n---\nhunter2: 2\n",
        "beds: 1\n\thunter2: 2\n",
    ] {
        let e = Text { kind: &CELLAR, source: "cellar.yaml", text }.parse::<Garden>().expect_err(text);
        let told = [e.to_string()].iter().chain(e.hints()).cloned().collect::<Vec<_>>().join("\n");
        assert!(!told.contains("hunter2"), "{text}{told}");
        assert!(told.contains("cellar.yaml, line "), "{text}{told}");
    }
    let known = Text { kind: &CELLAR, source: "c", text: "beds: 1\nbed: 2\n" }.parse::<Garden>().unwrap_err();
    assert_eq!(
        (known.to_string().as_str(), &known.hints()[0][..]),
        ("c, line 2, column 1: unknown key `bed`", "Did you mean `beds`?")
    );
}

#[derive(Debug, Deserialize)]
struct Shelf {
    #[serde(deserialize_with = "one_or_many")]
    jars: Vec<String>,
    label: Option<TextOr<std::collections::BTreeMap<String, u8>>>,
}

#[test]
fn text_is_taken_from_the_document() {
    let read = |text: &str| Text { kind: &GARDEN, source: "g", text }.parse::<Shelf>();
    let shelf = read("\u{feff}# ä\njars: 1.10\nlabel: 0x10\n").unwrap();
    assert_eq!((shelf.jars, shelf.label), (vec!["1.10".to_owned()], Some(TextOr::Text("0x10".into()))));
    let shelf = read("jars: [1.10, on, '1', ä, &a 007, *a]\nlabel: {a: 1}\n").unwrap();
    assert_eq!(shelf.jars, ["1.10", "on", "1", "ä", "007", "007"]);
    assert!(matches!(shelf.label, Some(TextOr::Structure(map)) if map["a"] == 1));
    assert!(read("jars:\n").unwrap_err().to_string().contains("missing value"));
    assert!(read("jars: {a: b}\n").unwrap_err().to_string().contains("not a map"));
    assert!(read("jars: a\nlabel: [1]\n").unwrap_err().to_string().contains("not a list"));
    assert!(read("jars: a\nlabel: {a: b}\n").unwrap_err().to_string().contains("line 2"));
    // Without a document there is nothing to take it from: what would change is refused.
    assert_eq!(serde_json::from_str::<Shelf>(r#"{"jars": "1.10"}"#).unwrap().jars, ["1.10"]);
    assert!(serde_yaml::from_str::<Shelf>("jars: 1.10\n").is_err());
    assert_eq!(serde_yaml::from_str::<Shelf>("jars: 110\n").unwrap().jars, ["110"]);
}

#[test]
fn nothing_is_not_the_word_for_it() {
    assert!(told("beds: 1\nplants:\n  - name: null\n").contains("Quote the value, if it is text: \"null\"."));
    assert!(told("beds: 1\nplants: [{name: ~}]\n").contains("\"~\""));
    assert!(told("beds: 1\nplants: [{name: }]\n").contains("Write \"\" where"));
    assert!(told("beds: 1\nplants:\n  - name: # none\n").contains("Write \"\" where"));
}

#[test]
fn tags_are_not_dropped() {
    let e = told("beds: !!int 1\nplants:\n  - name: !Ref rose\n");
    assert!(e.contains("g") && e.contains("line 3") && e.contains("Quote the value: \"!Ref rose\""), "{e}");
}
