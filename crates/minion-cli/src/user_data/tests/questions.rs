//! What the script asks AWS, with the real `curl`, and what it makes of the answers, with every shell and `awk` that is here.
use super::*;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// The functions of these parts, as an instance has them.
fn functions() -> String {
    let mut script = parts::Script::new("eu-west-1");
    script.include(parts::Part::Secrets);
    script.include(parts::Part::Ecr);
    let whole = script.finish("test");
    let (_, functions) = whole.split_once("\nneeds ").unwrap();
    functions.split_once('\n').unwrap().1.to_owned()
}

/// Shells and the `awk` that each of them has: Amazon Linux's is gawk, Debian's mawk, that of an emulator's container busybox.
fn machines() -> Vec<(Vec<&'static str>, String)> {
    let shells = [vec!["dash"], vec!["bash", "--posix"], vec!["busybox", "sh"]];
    let awks = ["gawk", "mawk", "busybox awk", "original-awk"];
    let here = |name: &str| real(name.split(' ').next().unwrap_or_default()).is_some();
    let awks: Vec<&str> = awks.into_iter().filter(|awk| here(awk)).collect();
    assert!(!awks.is_empty(), "there is no awk: `apt-get install mawk`");
    let shells = shells.into_iter().filter(|shell| here(shell[0]));
    shells.flat_map(|shell| awks.iter().map(move |awk| (shell.clone(), format!("command {awk}")))).collect()
}

/// What a script prints, and how it ends.
fn run(shell: &[&str], script: &str, arguments: &[&str]) -> (Vec<u8>, String, Option<i32>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script");
    fs::write(&file, script).unwrap();
    let mut command = Command::new(real(shell[0]).unwrap());
    command.args(&shell[1..]).arg(&file).args(arguments).current_dir(dir.path());
    // As cloud-init might: an encoding of several bytes must make no difference.
    let ran = command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").output().unwrap();
    (ran.stdout, String::from_utf8_lossy(&ran.stderr).into_owned(), ran.status.code())
}

const SAY: &str =
    "root=.\nmkdir -p run/minion\nsay() { echo \"SAID $*\"; }\nhas() { command -v \"$1\" >/dev/null 2>&1; }\n";

