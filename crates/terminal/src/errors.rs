//! Errors: what happened, why, and what to do next.
use crate::{
    Terminal,
    look::{self, plain},
};
use aws_core::{Error, error::AwsDetail};
use std::error::Error as _;

impl Terminal {
    /// An error, to standard error: what happened, where on AWS, and the hints. Its causes are told with
    /// `--verbose`, or when there is nothing else to go on.
    pub fn error(&self, error: &Error) {
        self.error_about("", error);
    }

    /// As [`Terminal::error`], with words in front that say what it is about.
    pub(crate) fn error_about(&self, about: &str, error: &Error) {
        let mut text = format!("{}{about}{}", self.tint(look::BAD, "Error: "), plain(&error.to_string()));
        let alone = error.hints().is_empty() && error.aws().is_none();
        for cause in causes(error).iter().filter(|_| self.verbose() || alone) {
            text.push_str(&format!("\n  Caused by: {}", plain(cause)));
        }
        if let Some(line) = error.aws().and_then(|aws| place(aws, self.verbose())) {
            text.push_str(&format!("\n  {}", self.tint(look::DIM, &plain(&line))));
        }
        for hint in error.hints() {
            text.push_str(&format!("\n{}{}", self.tint(look::BOLD, "Hint: "), plain(hint)));
        }
        self.note(&text);
    }
}

/// The causes that say something that was not said yet.
fn causes(error: &Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !text.is_empty() && !said.iter().any(|s| s.contains(&text)) {
            said.push(text);
        }
        next = cause.source();
    }
    said.split_off(1)
}

/// Where on AWS. The request id is what AWS's support asks for first, so it is always there.
fn place(aws: &AwsDetail, verbose: bool) -> Option<String> {
    let mut parts = Vec::new();
    if verbose {
        parts.push(format!("AWS operation {}", aws.operation));
        parts.push(format!("region {}", aws.region));
        parts.extend(aws.code.as_ref().map(|code| format!("code {code}")));
    }
    parts.extend(aws.request_id.as_ref().map(|id| format!("request id {id}")));
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Globals;

    fn error() -> Error {
        Error::failed("cannot make it:\n 3 | port: 0\n   |       ^")
            .caused_by(Error::failed("outer").caused_by(std::io::Error::other("inner\x1b[2J")))
            .at(AwsDetail {
                operation: "ec2:CreateSecurityGroup".into(),
                region: "eu-west-1".into(),
                code: Some("Oops".into()),
                request_id: Some("abc-1".into()),
            })
            .hint("Do this.")
            .hint("Or that.")
    }

    #[test]
    fn all_of_an_error() {
        let (terminal, captured) = Terminal::captured(80, false);
        terminal.error(&error());
        assert_eq!(
            captured.err(),
            "Error: cannot make it:\n 3 | port: 0\n   |       ^\n  request id abc-1\nHint: Do this.\nHint: Or that.\n"
        );
    }

    #[test]
    fn verbose_says_where_and_why() {
        let globals = Globals { verbose: true, ..Globals::default() };
        let (terminal, captured) = Terminal::captured_with(80, false, &globals);
        terminal.error(&error());
        let line = "AWS operation ec2:CreateSecurityGroup, region eu-west-1, code Oops, request id abc-1";
        assert!(captured.err().contains(line), "{}", captured.err());
        let causes = "\n  Caused by: outer\n  Caused by: inner\\u{1b}[2J\n";
        assert!(captured.err().contains(causes), "{}", captured.err());
    }

    #[test]
    fn causes_are_told_when_there_is_nothing_else() {
        let (terminal, captured) = Terminal::captured(80, false);
        terminal.error(&Error::failed("it broke").caused_by(std::io::Error::other("a tooth is missing")));
        assert_eq!(captured.err(), "Error: it broke\n  Caused by: a tooth is missing\n");
    }

    #[test]
    fn a_cause_that_was_quoted_is_not_said_twice() {
        let (terminal, captured) = Terminal::captured(80, false);
        terminal.error(&Error::failed("no file: gone").caused_by(std::io::Error::other("gone")));
        assert_eq!(captured.err(), "Error: no file: gone\n");
    }
}
