//! What a SAML metadata document must be, before AWS judges it.
use quick_xml::{Reader, events::Event};

/// Shortest and longest document, in characters (IAM API reference, `CreateSAMLProvider`).
pub const LENGTH: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;

/// The document without a byte order mark, which IAM refuses and some identity providers send.
///
/// # Errors
/// Why IAM would not take it: not XML, not SAML metadata, not that of an identity provider, too short or too long.
pub fn read(text: &str) -> Result<&str, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Found::default();
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                found.see(depth, element.local_name().as_ref());
                depth += 1;
            }
            Ok(Event::Empty(element)) => found.see(depth, element.local_name().as_ref()),
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) if depth > 0 => return Err("it ends in the middle of an element".to_owned()),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(e) => return Err(format!("it is not XML: {e}")),
        }
    }
    found.judge()?;
    let count = text.chars().count();
    if LENGTH.contains(&count) {
        return Ok(text);
    }
    Err(format!("it has {count} characters; IAM accepts {} to {}", LENGTH.start(), LENGTH.end()))
}

/// The elements that matter, by their local names: prefixes differ.
#[derive(Default)]
struct Found {
    root: String,
    identity_provider: bool,
    service_provider: bool,
}

impl Found {
    fn see(&mut self, depth: usize, name: &str) {
        if depth == 0 && self.root.is_empty() {
            self.root = name.to_owned();
        }
        self.identity_provider |= name == "IDPSSODescriptor";
        self.service_provider |= name == "SPSSODescriptor";
    }

    fn judge(&self) -> Result<(), String> {
        match (self.root.as_str(), self.identity_provider, self.service_provider) {
            ("EntityDescriptor" | "EntitiesDescriptor", true, _) => Ok(()),
            ("EntityDescriptor" | "EntitiesDescriptor", false, true) => {
                Err("it describes a service provider: it has an SPSSODescriptor and no IDPSSODescriptor. Download the \
                     metadata of the identity provider"
                    .to_owned())
            }
            ("EntityDescriptor" | "EntitiesDescriptor", false, false) => {
                Err("it has no IDPSSODescriptor: it is not the metadata of an identity provider".to_owned())
            }
            _ => Err("it has no EntityDescriptor: it is not SAML metadata".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inner: &str) -> String {
        let filler = "x".repeat(1_000);
        format!(
            "<?xml version=\"1.0\"?>\n<!-- {filler} -->\n<md:EntityDescriptor xmlns:md=\"urn:x\" entityID=\"a\">{inner}</md:EntityDescriptor>\n"
        )
    }

    #[test]
    fn the_document_of_an_identity_provider() {
        let idp = document("<md:IDPSSODescriptor><md:KeyDescriptor/></md:IDPSSODescriptor>");
        assert_eq!(read(&idp).unwrap(), idp);
        assert_eq!(read(&format!("\u{feff}{idp}")).unwrap(), idp, "without its byte order mark");
        assert!(read(&idp.replace("md:", "").replace("xmlns:md", "xmlns")).is_ok(), "prefixes differ");
        assert!(read(&document("<md:SPSSODescriptor/><md:IDPSSODescriptor/>")).is_ok(), "some are both");
        let several = format!("<EntitiesDescriptor>{}</EntitiesDescriptor>", &idp[idp.find("<!--").unwrap()..]);
        assert!(read(&several).is_ok());
    }

    #[test]
    fn what_iam_would_refuse() {
        let html = format!("<!DOCTYPE html><html><body>{}EntityDescriptor</body></html>", "x".repeat(1_000));
        let json = format!("{{\"issuer\": \"{}\"}}", "x".repeat(1_000));
        let idp = document("<md:IDPSSODescriptor/>");
        for (text, why) in [
            (document("<md:SPSSODescriptor/>"), "no IDPSSODescriptor"),
            (document("<!-- <md:IDPSSODescriptor/> -->"), "no IDPSSODescriptor"),
            (document("<md:AttributeAuthorityDescriptor/>"), "no IDPSSODescriptor"),
            (html, "no EntityDescriptor"),
            (json, "no EntityDescriptor"),
            (String::new(), "no EntityDescriptor"),
            (idp.replace("</md:EntityDescriptor>", ""), "it ends in the middle"),
            (idp[..idp.len() - 5].to_owned(), "it is not XML"),
            (document("<md:IDPSSODescriptor></md:Other>"), "it is not XML"),
            ("<EntityDescriptor><IDPSSODescriptor/></EntityDescriptor>".to_owned(), "56 characters"),
        ] {
            let told = read(&text).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
