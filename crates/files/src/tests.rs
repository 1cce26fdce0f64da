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
    assert!(told("- rose\n").contains("keys with values are expected here, e.g. `beds: 1`"));
    assert!(told("beds: 1\nplants: rose\n").contains("line 2, column 9: a list is expected here, e.g. [rose]"));
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
