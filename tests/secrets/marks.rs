//! Secrets that are known again, also encoded.

/// A secret: a word that stands nowhere else.
#[derive(Debug)]
pub(super) struct Mark {
    /// What it is.
    pub(super) name: &'static str,
    /// Letters and digits only, so that neither URLs nor JSON change it.
    pub(super) text: String,
}

impl Mark {
    pub(super) fn new(name: &'static str) -> Self {
        let word: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Self { name, text: format!("Zq7{word}9Xw") }
    }

    /// Whether a text holds it: as it is, in hexadecimal digits or in Base64, wherever it begins there, percent signs
    /// undone.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let decoded = without_percents(text);
        let hex: String = self.text.bytes().map(|b| format!("{b:02x}")).collect();
        let mut forms = vec![self.text.clone(), hex];
        for before in 0..3 {
            let form = in_base64(&self.text, before);
            forms.push(form.replace('+', "-").replace('/', "_"));
            forms.push(form);
        }
        forms.iter().any(|form| text.contains(form) || decoded.contains(form))
    }
}

/// What stands in Base64 for a text behind so many other bytes, whatever is around it.
fn in_base64(text: &str, before: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(text.bytes()).collect();
    let bit = |n: usize| bytes.get(n / 8).is_some_and(|byte| byte >> (7 - n % 8) & 1 == 1);
    let letter = |n: usize| LETTERS[(0..6).fold(0, |sum, at| sum * 2 + usize::from(bit(n * 6 + at)))];
    // Letters that hold nothing but bits of the text.
    ((before * 8).div_ceil(6)..bytes.len() * 8 / 6).map(|n| char::from(letter(n))).collect()
}

fn without_percents(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn marks_are_found_in_every_form() {
    let mark = Mark { name: "a", text: "Zq7secret9Xw".into() };
    // `printf 'user:Zq7secret9Xw' | base64` and so on.
    for text in [
        "a Zq7secret9Xw b",
        "dXNlcjpacTdzZWNyZXQ5WHc=",
        "{\"a\":\"WnE3c2VjcmV0OVh3\"}",
        "YVpxN3NlY3JldDlYd2I=",
        "UserData=YWJacTdzZWNyZXQ5WHdj%0A",
        "5a713773656372657439587 5a71377365637265743958 77 5a7137736563726574395877",
        "%5Aq7secret9%58w",
    ] {
        assert!(mark.is_in(text), "{text}");
    }
    for text in ["", "Zq7secret", "WnE3c2VjcmV0", "%"] {
        assert!(!mark.is_in(text), "{text}");
    }
}
