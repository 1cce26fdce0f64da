//! Signing in to private registries.
use super::*;

const IMAGE: &str = "ghcr.io/team/hello@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn play_with(shell: &str, secret: &str) -> Seen {
    let m = parse(&format!("{BARE}registry_credentials: {{ghcr.io: 'secretsmanager:registry/ghcr'}}\n"), "m").unwrap();
    let mut i = instance(&m);
    i.image = IMAGE.to_owned();
    i.login = m.registry_credential("ghcr.io");
    play(shell, &render(&i).unwrap(), "", &[("registry/ghcr", secret)])
}

#[test]
fn the_password_is_read_from_the_secret_and_goes_once_the_image_is_there() {
    let password = "p w$(id)'\"\\ü";
    let secret = serde_json::json!({ "username": "me o'team", "password": password, "more": [1] }).to_string();
    for shell in shells() {
        let seen = play_with(shell, &secret);
        assert!(seen.status.success(), "{}", seen.output);
        let login = seen.docker.iter().find(|c| c[0] == "login").unwrap();
        assert_eq!(login[1..], ["--username", "me o'team", "--password-stdin", "ghcr.io"], "{shell}");
        assert_eq!(seen.login, password, "{shell}");
        assert!(!seen.signed_in, "{shell}: the login is left behind");
        let order: Vec<&str> = seen.docker.iter().map(|c| c[0].as_str()).collect();
        assert_eq!(order[..3], ["info", "login", "pull"], "{shell}");
        assert!(!seen.everything.contains("p w$"), "{}", seen.everything);
        assert!(seen.run_environment.values().all(|value| !value.contains("p w$")), "{shell}");
    }
}

/// The region of an ARN becomes a part of the host that the instance signs a request to.
#[test]
fn a_region_that_is_none_is_in_no_script() {
    let reference = "'arn:aws:ssm:x.evil/:1:parameter/a'";
    for key in ["secrets: {A", "registry_credentials: {ghcr.io"] {
        let m = parse(&format!("{BARE}{key}: {reference}}}\n"), "m").unwrap();
        let mut i = instance(&m);
        i.login = m.registry_credential("ghcr.io");
        let error = render(&i).unwrap_err();
        assert_eq!(error.kind(), aws_core::error::Kind::Usage, "{key}");
        assert!(error.to_string().contains("x.evil/:1:parameter/a`: its ARN names no region"), "{key}: {error}");
        assert!(error.hints()[0].contains("minion applications update MANIFEST"), "{key}");
    }
}

#[test]
fn a_secret_that_is_none_is_told() {
    for secret in ["no JSON", "{}", r#"{"username":"me"}"#] {
        let seen = play_with("sh", secret);
        assert!(!seen.status.success(), "{secret}");
        assert!(seen.docker.iter().all(|c| !["login", "pull", "run"].contains(&c[0].as_str())), "{secret}");
        assert!(seen.output.contains("while reading the credentials for the registry"), "{secret}: {}", seen.output);
    }
}
