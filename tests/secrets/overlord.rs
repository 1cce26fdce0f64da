//! `overlord`: credentials, chains of roles, external ids.
use super::{Recorder, assert_unsaid, assert_unsent, assert_unwritten, files, is, marks::Mark};
use crate::support::{Estate, Wire, endpoint};
use std::{fs, time::Duration};

/// For commands whose calls are tried again and again.
const LONG: Duration = Duration::from_secs(180);

fn with_external_id(estate: &Estate, external: &Mark) {
    let path = estate.organization("");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("accounts:\n", &format!("accounts:\n  external_id: {}\n", external.text))).unwrap();
}

#[test]
fn credentials_and_external_ids_go_where_they_must() {
    let (secret, token, external) =
        (Mark::new("secret access key"), Mark::new("session token"), Mark::new("external id"));
    let mut estate = Estate::new();
    let recorder = Recorder::new(endpoint());
    estate.set("AWS_ENDPOINT_URL", Some(&recorder.wire.endpoint));
    estate.set("AWS_SECRET_ACCESS_KEY", Some(&secret.text));
    estate.set("AWS_SESSION_TOKEN", Some(&token.text));
    with_external_id(&estate, &external);
    let planted = files(estate.shell().home());
    for arguments in [
        &["team", "plan", "red", "-v"][..],
        &["team", "create", "red", "--yes", "-v"],
        &["team", "list", "-v"],
        &["team", "show", "red", "-v", "-o", "json"],
        &["check", "-v"],
        &["addresses", "-v"],
        &["diagram", "red", "-v"],
        &["team", "create", "red", "--yes", "-v"],
        &["history", "red", "--diff", "-v"],
        &["team", "delete", "red", "--yes", "-v"],
        &["completions", "fish"],
        &["--help"],
    ] {
        let run = estate.start(arguments).within(LONG);
        assert_unsaid(&run, &[&secret, &token]);
        // The history shows the files.
        if arguments[0] != "history" {
            assert_unsaid(&run, &[&external]);
        }
    }
    let sent = recorder.sent();
    assert_unsent(&sent, &secret, &[], |_| false);
    assert!(sent.iter().any(|r| token.is_in(r)) && sent.iter().any(|r| is(r, "AssumeRole") && external.is_in(r)));
    assert_unsent(&sent, &token, &["x-amz-security-token"], |_| false);
    // AWS does not treat external ids as secret (IAM user guide, "The confused deputy problem"): the history keeps the file
    // that has them as it is.
    assert_unsent(&sent, &external, &[], |r| is(r, "AssumeRole") || is(r, "PutLogEvents"));
    assert_unwritten(estate.shell().home(), &planted, &[&secret, &token, &external]);
}

#[test]
fn nothing_is_shown_when_calls_fail() {
    let (secret, token, external, proxy) =
        (Mark::new("secret access key"), Mark::new("session token"), Mark::new("external id"), Mark::new("proxy"));
    let mut estate = Estate::new();
    estate.set("AWS_SECRET_ACCESS_KEY", Some(&secret.text));
    estate.set("AWS_SESSION_TOKEN", Some(&token.text));
    let expired = Wire::expired_token();
    let nowhere = format!("http://me:{}@127.0.0.1:1", proxy.text);
    let all = [&secret, &token, &external, &proxy];
    let run = |estate: &Estate| {
        for arguments in [&["team", "plan", "red", "-v"][..], &["check", "-v"], &["team", "list", "-v"]] {
            assert_unsaid(&estate.start(arguments).within(LONG), &all);
        }
    };
    with_external_id(&estate, &external);
    estate.set("AWS_ENDPOINT_URL", Some(&expired.endpoint));
    run(&estate);
    estate.set("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1"));
    estate.set("HTTP_PROXY", Some(&nowhere));
    run(&estate);
}
