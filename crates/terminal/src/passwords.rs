//! Passwords in addresses: whoever writes `https://user:password@host` where a host belongs sees it again in an error.
use std::borrow::Cow;

/// What stands around an address.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || "/?#'\"`<>()[]{}".contains(c)
}

/// The text, with `...@host` in place of `user:password@host`, and of `user@host` where a scheme is in front. The digest of an
/// image, `name:tag@sha256:..`, stays.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return text.into();
    }
    let mut told = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_edge) {
        let (before, host) = piece.rsplit_once('@').unwrap_or(("", piece));
        let digest = host.starts_with("sha256:") || host.starts_with("sha512:");
        let both = before.split_once(':').is_some_and(|(user, password)| !user.is_empty() && !password.is_empty());
        if !before.is_empty() && !digest && (both || told.ends_with("://")) {
            told.push_str("...@");
            told.push_str(host);
        } else {
            told.push_str(piece);
        }
    }
    told.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_nothing_else() {
        for (text, wanted) in [
            ("no proxy at `http://me:hunter2@proxy:3128/`: x", "no proxy at `http://...@proxy:3128/`: x"),
            ("'https://hunter2@host/a:1' is", "'https://...@host/a:1' is"),
            ("me:hunter2@host.example:5000/a/b:1", "...@host.example:5000/a/b:1"),
            ("--registry=me:hunter@2@host", "...@host"),
            ("host:5000/a/b:1.0@sha256:abc", "host:5000/a/b:1.0@sha256:abc"),
            ("nginx:1@sha512:abc anna@example.org", "nginx:1@sha512:abc anna@example.org"),
            ("arn:aws:sts::1:assumed-role/r/anna@example.org", "arn:aws:sts::1:assumed-role/r/anna@example.org"),
            ("http://hunter2@host:8080?a@b", "http://...@host:8080?a@b"),
            ("a: b@c", "a: b@c"),
            ("@ :@ x:@y :x@y", "@ :@ x:@y :x@y"),
        ] {
            assert_eq!(hidden(text), wanted);
        }
    }
}