#[test]
fn json_is_read_as_it_was_meant() {
    let long = "0123456789abcdef\\\"\n".repeat(3000);
    let nested = serde_json::json!({ "a": { "b": ["]}", {"wanted": "no"}], "c": "}" }, "wanted": "yes" }).to_string();
    let texts = [
        "plain",
        "",
        " with  spaces ",
        "\"quoted\" and \\ and /",
        "\u{8}\u{c}\n\r\t",
        "line\nline\r\nline",
        "ends\n\n",
        "é ü ß € 漢字",
        "😀 \u{10ffff} \u{ffff} \u{7ff} \u{800} \u{80} \u{7f}",
        "$(id) `id` ${x} %s %d \\n \\0",
        "'single' & <>|;",
        "{\"json\": \"in {json}\"}",
        "-n",
        "-----BEGIN KEY-----\nMII=\n-----END KEY-----\n",
        &long,
        &nested,
    ];
    let escaped = |text: &str| -> String {
        let unit = |unit: u16| format!("\\u{unit:04X}");
        text.encode_utf16().map(unit).collect()
    };
    for (shell, awk) in machines() {
        let script = format!("{SAY}{}\nawk() {{ {awk} \"$@\"; }}\njson_value \"$(cat document)\" \"$1\"", functions());
        let script = script.replacen("$(cat document)", "$(cat \"$2\")", 1);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("document");
        let value = |document: &str, key: &str| {
            fs::write(&file, document).unwrap();
            run(&shell, &script, &[key, file.to_str().unwrap()])
        };
        for text in texts {
            let quoted = serde_json::json!(text).to_string();
            let documents = [
                format!("{{\"wanted\":{quoted}}}"),
                format!("{{\n  \"other\" : [1, {quoted}, {{}}],\n  \"wanted\" : {quoted}\n}}\n"),
                format!("{{\"wanted\":\"{}\",\"other\":{quoted}}}", escaped(&text[..text.len().min(16)])),
            ];
            for (n, document) in documents.iter().enumerate() {
                let wanted = if n == 2 { &text[..text.len().min(16)] } else { text };
                let (output, errors, code) = value(document, "wanted");
                assert_eq!(
                    (String::from_utf8_lossy(&output).as_ref(), code),
                    (wanted, Some(0)),
                    "{shell:?} {awk} {document} {errors}"
                );
            }
        }
        for (document, key, wanted) in [
            ("{\"a\": 12.50}", "a", "12.50"),
            ("{\"a\":true,\"b\":null}", "b", "null"),
            ("{\"a\": {\"b\": [1, \"}\"]} , \"c\":1}", "a", "{\"b\": [1, \"}\"]}"),
            ("{\"ü \\\"\": \"1\"}", "ü \"", "1"),
            ("{\"a\": \"first\", \"a\": \"last\"}", "a", "last"),
            ("{\"b\": \"\\u0000\", \"a\": [\"\\u0000\"], \"c\": \"\\u0000\"}", "a", "[\"\\u0000\"]"),
            ("{\"a\": \"\\ud800 \\udc00 \\ud83d\\ude00\"}", "a", "\u{fffd} \u{fffd} 😀"),
        ] {
            let (output, errors, _) = value(document, key);
            assert_eq!(String::from_utf8_lossy(&output), wanted, "{shell:?} {awk} {document} {errors}");
        }
        for (document, code) in [
            ("{\"a\": 1}", 1),
            ("[]", 2),
            ("", 2),
            ("\"wanted\"", 2),
            ("{\"wanted\":", 2),
            ("{\"wanted\": \"x", 2),
            ("{\"wanted\": \"\\x\"}", 2),
            ("{\"wanted\": \"\\u12\"}", 2),
            ("{\"wanted\": }", 2),
            ("None", 2),
            ("{\"wanted\": \"a\\u0000b\"}", 3),
        ] {
            let (output, errors, ended) = value(document, "wanted");
            assert_eq!((output, ended), (Vec::new(), Some(code)), "{shell:?} {awk} {document} {errors}");
        }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// What the arguments and environments of all processes were meanwhile.
    seen: String,
}

impl Asked {
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let n = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
            bytes.extend_from_slice(&piece[..n]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ');
            let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
            let headers: BTreeMap<String, String> =
                lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
            let length: usize = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
            if body.len() >= length {
                let seen = if headers.contains_key("authorization") { processes() } else { String::new() };
                return Some(Self { method, path, body: body.to_owned(), headers, seen });
            }
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The signature that it should have (IAM "Create a signed AWS API request").
    fn signature(&self, secret: &str) -> String {
        let authorization = self.header("authorization");
        let field = |name: &str| {
            let (_, rest) = authorization.split_once(&format!("{name}=")).unwrap();
            rest.split(',').next().unwrap().to_owned()
        };
        let signed = field("SignedHeaders");
        let headers: String = signed.split(';').map(|name| format!("{name}:{}\n", self.header(name).trim())).collect();
        let hash = hex(&Sha256::digest(&self.body));
        let request = format!("{}\n{}\n\n{headers}\n{signed}\n{hash}", self.method, self.path);
        let credential = field("Credential");
        let (_, scope) = credential.split_once('/').unwrap();
        let text =
            format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.header("x-amz-date"), hex(&Sha256::digest(request)));
        let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
        hex(&hmac(&key, &text))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..short.len()].copy_from_slice(&short);
    let inner = Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// The example of AWS's documentation (Amazon S3 "Signature Calculations for the Authorization Header", GET Object).
#[test]
fn the_signature_that_is_expected_is_aws_own() {
    let headers = [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("x-amz-date", "20130524T000000Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=x",
        ),
    ];
    let asked = Asked {
        method: "GET".into(),
        path: "/test.txt".into(),
        headers: headers.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        body: String::new(),
        seen: String::new(),
    };
    let signature = asked.signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    assert_eq!(signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

/// What anybody on the machine can see of its processes.
fn processes() -> String {
    let mut all = String::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let read = fs::read(entry.path().join(file)).unwrap_or_default();
            all.push_str(&String::from_utf8_lossy(&read).replace('\0', " "));
            all.push('\n');
        }
    }
    all
}

/// A metadata service and AWS behind one port; what was asked of AWS comes through the channel.
fn serve(answers: Vec<(u16, String)>) -> (u16, mpsc::Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(asked) = Asked::read(&mut stream) else { continue };
            let token = asked.header("x-aws-ec2-metadata-token") == "imds-token";
            let (status, body) = match (asked.method.as_str(), asked.path.as_str()) {
                ("PUT", "/latest/api/token") if !asked.header("x-aws-ec2-metadata-token-ttl-seconds").is_empty() => {
                    (200, "imds-token".into())
                }
                ("GET", "/latest/meta-data/iam/security-credentials/") if token => (200, "the-role".into()),
                ("GET", "/latest/meta-data/iam/security-credentials/the-role") if token => (200, ROLE.to_owned()),
                ("POST", "/") => {
                    if tell.send(asked).is_err() {
                        return;
                    }
                    answers.next().unwrap_or((500, String::new()))
                }
                _ => (404, "no such thing".into()),
            };
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok();
        }
    });
    (port, told)
}

