//! The program that `cargo xtask fuzz` builds and runs: libFuzzer around the target that FUZZ_TARGET names.
#![no_main]
use fuzz::{Target, target};
use std::sync::LazyLock;

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET names no target: `{name}`"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| CHOSEN(data));
