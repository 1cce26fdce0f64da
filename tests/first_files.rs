//! What a person's own files and command line hold: env files, secrets, AWS's profiles, names of images; and help that
//! cannot be written.
use crate::support::{Run, Running, Stage};
use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

/// A binary without settings, without credentials, at home in this directory.
fn command(binary: &str, home: &Path, arguments: &[&str]) -> Command {
    let program = match binary {
        "minion" => Path::new(env!("CARGO_BIN_EXE_minion")).to_owned(),
        other => Path::new(env!("CARGO_BIN_EXE_minion")).with_file_name(other),
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("TERM", "dumb");
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("DOCKER_HOST", "unix:///no-such-engine.sock")
        .current_dir(home);
    command
}

fn run(home: &Path, arguments: &[&str]) -> Run {
    Running::start(command("minion", home, arguments)).wait()
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let full = |binary: &str, arguments: &[&str]| {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = command(binary, home.path(), arguments);
        let output =
            command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for binary in ["minion", "overlord"] {
        for arguments in [&["--help"][..], &["-h"], &["--version"], &["help"], &["completions", "zsh"]] {
            let (code, said) = full(binary, arguments);
            assert_eq!(code, Some(1), "{binary} {arguments:?}: {said}");
            assert!(said.contains("No space left on device"), "{binary} {arguments:?}: {said}");
        }
    }
    assert_eq!(full("minion", &["versions", "create", "--help"]).0, Some(1));
    assert_eq!(full("overlord", &["team", "create", "--help"]).0, Some(1));
    for binary in ["minion", "overlord"] {
        let help = Running::start(command(binary, home.path(), &["--help"])).wait().ok();
        assert!(help.stdout.contains("Usage:") && help.stderr.is_empty());
        // A reader that has seen enough is no error.
        let pipe = format!("{} --help | head -n 1", command(binary, home.path(), &[]).get_program().display());
        let shell = Command::new("/bin/bash").args(["-o", "pipefail", "-c", &pipe]).output().unwrap();
        assert!(shell.status.success() && shell.stderr.is_empty(), "{shell:?}");
    }
}

#[test]
fn names_of_images_from_variables() {
    let home = tempfile::tempdir().unwrap();
    let create =
        |image: &str| run(home.path(), &["ver", "create", "web", "1.0", image, "--no-image-check", "--dry-run"]);
    create("registry.example.org/TeamA/web:1.0").fails(2).says(&["`registry.example.org/teama/web:1.0`", "lowercase"]);
    for (image, shown) in [
        ("registry.example.org/web:1.0\r", r"web:1.0\r"),
        ("web:1.0\n", r"web:1.0\n"),
        ("web\u{1b}[31m:1.0", r"web\u{1b}[31m:1.0"),
        ("\u{feff}web:1.0", r"\u{feff}web:1.0"),
        ("web:1.0\u{202e}", r"\u{202e}"),
    ] {
        let run = create(image).fails(2).says(&[shown]);
        assert!(!run.stderr.contains(['\r', '\u{1b}', '\u{feff}', '\u{202e}']), "{:?}", run.stderr);
    }
    // The same for every other argument that is quoted.
    for arguments in [
        &["versions", "a\rb"][..],
        &["traffic", "we\x07b", "1.0", "x\r"],
        &["--region", "x", "-o", "js\ron", "app"],
        &["no\rsuch"],
    ] {
        let run = run(home.path(), arguments).fails(2);
        assert!(!run.stderr.contains(['\r', '\x07']), "{:?}", run.stderr);
    }
}

#[test]
fn profiles_of_aws_that_are_not_there_or_cannot_be_read() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let config =
        "[dev]\nregion = eu-west-2\n[profile \"with space\"]\nregion = eu-west-1\n[profile good]\nregion = eu-west-1\n";
    let with = |config: &str, profile: Option<&str>, arguments: &[&str]| {
        fs::write(home.path().join(".aws/config"), config).unwrap();
        let credentials = "[good]\naws_access_key_id = AKID\naws_secret_access_key = hunter2\n";
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        let mut command = command("minion", home.path(), arguments);
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        command.envs(profile.map(|profile| ("AWS_PROFILE", profile)));
        Running::start(command).wait()
    };
    let app = &["app", "--vpc", "vpc-1"][..];
    with(config, Some("dev"), app)
        .fails(2)
        .says(&["profile `dev`", ".aws/config, line 1", "[profile dev]"])
        .hides(&["no AWS region"]);
    with(config, Some("nosuch"), app).fails(2).says(&["profile `nosuch`", "list-profiles"]).hides(&["no AWS region"]);
    with(config, None, app).fails(2).says(&["no AWS region is set"]);
    // The region is that of the profile: the next thing is what the credentials say.
    with(config, Some("with space"), app).fails_somehow().hides(&["region is set", "does not exist in"]);
    with(config, Some("good"), app).fails_somehow().hides(&["region is set", "hunter2"]);
    for (line, broken) in [(7, "[profile broken\n"), (7, "nonsense\n"), (7, "= x\n"), (1, "")] {
        let text = if line == 1 { format!("region = x\n{config}") } else { format!("{config}{broken}") };
        let run = with(&text, Some("good"), app).fails(2);
        run.says(&[".aws/config", &format!("line {line}")]).hides(&["no AWS region", "hunter2"]);
    }
    // `configure` asks for no region that would not help.
    with(config, Some("dev"), &["configure"]).fails(2).says(&["profile `dev`"]);
}

#[test]
fn env_files_are_read_as_docker_reads_them() {
    let stage = Stage::new();
    stage.application(&stage.manifest("web", "environment: {spring.main.banner-mode: 'off'}\n"));
    let utf16: Vec<u8> = "\u{feff}A=1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let create = |version: &str, file: &str, more: &[&str]| {
        stage.minion(&[&["ver", "create", "web", version, "nginx:1.27", "--no-image-check", "--no-wait", "--env-file", file][..], more].concat())
    };
    let key = stage.file(
        "key.env",
        "LOG_LEVEL=info\nSIGNING_KEY=-----BEGIN PRIVATE KEY-----\nExampleLineOfLettersAndDigitsOnly\n+Example/Line+With+Other/Signs==\n",
    );
    let before = stage.inventory();
    for dry in [&["--dry-run"][..], &[]] {
        let run = create("1.0", &key, dry).fails(2).says(&["key.env:3", "cannot span lines"]);
        run.hides(&["ExampleLine", "+Example", "Signs", "BEGIN"]);
        create("1.0", &stage.file("utf16.env", &utf16), dry).fails(2).says(&["utf16.env", "UTF-16"]);
        create("1.0", &stage.file("export.env", "A=1\nexport FOO=hunter2\n"), dry)
            .fails(2)
            .says(&["export.env:2"])
            .hides(&["hunter2"]);
        create("1.0", &stage.file("latin.env", b"A=1\nB=\xe9\n"), dry).fails(2).says(&["latin.env:2", "UTF-8"]);
    }
    assert_eq!(stage.inventory(), before, "nothing was made");
    let names =
        "discovery.type=single-node\napp.datasource.url=jdbc:postgresql://db:5432/app?ssl=true\nlog-level=info\n";
    create("1.0", &stage.file("app.env", names), &[]).ok();
    create("2.0", &stage.file("bom.env", "\u{feff}A=1\r\nB=two words\r\n"), &[]).ok();
    create("3.0", &stage.file("left.env", "A=1\nNOT_SET_HERE\n"), &[]).ok().says(&["left.env:2", "ignoring"]);
    let script = |version: &str| {
        let arguments =
            serde_json::json!({ "LaunchTemplateName": format!("app-web-{version}"), "Versions": ["$Latest"] });
        let template = stage.call("ec2", "describe_launch_template_versions", arguments);
        let data = &template["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"];
        let bytes = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut decoder = bytes.unwrap();
        std::io::Write::write_all(decoder.stdin.as_mut().unwrap(), data.as_str().unwrap().as_bytes()).unwrap();
        String::from_utf8(decoder.wait_with_output().unwrap().stdout).unwrap()
    };
    let first = script("1.0");
    for line in names.lines().chain(["spring.main.banner-mode=off"]) {
        assert!(first.contains(line), "{line}: {first}");
    }
    let second = script("2.0");
    assert!(second.contains("A=1") && second.contains("B=two words") && !second.contains(['\u{feff}', '\r']));
}

