//! Answers of the Query protocol in XML.
use super::{fault::Fault, value::Value};
use crate::Answer;
use quick_xml::escape::escape;

const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";
const TYPE: &str = "text/xml";

/// The answer to an action that was done; some have a result.
pub(super) fn done(action: &str, result: Option<&Value>, request_id: &str) -> Answer {
    let mut body = format!("<{action}Response xmlns=\"{NAMESPACE}\">");
    if let Some(result) = result {
        element(&mut body, &format!("{action}Result"), result);
    }
    body.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ));
    Answer { status: 200, content_type: TYPE, body }
}

/// The answer to an action that was not done.
pub(super) fn failed(fault: &Fault, request_id: &str) -> Answer {
    let mut body = format!("<ErrorResponse xmlns=\"{NAMESPACE}\">");
    let whose = if fault.status() < 500 { "Sender" } else { "Receiver" };
    let error = Value::empty().with("Type", whose).with("Code", fault.code).with("Message", fault.message.as_str());
    element(&mut body, "Error", &error);
    body.push_str(&format!("<RequestId>{request_id}</RequestId></ErrorResponse>"));
    Answer { status: fault.status(), content_type: TYPE, body }
}

fn element(body: &mut String, name: &str, value: &Value) {
    body.push_str(&format!("<{name}>"));
    match value {
        Value::Text(text) => body.push_str(&escape(allowed(text).as_str())),
        Value::Fields(fields) => fields.iter().for_each(|(name, value)| element(body, name, value)),
        Value::List(list) => list.iter().for_each(|value| element(body, "member", value)),
    }
    body.push_str(&format!("</{name}>"));
}

/// Without the characters that XML 1.0 cannot carry.
fn allowed(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_xml_is_escaped() {
        let answer = failed(&Fault::invalid("a < b & \"c\"\u{1}"), "r-1");
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains("<Message>a &lt; b &amp; &quot;c&quot;</Message>"), "{}", answer.body);
        let list = Value::empty().with("Names", Value::from(vec!["a".into(), "b".into()]));
        let answer = done("DescribeX", Some(&list), "r-1");
        assert!(
            answer.body.contains("<DescribeXResult><Names><member>a</member><member>b</member></Names>"),
            "{}",
            answer.body
        );
    }
}
