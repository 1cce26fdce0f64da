//! Whether a policy can mean what it says: an action that does not exist, a resource that an action does not take and
//! a condition key that a call does not have are no error to IAM. A permission with one of them grants nothing, and a
//! denial denies nothing, or everything.
use super::{
    arns::meet,
    reference::{Action, Found, Reference},
};
use serde_json::Value;
use std::{collections::BTreeSet, rc::Rc};

/// What of a policy cannot be meant. Sentences that begin with the statement.
pub(crate) fn faults(reference: &Reference, policy: &Value) -> Vec<String> {
    let statements = list(&policy["Statement"]);
    let judged = statements.iter().enumerate().flat_map(|(at, statement)| {
        let sid = statement["Sid"].as_str().map_or_else(|| format!("statement {}", at + 1), str::to_owned);
        of_statement(reference, statement).into_iter().map(move |fault| format!("{sid}: {fault}"))
    });
    let mut all: Vec<String> = judged.collect();
    if statements.is_empty() {
        all.push("no statements".into());
    }
    all
}

/// The actions that only look, and are denied on everything and without a condition: `ec2:GetSecurityGroupsForVpc`, by
/// `ec2:*Vpc`.
pub(crate) fn looks_denied(reference: &Reference, policy: &Value) -> BTreeSet<String> {
    let statements = list(&policy["Statement"]).into_iter();
    let denials = statements.filter(|s| s["Effect"] == "Deny" && s["Resource"] == "*" && s["Condition"].is_null());
    let patterns = denials.flat_map(|s| words(&s["Action"])).collect::<Vec<_>>();
    let denied = patterns.iter().flat_map(|pattern| expand(reference, pattern).unwrap_or_default());
    denied.filter(|action| action.looks).map(|action| action.name.clone()).collect()
}

/// The actions that a pattern means: `ec2:Describe*`.
fn expand(reference: &Reference, pattern: &str) -> Result<Vec<Found>, String> {
    let Some((service, name)) = pattern.split_once(':') else {
        return Err(format!("`{pattern}` is no action"));
    };
    let Some(actions) = reference.service(service) else {
        return Err(format!("`{pattern}`: there is no service `{service}`"));
    };
    let fits =
        |action: &Action| like(&name.to_ascii_lowercase(), &action.name[service.len() + 1..].to_ascii_lowercase());
    let at: Vec<usize> = (0..actions.len()).filter(|at| fits(&actions[*at])).collect();
    if at.is_empty() {
        return Err(format!("`{pattern}` is no action"));
    }
    Ok(at.into_iter().map(|at| Found(Rc::clone(&actions), at)).collect())
}

fn of_statement(reference: &Reference, statement: &Value) -> Vec<String> {
    let mut all = Vec::new();
    // Several patterns, each with what it means; `*` means all there is, and is left out.
    let mut actions: Vec<(String, Vec<Found>)> = Vec::new();
    let named = [words(&statement["Action"]), words(&statement["NotAction"])].concat();
    for pattern in named.into_iter().filter(|pattern| pattern != "*") {
        match expand(reference, &pattern) {
            Ok(found) => actions.push((pattern, found)),
            Err(fault) => all.push(fault),
        }
    }
    if actions.is_empty() || !statement["NotAction"].is_null() {
        // What is not named knows some of it.
        return all;
    }
    let keys = list(&statement["Condition"]).into_iter().flat_map(|operators| operators.as_object().cloned());
    let keys = keys.flatten().filter_map(|(_, keys)| keys.as_object().cloned()).flatten().map(|(key, _)| key);
    for key in keys.filter(|key| !reference.is_global(key)) {
        for (pattern, found) in &actions {
            if !found.iter().any(|action| action.knows(&key)) {
                all.push(format!("`{pattern}` does not know the condition key `{key}`"));
            }
        }
    }
    all.extend(of_resources(statement, &actions));
    all
}