#[test]
fn secrets_files_with_a_byte_order_mark() {
    let home = tempfile::tempdir().unwrap();
    let manifest = "application_name: web\nexposed_ports: [8080]\nsecrets: {A: 'ssm:/a'}\n";
    fs::write(home.path().join("m.yaml"), manifest).unwrap();
    let with = |name: &str, text: &[u8]| {
        fs::write(home.path().join(name), text).unwrap();
        run(home.path(), &["image", "run", "m.yaml", "nginx:1.27", "--secrets", name]).hides(&["s3cret"])
    };
    // As far as the engine, which is not there.
    for name in ["bom.secrets", "bom.yaml", "crlf.secrets"] {
        let text = if name.ends_with("yaml") { "\u{feff}A: s3cret\n" } else { "\u{feff}A=s3cret\r\n" };
        with(name, text.as_bytes()).fails(1).says(&["no-such-engine.sock"]);
    }
    with("other.secrets", b"B=s3cret\n").fails(2).says(&["A (ssm:/a)"]);
    with("key.secrets", b"A=-----BEGIN KEY-----\ns3cret\n").fails(2).says(&["key.secrets:2", "span lines"]);
    with("wide.secrets", b"\xff\xfeA\0=\0s\x003\0c\0").fails(2).says(&["UTF-16"]);
}
