//! Application manifests.
use crate::input::assert_told;
use minion::manifest::{check, parse, parse_new};

/// Any text is a manifest, or a mistake whose line is shown. A manifest that is written out is read as the same one.
pub fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // One that is stored has fewer rules to keep; all that a new one breaks is told at once, however long that gets.
    if let Err(e) = parse_new(text, "m.yaml") {
        assert!(e.to_string().contains("m.yaml"), "{e}");
    }
    let manifest = match parse(text, "m.yaml") {
        Ok(manifest) => manifest,
        Err(e) => return assert_told(&e, true),
    };
    assert!(!manifest.exposed_ports.is_empty());
    assert!(check::warnings(&manifest).iter().all(|w| !w.is_empty()));
    let written = manifest.to_yaml().expect("a manifest can be written");
    let again = parse(&written, "again.yaml").unwrap_or_else(|e| panic!("{e}\n{written}"));
    assert_eq!(again, manifest, "{written}");
}