/// Runs a command of the script with the real curl, whose connections all lead to this port.
fn ask(shell: &[&str], port: u16, command: &str) -> (String, String, Option<i32>) {
    let curl = real("curl").expect("there is no curl: `apt-get install curl`");
    let curl = format!("curl() {{ {} --connect-to '::127.0.0.1:{port}' \"$@\"; }}\n", curl.display());
    let functions = functions().replace("https://", "http://");
    let (output, errors, code) = run(shell, &format!("set -eu\n{SAY}{curl}{functions}{command}"), &[]);
    (String::from_utf8(output).unwrap(), errors, code)
}

#[test]
fn requests_are_signed_and_nobody_sees_with_what() {
    let parameter = r#"{"Parameter":{"ARN":"arn:..","Name":"/a","Value":"it's \"v\"\n\u00e9"}}"#;
    let string = r#"{"ARN":"arn:..","CreatedDate":1.7E9,"Name":"b","SecretString":"{\"key\":\"v\"}","VersionStages":["AWSCURRENT"]}"#;
    let token = r#"{"authorizationData":[{"authorizationToken":"QVdTOnBhc3M6d29yZA==","expiresAt":1.7E9,"proxyEndpoint":"https://1.dkr.ecr"}]}"#;
    let questions = [
        (
            "parameter eu-west-1 '/a\"\\b'",
            parameter,
            "it's \"v\"\né",
            "ssm",
            "eu-west-1",
            "AmazonSSM.GetParameter",
            r#"{"Name":"/a\"\\b","WithDecryption":true}"#,
        ),
        (
            "secret us-east-2 b",
            string,
            r#"{"key":"v"}"#,
            "secretsmanager",
            "us-east-2",
            "secretsmanager.GetSecretValue",
            r#"{"SecretId":"b"}"#,
        ),
        (
            "ecr_password eu-central-1",
            token,
            "pass:word",
            "ecr",
            "eu-central-1",
            "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
            "{}",
        ),
    ];
    for (shell, _) in machines() {
        let answers = questions.iter().map(|question| (200, question.1.to_owned())).collect();
        let (port, told) = serve(answers);
        for (command, _, wanted, service, region, target, request) in questions {
            let (output, errors, code) = ask(&shell, port, command);
            assert_eq!((output.as_str(), code), (wanted, Some(0)), "{shell:?} {command}: {errors}");
            let asked = told.recv().unwrap();
            let host = if service == "ecr" { "api.ecr" } else { service };
            assert_eq!(asked.header("host"), format!("{host}.{region}.amazonaws.com"));
            assert_eq!(
                (asked.header("x-amz-target"), asked.header("content-type")),
                (target, "application/x-amz-json-1.1")
            );
            assert_eq!((asked.body.as_str(), asked.header("x-amz-security-token")), (request, "role/session+token=="));
            let authorization = asked.header("authorization");
            let scope =
                format!("Credential=ASIAROLE/{}/{region}/{service}/aws4_request", &asked.header("x-amz-date")[..8]);
            assert!(authorization.contains(&scope), "{authorization}");
            let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,";
            assert!(authorization.contains(signed), "{authorization}");
            let signature = format!("Signature={}", asked.signature("role/secret+key"));
            assert!(authorization.ends_with(&signature), "{authorization}\n{signature}");
            assert!(asked.seen.contains("x-amz-target: "), "curl is not among the processes");
            for secret in ["role/secret", "role/session", "imds-token", "ASIAROLE"] {
                assert!(!asked.seen.contains(secret), "{shell:?} {command}: {secret} is seen");
            }
        }
    }
}

