//! Logins to container registries: what Docker stores reaches that registry alone.
use super::{Recorder, assert_unsaid, assert_unsent, assert_unwritten, files, marks::Mark};
use crate::support::{Guarded, Stage, endpoint};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

fn base64(text: &str) -> String {
    let out =
        Command::new("/bin/sh").args(["-c", "printf %s \"$1\" | /usr/bin/base64 -w0", "sh", text]).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// A program in the home directory's `bin`.
fn program(stage: &mut Stage, name: &str, body: &str) {
    let path = stage.file(&format!("bin/{name}"), format!("#!/bin/sh\n{body}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let directory = stage.home().join("bin");
    stage.set("PATH", Some(&format!("{}:/usr/bin:/bin", directory.display())));
}

/// A way to store a login, and whether it is one by password.
type Way = fn(&mut Stage, &str, &Mark) -> bool;

fn password(stage: &mut Stage, host: &str, mark: &Mark) -> bool {
    let auth = base64(&format!("me:{}", mark.text));
    stage.file(".docker/config.json", format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#));
    true
}

fn identity_token(stage: &mut Stage, host: &str, mark: &Mark) -> bool {
    let entry = format!(r#"{{"auth":"{}","identitytoken":"{}"}}"#, base64("me:"), mark.text);
    stage.file(".docker/config.json", format!(r#"{{"auths":{{"{host}":{entry}}}}}"#));
    false
}

fn helper(stage: &mut Stage, host: &str, mark: &Mark) -> bool {
    stage.file(".docker/config.json", format!(r#"{{"credHelpers":{{"{host}":"test"}}}}"#));
    let answer = format!(r#"{{"ServerURL":"{host}","Username":"me","Secret":"{}"}}"#, mark.text);
    program(stage, "docker-credential-test", &format!("cat >/dev/null; echo '{answer}'"));
    true
}

#[test]
fn logins_reach_their_registry_alone() {
    for (name, way) in [("password", password as Way), ("identity token", identity_token), ("helper's", helper)] {
        let (login, token) = (Mark::new(name), Mark::new("registry's token"));
        let mut stage = Stage::new();
        let recorder = Recorder::new(endpoint());
        let guarded = Guarded::new(&login.text, &token.text);
        stage.set("AWS_ENDPOINT_URL", Some(&recorder.wire.endpoint));
        let by_password = way(&mut stage, &guarded.host, &login);
        let planted = files(stage.home());
        let manifest = stage.manifest("hello", "");
        let image = |name: &str| format!("{}/{name}", guarded.host);
        for arguments in [
            &["app", "create", &manifest][..],
            &["images", "-v", "--registry", &guarded.host],
            &["history", "hello", "-o", "json", "-v"],
        ] {
            let run = stage.minion(arguments).ok();
            assert_unsaid(&run, &[&login, &token]);
        }
        for arguments in [
            // Instances have no such login.
            &["ver", "create", "hello", "1.0", &image("hello-world:0.1"), "-v"][..],
            &["ver", "create", "hello", "2.0", &image("hello-world:none"), "-v"],
            &["images", "nothing", "-v", "--registry", &guarded.host],
        ] {
            assert_unsaid(&stage.minion(arguments).fails_somehow(), &[&login, &token]);
        }
        assert_unwritten(stage.home(), &planted, &[&login, &token]);
        for mark in [&login, &token] {
            assert_unsent(&recorder.sent(), mark, &[], |_| false);
        }
        let asked = guarded.asked();
        let tokens = |request: &str| request.split_whitespace().nth(1).is_some_and(|path| path.starts_with("/token"));
        assert!(asked.iter().any(|request| tokens(request) && login.is_in(request)), "{name}: {asked:#?}");
        let header = if by_password { &["authorization"][..] } else { &[] };
        assert_unsent(&asked, &login, header, |request| !by_password && request.starts_with("POST /token "));
        assert!(asked.iter().filter(|r| !tokens(r)).all(|r| !login.is_in(r)), "the login goes to the token server");
        assert_unsent(&asked, &token, &["authorization"], |_| false);
    }
}

/// What a manifest or a profile names is read from AWS, and reaches that registry alone: not AWS again, no file, no
/// history, no script.
#[test]
fn credentials_by_reference_reach_their_registry_alone() {
    for (name, reference) in [("secret", "secretsmanager:minion/registry/x"), ("parameter", "ssm:/minion/registry/x")] {
        let (login, token) = (Mark::new(name), Mark::new("registry's token"));
        let mut stage = Stage::new();
        let recorder = Recorder::new(endpoint());
        let guarded = Guarded::new(&login.text, &token.text);
        stage.set("AWS_ENDPOINT_URL", Some(&recorder.wire.endpoint));
        let value = json!({ "username": "me", "password": login.text }).to_string();
        let secret = json!({ "Name": "minion/registry/x", "SecretString": value });
        stage.call("secretsmanager", "create_secret", secret);
        let parameter = json!({ "Name": "/minion/registry/x", "Value": value, "Type": "SecureString" });
        stage.call("ssm", "put_parameter", parameter);
        let credentials = format!("registry_credentials: {{'{}': '{reference}'}}\n", guarded.host);
        let (manifest, profile) = (stage.manifest("hello", &credentials), format!("default:\n  {credentials}"));
        let profile = stage.file("minion.yaml", profile);
        let planted = files(stage.home());
        let image = |name: &str| format!("{}/{name}", guarded.host);
        for arguments in [
            &["app", "create", &manifest, "-v"][..],
            &["ver", "create", "hello", "1.0", &image("hello-world:0.1"), "--dry-run", "-v"],
            &["ver", "create", "hello", "1.0", &image("hello-world:0.1"), "-v"],
            &["ver", "show", "hello", "1.0", "-v"],
            &["images", "-v", "--registry", &guarded.host, "--config", &profile],
            &["history", "hello", "--diff", "-v"],
            &["history", "hello", "-o", "json", "-v"],
        ] {
            assert_unsaid(&stage.minion(arguments).ok(), &[&login, &token]);
        }
        let missing = stage.minion(&["ver", "create", "hello", "2.0", &image("hello-world:none"), "-v"]);
        assert_unsaid(&missing.fails_somehow(), &[&login, &token]);
        for broken in [format!("{{\"username\": \"me\", \"password\": \"{}", login.text), login.text.clone()] {
            let put = json!({ "SecretId": "minion/registry/x", "SecretString": broken });
            stage.call("secretsmanager", "put_secret_value", put);
            let put =
                json!({ "Name": "/minion/registry/x", "Value": broken, "Type": "SecureString", "Overwrite": true });
            stage.call("ssm", "put_parameter", put);
            let run = stage.minion(&["ver", "create", "hello", "3.0", &image("hello-world:0.1"), "-v"]);
            assert_unsaid(&run.fails(1).says(&["invalid registry credentials"]), &[&login, &token]);
        }
        assert_unwritten(stage.home(), &planted, &[&login, &token]);
        for mark in [&login, &token] {
            assert_unsent(&recorder.sent(), mark, &[], |_| false);
        }
        let asked = guarded.asked();
        let tokens = |request: &str| request.split_whitespace().nth(1).is_some_and(|path| path.starts_with("/token"));
        assert!(asked.iter().any(|request| tokens(request) && login.is_in(request)), "{name}: {asked:#?}");
        assert!(asked.iter().filter(|r| !tokens(r)).all(|r| !login.is_in(r)), "the login goes to the token server");
        assert_unsent(&asked, &login, &["authorization"], |_| false);
    }
}

/// A helper that fails, and shows what it should keep; a login that is refused; a file that is no JSON.
#[test]
fn logins_that_fail_are_not_shown() {
    let (login, token) = (Mark::new("login"), Mark::new("token"));
    let guarded = Guarded::new("another", &token.text);
    let image = format!("{}/hello-world:0.1", guarded.host);
    let mut stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let fails = |stage: &Stage, words: &str| {
        let run = stage.minion(&["ver", "create", "hello", "1.0", &image, "-v"]).fails_somehow().says(&[words]);
        assert_unsaid(&run, &[&login, &token]);
        assert_unsaid(&stage.minion(&["images", "-v", "--registry", &guarded.host]).fails_somehow(), &[&login, &token]);
    };
    password(&mut stage, &guarded.host, &login);
    fails(&stage, "does not accept the stored credentials");
    identity_token(&mut stage, &guarded.host, &login);
    fails(&stage, "does not accept the stored credentials");
    helper(&mut stage, &guarded.host, &login);
    let answer = format!(r#"{{"Username":"me","Secret":"{}"}}"#, login.text);
    program(&mut stage, "docker-credential-test", &format!("cat >/dev/null; echo '{answer}'; exit 1"));
    fails(&stage, "docker-credential-test failed");
    program(&mut stage, "docker-credential-test", &format!("cat >/dev/null; echo '{answer}' | cut -c2-"));
    fails(&stage, "gave no sensible answer");
    stage.file(".docker/config.json", format!(r#"{{"auths":{{"{}":{{"auth":"{}"#, guarded.host, login.text));
    fails(&stage, "is not Docker's JSON");
    let odd = base64(&format!("no colon {}", login.text));
    stage.file(".docker/config.json", format!(r#"{{"auths":{{"{}":{{"auth":"{odd}"}}}}}}"#, guarded.host));
    fails(&stage, "no credentials for registry");
}
