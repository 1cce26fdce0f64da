//! The inline policy of an application's role: what its instances may do.
use crate::manifest::{Manifest, SecretRef};
use aws_core::model::names;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
        names::partition(self.region)
    }
}

/// What instances do with the role at every boot. A version that runs needs it for as long as it is there,
/// also when the manifest has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum AtBoot {
    Logs,
    Parameters,
    Secrets,
}

impl AtBoot {
    const ALL: [Self; 3] = [Self::Logs, Self::Parameters, Self::Secrets];

    /// The statement's name, by which it is found again in the role's policy.
    const fn sid(self) -> &'static str {
        match self {
            Self::Logs => "WriteLogs",
            Self::Parameters => "ReadParametersAtBoot",
            Self::Secrets => "ReadSecretsAtBoot",
        }
    }
    fn actions(self) -> Value {
        match self {
            Self::Logs => json!(["logs:CreateLogStream", "logs:PutLogEvents"]),
            Self::Parameters => json!(["ssm:GetParameter"]),
            Self::Secrets => json!(["secretsmanager:GetSecretValue"]),
        }
    }
}

/// The names of the statements that are ours: a manifest's statements have others.
pub const OUR_SIDS: [&str; 5] = [PULL, PULL_HERE, AtBoot::Logs.sid(), AtBoot::Parameters.sid(), AtBoot::Secrets.sid()];
const PULL: &str = "PullImages";
const PULL_HERE: &str = "PullImagesOfThisAccount";

/// What is granted for the boot, and on what.
type Grants = BTreeMap<AtBoot, BTreeSet<String>>;

/// What versions of this manifest need at boot.
fn needed(manifest: &Manifest, at: &Location<'_>) -> Grants {
    let (partition, region, account) = (at.partition(), at.region, at.account);
    let mut grants = Grants::new();
    if manifest.uses_log_group() {
        let group = manifest.application_name.log_group();
        let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:*");
        grants.entry(AtBoot::Logs).or_default().insert(arn);
    }
    for secret in manifest.secrets.values().chain(manifest.registry_credentials.values()) {
        let kind = match secret {
            SecretRef::Parameter { .. } => AtBoot::Parameters,
            SecretRef::Secret { .. } => AtBoot::Secrets,
        };
        grants.entry(kind).or_default().insert(secret.resource(partition, region, account));
    }
    grants
}

/// What the role grants for the boot now. Only statements that are as we write them: others are the
/// manifest's `policies`, which the manifest takes away at once.
fn granted(policy: &Value) -> Grants {
    let mut grants = Grants::new();
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        let ours = |kind: &AtBoot| {
            statement["Sid"] == kind.sid() && statement["Effect"] == "Allow" && statement["Action"] == kind.actions()
        };
        let resources = statement["Resource"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(kind) = AtBoot::ALL.into_iter().find(ours) {
            grants.entry(kind).or_default().extend(resources.map(str::to_owned));
        }
    }
    grants
}

/// Whether the role (`policy` is its inline policy) grants to read this at boot.
pub fn grants(policy: &Value, reference: &SecretRef, at: &Location<'_>) -> bool {
    let resource = reference.resource(at.partition(), at.region, at.account);
    granted(policy).values().any(|resources| resources.contains(&resource))
}

/// What the role grants for the boot (`granted` is its policy) and versions of the manifest do not need, as
/// ARNs.
pub fn kept(manifest: &Manifest, at: &Location<'_>, policy: &Value) -> Vec<String> {
    let needed = needed(manifest, at);
    let surplus = granted(policy).into_iter().flat_map(|(kind, arns)| {
        let known = needed.get(&kind).cloned().unwrap_or_default();
        arns.into_iter().filter(move |arn| !known.contains(arn))
    });
    surplus.collect()
}

