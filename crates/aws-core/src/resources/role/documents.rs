//! Policy documents: IAM answers with them URL-encoded, and as they were written.
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The trust policy of a role for EC2 instances.
pub fn instances_may_assume() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "ec2.amazonaws.com" },
            "Action": "sts:AssumeRole"
        }]
    })
}

/// A document as IAM answers with it: URL-encoded (RFC 3986). What is no JSON is `Null`, and so
/// different from what is wanted.
pub(in crate::resources) fn parse(text: &str) -> Value {
    serde_json::from_slice(&decode(text)).unwrap_or(Value::Null)
}

fn decode(text: &str) -> Vec<u8> {
    let hex = |b: &u8| char::from(*b).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return out,
            [b'%', a, b, tail @ ..] if hex(a).is_some() && hex(b).is_some() => {
                let byte = hex(a).zip(hex(b)).map_or(0, |(a, b)| a * 16 + b);
                out.push(u8::try_from(byte).unwrap_or_default());
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

/// A document in a few words: the number of its statements, and a digest that tells two apart.
pub(in crate::resources) fn short(document: &Value) -> String {
    let count = match &document["Statement"] {
        Value::Array(list) => list.len(),
        Value::Null => 0,
        _ => 1,
    };
    let digest: String =
        Sha256::digest(document.to_string().as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("{count} statement{} ({digest})", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_come_back_from_iams_encoding() {
        assert_eq!(parse("%7B%22a%22%3A%22b%20c%2Bd+%C3%A4%22%7D"), json!({"a": "b c+d+ä"}));
        assert_eq!(parse(r#"{"a":"100%"}"#), json!({"a": "100%"}));
        assert_eq!(parse("{"), Value::Null);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in ".*") {
            let encoded: String = json!({"a": text}).to_string().bytes().map(|b| format!("%{b:02X}")).collect();
            prop_assert_eq!(parse(&encoded), json!({"a": text}));
        }
    }
}
