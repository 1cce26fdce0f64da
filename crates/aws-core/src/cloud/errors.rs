//! AWS's errors, in our words: operation, resource, region, code, request id, and what to do next.
mod new_account;

pub use new_account::{advice, is_opt_in};

use super::{
    Cloud, denied,
    operations::{self, Called, Effect, Operation},
    quotas,
};
use crate::{
    Error, Result,
    error::{AwsDetail, Kind},
};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt::Display,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Turns the SDK's result of a call into ours. Which operation it was, and what its codes mean, is in the row of its error's
/// type; `what` names the resource.
pub trait Told<T>: Sized {
    /// What passes by itself is marked as an error to try again.
    fn told(self, cloud: &Cloud, what: impl Display) -> Result<T> {
        let told = self.told_unless(cloud, what, |_, _| false)?;
        Ok(told.expect("no code is excepted"))
    }
    /// As [`Told::told`]; `None` where it is not there.
    fn unless_gone(self, cloud: &Cloud, what: impl Display) -> Result<Option<T>> {
        self.told_unless(cloud, what, |row, code| row.gone.contains(&code))
    }
    /// As [`Told::told`]; `None` where it is done already.
    fn unless_there(self, cloud: &Cloud, what: impl Display) -> Result<Option<T>> {
        self.told_unless(cloud, what, |row, code| row.there.contains(&code))
    }
    /// As [`Told::told`]; `None` where the code is one of these.
    fn told_unless(
        self,
        cloud: &Cloud,
        what: impl Display,
        none: impl FnOnce(&Operation, &str) -> bool,
    ) -> Result<Option<T>>;
}

impl<T, E> Told<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: Called + ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn told_unless(
        self,
        cloud: &Cloud,
        what: impl Display,
        none: impl FnOnce(&Operation, &str) -> bool,
    ) -> Result<Option<T>> {
        let told = match self {
            Ok(answer) => Some(answer),
            Err(e) if e.code().is_some_and(|code| none(E::OPERATION, code)) => None,
            Err(e) => return Err(translate(e, cloud, E::OPERATION, &what.to_string()).judged()),
        };
        cloud.lost.answered(cloud, E::OPERATION, &what);
        Ok(told)
    }
}

/// How often a call may lose its answer, one time after the other, before that is no longer tried again.
const TRIES: u32 = 3;
/// From a call that may have been carried out to the look whether it was: what was just made is not seen by all of AWS
/// at once (EC2 developer guide, "Eventual consistency").
const SETTLED: Duration = Duration::from_secs(5);

