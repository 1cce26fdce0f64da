//! What AWS or Docker would refuse of a manifest, after a part of the application or of its first version was made: rules for
//! new manifests and for new versions, which manifests that are stored need not keep. Each rule with the page that it comes from; the same rules, in [`aws_core::model`], check every resource once more before the first
//! write.
use super::{ManagedPolicy, Manifest, Protocol, Statement, codes, log_options};
use crate::graph::policy::OUR_SIDS;
use aws_core::{
    model::{policy_rules, tag_rules},
    resources::role,
};
use files::{
    Problem,
    Step::{AnyOf, At, Key, Nth},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All that is wrong.
pub(super) fn problems(m: &Manifest) -> Vec<Problem> {
    let mut all: Vec<Problem> = Vec::new();
    if let Err(e) = m.application_name.require_new() {
        all.push(Problem::new(&[Key("application_name")], e).hint("Choose another application_name."));
    }
    all.extend(of_version(m));
    sids(m, &mut all);
    for (n, statement) in m.policies.iter().enumerate() {
        actions_and_resources(statement, n, &mut all);
        condition(statement, n, &mut all);
    }
    all
}

/// What is wrong of that which a version gets from the manifest. Its instances would not become healthy, or AWS would refuse
/// a part of it: a version is not created from a manifest that was stored with it.
pub(super) fn of_version(m: &Manifest) -> Vec<Problem> {
    let mut all: Vec<Problem> = Vec::new();
    codes(m, &mut all);
    tags(m, &mut all);
    secrets(m, &mut all);
    all.extend(log_options::problem(&m.logging));
    all
}

/// ELBv2 API reference, `Matcher`: the range of a health check's codes.
fn codes(m: &Manifest, all: &mut Vec<Problem>) {
    let most = if m.exposed_protocol == Protocol::Http { 499 } else { 599 };
    if let Some((message, hint)) = m.health_check.codes.as_ref().and_then(|codes| codes::problem(codes, most)) {
        all.push(Problem { path: vec![Key("health_check"), Key("codes")], message, hint });
    }
}

/// Characters and lengths, and keys that are ours or that IAM takes for the same one.
fn tags(m: &Manifest, all: &mut Vec<Problem>) {
    if let Some(Err(e)) = m.team_name.as_ref().map(|team| tag_rules::value(team.as_str())) {
        all.push(Problem::new(&[Key("team_name")], e));
    }
    for (n, (key, value)) in m.tags.iter().enumerate() {
        let wrong = [tag_rules::chosen_key(key.as_str(), &[]), tag_rules::value(value.as_str())];
        all.extend(wrong.into_iter().filter_map(Result::err).map(|e| Problem::new(&[Key("tags"), Nth(n)], e)));
    }
    let keys = || m.tags.keys().map(super::TagKey::as_str);
    if let Some((key, before)) = tag_rules::alike(keys()) {
        let place = keys().position(|k| k == key).unwrap_or_default();
        all.push(Problem::new(&[Key("tags"), Nth(place)], tag_rules::alike_text(key, before)));
    }
}

const SID: &[&str] = &["sid", "Sid"];

/// A `Sid` is unique in its policy ("IAM JSON policy elements: Sid"), and some of the role's are ours.
fn sids(m: &Manifest, all: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (n, sid) in m.policies.iter().enumerate().filter_map(|(n, s)| Some((n, s.sid.as_deref()?))) {
        let path = [Key("policies"), At(n), AnyOf(SID)];
        if OUR_SIDS.contains(&sid) {
            let message = format!(
                "invalid sid `{sid}`: the role's policy has a statement of this name already, which minion writes"
            );
            all.push(Problem::new(&path, message).hint("Choose another name, or leave it out."));
        } else if !seen.insert(sid) {
            let message =
                format!("invalid sid `{sid}`: another statement has the same, and a policy has each only once");
            all.push(Problem::new(&path, message).hint("Choose another name, or leave it out."));
        }
    }
}

/// Each action and each resource, by its own form.
fn actions_and_resources(statement: &Statement, n: usize, all: &mut Vec<Problem>) {
    type Rule = fn(&str) -> Result<(), String>;
    let lists: [(_, _, Rule); 4] = [
        (AnyOf(&["actions", "Action", "action"]), &statement.actions, policy_rules::action),
        (AnyOf(&["not_actions", "NotAction"]), &statement.not_actions, policy_rules::action),
        (AnyOf(&["resources", "Resource", "resource"]), &statement.resources, policy_rules::resource),
        (AnyOf(&["not_resources", "NotResource"]), &statement.not_resources, policy_rules::resource),
    ];
    for (key, list, rule) in lists {
        for (at, one) in list.iter().enumerate() {
            if let Err(e) = rule(one) {
                all.push(Problem::new(&[Key("policies"), At(n), key, At(at)], e));
            }
        }
    }
}

/// The characters of a policy (`PutRolePolicy`: PolicyDocument).
fn condition(statement: &Statement, n: usize, all: &mut Vec<Problem>) {
    let Some(condition) = &statement.condition else { return };
    let text = json!(condition).to_string();
    if let Err(e) = policy_rules::characters("condition", &text) {
        all.push(Problem::new(&[Key("policies"), At(n), AnyOf(&["condition", "Condition"])], e));
    }
}

/// Names that Systems Manager and Secrets Manager do not take, or that would grant the role more than one.
fn secrets(m: &Manifest, all: &mut Vec<Problem>) {
    let of_registries = m.registry_credentials.values().enumerate().map(|(n, s)| ("registry_credentials", n, s));
    let own = m.secrets.values().enumerate().map(|(n, s)| ("secrets", n, s));
    for (key, n, secret) in own.chain(of_registries) {
        all.extend(secret.problem().map(|e| Problem::new(&[Key(key), Nth(n)], e)));
    }
}

/// More managed policies than the account's quota, which was asked for; `None`: it could not be.
pub fn attached(m: &Manifest, quota: Option<usize>) -> Option<Problem> {
    let count = m.managed_policies.iter().collect::<BTreeSet<&ManagedPolicy>>().len();
    let most = quota.unwrap_or(policy_rules::ATTACHED);
    if count <= most {
        return None;
    }
    let asked = match quota {
        Some(_) => "the account's quota is",
        None => "the account's quota could not be read (iam:GetAccountSummary), and AWS's default is",
    };
    let path = [Key("managed_policies")];
    Some(Problem::new(&path, format!("{count} managed policies; {asked} {most} for a role")).hint(match count {
        0..=policy_rules::ATTACHED_MOST => {
            format!("Merge some of them, or request more: `{}`", role::request_managed(count))
        }
        _ => format!("Merge some of them: AWS raises it to {} at most.", policy_rules::ATTACHED_MOST),
    }))
}

/// Whether the account's quota has to be asked for: nobody has a lower one than AWS's default.
pub fn asks_for_quota(m: &Manifest) -> bool {
    attached(m, None).is_some()
}

/// A role's whole inline policy that is too large.
pub fn inline(policy: &Value) -> Option<Problem> {
    let size = policy_rules::size(policy);
    let message = format!(
        "the role's policy would have {size} characters without white space; IAM allows {}",
        policy_rules::INLINE
    );
    let hint = "Make a managed policy of a part of them, and name it under managed_policies.";
    (size > policy_rules::INLINE).then(|| Problem::new(&[Key("policies")], message).hint(hint))
}

#[cfg(test)]
mod tests;
