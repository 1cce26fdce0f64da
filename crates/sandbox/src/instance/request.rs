//! What a stand-in sends, and what it gets back.
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::collections::BTreeMap;

/// A command line on an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// The arguments, without the program's name.
    pub(crate) arguments: Vec<String>,
    /// Variables that were passed on by name.
    pub(crate) environment: BTreeMap<String, String>,
    /// Standard input, where an argument asks for it.
    pub(crate) input: String,
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The exit code.
    pub(crate) code: u8,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) errors: String,
}

impl Request {
    /// Reads what `standin.sh` sends: a line for each argument, variable and input. `None` when it is not that.
    pub(crate) fn parse(body: &str) -> Option<Self> {
        let mut request = Self::default();
        for line in body.lines() {
            let mut words = line.split(' ');
            let (kind, first) = (words.next()?, words.next().unwrap_or_default());
            match kind {
                "a" => request.arguments.push(decoded(first)?),
                "e" => _ = request.environment.insert(first.to_owned(), decoded(words.next().unwrap_or_default())?),
                "i" => request.input = decoded(first)?,
                _ => return None,
            }
        }
        Some(request)
    }

    /// The value after an option, or behind its `=`.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == name {
                return arguments.next().map(String::as_str);
            }
            if let Some(value) = argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value);
            }
        }
        None
    }

    /// The last argument.
    pub(crate) fn last(&self) -> &str {
        self.arguments.last().map_or("", String::as_str)
    }
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()
}

impl Reply {
    /// It worked, and said this.
    pub(crate) fn done(output: impl Into<String>) -> Self {
        Self { output: output.into(), ..Self::default() }
    }

    /// It did not work.
    pub(crate) fn failed(code: u8, errors: impl Into<String>) -> Self {
        Self { code, errors: errors.into(), ..Self::default() }
    }

