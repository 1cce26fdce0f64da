//! Passwords in addresses, where no address with a password belongs.
use super::{Recorder, assert_unsaid, assert_unsent, assert_unwritten, files, marks::Mark};
use crate::support::{Stage, endpoint};

#[test]
fn passwords_in_addresses_are_not_shown() {
    let password = Mark::new("password in an address");
    let mut stage = Stage::new();
    let recorder = Recorder::new(endpoint());
    stage.set("AWS_ENDPOINT_URL", Some(&recorder.wire.endpoint));
    let manifest = stage.manifest("hello", "");
    stage.application(&manifest);
    let planted = files(stage.home());
    for (host, code) in [
        (format!("https://me:{}@registry.invalid", password.text), 2),
        (format!("me:{}@registry.invalid", password.text), 2),
        (format!("https://{}@registry.invalid", password.text), 2),
        (format!("https://me:x@y{}@registry.invalid", password.text), 2),
    ] {
        let image = format!("{host}/hello-world:0.1");
        for arguments in [
            &["ver", "create", "hello", "1.0", &image, "-v"][..],
            &["ver", "create", "hello", "1.0", &image, "--no-image-check", "-v"],
            &["image", "push", &image, "-v"],
            &["image", "run", &manifest, &image, "-v"],
            &["image", "build", ".", "-t", &image, "-v"],
            &["configure", "-v", "--registry", &host],
        ] {
            assert_unsaid(&stage.minion(arguments).exits(code), &[&password]);
        }
        for arguments in [&["images", "-v", "--registry", &host][..], &["images", &image, "-v", "--registry", &host]] {
            assert_unsaid(&stage.minion(arguments).fails_somehow(), &[&password]);
        }
        stage.set("MINION_REGISTRY", Some(&host));
        for arguments in [&["images", "-v"][..], &["configure", "-v"]] {
            assert_unsaid(&stage.minion(arguments).fails_somehow(), &[&password]);
        }
        for arguments in [&["--help"][..], &["images", "--help"], &["configure", "--help"], &["completions", "zsh"]] {
            assert_unsaid(&stage.minion(arguments).ok(), &[&password]);
        }
        stage.set("MINION_REGISTRY", None);
    }
    assert_unsent(&recorder.sent(), &password, &[], |_| false);
    assert_unwritten(stage.home(), &planted, &[&password]);
}
