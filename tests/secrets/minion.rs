//! `minion`: credentials, environments of containers, secrets of manifests, proxies.
use super::{Recorder, assert_unsaid, assert_unsent, assert_unwritten, files, is, marks::Mark};
use crate::support::{Stage, Wire, endpoint};
use serde_json::json;
use std::time::Duration;

/// A way to give the stage credentials: secret access key, and session token or what leads to one.
type Way = fn(&mut Stage, &Mark, &Mark);

fn environment(stage: &mut Stage, secret: &Mark, token: &Mark) {
    stage.set("AWS_SECRET_ACCESS_KEY", Some(&secret.text)).set("AWS_SESSION_TOKEN", Some(&token.text));
}

/// Takes the credentials out of the environment; the access key.
fn without_environment(stage: &mut Stage) -> String {
    let key = stage.access_key().to_owned();
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        stage.set(name, None);
    }
    key
}

fn profile(stage: &mut Stage, secret: &Mark, token: &Mark) {
    let key = without_environment(stage);
    let (secret, token) = (&secret.text, &token.text);
    let keys = format!("aws_access_key_id = {key}\naws_secret_access_key = {secret}\naws_session_token = {token}\n");
    stage.file(".aws/credentials", format!("[planted]\n{keys}"));
    stage.set("AWS_PROFILE", Some("planted"));
}

fn process(stage: &mut Stage, secret: &Mark, token: &Mark) {
    let key = without_environment(stage);
    let answer = json!({
        "Version": 1, "AccessKeyId": key, "SecretAccessKey": secret.text, "SessionToken": token.text,
        "Expiration": "2099-01-01T00:00:00Z",
    });
    let path = stage.file("answer.json", answer.to_string());
    stage.file(".aws/config", format!("[default]\ncredential_process = /bin/cat {path}\n"));
}

fn web_identity(stage: &mut Stage, _: &Mark, token: &Mark) {
    without_environment(stage);
    let path = stage.file("token", &token.text);
    let role = format!("arn:aws:iam::{}:role/web", stage.account);
    stage.set("AWS_WEB_IDENTITY_TOKEN_FILE", Some(&path)).set("AWS_ROLE_ARN", Some(&role));
}

#[test]
fn credentials_only_sign() {
    for (name, way) in [
        ("environment's", environment as Way),
        ("profile's", profile),
        ("process's", process),
        ("web identity's", web_identity),
    ] {
        let (secret, token) = (Mark::new("secret access key"), Mark::new("session token"));
        let mut stage = Stage::new();
        let recorder = Recorder::new(endpoint());
        stage.set("AWS_ENDPOINT_URL", Some(&recorder.wire.endpoint));
        way(&mut stage, &secret, &token);
        let planted = files(stage.home());
        let (manifest, image) = (stage.manifest("hello", ""), stage.image("hello-world:0.1"));
        let registry = image.split('/').next().unwrap().to_owned();
        for arguments in [
            &["configure", "-v", "--registry", &registry][..],
            &["app", "create", &manifest, "--dry-run", "-v"],
            &["app", "create", &manifest, "-v"],
            &["app", "-v", "-o", "json"],
            &["app", "show", "hello", "-v"],
            &["images", "-v"],
            &["ver", "create", "hello", "1.0", &image, "-v"],
            &["ver", "-v", "-o", "yaml"],
            &["ver", "show", "hello", "1.0", "-v"],
            &["instances", "-v"],
            &["traffic", "hello", "1.0", "100", "-v"],
            &["ver", "scale", "hello", "1.0", "2", "-v"],
            &["ver", "delete", "hello", "1.0", "--yes", "--force", "-v"],
            &["app", "delete", "hello", "--yes", "-v"],
            &["history", "hello", "--diff", "-v"],
            &["completions", "bash"],
            &["--help"],
        ] {
            assert_unsaid(&stage.minion(arguments).ok(), &[&secret, &token]);
        }
        let sent = recorder.sent();
        let given = |request: &str| is(request, "AssumeRoleWithWebIdentity");
        assert!(
            sent.iter().any(|request| token.is_in(request)),
            "{name} token is never sent: the search finds nothing"
        );
        assert_unsent(&sent, &secret, &[], |_| false);
        assert_unsent(&sent, &token, &["x-amz-security-token"], given);
        assert_unwritten(stage.home(), &planted, &[&secret, &token]);
    }
}

