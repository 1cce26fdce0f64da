//! What AWS would answer: the crate `iam-rs` judges one policy, and here is the rest of it. A call is allowed when the
//! role's policies allow it, the boundary allows it, and neither denies it; on all things that the call touches, and
//! with the right to pass the role that it passes.
//!
//! `iam-rs` compares `ArnEquals` and `StringEquals` alike and knows no call without a resource: [`only_known`] keeps
//! the former out of our policies, [`NOTHING`] stands for the latter.
use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use serde_json::Value;

/// The thing that a call touches which AWS knows no things of: only `*` matches it.
const NOTHING: &str = "arn:none:none:::none";

/// Condition operators that the tests below have tried.
const OPERATORS: [&str; 7] = [
    "ForAllValues:StringEquals",
    "ForAllValues:StringLike",
    "ForAnyValue:StringLike",
    "ForAnyValue:StringNotLike",
    "Null",
    "StringEquals",
    "StringNotEquals",
];

/// A call with what AWS knows of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) action: String,
    /// ARNs; none where AWS knows none.
    pub(crate) resources: Vec<String>,
    pub(crate) context: Vec<(String, Vec<String>)>,
    /// The role that the call passes to a service: ARN, service.
    pub(crate) passes: Option<(String, String)>,
}

/// A role: its policies and its boundary.
pub(crate) struct Identity {
    policies: PolicyEvaluator,
    boundary: PolicyEvaluator,
}

impl Identity {
    pub(crate) fn new(policy: &Value, boundary: &Value) -> Self {
        Self { policies: evaluator(policy), boundary: evaluator(boundary) }
    }

    /// Whether AWS would allow it.
    pub(crate) fn may(&self, call: &Call) -> bool {
        let all = |call: &Call| {
            let nothing = [NOTHING.to_owned()];
            let resources = if call.resources.is_empty() { &nothing[..] } else { &call.resources };
            resources.iter().all(|resource| {
                let request = request(&call.action, resource, &call.context);
                // An explicit denial in either is no `Allow` either.
                [&self.policies, &self.boundary].iter().all(|policy| decide(policy, &request) == Decision::Allow)
            })
        };
        let passing = call.passes.as_ref().map(|(role, service)| Call {
            action: "iam:PassRole".into(),
            resources: vec![role.clone()],
            context: vec![("iam:PassedToService".into(), vec![service.clone()])],
            passes: None,
        });
        all(call) && passing.is_none_or(|passing| all(&passing))
    }
}

fn decide(policy: &PolicyEvaluator, request: &IAMRequest) -> Decision {
    policy.evaluate(request).unwrap_or_else(|e| panic!("{request:?}: {e}")).decision
}

fn request(action: &str, resource: &str, context: &[(String, Vec<String>)]) -> IAMRequest {
    let mut keys = Context::new();
    for (key, values) in context {
        // Keys of many values come as lists, as AWS has it.
        let value = match (key.as_str(), values.as_slice()) {
            (
                "aws:TagKeys"
                | "route53:ChangeResourceRecordSetsRecordTypes"
                | "route53:ChangeResourceRecordSetsNormalizedRecordNames",
                all,
            ) => ContextValue::StringList(all.to_vec()),
            (_, [one]) => ContextValue::String(one.clone()),
            (_, all) => ContextValue::StringList(all.to_vec()),
        };
        keys.insert(key.clone(), value);
    }
    let who = Principal::Aws(PrincipalId::String("arn:aws:iam::123456789012:role/who".into()));
    IAMRequest::new_with_context(who, action, Arn::parse(resource).unwrap_or_else(|e| panic!("{resource}: {e}")), keys)
}

fn evaluator(policy: &Value) -> PolicyEvaluator {
    only_known(policy);
    let policy: IAMPolicy = serde_json::from_value(policy.clone()).unwrap();
    PolicyEvaluator::with_policies(vec![policy])
}

/// Fails on a policy with something that this judge has not been tried on.
fn only_known(policy: &Value) {
    for statement in policy["Statement"].as_array().unwrap() {
        for (key, value) in statement.as_object().unwrap() {
            match key.as_str() {
                "Sid" | "Effect" | "Action" | "NotAction" | "Resource" | "NotResource" => {
                    // Variables of policies are not tried.
                    assert!(!value.to_string().contains("${"), "{value}");
                }
                "Condition" => {
                    for operator in value.as_object().unwrap().keys() {
                        assert!(OPERATORS.contains(&operator.as_str()), "{operator}");
                    }
                }
                other => panic!("{other}"),
            }
        }
    }
}

mod tests {
    use super::*;
    use serde_json::json;

    fn judged(statement: Value, action: &str, resource: &str, context: &[(&str, &[&str])]) -> bool {
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let statements = match statement["Effect"].as_str().unwrap() {
            "Deny" => json!([allow, statement]),
            _ => json!([statement]),
        };
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let open = json!({"Version": "2012-10-17", "Statement": [allow]});
        let context = context.iter().map(|(k, v)| ((*k).to_owned(), v.iter().map(|v| (*v).to_owned()).collect()));
        let resources = if resource == "*" { Vec::new() } else { vec![resource.to_owned()] };
        let call = Call { action: action.into(), resources, context: context.collect(), passes: None };
        let (inside, outside) = (Identity::new(&policy, &open).may(&call), Identity::new(&open, &policy).may(&call));
        assert_eq!(inside, outside, "a boundary and a policy are judged alike");
        inside
    }

    const ROLE: &str = "arn:aws:iam::123456789012:role/app-x";

