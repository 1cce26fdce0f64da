//! This process's command line as text for others to read: nothing secret stands in it.
use crate::passwords::hidden;

/// The command line: values of `KEY=VAL` and passwords in addresses are left out.
pub fn own() -> String {
    let arguments: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    told(&arguments)
}

fn told(arguments: &[String]) -> String {
    let mut words = Vec::new();
    for (n, argument) in arguments.iter().enumerate() {
        let word = match n {
            0 => argument.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
            _ => hidden(&without_value(argument)).into_owned(),
        };
        words.push(quoted(&word));
    }
    words.join(" ")
}

/// `KEY=VAL`, also behind `--env=` or `-e`: an environment variable may hold a secret. What else has a `=` in it and no flag
/// in front is not worth a risk.
fn without_value(argument: &str) -> String {
    let (flag, rest) = match argument.strip_prefix("--").and_then(|a| a.split_once('=')) {
        Some((flag, rest)) => (format!("--{flag}="), rest),
        None if argument.starts_with("--") => return argument.to_owned(),
        None => (String::new(), argument),
    };
    match rest.split_once('=') {
        Some((key, value)) if !value.is_empty() => format!("{flag}{key}=..."),
        _ => argument.to_owned(),
    }
}

/// A word of a command line that can be pasted: in quotes where a shell needs them.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_told() {
        let secret = "hunter2";
        let lines: &[(&[&str], &str)] = &[
            (&["/usr/bin/minion", "app", "create", "a b.yaml"], "minion app create 'a b.yaml'"),
            (&["minion", "-e", "KEY=hunter2", "-eKEY=hunter2"], "minion -e KEY=... -eKEY=..."),
            (&["minion", "-ye", "KEY=hunter2=x", "--env", "K=hunter2"], "minion -ye KEY=... --env K=..."),
            (&["minion", "--env=KEY=hunter2", "-e=KEY=hunter2"], "minion --env=KEY=... -e=..."),
            (&["minion", "--wait-lock=10m", "-e", "KEY", "-e", "KEY="], "minion --wait-lock=10m -e KEY -e KEY="),
            (&["minion", "--registry=https://me:hunter2@host/x@y"], "minion --registry=https://...@host/x@y"),
            (&["minion", "ver", "create", "a", "1", "me:hunter2@host/x:1"], "minion ver create a 1 ...@host/x:1"),
            (&["minion", "http://hunter2@host:8080?a@b"], "minion 'http://...@host:8080?a@b'"),
            (&["minion", "", "it's"], r"minion '' 'it'\''s'"),
        ];
        for (arguments, wanted) in lines {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            let text = told(&arguments);
            assert_eq!(text, *wanted);
            assert!(!text.contains(secret), "{text}");
        }
    }
}