/// The calls whose answers were lost, of a connection: a network that is gone must not be tried until the deadline.
#[derive(Debug, Default)]
pub(super) struct Lost(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether AWS ever answered.
    answered: bool,
    /// By what the error is about.
    lost: HashMap<String, u32>,
    /// The client tokens of calls that were not answered yet, by operation and what it is about.
    tokens: HashMap<(&'static str, String), String>,
}

impl Seen {
    /// A call was answered: the next one of this kind is about another thing.
    fn settle(&mut self, operation: &Operation, what: &str) {
        let ends = operation.effect == Effect::End;
        self.tokens.retain(|(o, w), _| w != what || (*o != operation.name && !ends));
    }
}

impl Cloud {
    /// The client token of a call that makes a thing, with the words of its [`Told`]: the same one for as long as the
    /// answer was lost, so that AWS answers the next try with what the first one made ("Ensuring idempotency in Amazon
    /// EC2 API requests"), also while AWS does not show that thing yet to who looks. Once there was an answer, be it an
    /// error, the next one is another.
    ///
    /// 32 hexadecimal digits, which ACM takes as well; the SDK's own tokens are new at each try.
    pub fn token<E: Called>(&self, what: impl Display) -> String {
        let new = || format!("{:032x}", fastrand::u128(..));
        self.lost.seen().tokens.entry((E::OPERATION.name, what.to_string())).or_insert_with(new).clone()
    }
}

impl Lost {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn answered(&self, cloud: &Cloud, operation: &Operation, what: &impl Display) {
        let mut seen = self.seen();
        seen.answered = true;
        if !seen.tokens.is_empty() {
            seen.settle(operation, &what.to_string());
        }
        if !seen.lost.is_empty() {
            seen.lost.remove(&about(cloud, operation, &what.to_string()));
        }
    }
    /// Another lost answer. Marks the error, unless there were too many, or never any other.
    fn retryable(&self, error: Error, operation: &Operation, about: &str) -> Error {
        let mut seen = self.seen();
        let times = seen.lost.entry(about.to_owned()).or_default();
        *times += 1;
        if *times >= TRIES || !seen.answered {
            return error;
        }
        error.retryable_after(if operation.is_repeatable() { Duration::ZERO } else { SETTLED })
    }
    /// What is there already may be what an earlier call made, whose answer was lost: then it is looked for again.
    fn made(&self, error: Error, operation: &Operation, what: &str, about: &str) -> Error {
        // The last one: made with our token, and with other parameters.
        let words = ["AlreadyExists", "Duplicate", "AlreadyOwned", "IdempotentParameterMismatch"];
        let there = |code: &str| words.iter().any(|w| code.contains(w));
        let mut seen = self.seen();
        if !error.is_throttle() {
            seen.settle(operation, what);
        }
        match seen.lost.get_mut(about) {
            Some(times) if *times < TRIES && error.code().is_some_and(there) => {
                *times += 1;
                error.retryable_after(SETTLED)
            }
            _ => error,
        }
    }
}

fn about(cloud: &Cloud, operation: &Operation, what: &str) -> String {
    let (operation, region) = (operation.name, cloud.region());
    if what.is_empty() { format!("{operation} in {region}") } else { format!("{operation} for {what} in {region}") }
}

impl Error {
    /// The code, with what is known of the operation that failed.
    fn coded(&self) -> Option<(&'static Operation, &str)> {
        Some((operations::find(&self.aws()?.operation)?, self.code()?))
    }
    /// Marks the error as one to try again, when it passes by itself.
    pub(crate) fn judged(self) -> Self {
        if self.coded().is_some_and(|(row, code)| row.passes(code)) { self.retryable() } else { self }
    }
    /// Whether AWS says that what the call is about is not there.
    pub fn is_gone(&self) -> bool {
        self.coded().is_some_and(|(row, code)| row.gone.contains(&code))
    }
    /// Whether some part of AWS does not see yet what the call is about.
    pub(crate) fn is_unseen(&self) -> bool {
        self.coded().is_some_and(|(row, code)| row.unseen.contains(&code))
    }
    /// Marks the error as one to try again, when its code is one of these.
    #[must_use]
    pub fn retry_on(self, codes: &[&str]) -> Self {
        if self.code().is_some_and(|c| codes.contains(&c)) { self.retryable() } else { self }
    }
    /// Whether AWS rejected the call because there were too many.
    fn is_throttle(&self) -> bool {
        self.code().is_some_and(|c| THROTTLED.contains(&c))
    }
    /// Marks the error as one to try again, when its code is `code` and AWS's words contain `words`.
    #[must_use]
    pub fn retry_on_words(self, code: &str, words: &str) -> Self {
        let hit = self.code() == Some(code) && self.to_string().to_lowercase().contains(&words.to_lowercase());
        if hit { self.retryable() } else { self }
    }
}

/// Codes by which the services say "slow down" (the SDK has retried them already).
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "RequestThrottled",
    "RequestThrottledException",
    "EC2ThrottledException",
    "SlowDown",
    "PriorRequestNotComplete",
    "BandwidthLimitExceeded",
];