    #[test]
    fn actions_and_resources() {
        let allow = |key: &str, action: Value| json!({"Effect": "Allow", key: action, "Resource": "*"});
        assert!(judged(allow("Action", json!(["a:B", "iam:Get*"])), "iam:getrole", ROLE, &[]));
        assert!(!judged(allow("Action", json!("iam:Get")), "iam:GetRole", ROLE, &[]));
        assert!(judged(allow("Action", json!("ec2:*Vpc")), "ec2:DeleteVpc", "*", &[]));
        assert!(!judged(allow("Action", json!("ec2:*Vpc")), "ec2:DescribeVpcs", "*", &[]));
        assert!(!judged(allow("NotAction", json!(["iam:*"])), "iam:GetRole", ROLE, &[]));
        assert!(judged(allow("NotAction", json!(["iam:*"])), "s3:GetObject", ROLE, &[]));
        let on = |effect: &str, key: &str, arn: &str| json!({"Effect": effect, "Action": "iam:*", key: arn});
        let apps = "arn:aws:iam::123456789012:role/app-*";
        assert!(judged(on("Allow", "Resource", apps), "iam:GetRole", ROLE, &[]));
        assert!(!judged(on("Allow", "Resource", apps), "iam:GetRole", "arn:aws:iam::123456789012:role/x", &[]));
        assert!(!judged(on("Allow", "Resource", apps), "iam:GetRole", "arn:aws:iam::123456789012:user/app-x", &[]));
        assert!(!judged(on("Allow", "Resource", apps), "iam:GetRole", "*", &[]));
        assert!(judged(on("Deny", "NotResource", apps), "iam:GetRole", ROLE, &[]));
        assert!(!judged(on("Deny", "NotResource", apps), "iam:GetRole", "arn:aws:iam::123456789012:role/x", &[]));
        assert!(!judged(on("Deny", "NotResource", apps), "iam:CreateAccountAlias", "*", &[]));
        assert!(!judged(on("Deny", "Resource", "arn:aws:iam::*:role/app-*"), "iam:GetRole", ROLE, &[]));
    }

    #[test]
    fn conditions() {
        let when = |effect: &str, operator: &str, key: &str, value: Value| {
            json!({
                "Effect": effect, "Action": "*", "Resource": "*", "Condition": { operator: { key: value } }
            })
        };
        let allow = |operator, value| when("Allow", operator, "k:v", value);
        assert!(judged(allow("StringEquals", json!(["a", "b"])), "a:B", "*", &[("k:V", &["b"])]));
        assert!(!judged(allow("StringEquals", json!("a")), "a:B", "*", &[("k:v", &["b"])]));
        assert!(!judged(allow("StringEquals", json!("a")), "a:B", "*", &[]));
        let deny = || when("Deny", "StringNotEquals", "k:v", json!("a"));
        assert!(judged(deny(), "a:B", "*", &[("k:v", &["a"])]));
        assert!(!judged(deny(), "a:B", "*", &[("k:v", &["b"])]));
        assert!(!judged(deny(), "a:B", "*", &[]), "what is not there is not equal");
        let null = || when("Deny", "Null", "k:v", json!("false"));
        assert!(judged(null(), "a:B", "*", &[]));
        assert!(!judged(null(), "a:B", "*", &[("k:v", &["x"])]));
        let any = || when("Deny", "ForAnyValue:StringLike", "aws:TagKeys", json!("o:*"));
        assert!(judged(any(), "a:B", "*", &[]));
        assert!(judged(any(), "a:B", "*", &[("aws:TagKeys", &["a", "b"])]));
        assert!(!judged(any(), "a:B", "*", &[("aws:TagKeys", &["a", "o:b"])]));
        let all = || allow("ForAllValues:StringEquals", json!(["A", "B"]));
        assert!(judged(all(), "a:B", "*", &[("k:v", &["A", "B"])]));
        assert!(!judged(all(), "a:B", "*", &[("k:v", &["A", "C"])]));
        let like = || allow("ForAllValues:StringLike", json!(["*.a", "b"]));
        assert!(judged(like(), "a:B", "*", &[("k:v", &["x.a", "b"])]));
        assert!(!judged(like(), "a:B", "*", &[("k:v", &["x.a", "a"])]));
        assert!(judged(like(), "a:B", "*", &[]), "all of none");
        let unlike = || when("Deny", "ForAnyValue:StringNotLike", "k:v", json!(["a", "*.a"]));
        assert!(judged(unlike(), "a:B", "*", &[("k:v", &["a", "x.a"])]));
        assert!(!judged(unlike(), "a:B", "*", &[("k:v", &["a", "b"])]));
        assert!(judged(unlike(), "a:B", "*", &[]), "any of none");
    }

    #[test]
    fn passing_a_role_is_a_decision_of_its_own() {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE,
             "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
        ]});
        let who = Identity::new(&policy, &policy);
        let call = |role: &str, service: &str| Call {
            action: "lambda:CreateFunction".into(),
            passes: Some((role.into(), service.into())),
            ..Call::default()
        };
        assert!(who.may(&call(ROLE, "lambda.amazonaws.com")));
        assert!(!who.may(&call(ROLE, "ec2.amazonaws.com")));
        assert!(!who.may(&call("arn:aws:iam::123456789012:role/x", "lambda.amazonaws.com")));
    }

    #[test]
    #[should_panic(expected = "ArnEquals")]
    fn what_is_not_tried_is_not_judged() {
        only_known(&json!({"Statement": [{"Condition": {"ArnEquals": {}}}]}));
    }
}
