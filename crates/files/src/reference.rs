//! JSON schemas and reference pages, generated from types and their doc comments.
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;
use std::fmt::Write as _;

/// The JSON schema of a file that is read into a `T`. It refers to nothing: what is nested stands where it is used.
pub fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::default().with(|s| s.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema
}

/// Lines of doc comments are joined; Rust's names of number formats mean nothing to an editor.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("format").is_some_and(Value::is_string) {
                map.remove("format");
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// All keys of a schema as Markdown tables: its own, then a section (`##`) for each key that has keys of its own.
pub fn tables(schema: &Value) -> String {
    let (mut page, mut parts) = (String::new(), Vec::new());
    table(schema, "", &mut page, &mut parts);
    let mut next = 0;
    while let Some((name, part)) = parts.get(next).cloned() {
        next += 1;
        let _ = write!(page, "\n## {name}\n\n{}\n\n", text(&part, "description"));
        table(&part, &name, &mut page, &mut parts);
    }
    page
}

/// One table of keys; objects with keys of their own are put off to `parts`.
fn table(object: &Value, within: &str, page: &mut String, parts: &mut Vec<(String, Value)>) {
    page.push_str("| Key | Type | Default | Meaning |\n|---|---|---|---|\n");
    let Some(keys) = object["properties"].as_object() else { return };
    let required: Vec<&str> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut names: Vec<&String> = keys
        .iter()
        .filter(|(_, k)| !text(k, "description").starts_with("The same as "))
        .map(|(name, _)| name)
        .collect();
    names.sort_by_key(|name| (!required.contains(&name.as_str()), *name));
    for name in names {
        let key = &keys[name.as_str()];
        let path = if within.is_empty() { format!("`{name}`") } else { format!("{within}.`{name}`") };
        let inner = map_within(key);
        if let Some(inner) = inner {
            parts.push((path.clone(), inner.clone()));
        }
        let default = match &key["default"] {
            _ if required.contains(&name.as_str()) => "(required)".to_owned(),
            Value::Null | Value::Object(_) => String::new(),
            Value::String(s) => format!("`{s}`"),
            other => format!("`{other}`"),
        };
        let meaning = text(key, "description").replace('|', "\\|");
        // The page's anchors have neither quotes nor dots.
        let below = inner.map(|_| format!(" ([below](#{}))", path.replace(['`', '.'], ""))).unwrap_or_default();
        let _ = writeln!(page, "| `{name}` | {}{below} | {default} | {meaning} |", kind(key));
    }
}

/// The map with keys of its own that a key holds: itself, or those of a list, or where there is a choice.
fn map_within(key: &Value) -> Option<&Value> {
    let choice = key["anyOf"].as_array().into_iter().flatten();
    [key, &key["items"]].into_iter().chain(choice).find(|one| one["properties"].is_object())
}

/// What a key holds, in words.
fn kind(key: &Value) -> String {
    if let Some(any) = key["anyOf"].as_array() {
        return any.iter().filter(|one| one["type"] != "null").map(kind).collect::<Vec<_>>().join(" or ");
    }
    let words: Vec<String> = match (key["enum"].as_array(), key["oneOf"].as_array()) {
        (Some(values), _) => values.iter().filter_map(Value::as_str).map(|v| format!("`{v}`")).collect(),
        (_, Some(one)) => one.iter().filter_map(|o| o["const"].as_str()).map(|v| format!("`{v}`")).collect(),
        _ => Vec::new(),
    };
    if !words.is_empty() {
        return words.join(", ");
    }
    let types: Vec<&str> = match &key["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect(),
        _ => Vec::new(),
    };
    if types == ["string", "number", "boolean"] {
        return "text".into();
    }
    let one = |t: &&str| match *t {
        "string" => "text".to_owned(),
        "integer" => format!("whole number{}", range(key)),
        "number" => format!("number{}", range(key)),
        "boolean" => "`true` or `false`".to_owned(),
        "array" if key["items"]["properties"].is_object() => "list of maps".to_owned(),
        "array" => format!("list of {}", plural(&kind(&key["items"]))),
        "object" if key["properties"].is_object() => "map".to_owned(),
        "object" => match key["patternProperties"].as_object().and_then(|p| p.values().next()) {
            Some(value) => format!("map of names to {}", kind(value)),
            None if key["additionalProperties"].is_object() => {
                format!("map of names to {}", kind(&key["additionalProperties"]))
            }
            None => "map".to_owned(),
        },
        other => other.to_owned(),
    };
    types.iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn plural(kind: &str) -> String {
    match kind.split_once(", ") {
        None if kind.starts_with("whole number") => kind.replacen("number", "numbers", 1),
        Some(("whole number", rest)) => format!("whole numbers, {rest}"),
        _ if kind == "text" => "texts".into(),
        _ => kind.to_owned(),
    }
}

fn range(key: &Value) -> String {
    match (&key["minimum"], &key["maximum"]) {
        (Value::Null, Value::Null) => String::new(),
        (least, Value::Null) => format!(", at least {least}"),
        (Value::Null, most) => format!(", at most {most}"),
        (least, most) => format!(", {least} to {most}"),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