#[test]
fn an_error_of_aws_is_told_once_and_in_its_words() {
    let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: arn:aws:sts::1:assumed-role/r/i is not authorized"}"#;
    let gone = r#"{"__type":"ResourceNotFoundException","message":"Secrets Manager can't find the specified secret."}"#;
    let binary = r#"{"Name":"b","SecretBinary":"AAECAw=="}"#;
    for (answers, wanted) in [
        (
            vec![(400, denied)],
            "SAID GetSecretValue failed: HTTP 400 AccessDeniedException: User: arn:aws:sts::1:assumed-role/r/i is not authorized\n",
        ),
        (
            vec![(400, gone)],
            "SAID GetSecretValue failed: HTTP 400 ResourceNotFoundException: Secrets Manager can't find the specified secret.\n",
        ),
        (vec![(503, "<html>busy</html>")], "SAID GetSecretValue failed: HTTP 503 : \n"),
        (
            vec![(200, binary)],
            "SAID the secret is binary: store it as text (aws secretsmanager put-secret-value --secret-string ..)\n",
        ),
        (
            vec![(200, "{\"SecretString\":\"a\\u0000b\"}")],
            "SAID the secret has a NUL character, which an environment variable cannot hold\n",
        ),
    ] {
        let answers: Vec<(u16, String)> = answers.into_iter().map(|(status, body)| (status, body.to_owned())).collect();
        let twice = [answers.clone(), answers].concat();
        // The script calls it in a subshell each time.
        for command in
            ["secret eu-west-1 b || secret eu-west-1 b", "a=$(secret eu-west-1 b) || a=$(secret eu-west-1 b)"]
        {
            for shell in shells() {
                let (port, _told) = serve(twice.clone());
                let (output, errors, code) = ask(&[shell], port, command);
                assert_eq!((output.as_str(), errors.as_str(), code), ("", wanted, Some(1)), "{shell}: {command}");
            }
        }
    }
    // Another complaint in between changes nothing; a part of one is another.
    let complain = |texts: &str| format!("for text in {texts}; do x=$(complain \"$text\"); done");
    for shell in shells() {
        let (_, errors, code) = ask(&[shell], 1, &complain("'a b' '*' 'a b' '*' a '[x]' '[x]'"));
        assert_eq!((errors.as_str(), code), ("SAID a b\nSAID *\nSAID a\nSAID [x]\n", Some(0)), "{shell}");
    }
    // Nothing listens; no role.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_, errors, code) = ask(&["sh"], closed, "parameter eu-west-1 a");
    assert_eq!(
        (errors.as_str(), code),
        ("SAID the instance metadata service has no credentials: has the instance a role?\n", Some(1))
    );
}

/// Somebody who looks at the console wants the reason of this run, not of the first one since the boot.
#[test]
fn a_script_that_runs_again_says_the_reason_again() {
    let m = parse(&format!("{BARE}secrets: {{A: 'ssm:/gone'}}\n"), "m").unwrap();
    let script = render(&instance(&m)).unwrap();
    // Each in a shell of its own, in the same directory.
    let once = script.replacen("root=''", "", 1);
    let twice = format!("root=''\n(\n{once}\n)\n(\n{once}\n)\n");
    for shell in shells() {
        let seen = play(shell, &twice, "", &[]);
        let said = |words: &str| seen.output.matches(words).count();
        assert!(!seen.status.success(), "{shell}: {}", seen.output);
        assert_eq!(said("GetParameter failed: HTTP 400 NotFound: There is none."), 2, "{shell}: {}", seen.output);
        assert_eq!(said("while reading the secret for A"), 2, "{shell}: {}", seen.output);
    }
}

#[test]
fn an_answer_that_does_not_come_is_told_with_its_reason() {
    let (port, _told) = serve(Vec::new());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let to = format!("case $* in *sigv4*) set -- --connect-to ::127.0.0.1:{closed} \"$@\" ;; esac\n");
    let functions = functions().replace("https://", "http://");
    let curl = format!("curl() {{ {to} command curl \"$@\" --connect-to ::127.0.0.1:{port}; }}\n");
    let (_, errors, code) = run(&["sh"], &format!("set -eu\n{SAY}{curl}{functions}parameter eu-west-1 a"), &[]);
    assert_eq!(code, Some(1));
    assert!(
        errors.starts_with("SAID GetParameter failed: no answer from ssm.eu-west-1.amazonaws.com: Failed to connect"),
        "{errors}"
    );
    // A curl from before 7.75.
    let old =
        "curl() { case $* in *sigv4*) echo 'curl: option --aws-sigv4: is unknown' >&2; return 2 ;; esac; command curl";
    let curl = format!("{old} --connect-to ::127.0.0.1:{port} \"$@\"; }}\n");
    let (_, errors, _) = run(&["sh"], &format!("set -eu\n{SAY}{curl}{functions}parameter eu-west-1 a"), &[]);
    assert!(
        errors.contains("GetParameter failed: curl cannot sign requests: the machine image needs curl 7.86 or newer"),
        "{errors}"
    );
}

#[test]
fn endpoints_are_those_of_the_partition() {
    let domain = |region: &str| {
        let mut script = parts::Script::new(region);
        script.include(parts::Part::Ecr);
        let text = script.finish("t");
        let (_, rest) = text.split_once("\naws_domain=").unwrap();
        rest.lines().next().unwrap().to_owned()
    };
    // botocore's partitions.json.
    for (region, wanted) in [
        ("eu-west-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
    ] {
        assert_eq!(domain(region), wanted, "{region}");
    }
}