fn translate<E>(error: SdkError<E, HttpResponse>, cloud: &Cloud, operation: &Operation, what: &str) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let request_id = error
        .raw_response()
        .and_then(|r| r.headers().get("x-amzn-requestid").or_else(|| r.headers().get("x-amz-request-id")))
        .map(str::to_owned)
        .or_else(|| error.meta().extra("aws_request_id").map(str::to_owned));
    let detail = AwsDetail {
        operation: operation.name.into(),
        region: cloud.region().into(),
        code: error.code().map(str::to_owned),
        request_id,
    };
    let about = about(cloud, operation, what);
    let lost = |error| cloud.lost.retryable(error, operation, &about);
    match &error {
        SdkError::ServiceError(answer) => {
            let message = error.message().unwrap_or("no message");
            let told = service(about.clone(), detail, message, cloud.known_account().as_deref());
            let internal = answer.raw().status().as_u16() >= 500 && !told.is_throttle();
            if internal { lost(told) } else { cloud.lost.made(told, operation, what, &about) }
        }
        SdkError::TimeoutError(_) => {
            lost(Error::new(Kind::Failed, format!("{about}: no answer in time")).at(detail).hint(UNREACHABLE))
        }
        SdkError::DispatchFailure(f) => match dispatch(f.is_timeout(), about.clone(), detail, &error) {
            e if e.kind() == Kind::Access => e,
            e => lost(e),
        },
        SdkError::ConstructionFailure(_) => Error::new(Kind::Failed, format!("{about}: {}", chain(&error))).at(detail),
        _ => lost(
            Error::new(Kind::Failed, format!("{about}: the answer could not be read: {}", chain(&error)))
                .at(detail)
                .hint("If AWS_ENDPOINT_URL is set, check that it is an AWS endpoint."),
        ),
    }
}

const UNREACHABLE: &str =
    "Check the network, the region's name, and AWS_ENDPOINT_URL if it is set; then run the command again.";

const LOG_IN: &str =
    "Log in (`aws sso login`, `aws login`), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.";

fn dispatch(timeout: bool, about: String, detail: AwsDetail, error: &(dyn StdError + 'static)) -> Error {
    let why = chain(error);
    if about_credentials(&why) {
        let named = std::env::var("AWS_PROFILE").ok().filter(|p| !p.is_empty());
        let innermost = innermost(error);
        let hints = match not_assumed(&innermost) {
            Some(message) => denied::hints(denied::ASSUME_ROLE, &detail.region, None, "AccessDenied", message),
            None => vec![LOG_IN.to_owned()],
        };
        let error =
            Error::new(Kind::Access, no_credentials(&why, innermost, named.as_deref())).at(detail).caused_by(why);
        return hints.into_iter().fold(error, Error::hint);
    }
    let how = if timeout { "no connection in time" } else { "no connection" };
    Error::new(Kind::Failed, format!("{about}: {how}: {why}")).at(detail).hint(UNREACHABLE)
}

fn service(about: String, detail: AwsDetail, message: &str, account: Option<&str>) -> Error {
    let code = detail.code.clone().unwrap_or_else(|| "unknown error".into());
    let text = format!("{about}: {} ({code})", denied::shown(message));
    if let Some(error) = new_account::told(&text, &detail, message, account) {
        return error;
    }
    let base = |kind| Error::new(kind, text.clone()).at(detail.clone());
    match code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            base(Kind::Access).hint("The credentials have expired: log in again (`aws sso login`, `aws login`), then run the same command.")
        }
        "AuthFailure" | "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch" | "InvalidAccessKeyId"
        | "IncompleteSignature" | "MissingAuthenticationToken" => {
            base(Kind::Access).hint("AWS does not accept these credentials: check AWS_PROFILE and the AWS_* variables, and this machine's clock.")
        }
        c if denied::is_denied(c) => {
            let hints = denied::hints(&detail.operation, &detail.region, account, c, message);
            hints.into_iter().fold(base(Kind::Access), Error::hint)
        }
        "AuthorizationError" => base(Kind::Access).hint("The account is not enabled for this service or region."),
        c if THROTTLED.contains(&c) => {
            base(Kind::Failed).retryable().hint("AWS limits the rate of calls; run the same command again in a minute.")
        }
        // Marked as one to try again by its status, as all answers of that kind.
        "InternalFailure" | "InternalError" | "ServiceUnavailable" | "ServiceUnavailableException" | "Unavailable" | "InternalServerError" => {
            base(Kind::Failed).hint("AWS had an internal error; run the same command again.")
        }
        _ => match quotas::hint(&detail, message, account) {
            Some(hint) => base(Kind::Failed).hint(hint),
            None => base(Kind::Failed),
        },
    }
}

