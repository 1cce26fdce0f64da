//! References to secrets. The instance resolves them at boot with its role; their values are never in a
//! manifest, in user data or in our output.
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// A parameter of SSM Parameter Store: `ssm:/path/name`, or its ARN.
    Parameter {
        /// Name or ARN.
        name: String,
    },
    /// A secret of Secrets Manager: `secretsmanager:name`, or its ARN, with `#key` for one value of a JSON object.
    Secret {
        /// Name or ARN.
        id: String,
        /// The key in the JSON object that the secret holds.
        key: Option<String>,
    },
}

impl SecretRef {
    /// Its ARN for an IAM policy: without the version or label of a parameter, which IAM does not know. That of a secret
    /// whose last six characters are not given ends in `-??????`: Secrets Manager chooses them.
    pub fn resource(&self, partition: &str, region: &str, account: &str) -> String {
        match self {
            Self::Parameter { name } => match name.split_once(":parameter/") {
                Some((start, name)) => format!("{start}:parameter/{}", without_selector(name)),
                None => {
                    let name = without_selector(name.trim_start_matches('/'));
                    format!("arn:{partition}:ssm:{region}:{account}:parameter/{name}")
                }
            },
            Self::Secret { id, .. } if is_arn(id) && is_complete(id) => id.clone(),
            Self::Secret { id, .. } if is_arn(id) => format!("{id}-??????"),
            Self::Secret { id, .. } => format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{id}-??????"),
        }
    }

    /// The region that an ARN names.
    pub fn region(&self) -> Option<&str> {
        // arn:partition:service:region:..
        self.id().strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2))
    }

    /// Name or ARN, as AWS takes it.
    pub fn id(&self) -> &str {
        match self {
            Self::Parameter { name: id } | Self::Secret { id, .. } => id,
        }
    }
}

fn is_arn(id: &str) -> bool {
    id.starts_with("arn:")
}

/// Whether a secret's ARN ends in the six characters that Secrets Manager chose (Secrets Manager "What's in a secret").
fn is_complete(arn: &str) -> bool {
    let suffix = arn.rsplit_once('-').map_or("", |(_, suffix)| suffix);
    suffix.len() == 6 && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// `name:3` and `name:label` are versions of a parameter (Systems Manager `GetParameter`, `Name`).
fn without_selector(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// A parameter's name, with a version or label behind it if there is one (Systems Manager `PutParameter`, `Name`).
fn is_parameter(name: &str) -> bool {
    let (name, selector) = name.split_once(':').unwrap_or((name, "1"));
    let word = |s: &str, more: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    name.len() <= 2048 && word(name, "_.-/") && !name.starts_with('-') && word(selector, "_.-")
}

/// A secret's name by its characters (Secrets Manager `CreateSecret`, `Name`); its length is a limit of new manifests.
fn is_secret(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c);
    !name.is_empty() && name.len() <= 2048 && name.chars().all(word) && !name.starts_with('-')
}

const FORMS: &str = "write ssm:/path/name, secretsmanager:name, secretsmanager:name#json_key, or an ARN of either";

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl TryFrom<String> for SecretRef {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        // What the service itself calls it: behind `parameter` or `secret:` in an ARN.
        let (kind, rest, name) = if let Some(arn) = s.strip_prefix("arn:") {
            // arn:partition:service:region:account:resource
            let parts: Vec<&str> = arn.splitn(5, ':').collect();
            match parts.as_slice() {
                // The region becomes a part of the host that the instance asks.
                [partition, service, region, account, resource]
                    if !partition.is_empty() && is_region(region) && !account.is_empty() =>
                {
                    let start = if *service == "ssm" { "parameter/" } else { "secret:" };
                    (*service, s.as_str(), resource.strip_prefix(start).unwrap_or_default())
                }
                _ => return Err(format!("`{s}` is not a complete ARN; {FORMS}")),
            }
        } else {
            match s.split_once(':') {
                Some((kind, rest)) => (kind, rest, rest),
                None => return Err(format!("`{s}` does not say where the secret is kept; {FORMS}")),
            }
        };
        match kind {
            "ssm" if is_parameter(name) => Ok(Self::Parameter { name: rest.to_owned() }),
            "secretsmanager" => {
                let of = |text: &str| text.split_once('#').map_or(text.len(), |(before, _)| before.len());
                let (id, key) = (&rest[..of(rest)], rest.get(of(rest) + 1..).map(str::to_owned));
                if !is_secret(&name[..of(name)])
                    || key.as_deref().is_some_and(|k| k.is_empty() || k.contains(char::is_control))
                {
                    return Err(format!("`{s}` is not a reference to a secret; {FORMS}"));
                }
                Ok(Self::Secret { id: id.to_owned(), key })
            }
            _ => Err(format!("`{s}` is not a reference to a secret; {FORMS}")),
        }
    }
}
impl From<SecretRef> for String {
    fn from(r: SecretRef) -> Self {
        r.to_string()
    }
}
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { name } if name.starts_with("arn:") => f.write_str(name),
            Self::Parameter { name } => write!(f, "ssm:{name}"),
            Self::Secret { id, key } => {
                if !id.starts_with("arn:") {
                    f.write_str("secretsmanager:")?;
                }
                f.write_str(id)?;
                match key {
                    Some(key) => write!(f, "#{key}"),
                    None => Ok(()),
                }
            }
        }
    }
}
impl JsonSchema for SecretRef {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(ssm:|secretsmanager:|arn:[a-z-]+:(ssm|secretsmanager):).+$",
            "examples": ["ssm:/myapp/database-password", "secretsmanager:myapp#password"]
        })
    }
}
