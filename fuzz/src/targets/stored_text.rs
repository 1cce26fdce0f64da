//! What is stored in parameters: texts in parts, settings of a VPC; and the profiles of this computer.
use crate::input::{assert_told, parts};
use aws_core::registry::{
    VpcSettings,
    encoding::{Head, TEXT, VALUE, encode, join, parse},
};

/// What is damaged is seen, and a text that comes out of it is one that we could have stored. Any text comes back.
pub fn fuzz(data: &[u8]) {
    let ([head], values) = parts(data);
    let values: Vec<String> = values.map(|v| v.into_owned()).collect();
    if let Some(read) = parse(&head) {
        let mut left = values.iter();
        if let Some(text) = join(&read, |_| left.next().map(String::as_str)) {
            if let Head::Coded { digest, .. } = &read {
                assert_eq!(digest.len(), 64);
            }
            comes_back(&text);
        }
    }
    comes_back(&head);
    match VpcSettings::parse("/minion/vpc-1/settings", &head) {
        Ok(settings) => {
            let written = settings.to_yaml().expect("settings can be written");
            let again = VpcSettings::parse("again", &written).unwrap_or_else(|e| panic!("{e}\n{written}"));
            assert_eq!(again, settings, "{written}");
        }
        Err(e) => assert_told(&e, false),
    }
}

fn comes_back(text: &str) {
    let encoded = match encode(text) {
        Ok(encoded) => encoded,
        Err(e) => {
            assert!(text.len() > TEXT);
            return assert_told(&e, false);
        }
    };
    for value in encoded.parts.iter().map(|p| &p.1).chain([&encoded.head]) {
        assert!((1..=VALUE).contains(&value.len()) && !value.contains("{{") && !value.contains("}}"));
    }
    let head = parse(&encoded.head).expect("what we wrote is ours");
    let part = |name: &str| encoded.parts.iter().find(|p| p.0 == name).map(|p| p.1.as_str());
    assert_eq!(join(&head, part).as_deref(), Some(text));
}
