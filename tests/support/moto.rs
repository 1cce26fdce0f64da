//! moto's Python, and the emulators that are run with it.
use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// What to do when moto is not there.
const MISSING: &str =
    "these tests need moto_server: run them with `cargo xtask test`, or set MINION_MOTO to the path of moto_server";

/// The path in MINION_MOTO, else `moto_server` on the PATH.
pub(crate) fn moto_server() -> PathBuf {
    if let Some(path) = env::var_os("MINION_MOTO") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "MINION_MOTO is {}, and there is no such file; {MISSING}", path.display());
        return path;
    }
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("moto_server"))
        .find(|path| path.is_file())
        .expect(MISSING)
}

/// moto's Python, and the path of a program of `tests/support`.
pub(crate) fn program(script: &str) -> (PathBuf, PathBuf) {
    let moto = moto_server();
    let python = moto.with_file_name("python");
    assert!(python.exists(), "no Python beside {}; {MISSING}", moto.display());
    (python, Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/support").join(script))
}

/// Starts a program of `tests/support`, with pipes to it and from it.
pub(crate) fn start(script: &str) -> Child {
    let (python, script) = program(script);
    let mut command = Command::new(python);
    command.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().expect("moto's Python starts")
}

/// An emulator's address, which must be this computer's.
pub(crate) fn on_this_computer(endpoint: &str) -> &str {
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint} is not on this computer: refusing to go on");
    endpoint
}