/// The policy: write to the application's log group, pull from the account's registries, read the secrets
/// that the manifest names, and what `policies` says. While versions run, `running` is the role's present
/// policy: what it grants for their boot stays.
pub fn policy(manifest: &Manifest, at: &Location<'_>, running: Option<&Value>) -> Value {
    let mut statements = vec![
        json!({
            "Sid": PULL,
            "Effect": "Allow",
            "Action": ["ecr:GetAuthorizationToken"],
            "Resource": ["*"],
        }),
        json!({
            "Sid": PULL_HERE,
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [format!("arn:{}:ecr:*:{}:repository/*", at.partition(), at.account)],
        }),
    ];
    let mut grants = needed(manifest, at);
    for (kind, arns) in running.map(granted).unwrap_or_default() {
        grants.entry(kind).or_default().extend(arns);
    }
    statements.extend(grants.into_iter().map(
        |(kind, arns)| json!({ "Sid": kind.sid(), "Effect": "Allow", "Action": kind.actions(), "Resource": arns }),
    ));
    statements.extend(manifest.policies.iter().map(crate::manifest::Statement::to_json));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Location<'_> = Location { region: "eu-west-1", account: "1" };

    fn manifest(more: &str) -> Manifest {
        crate::manifest::parse(&format!("application_name: a\nexposed_ports: [80]\n{more}"), "test").unwrap()
    }

    #[test]
    fn what_versions_need_at_boot_stays_while_they_run() {
        let old = manifest("secrets: {A: 'ssm:/a', B: 'secretsmanager:b'}\n");
        let new = manifest("secrets: {C: 'ssm:/c'}\nlogging: {driver: json-file}\n");
        let first = policy(&old, &AT, None);
        assert_eq!(kept(&old, &AT, &first), Vec::<String>::new());
        let second = policy(&new, &AT, Some(&first));
        let surplus = kept(&new, &AT, &second);
        assert_eq!(surplus.len(), 3, "{surplus:?}");
        for part in ["parameter/a", "parameter/c", "secret:b-??????", "log-group:/minion/a:*"] {
            assert!(second.to_string().contains(part), "{part}: {second}");
        }
        // The same update again, and again: nothing gets lost on the way.
        assert_eq!(policy(&new, &AT, Some(&second)), second);
        // Without versions all of it goes.
        let third = policy(&new, &AT, None);
        assert_eq!(kept(&new, &AT, &third), Vec::<String>::new());
        assert!(!third.to_string().contains("parameter/a"));
    }

    #[test]
    fn every_statement_of_ours_has_a_name_that_manifests_do_not_take() {
        let all = manifest("secrets: {A: 'ssm:/a', B: 'secretsmanager:b'}\n");
        let written = policy(&all, &AT, None);
        let sids: Vec<&str> =
            written["Statement"].as_array().unwrap().iter().filter_map(|s| s["Sid"].as_str()).collect();
        assert_eq!(sids, OUR_SIDS);
        assert_eq!(sids.len(), written["Statement"].as_array().unwrap().len());
    }

    #[test]
    fn credentials_for_registries_are_read_at_boot() {
        let m = manifest(
            "secrets: {A: 'ssm:/a'}\nregistry_credentials: {ghcr.io: 'secretsmanager:ghcr', quay.io: 'ssm:/quay:3'}\n",
        );
        let written = policy(&m, &AT, None);
        for resource in ["parameter/a", "secret:ghcr-??????", "parameter/quay\""] {
            assert!(written.to_string().contains(resource), "{resource}: {written}");
        }
        let may = |policy: &Value, registry: &str| grants(policy, m.registry_credential(registry).unwrap(), &AT);
        assert!(may(&written, "ghcr.io") && may(&written, "quay.io"));
        let without = policy(&manifest("secrets: {A: 'ssm:/a'}\n"), &AT, None);
        assert!(!may(&without, "ghcr.io") && !may(&without, "quay.io"));
    }

    #[test]
    fn what_policies_granted_goes_with_them() {
        let old = manifest("policies: [{sid: Mine, actions: 'ssm:GetParameter', resources: '*'}]\n");
        let new = policy(&manifest(""), &AT, Some(&policy(&old, &AT, None)));
        assert_eq!(new, policy(&manifest(""), &AT, None));
    }
}
