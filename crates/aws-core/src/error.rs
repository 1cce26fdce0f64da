//! The one error of this crate: what happened, to what, why, and what to do next.
//!
//! Kinds decide exit codes and retries; hints are whole sentences that the terminal prints below the
//! message. AWS's own words are put into this shape in [`crate::cloud::errors`] and nowhere else.
use std::{error::Error as StdError, fmt, time::Duration};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure this is. The binaries map it to their published exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something that should have worked did not.
    Failed,
    /// The input was wrong; nothing was tried.
    Usage,
    /// A thing that was named is not there.
    NotFound,
    /// It could be done, but must not be (immutable, in use, not ours).
    Refused,
    /// No credentials, expired credentials, or no permission.
    Access,
    /// A deadline passed.
    Deadline,
    /// The operator interrupted.
    Interrupted,
}

/// Where on AWS an error came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsDetail {
    /// Service and operation, e.g. `ec2:CreateSecurityGroup`.
    pub operation: String,
    /// Region of the client.
    pub region: String,
    /// The service's error code, e.g. `DependencyViolation`.
    pub code: Option<String>,
    /// For AWS support.
    pub request_id: Option<String>,
}

/// An error with its kind, its hints, and where it came from.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    hints: Vec<String>,
    /// How long to wait at least before trying again; `None`: it does not pass.
    retry: Option<Duration>,
    tolerable: bool,
    aws: Option<AwsDetail>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let (hints, retry, tolerable) = Default::default();
        Self(Box::new(Inner { kind, message: message.into(), hints, retry, tolerable, aws: None, source: None }))
    }
    /// Something that should have worked did not.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }
    /// The input was wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }
    /// A thing that was named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }
    /// It must not be done.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }
    /// A deadline passed.
    pub fn deadline(message: impl Into<String>) -> Self {
        Self::new(Kind::Deadline, message)
    }
    /// The operator interrupted.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Kind::Interrupted, message)
    }

    /// An internal error: what `what` was doing panicked.
    pub(crate) fn panicked(what: &str, panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
        Self::failed(format!("internal error in {what}: {text}"))
    }

    /// Adds a sentence that says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }
    /// Marks the error as one that passes with time (named by the caller, never guessed).
    #[must_use]
    pub fn retryable(self) -> Self {
        let pause = self.pause();
        self.retryable_after(pause)
    }
    /// As [`Error::retryable`], but not sooner than after `pause`.
    #[must_use]
    pub fn retryable_after(mut self, pause: Duration) -> Self {
        self.0.retry = Some(pause);
        self
    }
    /// Marks the failure to write a resource as one that a run completes without. Whoever marks it warns of it.
    #[must_use]
    pub fn tolerable(mut self) -> Self {
        self.0.tolerable = true;
        self
    }
    /// The word at the end of a step's line.
    pub fn word(&self) -> &'static str {
        match self.kind() {
            Kind::Interrupted => "INTERRUPTED",
            _ if self.is_tolerable() => "SKIPPED",
            _ => "FAILED",
        }
    }
    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }
    /// Adds where on AWS it came from.
    #[must_use]
    pub fn at(mut self, aws: AwsDetail) -> Self {
        self.0.aws = Some(aws);
        self
    }
    /// All of these errors in one, of the first one's kind: a line each, each hint once.
    ///
    /// # Errors
    /// When there is one.
    pub fn together(all: impl IntoIterator<Item = Result<()>>) -> Result<()> {
        let mut all = all.into_iter().filter_map(Result::err);
        let Some(mut first) = all.next() else { return Ok(()) };
        for other in all {
            first.0.message = format!("{}\n{}", first.0.message, other.0.message);
            for hint in other.0.hints {
                if !first.0.hints.contains(&hint) {
                    first.0.hints.push(hint);
                }
            }
        }
        Err(first)
    }
    /// Puts words in front of the message: `context: message`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
    /// The hints, in the order to print them.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
    /// Whether trying again later may help.
    pub fn is_retryable(&self) -> bool {
        self.0.retry.is_some()
    }
    /// Whether a run completes without what failed.
    pub fn is_tolerable(&self) -> bool {
        self.0.tolerable
    }
    /// How long to wait at least before trying again.
    pub fn pause(&self) -> Duration {
        self.0.retry.unwrap_or_default()
    }
    /// Where on AWS it came from.
    pub fn aws(&self) -> Option<&AwsDetail> {
        self.0.aws.as_ref()
    }
    /// The service's error code, if AWS answered with one.
    pub fn code(&self) -> Option<&str> {
        self.0.aws.as_ref()?.code.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let i = &self.0;
        write!(f, "{:?}: {}", i.kind, i.message)?;
        if let Some(aws) = &i.aws {
            write!(f, " [{aws:?}]")?;
        }
        Ok(())
    }
}
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as &(dyn StdError + 'static))
    }
}
