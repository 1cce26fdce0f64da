//! References to secrets. The instance resolves them at boot with its role; their values are never in a
//! manifest, in user data or in our output.
use super::parse::FIX_STORED;
use aws_core::{Error, Result, model::policy_rules};
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

    /// The region to ask for it: its ARN's, or else that of the instance.
    ///
    /// # Errors
    /// A usage error when the ARN's region has characters that no region has: it becomes a part of the host that the
    /// instance sends a signed request to.
    pub(crate) fn asked_in<'a>(&'a self, home: &'a str) -> Result<&'a str> {
        match self.region() {
            None => Ok(home),
            Some(region) if is_region(region) => Ok(region),
            Some(_) => Err(Error::usage(format!("invalid reference `{self}`: {NO_REGION}")).hint(FIX_STORED)),
        }
    }

    /// What it is called where it is created: no ARN, no version or label, and not the six characters that Secrets Manager
    /// adds.
    pub fn name(&self) -> &str {
        let resource = self.id().strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4));
        match (self, resource) {
            (Self::Parameter { name }, None) => without_selector(name),
            (Self::Parameter { .. }, Some(resource)) => {
                let name = without_selector(resource.strip_prefix("parameter").unwrap_or(resource));
                // `parameter/a` is the ARN of `a`; only names with a path begin with a slash.
                name.strip_prefix('/').filter(|bare| !bare.contains('/')).unwrap_or(name)
            }
            (Self::Secret { id, .. }, None) => id,
            (Self::Secret { .. }, Some(resource)) => {
                let name = resource.strip_prefix("secret:").unwrap_or(resource);
                if is_complete(name) { name.rsplit_once('-').map_or(name, |(name, _)| name) } else { name }
            }
        }
    }

    /// Name or ARN, as AWS takes it.
    pub fn id(&self) -> &str {
        match self {
            Self::Parameter { name: id } | Self::Secret { id, .. } => id,
        }
    }

    /// What AWS does not take of a reference, or what would grant the role more than one secret: a wildcard in a name is one
    /// in the policy. (Systems Manager `PutParameter`, Secrets Manager `CreateSecret`: Name.)
    pub(crate) fn problem(&self) -> Option<String> {
        let id = self.id();
        let wrong = |why: &str| Some(format!("invalid reference `{self}`: {why}"));
        // What the service itself calls it: behind `parameter` or `secret:` in an ARN.
        let name = match id.strip_prefix("arn:").map(|arn| arn.splitn(5, ':').collect::<Vec<_>>()) {
            None => id,
            Some(parts) => {
                let start = if matches!(self, Self::Parameter { .. }) { "parameter/" } else { "secret:" };
                match parts.as_slice() {
                    // The region becomes a part of the host that the instance asks.
                    [_, _, region, _, resource] if is_region(region) => {
                        resource.strip_prefix(start).unwrap_or_default()
                    }
                    _ => return wrong(NO_REGION),
                }
            }
        };
        match self {
            Self::Parameter { .. } if !is_parameter(name) => {
                wrong(&format!("it is not a reference to a secret; {FORMS}"))
            }
            Self::Secret { .. } if !is_secret(name) => wrong(&format!("it is not a reference to a secret; {FORMS}")),
            _ if is_arn(id) => policy_rules::resource(id).err(),
            Self::Parameter { .. } if id.len() > 1011 => {
                wrong("Systems Manager accepts at most 1,011 letters, digits and _.-/ in the name of a parameter")
            }
            Self::Secret { .. } if id.len() > 512 => {
                wrong("Secrets Manager accepts at most 512 letters, digits and /_+=.@- in the name of a secret")
            }
            _ => None,
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

/// A secret's name by its characters (Secrets Manager `CreateSecret`, `Name`). Services that keep secrets of their own have `!`
/// in their names.
fn is_secret(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c);
    !name.is_empty() && name.len() <= 2048 && name.chars().all(word) && !name.starts_with('-')
}

const FORMS: &str = "write ssm:/path/name, secretsmanager:name, secretsmanager:name#json_key, or an ARN of either";

const NO_REGION: &str = "its ARN names no region";

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What has always been refused; the rest is asked of new manifests alone (`SecretRef::problem`). Nobody knows what was
/// written in the place of a reference: a secret, perhaps, so an error does not quote it.
impl TryFrom<String> for SecretRef {
    type Error = String;
    fn try_from(s: String) -> std::result::Result<Self, String> {
        let (kind, rest) = if let Some(arn) = s.strip_prefix("arn:") {
            // arn:partition:service:region:account:resource
            let parts: Vec<&str> = arn.splitn(5, ':').collect();
            match parts.as_slice() {
                [partition, service, region, account, _]
                    if !partition.is_empty() && !region.is_empty() && !account.is_empty() =>
                {
                    (*service, s.as_str())
                }
                _ => return Err(format!("invalid reference to a secret: it is not a complete ARN; {FORMS}")),
            }
        } else {
            match s.split_once(':') {
                Some((kind, rest)) => (kind, rest),
                None => {
                    return Err(format!(
                        "invalid reference to a secret: it does not say where the secret is kept; {FORMS}"
                    ));
                }
            }
        };
        let plain = |name: &str| {
            (1..=2048).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic()) && !name.starts_with('-')
        };
        let (id, key) = match rest.split_once('#') {
            Some((id, key)) => (id, Some(key.to_owned())),
            None => (rest, None),
        };
        let good_key = key.as_deref().is_none_or(|k| !k.is_empty() && !k.contains(char::is_control));
        match kind {
            "ssm" if plain(id) && key.is_none() => Ok(Self::Parameter { name: id.to_owned() }),
            "secretsmanager" if plain(id) && good_key => Ok(Self::Secret { id: id.to_owned(), key }),
            _ => Err(format!("invalid reference to a secret; {FORMS}")),
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
