//! What registries answer.
use crate::input::parts;
use aws_core::images::answers::{self, Challenge, Manifest};
use url::Url;

/// The most entries of a list that are compared with each other.
const COMPARED: usize = 50;

/// Any body and any headers are read in bounds, and what is shown of them plays no tricks with a terminal.
pub fn fuzz(data: &[u8]) {
    let body = data;
    if let Ok(Manifest::Index { architectures, other_systems, .. }) = answers::manifest(body) {
        assert!(architectures.iter().all(|a| !a.is_empty()));
        assert!(other_systems.iter().all(|o| o != "linux"));
    }
    if let Ok((_, Some(architecture))) = answers::platform(body) {
        assert!(!architecture.is_empty());
    }
    let (_, message) = answers::error(body);
    assert!(message.chars().count() <= 200 && !message.contains(char::is_control), "{message:?}");
    assert!(answers::token(body).is_none_or(|token| !token.is_empty()));
    if let Ok(page) = serde_json::from_slice::<answers::Page>(body) {
        let names = page.names();
        assert!(answers::nearest("1.2.3", &names, 5).len() <= names.len().min(5));
        order(&names);
    }
    let ([headers], _) = parts::<1>(body);
    let lines: Vec<&str> = headers.lines().collect();
    if let Some(Challenge::Bearer { realm, .. }) = answers::challenge(lines.iter().copied()) {
        // Nothing is made up: what is not a backslash stands there in this order.
        let mut there = headers.chars();
        assert!(!realm.is_empty() && realm.chars().all(|letter| there.any(|c| c == letter)));
    }
    let url = Url::parse("https://registry.example.org:5000/v2/_catalog?n=1000").expect("a URL");
    for header in &lines {
        if let Some(next) = answers::next_page(&url, header) {
            assert_eq!((next.scheme(), next.host_str(), next.port()), ("https", url.host_str(), Some(5000)));
            assert_ne!(next, url);
        }
    }
}

/// The order of names is one.
fn order(names: &[String]) {
    let mut sorted: Vec<_> = names.iter().take(COMPARED).map(|n| answers::natural(n)).collect();
    sorted.sort();
    for (n, a) in sorted.iter().enumerate() {
        assert!(sorted[n..].iter().all(|b| a <= b));
    }
}
