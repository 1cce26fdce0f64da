//! The JSON schemas and the reference page, generated from the types and their doc comments.
use super::{Organization, TeamFile, team_file::OWN};
use serde_json::Value;

/// The JSON schema of the organization's file (`docs/organization.schema.json`).
pub fn organization_schema() -> Value {
    files::reference::schema::<Organization>()
}

/// The JSON schema of a team's file (`docs/team.schema.json`).
pub fn team_schema() -> Value {
    files::reference::schema::<TeamFile>()
}

/// The reference of all keys in Markdown (`docs/organization.md`).
pub fn reference() -> String {
    let mut page = String::from(
        "<!-- Generated from crates/overlord-cli/src/organization; `cargo xtask docs` rewrites it. -->\n\
         # The organization's file and the teams' files\n\n\
         `overlord.yaml` says what holds for all teams of an organization. `overlord` looks for it in the current\n\
         directory and those above, or takes the one that `--config` names. A team needs a file of its own only\n\
         where it differs from the others. Examples stand in [`examples/organization`](../examples/organization); the\n\
         JSON schemas, for editors that complete and check YAML, in\n\
         [`organization.schema.json`](organization.schema.json) and [`team.schema.json`](team.schema.json).\n\n\
         The least that works:\n\n\
         ```yaml\norganization: acme\naddresses: {pool: [10.0.0.0/8]}\naccounts: {home: {region: eu-west-1}}\n```\n\n\
         What a team's file says wins over what `teams` says in the organization's; below `identity` and\n\
         `guard_rails` that holds for each key, and `tags` are added to each other. In `account_alias` and\n\
         `notify` the words `{team}` and `{organization}` are replaced by names.\n\n\
         ## All keys of the organization's file\n\n",
    );
    page.push_str(&files::reference::tables(&organization_schema()));
    page.push_str(
        "\n## All keys of a team's file\n\n\
         Every key of [`teams`](#teams), and:\n\n",
    );
    page.push_str(&files::reference::tables(&own()));
    page
}

/// The keys that only a team's file has.
fn own() -> Value {
    let mut schema = team_schema();
    if let Some(keys) = schema["properties"].as_object_mut() {
        keys.retain(|key, _| OWN.contains(&key.as_str()));
    }
    schema
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

    fn json(schema: &serde_json::Value) -> String {
        format!("{}\n", serde_json::to_string_pretty(schema).unwrap())
    }

    #[test]
    fn the_schemas_are_checked_in() {
        same("organization.schema.json", &json(&super::organization_schema()));
        same("team.schema.json", &json(&super::team_schema()));
    }

    #[test]
    fn the_reference_is_checked_in() {
        same("organization.md", &super::reference());
    }
}
