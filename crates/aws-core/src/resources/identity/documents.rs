//! Policy documents that say the same are the same: IAM takes one text or a list of them, in any order.
use serde_json::{Map, Value};

/// Whether two documents say the same.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    plain(a) == plain(b)
}

/// The document in one of the ways to write it: lists sorted, of one text the text itself, accounts by number.
fn plain(document: &Value) -> Value {
    let Value::Object(fields) = document else { return document.clone() };
    let mut out = Map::new();
    for (key, value) in fields {
        let value = match key.as_str() {
            "Statement" => {
                let mut statements: Vec<Value> = match value {
                    Value::Array(list) => list.iter().map(statement).collect(),
                    one => vec![statement(one)],
                };
                statements.sort_by_key(Value::to_string);
                Value::Array(statements)
            }
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}

fn statement(statement: &Value) -> Value {
    let Value::Object(fields) = statement else { return statement.clone() };
    let mut out = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            // IAM adds an empty one in places.
            ("Sid", Value::String(sid)) if sid.is_empty() => continue,
            // "Everybody" has two spellings.
            ("Principal" | "NotPrincipal", Value::String(all)) => {
                Value::Object(Map::from_iter([("AWS".to_owned(), Value::from(vec![all.clone()]))]))
            }
            ("Principal" | "NotPrincipal", Value::Object(kinds)) => {
                Value::Object(kinds.iter().map(|(k, v)| (k.clone(), set(v, &account))).collect())
            }
            ("Condition", Value::Object(operators)) => {
                let keys = |v: &Value| match v {
                    Value::Object(keys) => {
                        Value::Object(keys.iter().map(|(k, v)| (k.clone(), set(v, &str::to_owned))).collect())
                    }
                    other => other.clone(),
                };
                Value::Object(operators.iter().map(|(k, v)| (k.clone(), keys(v))).collect())
            }
            (_, value) => set(value, &str::to_owned),
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}

/// A text, or texts, in one way to write them.
fn set(value: &Value, each: &impl Fn(&str) -> String) -> Value {
    let text = |v: &Value| match v {
        Value::String(s) => each(s),
        // `true` and `"true"` are one in a condition.
        other => other.to_string(),
    };
    let mut list: Vec<String> = match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => vec![text(one)],
    };
    list.sort();
    list.dedup();
    Value::from(list)
}

/// IAM turns an account's number into the ARN of its root.
fn account(principal: &str) -> String {
    let parts: Vec<&str> = principal.split(':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, "root"] => account.to_owned(),
        _ => principal.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ways_to_write_the_same() {
        let short = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": true}}
        }});
        let long = json!({"Statement": [{
            "Sid": "", "Effect": "Allow", "Principal": {"AWS": ["arn:aws-cn:iam::123456789012:root"]},
            "Action": ["sts:AssumeRole"], "Condition": {"Bool": {"aws:MultiFactorAuthPresent": ["true"]}}
        }], "Version": "2012-10-17"});
        assert!(same(&short, &long));
        let of = |actions: Value| json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        assert!(same(&of(json!(["b:B", "a:A"])), &of(json!(["a:A", "b:B", "b:B"]))));
        assert!(same(
            &json!({"Statement": [{"Effect": "Deny", "Principal": "*"}, {"Effect": "Allow"}]}),
            &json!({"Statement": [{"Effect": "Allow"}, {"Effect": "Deny", "Principal": {"AWS": "*"}}]}),
        ));
    }

    #[test]
    fn what_says_something_else_differs() {
        let of = |effect: &str, key: &str, value: Value| json!({"Statement": [{"Effect": effect, key: value}]});
        let base = of("Allow", "Action", json!(["a:A"]));
        for other in [
            of("Deny", "Action", json!(["a:A"])),
            of("Allow", "NotAction", json!(["a:A"])),
            of("Allow", "Action", json!(["a:A", "a:B"])),
            of("Allow", "Action", json!("a:B")),
            json!({}),
            Value::Null,
        ] {
            assert!(!same(&base, &other), "{other}");
        }
        let who = |account: &str| of("Allow", "Principal", json!({"AWS": account}));
        assert!(!same(&who("123456789012"), &who("123456789013")));
        assert!(!same(&who("123456789012"), &who("arn:aws:iam::123456789012:role/x")));
    }
}
