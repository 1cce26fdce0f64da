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
    /// Its ARN for an IAM policy. That of a secret given by name ends in `-??????`: Secrets Manager
    /// appends six characters of its own choice.
    pub fn resource(&self, partition: &str, region: &str, account: &str) -> String {
        match self {
            Self::Parameter { name: id } | Self::Secret { id, .. } if id.starts_with("arn:") => id.clone(),
            Self::Parameter { name } => {
                format!("arn:{partition}:ssm:{region}:{account}:parameter/{}", name.trim_start_matches('/'))
            }
            Self::Secret { id, .. } => format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{id}-??????"),
        }
    }
}

const FORMS: &str = "write ssm:/path/name, secretsmanager:name, secretsmanager:name#json_key, or an ARN of either";

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl TryFrom<String> for SecretRef {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        let (kind, rest) = if let Some(arn) = s.strip_prefix("arn:") {
            // arn:partition:service:region:account:resource
            let parts: Vec<&str> = arn.splitn(5, ':').collect();
            match parts.as_slice() {
                // The region becomes a part of the host that the instance asks.
                [partition, service, region, account, _]
                    if !partition.is_empty() && is_region(region) && !account.is_empty() =>
                {
                    (*service, s.as_str())
                }
                _ => return Err(format!("`{s}` is not a complete ARN; {FORMS}")),
            }
        } else {
            match s.split_once(':') {
                Some((kind, rest)) => (kind, rest),
                None => return Err(format!("`{s}` does not say where the secret is kept; {FORMS}")),
            }
        };
        let plain = |name: &str| {
            !name.is_empty()
                && name.len() <= 2048
                && name.bytes().all(|b| b.is_ascii_graphic())
                && !name.starts_with('-')
        };
        match kind {
            "ssm" if plain(rest) && !rest.contains('#') => Ok(Self::Parameter { name: rest.to_owned() }),
            "secretsmanager" => {
                let (id, key) = match rest.split_once('#') {
                    Some((id, key)) => (id, Some(key.to_owned())),
                    None => (rest, None),
                };
                if !plain(id) || key.as_deref().is_some_and(|k| k.is_empty() || k.contains(char::is_control)) {
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