#[test]
fn credentials_are_not_shown_when_calls_fail() {
    let (secret, token, proxy) = (Mark::new("secret access key"), Mark::new("session token"), Mark::new("proxy"));
    let mut stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    environment(&mut stage, &secret, &token);
    let expired = Wire::expired_token();
    let over = format!("http://me:{}@{}", proxy.text, expired.endpoint.trim_start_matches("http://"));
    let nowhere = format!("http://me:{}@127.0.0.1:1", proxy.text);
    for (aws, through) in [
        (expired.endpoint.as_str(), None),
        ("http://127.0.0.1:1", None),
        ("http://127.0.0.1:1", Some(nowhere.as_str())),
        ("http://127.0.0.1:1", Some(over.as_str())),
        (endpoint(), Some("http://127.0.0.1:1/ not a proxy")),
    ] {
        stage.set("AWS_ENDPOINT_URL", Some(aws));
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"] {
            stage.set(variable, through);
        }
        for arguments in [
            &["app", "-v"][..],
            &["app", "create", &manifest, "-v"],
            &["images", "-v", "--registry", "registry.invalid"],
            &["configure", "-v", "--region", "eu-west-1"],
        ] {
            let run = stage.start(arguments).within(Duration::from_secs(180));
            assert_unsaid(&run, &[&secret, &token, &proxy]);
        }
    }
}

