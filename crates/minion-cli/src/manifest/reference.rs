//! The JSON schema and the reference page, generated from the types.
use super::Manifest;
use serde_json::Value;

/// The JSON schema of a manifest (`docs/manifest.schema.json`).
pub fn schema() -> Value {
    schemars::schema_for!(Manifest).to_value()
}

/// The reference of all keys in Markdown (`docs/manifest.md`).
pub fn reference() -> String {
    String::new()
}
