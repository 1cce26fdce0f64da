//! Input that is wrong: a clear error, the right exit code, and nothing changed.
use crate::support::{Options, Running, Stage};
use serde_json::json;
use std::{fs::File, process::Stdio, time::Duration};

/// A file name, its text, and what the error must say.
type BadManifest = (&'static str, String, &'static [&'static str]);

fn bad_manifests() -> Vec<BadManifest> {
    let with = |line: &str| format!("application_name: hello\nteam_name: team\n{line}\n");
    let named = |name: &str| format!("application_name: {name}\nteam_name: team\nexposed_ports: [80]\n");
    let aliases: String = (1..5000).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)).collect();
    vec![
        ("empty.yaml", String::new(), &["empty.yaml"]),
        ("words.yaml", "this is { no: [ YAML\n".into(), &["words.yaml"]),
        ("scalar.yaml", "hello\n".into(), &["scalar.yaml"]),
        ("binary.yaml", "\0\u{1}\u{2}\n".into(), &["binary.yaml"]),
        ("twice.yaml", with("exposed_ports: [80]\nteam_name: other"), &["twice.yaml", "team_name", "4"]),
        (
            "unknown.yaml",
            with("exposed_ports: [80]\nexposed_protcol: tcp"),
            &["unknown.yaml", "4", "exposed_protcol: tcp", "did you mean", "exposed_protocol"],
        ),
        ("type.yaml", with("exposed_ports: many"), &["type.yaml", "3", "exposed_ports: many"]),
        ("zero.yaml", with("exposed_ports: [0]"), &["zero.yaml", "3", "port"]),
        ("large.yaml", with("exposed_ports: [70000]"), &["large.yaml", "3", "70000"]),
        ("name.yaml", named("My_App"), &["name.yaml", "1", "My_App"]),
        ("long.yaml", named(&"a".repeat(64)), &["long.yaml", "63"]),
        ("aliases.yaml", format!("a0: &a0 [x, x]\n{aliases}"), &["aliases.yaml"]),
    ]
}

#[test]
fn bad_manifests_are_usage_errors_that_show_the_place() {
    let stage = Stage::new();
    for (name, text, words) in bad_manifests() {
        let path = stage.file(name, text);
        let run = stage.minion(&["app", "create", &path]).fails(2).says(words);
        assert!(run.took < Duration::from_secs(10), "{name} took {:?}", run.took);
    }
    stage.assert_as_before("bad manifests");
}

#[test]
fn manifests_that_are_no_files_or_far_too_large() {
    let stage = Stage::new();
    stage.minion(&["app", "create", "missing.yaml"]).fails(2).says(&["missing.yaml"]);
    let directory = stage.home().to_str().unwrap().to_owned();
    stage.minion(&["app", "create", &directory]).fails(2).says(&["directory"]);
    let path = stage.file("huge.yaml", "application_name: hello\n");
    File::options().append(true).open(&path).unwrap().set_len(100 << 20).unwrap();
    let run = stage.minion(&["app", "create", &path]).fails(2).says(&["huge.yaml"]);
    assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
    stage.assert_as_before("manifests that cannot be read");
}

#[test]
fn names_that_are_not_there() {
    let stage = Stage::new();
    let (image, manifest) = (stage.image("hello-world:0.1"), stage.manifest("hello", ""));
    stage
        .minion(&["app", "create", &manifest, "--vpc", "vpc-0123456789abcdef0"])
        .fails(1)
        .says(&["vpc-0123456789abcdef0"]);
    stage.minion(&["app", "create", &manifest, "--region", "nowhere-1"]).fails_somehow().says(&["nowhere-1"]);
    for command in [
        &["app", "show", "nothing"][..],
        &["app", "delete", "nothing", "--yes"],
        &["ver", "create", "nothing", "1.0", &image],
        &["ver", "show", "nothing", "1.0"],
        &["traffic", "nothing"],
    ] {
        stage.minion(command).fails(1).says(&["nothing"]);
    }
    stage.assert_as_before("what is not there");

    stage.application(&manifest);
    let before = stage.inventory();
    for command in [
        &["ver", "show", "hello", "7.7"][..],
        &["ver", "scale", "hello", "7.7", "2"],
        &["ver", "delete", "hello", "7.7", "--yes"],
        &["traffic", "hello", "7.7", "50"],
    ] {
        stage.minion(command).fails(1).says(&["hello", "7.7"]);
    }
    stage
        .minion(&["ver", "create", "hello", "1.0", &image, "--domain", "nowhere.example.net"])
        .fails(1)
        .says(&["nowhere.example.net"]);
    assert_eq!(stage.inventory(), before);
}

