//! A secret in the place of a reference to one, or in an option of a log driver, is in no error.
use super::*;

#[test]
fn a_value_in_place_of_a_reference_is_not_quoted() {
    for (lines, said) in [
        ("secrets: {A: hunter2}", "A: invalid reference"),
        ("secrets: {A: 'ssm:/a', B: hunter2}", "B: invalid reference"),
        ("secrets:\n  A: hunter2", "A: invalid reference"),
        ("secrets:\n  A: vault:hunter2", "A: invalid reference"),
        ("secrets:\n  A:\n    hunter2", "invalid reference"),
        ("secrets:\n  A: |\n    hunter2\n", "invalid reference"),
        ("secrets:\n  \"A\": arn:hunter2", "A: invalid reference"),
        ("secrets:\n  A: 'ssm:/a'\n  B: [hunter2]", "line 5"),
        ("secrets:\n  A: {hunter2: x}", "line 4"),
        ("secrets:\n  A: @hunter2", "line 4"),
        ("secrets:\n  A: *hunter2", "line 4"),
        ("secrets:\n  A: !hunter2 x", "line 4"),
        ("secrets:\n  A: a: hunter2", "line 4"),
        ("secrets:\n  A: \"\\hunter2\"", "line 4"),
        ("secrets: hunter2", "line 3"),
        ("secrets:\n- hunter2", "line "),
        ("secrets: {A: hunter2, B: }", "line 3"),
        ("registry_credentials: {ghcr.io: hunter2}", "ghcr.io: invalid reference"),
        ("registry_credentials:\n  ghcr.io: hunter2", "ghcr.io: invalid reference"),
        ("registry_credentials:\n  ghcr.io: {username: me, password: hunter2}", "line 4"),
        ("registry_credentials:\n  ghcr: hunter2\n", "invalid registry `ghcr`"),
    ] {
        let told = more(&format!("{lines}\n"));
        assert!(told.contains(said) && told.contains("myapp.yaml, line "), "{lines}: {told}");
        assert!(!told.contains("hunter2"), "{lines}: {told}");
    }
    // Misspelled, and pasted without indentation.
    for (lines, said) in [
        ("secret: {A: hunter2}", "Did you mean `secrets`?"),
        ("Secrets: {A: hunter2}", "Did you mean `secrets`?"),
        ("SECRETS: {A: hunter2}", ": unknown key"),
        ("ecrest: {A: hunter2}", "line 3"),
        ("secert:\n  A: @hunter2", "line "),
        ("registry_credential: {ghcr.io: hunter2}", "Did you mean `registry_credentials`?"),
        ("registryCredentials:\n  ghcr.io: @hunter2", "line "),
        ("logging: {driver: splunk, option: {splunk-token: hunter2}}", "Did you mean `options`?"),
        ("logging: {driver: splunk, optoins: {url: hunter2}}", "Did you mean `options`?"),
        ("logging:\n  driver: splunk\n  option:\n    splunk-token: @hunter2", "line "),
        ("secrets:\n  A: \"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\"", "line "),
        ("secrets:\n  A: \"x\nb: hunter2\nc: hunter2\"\nspot: true", "line "),
        ("secrets:\n  A: 'x\n\nhunter2: [\n'", "line "),
        ("secrets:\n  A: |\n-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\nspot: true", "line "),
        ("secrets:\n  A: |\nDEK-Info: AES-128-CBC,1\n\nhunter2==\n", "line "),
        ("registry_credentials:\n  ghcr.io:\n{\"auth\": \"hunter2\"}\nspot: true", "line "),
    ] {
        let told = more(&format!("{lines}\n"));
        assert!(told.contains(said) && told.contains("myapp.yaml, line "), "{lines}: {told}");
        assert!(!told.contains("hunter2"), "{lines}: {told}");
    }
    // What a reference looks like.
    assert!(more("secrets: {A: hunter2}\n").contains("write ssm:/path/name, secretsmanager:name"));
    // Other lines are shown.
    assert!(more("secrets: {A: hunter2}\nspot: maybe\n").contains("line 3"));
    assert!(more("spot: maybe\nsecrets: {A: 'ssm:/a'}\n").contains("\n3 | spot: maybe"));
    assert!(more("secrets:\n  A: 'ssm:/a'\nspot: maybe\n").contains("\n5 | spot: maybe"));
}

#[test]
fn options_with_secrets_are_not_quoted() {
    for (options, said) in [
        ("{splunk-token: hunter2, splunk-url: 's'}", "splunk-url"),
        ("{splunk-token: hunter2}", "splunk-url"),
        ("{splunk-tokn: hunter2}", "splunk-tokn"),
        ("{splunk-url: 'https://s', splunk-token: [hunter2]}", "line 3"),
        ("{splunk-url: 'https://s', splunk-token: hunter2, splunk-format: text}", "splunk-format"),
        ("{some-password: hunter2}", "some-password"),
        ("{'a b': hunter2, token: x}", "`a b`"),
    ] {
        let told = more(&format!("logging: {{driver: splunk, options: {options}}}\n"));
        assert!(told.contains(said) && !told.contains("hunter2"), "{options}: {told}");
    }
    let told = more(
        "logging:\n  driver: splunk\n  options:\n    splunk-url: 'https://s'\n    splunk-token: hunter2\n    splunk-gzip: maybe\n",
    );
    assert!(told.contains("line 8") && told.contains("`maybe`") && !told.contains("hunter2"), "{told}");
    assert!(more("logging: {options: {mode: fast}}\n").contains("\n3 | logging:"));
}
