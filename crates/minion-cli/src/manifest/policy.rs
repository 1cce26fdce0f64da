//! What the application may do on AWS: IAM statements, and policies by name.
use files::OneOrMany;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// Whether a statement grants or forbids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Effect {
    /// Grants.
    #[default]
    #[serde(alias = "allow")]
    Allow,
    /// Forbids, whatever else grants.
    #[serde(alias = "deny")]
    Deny,
}

/// One statement of an IAM policy. AWS's own spelling (`Effect`, `Action`, `Resource`, ..) is read too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Statement {
    /// A name for the statement: letters and digits.
    #[serde(default, alias = "Sid", skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    #[serde(default, alias = "Effect")]
    pub effect: Effect,
    /// What may be done, e.g. `s3:GetObject`; one or a list.
    #[serde(
        default,
        alias = "Action",
        alias = "action",
        deserialize_with = "files::one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "one_or_many_schema")]
    pub actions: Vec<String>,
    /// Everything may be done but this; one or a list, instead of `actions`.
    #[serde(
        default,
        alias = "NotAction",
        deserialize_with = "files::one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "one_or_many_schema")]
    pub not_actions: Vec<String>,
    /// On what, as ARNs; one or a list; `"*"`, in quotes, is everything.
    #[serde(
        default,
        alias = "Resource",
        alias = "resource",
        deserialize_with = "files::one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "one_or_many_schema")]
    pub resources: Vec<String>,
    /// On everything but this; one or a list, instead of `resources`.
    #[serde(
        default,
        alias = "NotResource",
        deserialize_with = "files::one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "one_or_many_schema")]
    pub not_resources: Vec<String>,
    /// Under which condition, as IAM writes it: `{StringEquals: {"aws:RequestedRegion": eu-west-1}}`. Values are text, and
    /// reach IAM as they are written.
    #[serde(default, alias = "Condition", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub condition: Option<Condition>,
}

/// Operators, the keys that each compares, and the values that it compares them with.
pub type Condition = BTreeMap<String, BTreeMap<String, OneOrMany>>;

impl Statement {
    /// The statement as IAM spells it.
    pub fn to_json(&self) -> Value {
        let mut statement = Map::new();
        if let Some(sid) = &self.sid {
            statement.insert("Sid".into(), json!(sid));
        }
        statement.insert("Effect".into(), json!(self.effect));
        for (key, values) in [
            ("Action", &self.actions),
            ("NotAction", &self.not_actions),
            ("Resource", &self.resources),
            ("NotResource", &self.not_resources),
        ] {
            if !values.is_empty() {
                statement.insert(key.into(), json!(values));
            }
        }
        if let Some(condition) = &self.condition {
            statement.insert("Condition".into(), json!(condition));
        }
        Value::Object(statement)
    }
}

fn one_or_many_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
}

/// Adds AWS's spelling to the schema of a list of statements, so that editors take it too.
pub(super) fn also_as_aws_spells(list: &mut Schema) {
    let Some(Value::Object(keys)) = list.pointer_mut("/items/properties") else { return };
    for (ours, spellings) in [
        ("sid", &["Sid"][..]),
        ("effect", &["Effect"]),
        ("actions", &["Action", "action"]),
        ("not_actions", &["NotAction"]),
        ("resources", &["Resource", "resource"]),
        ("not_resources", &["NotResource"]),
        ("condition", &["Condition"]),
    ] {
        let Some(mut schema) = keys.get(ours).cloned() else { continue };
        schema["description"] = json!(format!("The same as `{ours}`."));
        for spelling in spellings {
            keys.insert((*spelling).into(), schema.clone());
        }
    }
}

/// A managed policy: the name of one of AWS's own, e.g. `AmazonS3ReadOnlyAccess`, or the ARN of any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ManagedPolicy(String);

impl ManagedPolicy {
    /// Its ARN in this partition (`aws`, `aws-cn`, ..).
    pub fn arn(&self, partition: &str) -> String {
        if self.0.starts_with("arn:") { self.0.clone() } else { format!("arn:{partition}:iam::aws:policy/{}", self.0) }
    }
}
impl TryFrom<String> for ManagedPolicy {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        // IAM: names have letters, digits and +=,.@_- ; paths add slashes; ARNs add colons.
        let word = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
        let good = match s.strip_prefix("arn:") {
            Some(arn) => arn.contains(":iam::") && arn.contains(":policy/") && arn.chars().all(|c| word(c) || c == ':'),
            None => !s.is_empty() && s.len() <= 640 && s.chars().all(word) && !s.starts_with('/'),
        };
        if good {
            return Ok(Self(s));
        }
        Err(format!("`{s}` is neither the name of an AWS managed policy nor the ARN of a policy"))
    }
}
impl From<ManagedPolicy> for String {
    fn from(p: ManagedPolicy) -> Self {
        p.0
    }
}
impl fmt::Display for ManagedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
impl JsonSchema for ManagedPolicy {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "ManagedPolicy".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["AmazonS3ReadOnlyAccess"] })
    }
}