#[test]
fn images_that_cannot_be_used() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let before = stage.inventory();
    let create = |image: &str| stage.minion(&["ver", "create", "hello", "1.0", image]);
    create(&stage.image("hello-world")).fails(2).says(&["tag"]);
    create("UPPER CASE:1").fails(2);
    create(&stage.image("hello-world:9.9")).fails(1).says(&["hello-world", "9.9"]);
    create(&stage.image("no-such-repository:1.0")).fails(1).says(&["no-such-repository"]);
    // t3 instances have Intel processors.
    create(&stage.image("hello-world:arm")).fails(1).says(&["arm64", "amd64"]);
    let down = create("127.0.0.1:1/hello-world:0.1").fails(1).says(&["127.0.0.1:1", "--no-image-check"]);
    assert!(down.took < Duration::from_secs(30), "{:?}", down.took);
    assert_eq!(stage.inventory(), before);
}

#[test]
fn percentages_that_are_none() {
    let stage = Stage::new();
    for percent in ["-1", "101", "abc", "0.3", "", "NaN", "1e9"] {
        stage.minion(&["traffic", "hello", "1.0", percent]).fails(2);
    }
    stage.minion(&["traffic", "hello", "1.0", "0.3"]).fails(2).says(&["0.5"]);
    stage.assert_as_before("bad percentages");
}

#[test]
fn words_on_the_command_line() {
    let stage = Stage::new();
    for command in [&["nonsense"][..], &["ver", "create"], &["ver", "nonsense"], &["app", "create"], &["--nonsense"]] {
        stage.minion(command).fails(2);
    }
    // `app` is enough for `applications`; what could be two commands is an error that names both.
    stage.minion(&["a"]).ok();
    stage.minion(&["i"]).fails(2).says(&["instances", "images"]);
    for name in ["UPPER", "-dash", "a_b", ""] {
        stage.minion(&["app", "show", name]).fails(2);
    }
    stage.minion(&["ver", "create", "hello", "1-0", &stage.image("hello-world:0.1")]).fails(2).says(&["1-0"]);
}

#[test]
fn a_place_in_one_zone_only() {
    let stage = Stage::with(Options::usual().with("zones", 1));
    stage.application(&stage.manifest("hello", ""));
    let before = stage.inventory();
    stage.minion(&["ver", "create", "hello", "1.0", &stage.image("hello-world:0.1")]).fails(1).says(&["zone"]);
    assert_eq!(stage.inventory(), before);
}

/// A manifest that an older version stored: no version is created from it, and everything else goes on.
#[test]
fn a_stored_manifest_that_breaks_newer_rules() {
    let stage = Stage::new();
    let manifest = stage.manifest("hello", "");
    stage.application(&manifest);
    stage.version("hello", "1.0");
    let name = format!("/minion/{}/applications/hello", stage.word("vpc"));
    let stored = stage.call("ssm", "get_parameter", json!({ "Name": name }))["Parameter"]["Value"].clone();
    let older = format!("{}health_check: {{codes: 0200}}\nsecrets: {{A: 'ssm:/a*'}}\n", stored.as_str().unwrap());
    stage.call("ssm", "put_parameter", json!({ "Name": name, "Value": older, "Overwrite": true }));
    let before = stage.inventory();
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "2.0", &image];
    let words = ["stored manifest, line 4", "0200", "line 5", "ssm:/a*", "`minion applications update MANIFEST`"];
    for arguments in [&create[..], &[&create[..], &["--dry-run"]].concat()] {
        stage.minion(arguments).fails(2).says(&words);
    }
    assert_eq!(stage.inventory(), before);
    stage.minion(&["ver", "list", "hello"]).ok();
    stage.minion(&["traffic", "hello", "1.0", "100"]).ok();
    stage.minion(&["app", "show", "hello"]).ok().says(&["ssm:/a*"]);
    stage.minion(&["ver", "delete", "hello", "1.0", "--force", "--yes"]).ok();
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("an older manifest");
}

#[test]
fn user_data_has_a_limit() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let before = stage.inventory();
    // Not compressible, should it be compressed one day.
    let noise: String =
        (0..20_000_u64).map(|n| char::from(b'a' + (n.wrapping_mul(n ^ 0x9E37_79B9) >> 7) as u8 % 26)).collect();
    let (image, value) = (stage.image("hello-world:0.1"), format!("BIG={noise}"));
    stage.minion(&["ver", "create", "hello", "1.0", &image, "-e", &value]).fails_somehow().says(&["16"]);
    stage.minion(&["ver", "create", "hello", "1.0", &image, "-e", "NO_VALUE_HERE="]).ok();
    stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).ok();
    assert_eq!(stage.inventory(), before);
}

#[test]
fn a_reader_that_has_gone_and_a_narrow_terminal() {
    let mut stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    for arguments in [&["app"][..], &["app", "-o", "json"], &["--help"], &["completions", "bash"]] {
        let mut command = stage.command(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{arguments:?}: {ended:?}");
    }
    stage.set("COLUMNS", Some("40"));
    for arguments in [&["app"][..], &["ver"], &["--help"], &["app", "show", "hello"]] {
        Running::start(stage.command(arguments)).wait().ok();
    }
}