/// Sources of credentials that give none.
#[test]
fn broken_credentials_are_not_shown() {
    let secret = Mark::new("half an answer");
    let mut stage = Stage::new();
    without_environment(&mut stage);
    let fails = |stage: &Stage| {
        for arguments in [&["app", "-v"][..], &["configure", "-v", "--region", "eu-west-1"]] {
            assert_unsaid(&stage.minion(arguments).fails_somehow(), &[&secret]);
        }
    };
    for answer in [
        format!(r#"{{"Version": 1, "SecretAccessKey": "{}""#, secret.text),
        format!(r#"{{"Version": 1, "SecretAccessKey": "{}"}}"#, secret.text),
        format!(r#"{{"Version": 9, "AccessKeyId": "a", "SecretAccessKey": "{}"}}"#, secret.text),
        secret.text.clone(),
    ] {
        let path = stage.file("answer.json", answer);
        for command in ["/bin/cat", "/bin/grep -v nothing -e never"] {
            stage.file(".aws/config", format!("[default]\ncredential_process = {command} {path}\n"));
            fails(&stage);
        }
        stage.file(".aws/config", format!("[default]\ncredential_process = /bin/sh -c \"cat {path}; exit 3\"\n"));
        fails(&stage);
    }
    stage.file(".aws/config", format!("[default\naws_secret_access_key = {}\n", secret.text));
    fails(&stage);
    stage.file(".aws/config", format!("[default]\naws_secret_access_key = {}\n", secret.text));
    fails(&stage);
    stage.file(".aws/config", format!("{}\n[default]\n", secret.text));
    fails(&stage);
}

#[test]
fn what_containers_get_is_in_the_script_alone_and_secrets_not_even_there() {
    let (flag, file, own) = (Mark::new("flag"), Mark::new("env file"), Mark::new("operator's own"));
    let (parameter, secret, key) = (Mark::new("parameter"), Mark::new("secret"), Mark::new("secret's key"));
    let mut stage = Stage::new();
    let recorder = Recorder::new(endpoint());
    stage.set("AWS_ENDPOINT_URL", Some(&recorder.wire.endpoint));
    let put = json!({ "Name": "/hello/password", "Value": parameter.text, "Type": "SecureString" });
    stage.call("ssm", "put_parameter", put);
    for (name, value) in [("whole", secret.text.clone()), ("keys", json!({ "key": key.text }).to_string())] {
        stage.call("secretsmanager", "create_secret", json!({ "Name": name, "SecretString": value }));
    }
    let manifest = stage.manifest(
        "hello",
        "secrets: {A: 'ssm:/hello/password', B: 'secretsmanager:whole', C: 'secretsmanager:keys#key'}\n",
    );
    let env_file = stage.file("env", format!("API_TOKEN={}\n", file.text));
    stage.set("MY_SECRET", Some(&own.text));
    let planted = files(stage.home());
    let password = format!("DB_PASSWORD={}", flag.text);
    let joined = format!("--env=OTHER_PASSWORD={}", flag.text);
    let image = stage.image("hello-world:0.1");
    let given = ["-e", &password, &joined, "--env-file", &env_file, "-e", "MY_SECRET", "-v"];
    let all = [&flag, &file, &own, &parameter, &secret, &key];
    let missing = stage.image("hello-world:none");
    for (code, arguments) in [
        (0, [&["app", "create", &manifest][..], &["-v"]].concat()),
        (0, [&["ver", "create", "hello", "1.0", &image, "--dry-run"][..], &given].concat()),
        (0, [&["ver", "create", "hello", "1.0", &image][..], &given].concat()),
        // The same once more: what differs is not told either.
        (1, ["ver", "create", "hello", "1.0", &image, "-e", "DB_PASSWORD=other", "-v"].to_vec()),
        (1, [&["ver", "create", "hello", "2.0", &missing][..], &given].concat()),
        (2, [&["ver", "create", "hello", "2.0", &image, "-e", &format!("A={}", flag.text)][..], &given].concat()),
        (2, [&["ver", "create", "hello", "2.0", &image, "-e", &format!("1 A={}", flag.text)][..], &given].concat()),
        (2, [&["ver", "create", "hello", "2.0", &image, "--no-such-flag"][..], &given].concat()),
        (0, ["ver", "show", "hello", "1.0", "-v"].to_vec()),
        (0, ["ver", "-v", "-o", "json"].to_vec()),
        (0, ["app", "show", "hello", "-v"].to_vec()),
        (0, ["history", "hello", "--diff", "-v"].to_vec()),
        (0, ["history", "hello", "-o", "json"].to_vec()),
    ] {
        let run = stage.minion(&arguments).exits(code);
        assert_unsaid(&run, &all);
        if code == 0 && arguments.contains(&"-e") {
            for name in ["DB_PASSWORD", "API_TOKEN", "MY_SECRET"] {
                let warned = run.stderr.contains(&format!("{name} looks like a secret"));
                assert!(warned, "{name}: {}", run.stderr);
            }
        }
    }
    let sent = recorder.sent();
    assert!(sent.iter().any(|request| is(request, "PutLogEvents")), "the history is written");
    for mark in [&flag, &file, &own] {
        let script = |request: &str| is(request, "CreateLaunchTemplate");
        assert!(sent.iter().any(|r| script(r) && mark.is_in(r)), "{} is not in the user data", mark.name);
        assert_unsent(&sent, mark, &[], script);
    }
    for mark in [&parameter, &secret, &key] {
        assert_unsent(&sent, mark, &[], |_| false);
    }
    assert_unwritten(stage.home(), &planted, &all);
}

/// Commands for images, as far as they come without an engine.
#[test]
fn images_here_show_no_secret() {
    let (flag, value, login) = (Mark::new("flag"), Mark::new("value"), Mark::new("login"));
    let mut stage = Stage::new();
    stage.set("DOCKER_HOST", Some("tcp://127.0.0.1:1"));
    let manifest = stage.manifest("hello", "secrets: {A: 'ssm:/hello/password'}\n");
    let config = format!(r#"{{"auths":{{"127.0.0.1:1":{{"username":"me","password":"{}"}}}}}}"#, login.text);
    stage.file(".docker/config.json", config);
    let good = stage.file("secrets", format!("A={}\n", value.text));
    let bad = stage.file("bad", format!("{}\n", value.text));
    let yaml = stage.file("bad.yaml", format!("A: [{}\nB: {}", value.text, value.text));
    stage.file("Dockerfile", "FROM scratch\n");
    let password = format!("DB_PASSWORD={}", flag.text);
    for secrets in [&good, &bad, &yaml] {
        let run = ["image", "run", &manifest, "127.0.0.1:1/hello:1", "-v", "-e", &password, "--secrets", secrets];
        assert_unsaid(&stage.minion(&run).fails_somehow(), &[&flag, &value, &login]);
    }
    for arguments in [
        &["image", "push", "127.0.0.1:1/hello:1", "-v"][..],
        &["image", "build", ".", "-t", "127.0.0.1:1/hello:1", "-v", "--build-arg", &password],
    ] {
        assert_unsaid(&stage.minion(arguments).fails_somehow(), &[&flag, &value, &login]);
    }
}
