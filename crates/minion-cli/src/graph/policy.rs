//! The inline policy of an application's role: what its instances may do.
use crate::manifest::Manifest;
use serde_json::{Value, json};

/// Where the application runs, as ARNs spell it.
#[derive(Debug, Clone)]
pub struct Location<'a> {
    /// The region.
    pub region: &'a str,
    /// The account's id.
    pub account: &'a str,
}

impl Location<'_> {
    /// The partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        match self.region {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// The policy: write to the application's log group, pull from the account's registries, read the secrets
/// that the manifest names, and what `policies` says.
pub fn policy(manifest: &Manifest, at: &Location<'_>) -> Value {
    let (partition, region, account) = (at.partition(), at.region, at.account);
    let mut statements = vec![
        json!({
            "Sid": "PullImages",
            "Effect": "Allow",
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": ["*"],
        }),
        json!({
            "Sid": "PullImagesOfThisAccount",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [format!("arn:{partition}:ecr:*:{account}:repository/*")],
        }),
    ];
    if manifest.uses_log_group() {
        let group = manifest.application_name.log_group();
        statements.push(json!({
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:*")],
        }));
    }
    let mut secrets: std::collections::BTreeMap<&str, std::collections::BTreeSet<String>> = Default::default();
    for secret in manifest.secrets.values() {
        secrets.entry(secret.action()).or_default().insert(secret.resource(partition, region, account));
    }
    statements.extend(
        secrets
            .into_iter()
            .map(|(action, resources)| json!({ "Effect": "Allow", "Action": [action], "Resource": resources })),
    );
    statements.extend(manifest.policies.iter().map(crate::manifest::Statement::to_json));
    json!({ "Version": "2012-10-17", "Statement": statements })
}
