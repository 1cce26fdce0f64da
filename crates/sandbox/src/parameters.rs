//! AWS's public parameters in calls to Systems Manager.
use crate::{
    Answer,
    http::{Whole, plain},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Response, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The answer to a call for one parameter that is public. `None` for other calls.
pub(crate) fn one(whole: &Whole, known: &BTreeMap<String, String>) -> Option<Answer> {
    let target = whole.head.headers.get("x-amz-target")?.to_str().ok()?;
    let asked: Value = serde_json::from_slice(&whole.body).ok()?;
    let (name, value) = known.get_key_value(asked["Name"].as_str().filter(|_| target == "AmazonSSM.GetParameter")?)?;
    let body = json!({ "Parameter": parameter(name, value) }).to_string();
    Some(Answer { status: 200, content_type: "application/x-amz-json-1.1", body })
}

fn parameter(name: &str, value: &str) -> Value {
    json!({ "Name": name, "Type": "String", "Value": value, "Version": 1, "DataType": "text" })
}

/// A call for several parameters, some of which are public: the call without those, and them. `None` for other calls.
pub(crate) fn split(whole: &Whole, known: &BTreeMap<String, String>) -> Option<(Bytes, Vec<Value>)> {
    let target = whole.head.headers.get("x-amz-target")?.to_str().ok()?;
    if target != "AmazonSSM.GetParameters" {
        return None;
    }
    let mut asked: Value = serde_json::from_slice(&whole.body).ok()?;
    let names = asked["Names"].as_array_mut()?;
    let mut found = Vec::new();
    names.retain(|name| match name.as_str().and_then(|name| known.get_key_value(name)) {
        Some((name, value)) => {
            found.push(parameter(name, value));
            false
        }
        None => true,
    });
    if found.is_empty() {
        return None;
    }
    if names.is_empty() {
        // A call must name one.
        names.push(json!("/minion/sandbox/nothing"));
    }
    Some((Bytes::from(asked.to_string()), found))
}

/// The emulator's answer, and the public ones.
pub(crate) async fn join(answer: Response<Full<Bytes>>, found: Vec<Value>) -> Response<Full<Bytes>> {
    let (mut head, body) = answer.into_parts();
    let Ok(body) = body.collect().await;
    let body = body.to_bytes();
    let Ok(mut told) = serde_json::from_slice::<Value>(&body) else {
        return if head.status.is_success() {
            plain(502, "no JSON\n")
        } else {
            Response::from_parts(head, Full::new(body))
        };
    };
    if let Some(parameters) = told.get_mut("Parameters").and_then(Value::as_array_mut) {
        parameters.extend(found);
    }
    if let Some(invalid) = told.get_mut("InvalidParameters").and_then(Value::as_array_mut) {
        invalid.retain(|name| name != "/minion/sandbox/nothing");
    }
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Full::new(Bytes::from(told.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn call(target: &str, body: &Value) -> Whole {
        let request = Request::builder().header("X-Amz-Target", target).body(Bytes::from(body.to_string()));
        let (head, body) = request.unwrap().into_parts();
        Whole { head, body, peer: std::net::SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    #[tokio::test]
    async fn public_parameters_are_answered_here() {
        let known = BTreeMap::from([("/aws/one".to_owned(), "ami-1".to_owned())]);
        let both = call("AmazonSSM.GetParameters", &json!({ "Names": ["/mine", "/aws/one"] }));
        let (rest, found) = split(&both, &known).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&rest).unwrap(), json!({ "Names": ["/mine"] }));
        let told = json!({ "Parameters": [{ "Name": "/mine" }], "InvalidParameters": [] });
        let joined = join(Response::new(Full::new(Bytes::from(told.to_string()))), found).await;
        let body = joined.into_body().collect().await.unwrap().to_bytes();
        let joined: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(joined["Parameters"][1]["Value"], "ami-1");
        let others = call("AmazonSSM.GetParameters", &json!({ "Names": ["/mine"] }));
        assert!(split(&others, &known).is_none());
        let one_of = |name: &str| one(&call("AmazonSSM.GetParameter", &json!({ "Name": name })), &known);
        assert!(one_of("/aws/one").unwrap().body.contains("ami-1"));
        assert_eq!(one_of("/mine"), None);
        let others = call("AmazonSSM.PutParameter", &json!({ "Name": "/aws/one" }));
        assert!(split(&others, &known).is_none());
    }
}