fn of_resources(statement: &Value, actions: &[(String, Vec<Found>)]) -> Vec<String> {
    let takes = |found: &[Found], resource: &str| {
        found.iter().flat_map(|action| &action.formats).any(|format| meet(resource, format))
    };
    let (on, but) = (words(&statement["Resource"]), words(&statement["NotResource"]));
    let mut all = Vec::new();
    for resource in on.iter().chain(&but).filter(|resource| *resource != "*") {
        if !actions.iter().any(|(_, found)| takes(found, resource)) {
            all.push(format!("no action of it acts on `{resource}`"));
        }
    }
    if on.iter().any(|resource| resource == "*") || on.is_empty() {
        return all;
    }
    for (pattern, found) in actions {
        if !on.iter().any(|resource| takes(found, resource)) {
            all.push(format!("`{pattern}` acts on none of its resources"));
        }
    }
    all
}

/// Whether `text` is what `pattern` says, with `*` and `?`.
fn like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            like(&pattern[1..], text) || text.chars().next().is_some_and(|c| like(pattern, &text[c.len_utf8()..]))
        }
        (Some('?'), Some(c)) => like(&pattern[1..], &text[c.len_utf8()..]),
        (Some(a), Some(b)) if a == b => like(&pattern[a.len_utf8()..], &text[b.len_utf8()..]),
        _ => false,
    }
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    }
}

fn words(value: &Value) -> Vec<String> {
    list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_meant_is_found() {
        let reference = Reference::open();
        let of = |statement: Value| faults(&reference, &json!({ "Statement": [statement] })).join("\n");
        for (statement, fault) in [
            (json!({"Action": "ec2:RunInstance", "Resource": "*"}), "is no action"),
            (json!({"Action": "ec3:RunInstances", "Resource": "*"}), "no service"),
            (json!({"NotAction": ["iam:*", "iam:Fly*"], "Resource": "*"}), "`iam:Fly*` is no action"),
            (
                json!({"Action": ["iam:GetRole", "iam:ListRoles"], "Resource": "arn:aws:iam::1:role/x"}),
                "`iam:ListRoles` acts on none",
            ),
            (
                json!({"Action": "iam:GetRole", "Resource": ["arn:aws:iam::1:role/x", "arn:aws:iam::1:user/x"]}),
                "no action of it acts on `arn:aws:iam::1:user/x`",
            ),
            (
                json!({"Action": "iam:DeleteRole", "Resource": "*",
                    "Condition": {"StringEquals": {"iam:PassedToService": "x"}}}),
                "does not know the condition key `iam:PassedToService`",
            ),
            (
                json!({"Action": "ec2:DescribeVpcs", "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceTag/team": "x"}}}),
                "does not know the condition key `aws:ResourceTag/team`",
            ),
            (
                json!({"Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransprt": "false"}}}),
                "does not know the condition key `aws:SecureTransprt`",
            ),
        ] {
            let found = of(statement.clone());
            assert!(found.contains(fault), "{statement}: {found}");
        }
    }

    #[test]
    fn what_can_be_meant_is_left_alone() {
        let reference = Reference::open();
        let policy = json!({ "Statement": [
            {"Action": "*", "Resource": "*"},
            {"Action": "ec2:Describe*", "Resource": "*"},
            {"Action": ["iam:GetRole", "iam:PassRole"], "Resource": "arn:aws:iam::1:role/app-*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": "x"}}},
            {"Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "x"}}},
            {"Action": "s3:*", "Resource": ["arn:aws:s3:::x", "arn:aws:s3:::x/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Action": "ec2:DeleteVpc", "Resource": "*", "Condition": {"Null": {"aws:ResourceTag/x": "true"}}},
            {"Action": "sts:AssumeRoleWithSAML", "Condition": {"StringEquals": {"SAML:aud": "x"}}},
        ]});
        assert_eq!(faults(&reference, &policy), Vec::<String>::new());
    }

    #[test]
    fn patterns_take_what_they_say() {
        for (pattern, text, fits) in [
            ("describe*", "describevpcs", true),
            ("*vpc", "createvpc", true),
            ("*vpc", "vpcs", false),
            ("a?c", "abc", true),
        ] {
            assert_eq!(like(pattern, text), fits, "{pattern} {text}");
        }
    }
}
