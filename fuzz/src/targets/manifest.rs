//! Application manifests.
use crate::input::assert_told;
use minion::manifest::{check, parse};

/// Any text is a manifest, or a mistake whose line is shown. A manifest that is written out is read as the same one.
pub fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
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
