//! What IAM accepts in a policy document, beyond its grammar.
//!
//! Sizes and counts: "IAM and AWS STS quotas". Forms: "IAM JSON policy elements reference", `PutRolePolicy`.
use super::tag_rules::named;
use serde_json::Value;
use std::collections::BTreeSet;

/// The inline policies of a role, together, in characters without white space (fixed).
pub const INLINE: usize = 10_240;
/// A managed policy, counted likewise (fixed).
pub const MANAGED: usize = 6_144;
/// A trust policy, counted likewise (an account can have it raised to 4,096).
pub const TRUST: usize = 2_048;
/// Managed policies of a role, unless the account has more (`AttachedPoliciesPerRoleQuota`).
pub const ATTACHED: usize = 10;
/// The most that an account can have it raised to.
pub const ATTACHED_MOST: usize = 25;

/// The characters that IAM counts: all but white space.
pub fn size(policy: &Value) -> usize {
    policy.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// Whether a statement may be about it: `*`, or an ARN of six parts. Wildcards are allowed in each part but the
/// service's ("IAM JSON policy elements: Resource").
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn resource(text: &str) -> Result<(), String> {
    if text == "*" {
        return Ok(());
    }
    let mut parts: Vec<&str> = text.splitn(6, ':').collect();
    // IAM completes an ARN that ends early with wildcards (IAM user guide, "Resource": incomplete ARNs).
    if parts.len() >= 3 {
        parts.resize(6, "*");
    }
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return Err(format!("invalid resource `{text}`: expected `*` or an ARN, such as arn:aws:s3:::bucket/*"));
    };
    let word = |s: &str, more: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || more.contains(c));
    if *arn != "arn" || resource.is_empty() {
        return Err(format!("invalid resource `{text}`: expected `*` or an ARN, such as arn:aws:s3:::bucket/*"));
    }
    if !(*partition == "*" || *partition == "aws" || partition.starts_with("aws-")) || !word(partition, "*") {
        return Err(format!(
            "invalid resource `{text}`: `{partition}` is not a partition; use aws, aws-cn or aws-us-gov"
        ));
    }
    if service.is_empty() || !word(service, "") {
        return Err(format!("invalid resource `{text}`: the service `{service}` must be named without wildcards"));
    }
    if !variable(region, "*?") || !variable(account, "*?") {
        return Err(format!("invalid resource `{text}`: invalid region or account"));
    }
    characters("resource", text)
}

/// Whether a part consists of letters, digits and hyphens, wildcards and policy variables (`${aws:PrincipalAccount}` has a
/// colon, so it does not come here whole).
fn variable(part: &str, more: &str) -> bool {
    part.chars().all(|c| c.is_ascii_alphanumeric() || "-${}/._".contains(c) || more.contains(c))
}

/// Whether IAM takes it as an action: `*`, or `service:Operation` with wildcards in the operation ("IAM JSON policy
/// elements: Action").
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn action(text: &str) -> Result<(), String> {
    if text == "*" {
        return Ok(());
    }
    let good = text.split_once(':').is_some_and(|(service, operation)| {
        let service = service == "*" || service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let operation =
            !operation.is_empty() && operation.bytes().all(|b| b.is_ascii_alphanumeric() || b"*?".contains(&b));
        service && operation && !text.starts_with(':')
    });
    if good {
        Ok(())
    } else {
        Err(format!("invalid action `{text}`: expected service:Operation, such as s3:GetObject"))
    }
}

/// The characters of a document: tab, line ends, and U+0020 to U+00FF (`PutRolePolicy`, `CreatePolicy`: PolicyDocument).
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn characters(what: &str, text: &str) -> Result<(), String> {
    match text.chars().find(|c| !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')) {
        Some(c) => Err(format!(
            "invalid {what} `{}`: the character {} is not allowed in a policy; IAM accepts U+0020 to U+00FF",
            text.trim(),
            named(c)
        )),
        None => Ok(()),
    }
}

