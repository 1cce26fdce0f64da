//! The JSON schema and the reference page, generated from the types and their doc comments.
use super::Manifest;
use serde_json::Value;

/// The JSON schema of a manifest (`docs/manifest.schema.json`).
pub fn schema() -> Value {
    files::reference::schema::<Manifest>()
}

/// The reference of all keys in Markdown (`docs/manifest.md`).
pub fn reference() -> String {
    let mut page = String::from(
        "<!-- Generated from crates/minion-cli/src/manifest; `cargo xtask docs` rewrites it. -->\n\
         # The application manifest\n\n\
         A manifest is a YAML file that says what an application is. Examples stand in\n\
         [`examples/manifests`](../examples/manifests); the JSON schema, for editors that complete and check YAML, in\n\
         [`manifest.schema.json`](manifest.schema.json).\n\n\
         The least that works:\n\n\
         ```yaml\napplication_name: myapp\nexposed_ports: [8080]\n```\n\n\
         ## All keys\n\n",
    );
    page.push_str(&files::reference::tables(&schema()));
    page
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    /// What is checked in is what the types say. `MINION_WRITE_DOCS=1` writes it instead.
    fn same(file: &str, generated: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
        if env::var_os("MINION_WRITE_DOCS").is_some() {
            fs::write(&path, generated).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == generated, "docs/{file} is stale; `cargo xtask docs` rewrites it");
    }

    #[test]
    fn the_schema_is_checked_in() {
        same("manifest.schema.json", &format!("{}\n", serde_json::to_string_pretty(&super::schema()).unwrap()));
    }

    #[test]
    fn the_reference_is_checked_in() {
        same("manifest.md", &super::reference());
    }
}