    /// What `standin.sh` reads: exit code, output, errors.
    pub(crate) fn text(&self) -> String {
        let field = |text: &str| if text.is_empty() { "-".to_owned() } else { BASE64_STANDARD.encode(text) };
        format!("{} {} {}\n", self.code, field(&self.output), field(&self.errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

    /// The script as it runs on an instance, with an `nc` that keeps what it would send.
    #[test]
    fn what_the_script_sends_is_read() {
        let directory = std::env::temp_dir().join(format!("minion-sandbox-standin-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let sent = directory.join("sent");
        let told = BASE64_STANDARD.encode("told\n");
        let nc = format!(
            "#!/bin/sh\ncat >{}\nprintf 'HTTP/1.0 200 OK\\r\\nServer: x\\r\\n\\r\\n3 {told} -\\n'\n",
            sent.display()
        );
        let getent = "#!/bin/sh\necho '127.0.0.1 STREAM x'\n";
        for (name, text) in [("nc", nc.as_str()), ("getent", getent), ("docker", include_str!("standin.sh"))] {
            fs::write(directory.join(name), text).unwrap();
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", directory.display());
        let wanted = ["run", "--env", "SECRET", "--env", "A=b c", "--label", "line\nline", "", "--password-stdin"];
        let mut command = Command::new(directory.join("docker"));
        command.args(wanted).env("PATH", path).env("SECRET", "it's $HOME `x`");
        command.env("MINION_SANDBOX", "http://minion-sandbox:8000/token/i-1");
        command.stdin(fs::File::open(directory.join("docker")).unwrap());
        let ran = command.output().unwrap();
        assert_eq!((ran.status.code(), String::from_utf8_lossy(&ran.stdout).as_ref()), (Some(3), "told\n"));
        let sent = fs::read_to_string(&sent).unwrap();
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /token/i-1/docker HTTP/1.0\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        let request = Request::parse(body).unwrap();
        assert_eq!(request.arguments, wanted);
        assert_eq!(request.environment, BTreeMap::from([("SECRET".into(), "it's $HOME `x`".into())]));
        assert_eq!(request.input, include_str!("standin.sh"));
        assert_eq!(request.option("--label"), Some("line\nline"));
        fs::remove_dir_all(directory).unwrap();
    }

    /// `curl` as the boot script calls it, with an `nc` that keeps what it would send, and an answer.
    fn curl(words: &[&str], config: &str, answer: &str) -> (Option<i32>, String, String) {
        let directory =
            std::env::temp_dir().join(format!("minion-sandbox-curl-{}-{}", std::process::id(), words.len()));
        fs::create_dir_all(&directory).unwrap();
        let sent = directory.join("sent");
        let nc = format!("#!/bin/sh\necho \"$*\" >{at}\ncat >>{at}\nprintf '{answer}'\n", at = sent.display());
        let call = format!("#!/bin/sh\nprintf '%s\\n' aws-call \"$@\" >{}\n", sent.display());
        let scripts =
            [("nc", nc.as_str()), ("aws-call", &call), ("sleep", "#!/bin/sh\n"), ("curl", include_str!("curl.sh"))];
        for (name, text) in scripts {
            fs::write(directory.join(name), text).unwrap();
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(directory.join("config"), config).unwrap();
        let mut command = Command::new(directory.join("curl"));
        command.args(words).env("PATH", format!("{}:/usr/bin:/bin", directory.display()));
        let ran = command.stdin(fs::File::open(directory.join("config")).unwrap()).output().unwrap();
        let sent = fs::read_to_string(&sent).unwrap();
        fs::remove_dir_all(directory).unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stdout).into_owned(), sent)
    }

    #[test]
    fn curl_asks_the_metadata_service_at_its_own_address() {
        let seconds = "x-aws-ec2-metadata-token-ttl-seconds: 60";
        let words = ["-sf", "-m", "5", "-X", "PUT", "-H", seconds, "http://169.254.169.254/latest/api/token"];
        let (code, output, sent) = curl(&words, "", "HTTP/1.1 200 OK\\r\\nServer: x\\r\\n\\r\\ntoken");
        assert_eq!((code, output.trim_end()), (Some(0), "token"));
        let wanted = "169.254.169.254 80\nPUT /latest/api/token HTTP/1.0\r\nHost: 169.254.169.254\r\n\
                      Content-Length: 0\r\nx-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
        assert_eq!(sent, wanted);
        let words = ["-sf", "-m", "5", "--config", "-", "http://169.254.169.254/latest/meta-data/iam/a"];
        let config = "header = \"x-aws-ec2-metadata-token: a b==\"\n";
        let (code, output, sent) = curl(&words, config, "HTTP/1.0 200 OK\\r\\n\\r\\n{\\n  \"a\": 1\\n}");
        assert_eq!((code, output.trim_end()), (Some(0), "{\n  \"a\": 1\n}"));
        assert!(sent.starts_with("169.254.169.254 80\nGET /latest/meta-data/iam/a HTTP/1.0\r\n"), "{sent}");
        assert!(sent.ends_with("\r\nx-aws-ec2-metadata-token: a b==\r\n\r\n"), "{sent}");
        for (answer, wanted) in [("HTTP/1.1 404 Not Found\\r\\n\\r\\nno", 22), ("", 7)] {
            assert_eq!(curl(&words[4..], "", answer).0, Some(wanted), "{answer}");
        }
    }

    #[test]
    fn a_signed_request_leaves_its_credentials_behind() {
        let words =
            ["-s", "--config", "-", "--aws-sigv4", "aws:amz:a:b", "--data-raw", "{\"a\": \"b c\"}", "https://x/"];
        let (code, _, sent) = curl(&words, "user = \"ID:KEY\"\n", "");
        assert_eq!((code, sent), (Some(0), format!("aws-call\n{}\n", words.join("\n"))));
    }

    #[test]
    fn what_is_not_a_request_is_none() {
        assert_eq!(Request::parse("x YQ=="), None);
        assert_eq!(Request::parse("a !"), None);
    }
}