/// A `Sid` that two statements have.
pub fn repeated_sid<'s>(sids: impl IntoIterator<Item = &'s str>) -> Option<&'s str> {
    let mut seen = BTreeSet::new();
    sids.into_iter().find(|sid| !seen.insert(*sid))
}

/// All that is wrong with a document: the net below the checks of the files.
///
/// # Errors
/// What is wrong, as a sentence without an end.
pub fn document(policy: &Value, limit: usize) -> Result<(), String> {
    let size = size(policy);
    if size > limit {
        return Err(format!("the policy has {size} characters without white space; IAM allows {limit}"));
    }
    characters("policy", &policy.to_string()).map_err(|e| match e.split_once("`: ") {
        Some((_, rule)) => format!("invalid policy: {rule}"),
        None => e,
    })?;
    let statements = || policy["Statement"].as_array().into_iter().flatten();
    if let Some(sid) = repeated_sid(statements().filter_map(|s| s["Sid"].as_str())) {
        return Err(format!("invalid policy: two statements have the Sid `{sid}`"));
    }
    let texts = |value: &Value| match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(list) => list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    for statement in statements() {
        for key in ["Resource", "NotResource"] {
            texts(&statement[key]).iter().try_for_each(|r| resource(r))?;
        }
        for key in ["Action", "NotAction"] {
            texts(&statement[key]).iter().try_for_each(|a| action(a))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(size(&json!({"a": "b c"})), 10);
    }

    #[test]
    fn resources() {
        for good in [
            "*",
            "arn:aws:s3:::bucket",
            "arn:aws:sqs",
            "arn:aws:sqs:eu-west-1",
            "arn:aws:s3:::*",
            "arn:aws-cn:s3:::bücket/*",
            "arn:*:iam::*:role/x",
            "arn:aws:logs:*:123456789012:log-group:/a:*",
            "arn:aws:dynamodb:eu-*:1234567890??:table/${aws:PrincipalTag/team}",
            "arn:aws:sqs:${aws:RequestedRegion}:123456789012:queue",
            "arn:aws:execute-api:*:*:*",
        ] {
            resource(good).unwrap();
        }
        for bad in [
            "",
            "bucket",
            "s3:::bucket",
            "arn:aws",
            "arn:aws:s3:::",
            "arn:aws:*:::x",
            "arn:aws::::x",
            "arn:amazon:s3:::x",
            "ARN:aws:s3:::x",
            "arn:aws:s3:::日本",
            "https://bucket.s3.amazonaws.com",
            "arn:aws:s3 :::x",
            "**",
        ] {
            assert!(resource(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn actions() {
        for good in ["*", "s3:*", "s3:Get*", "S3:getobject", "execute-api:Invoke", "ec2:Describe???s", "*:*"] {
            action(good).unwrap();
        }
        for bad in ["", "s3", "s3:", ":GetObject", "s3:Get Object", "s3:Get/Object", "s 3:x", "arn:aws:s3:::x", "s3*:x"]
        {
            assert!(action(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn documents() {
        let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
        let statement = |sid: &str, resource: &str| json!({"Sid": sid, "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [resource]});
        document(&policy(json!([statement("A", "*"), statement("B", "*")])), INLINE).unwrap();
        document(&Value::Null, INLINE).unwrap();
        for (bad, words) in [
            (json!([statement("A", "*"), statement("A", "*")]), "`A`"),
            (json!([statement("A", "bucket")]), "`bucket`"),
            (json!([{"Action": "s3"}]), "`s3`"),
            (json!([{"Condition": {"StringEquals": {"aws:PrincipalTag/x": "日"}}}]), "U+65E5"),
            (json!([statement("A", &format!("arn:aws:s3:::{}", "x".repeat(INLINE)))]), "10240"),
        ] {
            let told = document(&policy(bad), INLINE).unwrap_err();
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}