/// Whether these words of the SDK are about credentials: its errors of single sign-on and profiles say so too,
/// beside what resolves them. Shorter words are also in others: there is "sso" in "no address associated".
fn about_credentials(why: &str) -> bool {
    let lower = why.to_lowercase();
    ["credential", "identity resolver"].iter().any(|words| lower.contains(words))
}

/// One sentence. The SDK's own words are a list of all it tried, and do not say which of it was meant to work.
fn no_credentials(why: &str, innermost: String, named: Option<&str>) -> String {
    // How aws-config says that a profile is in none of its files (`ProfileFileError::MissingProfile`).
    let undefined = why.split_once("profile `").and_then(|(_, rest)| rest.split_once("` was not defined"));
    match (undefined, named) {
        (Some((profile, _)), Some(named)) if profile == named => {
            format!("no usable AWS credentials: AWS_PROFILE names profile `{named}`, which is not defined")
        }
        (Some((profile, _)), _) => format!("no usable AWS credentials: profile `{profile}` is not defined"),
        // Without any profile, aws-config does not say that the named one is missing.
        (None, Some(named)) if why.contains(CHAIN) => {
            format!("no usable AWS credentials: profile `{named}` (AWS_PROFILE) is not defined, or has none")
        }
        (None, None) if why.contains(CHAIN) => "no usable AWS credentials".to_owned(),
        // One source was found, and did not give any: it says why.
        (None, _) => format!("no usable AWS credentials: {}", said(&innermost)),
    }
}

/// What a service said, out of the SDK's way of showing it: `Error { code: "..", message: "..", .. }`.
fn said(innermost: &str) -> String {
    match (field(innermost, "code"), field(innermost, "message"), not_assumed(innermost)) {
        (Some(code), _, Some(message)) => format!("sts:AssumeRole: {message} ({code})"),
        (Some(code), Some(message), None) => format!("{message} ({code})"),
        _ => innermost.lines().next().unwrap_or_default().to_owned(),
    }
}

fn field<'a>(shown: &'a str, name: &str) -> Option<&'a str> {
    Some(shown.split_once(&format!("{name}: \""))?.1.split_once('"')?.0)
}

/// AWS's words when a role may not be assumed: denied access is always that. Single sign-on has other codes.
fn not_assumed(innermost: &str) -> Option<&str> {
    field(innermost, "message").filter(|_| field(innermost, "code") == Some("AccessDenied"))
}

/// How aws-config begins when none of the places it knows has credentials (`ProviderChainError`).
const CHAIN: &str = "no credentials found in chain";

/// The message of the first cause.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// The messages of an error and its causes, once each.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(e) = next {
        let text = e.to_string();
        let says_nothing = SAYS_NOTHING.contains(&text.as_str()) || text.starts_with("client error (");
        if !says_nothing && !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
        next = e.source();
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

