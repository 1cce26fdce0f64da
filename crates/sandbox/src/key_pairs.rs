//! Tags of key pairs: the emulator keeps them, and leaves them out when it describes key pairs.
use crate::http::Whole;
use aws_core::{
    Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_ec2::types::Filter;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Response, header};
use quick_xml::escape::escape;
use std::collections::BTreeMap;

/// Whether a call asks for key pairs.
pub(crate) fn asked(service: Option<&str>, whole: &Whole) -> bool {
    let mut form = url::form_urlencoded::parse(&whole.body);
    service == Some("ec2") && form.any(|(name, value)| name == "Action" && value == "DescribeKeyPairs")
}

/// The emulator's answer, with tags.
///
/// # Errors
/// When the tags cannot be read.
pub(crate) async fn tagged(cloud: &Cloud, answer: Response<Full<Bytes>>) -> Result<Response<Full<Bytes>>> {
    let (mut head, body) = answer.into_parts();
    let Ok(body) = body.collect().await;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    // The emulator does not know what type of resource a key pair is.
    let filter = Filter::builder().name("resource-type").values("key-pair").values("resource").build();
    let read = cloud.ec2().describe_tags().filters(filter).send().await;
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for tag in read.told(cloud, "key pairs")?.tags.unwrap_or_default() {
        let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        let item = format!("<item><key>{}</key><value>{}</value></item>", escape(key), escape(value));
        tags.entry(tag.resource_id.unwrap_or_default()).or_default().push_str(&item);
    }
    head.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(head, Full::new(Bytes::from(with_tags(&text, &tags)))))
}

/// Puts each key pair's tags behind its id.
fn with_tags(text: &str, tags: &BTreeMap<String, String>) -> String {
    const END: &str = "</keyPairId>";
    let mut pieces = text.split(END).peekable();
    let mut whole = String::new();
    while let Some(piece) = pieces.next() {
        whole.push_str(piece);
        if pieces.peek().is_some() {
            let id = piece.rsplit('>').next().unwrap_or_default();
            let items = tags.get(id).map_or("", String::as_str);
            whole.push_str(&format!("{END}<tagSet>{items}</tagSet>"));
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stand_behind_their_ids() {
        let text =
            "<keySet><item><keyPairId>key-1</keyPairId></item><item><keyPairId>key-2</keyPairId></item></keySet>";
        let tags = BTreeMap::from([("key-2".to_owned(), "<item/>".to_owned())]);
        let wanted = "<keySet><item><keyPairId>key-1</keyPairId><tagSet></tagSet></item>\
                      <item><keyPairId>key-2</keyPairId><tagSet><item/></tagSet></item></keySet>";
        assert_eq!(with_tags(text, &tags), wanted);
        assert_eq!(with_tags("<keySet/>", &tags), "<keySet/>");
    }
}