/// The SDK's and the HTTP client's words for "there was an error": the next one in the chain says which.
const SAYS_NOTHING: [&str; 4] = ["dispatch failure", "other", "service error", "unhandled error"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_said_of_credentials_is_told_in_its_words() {
        let shown = r#"Error { code: "AccessDenied", message: "You are not authorized.", aws_request_id: "7a" }"#;
        assert_eq!(super::said(shown), "sts:AssumeRole: You are not authorized. (AccessDenied)");
        let shown = r#"Error { code: "UnauthorizedException", message: "Session token not found or invalid" }"#;
        assert_eq!(super::said(shown), "Session token not found or invalid (UnauthorizedException)");
        assert_eq!(super::said("the file is gone\nmore"), "the file is gone");
        assert_eq!(not_assumed(shown), None, "single sign-on assumes no role");
    }

    #[test]
    fn a_quota_is_named_with_what_to_type() {
        let error = |operation: &str, code: &str| {
            let detail = AwsDetail {
                operation: operation.into(),
                region: "eu-west-1".into(),
                code: Some(code.into()),
                request_id: None,
            };
            service(format!("{operation} in eu-west-1"), detail, "reached", Some("123456789012"))
        };
        let vpcs = error("ec2:CreateVpc", "VpcLimitExceeded");
        assert!(
            vpcs.hints()[0].contains("\"VPCs per Region\" (5 by default) of account 123456789012"),
            "{:?}",
            vpcs.hints()
        );
        assert!(!vpcs.is_retryable());
        assert!(error("iam:CreateUser", "LimitExceeded").hints()[0].contains("Service Quotas console"));
        // "Slow down" is no quota to be raised.
        assert!(error("ec2:CreateVpc", "RequestLimitExceeded").is_retryable());
        assert!(error("ec2:CreateVpc", "InvalidVpc.Range").hints().is_empty());
    }

    /// Once for all codes: what the hint says is tried in `denied`.
    #[test]
    fn a_denied_call_is_about_access_and_names_what_aws_named() {
        let message = "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/jo is not \
                       authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/x because no \
                       identity-based policy allows the iam:PassRole action. Encoded authorization failure message: abc";
        for code in ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Client.UnauthorizedOperation"] {
            let detail = AwsDetail {
                operation: "ec2:RunInstances".into(),
                region: "eu-west-1".into(),
                code: Some(code.into()),
                request_id: None,
            };
            let error = service("ec2:RunInstances".into(), detail, message, None);
            assert_eq!(error.kind(), Kind::Access);
            assert!(error.hints()[0].starts_with("Allow iam:PassRole on"), "{:?}", error.hints());
            assert!(error.hints()[1].contains("--encoded-message abc`"), "{:?}", error.hints());
            assert!(!error.to_string().contains("abc") && error.to_string().ends_with(&format!("({code})")), "{error}");
        }
    }

    #[test]
    fn the_cause_is_told_and_not_that_there_is_one() {
        #[derive(Debug)]
        struct Link(&'static str, Option<Box<Link>>);
        impl std::fmt::Display for Link {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        impl StdError for Link {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                self.1.as_deref().map(|next| next as _)
            }
        }
        let of = |words: &[&'static str]| {
            words.iter().rev().fold(None, |next, word| Some(Box::new(Link(word, next)))).map(|link| chain(&*link))
        };
        let closed = ["dispatch failure", "other", "client error (SendRequest)", "connection closed"];
        assert_eq!(of(&closed).unwrap(), "connection closed");
        assert_eq!(of(&["other", "other side is gone"]).unwrap(), "other side is gone");
        assert_eq!(of(&["dispatch failure"]).unwrap(), "dispatch failure");
    }

    #[test]
    fn a_name_that_does_not_resolve_is_not_about_credentials() {
        assert!(!about_credentials("dispatch failure: dns error: No address associated with hostname"));
        assert!(about_credentials("an error occurred while loading credentials: the SSO session has expired"));
    }

    #[test]
    fn missing_credentials_are_one_sentence() {
        let told = |why: &str, named| no_credentials(why, why.rsplit(": ").next().unwrap().to_owned(), named);
        let chain = format!("dispatch failure: other: the credential provider was not enabled: {CHAIN}. Attempted:");
        let nothing = format!("{chain}\n  Environment: not set\n  Profile: not enabled");
        assert_eq!(told(&nothing, None), "no usable AWS credentials");
        assert!(told(&nothing, Some("zzz")).contains("profile `zzz` (AWS_PROFILE)"));
        let missing = format!("{chain}\n  Profile: not enabled: profile `zzz` was not defined: could not find it\n  x");
        assert_eq!(
            told(&missing, Some("zzz")),
            "no usable AWS credentials: AWS_PROFILE names profile `zzz`, which is not defined"
        );
        assert!(told(&missing, Some("other")).ends_with("profile `zzz` is not defined"));
        let expired = "dispatch failure: an error occurred while loading credentials: the SSO session has expired\nx";
        assert_eq!(told(expired, None), "no usable AWS credentials: the SSO session has expired");
    }
}
