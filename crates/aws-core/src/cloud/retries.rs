//! Which calls are sent again, when, and what is told of it.
//!
//! A call that AWS rejected because there are too many of them was not carried out: it is sent again until it passes.
//! A call whose answer was lost may have been carried out. What only reads, or does the same when done twice, is sent
//! again a few times. All else is sent once: who sent it looks at what became of it before trying again, as
//! [`crate::engine`] does, so that nothing is made twice. Calls that write are noted while they are under way.
use super::operations::{self, Operation};
use crate::engine::{Held, InFlight};
use aws_config::retry::RetryConfig;
use aws_smithy_runtime::client::retries::{
    ClientRateLimiter, RetryPartition, TokenBucket, classifiers::run_classifiers_on_ctx,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
        },
        orchestrator::Metadata,
        retries::{
            RequestAttempts,
            classifiers::{RetryAction, RetryReason},
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{
    config_bag::{ConfigBag, Storable, StoreReplace},
    retry::{ErrorKind, RetryMode, RetrySpec},
};
use std::{fmt, sync::Arc, time::Duration};

/// Attempts of a call that may be repeated, when answers are lost or AWS has internal errors.
const ATTEMPTS: u32 = 4;
/// The longest pause between two attempts. Short: the rate is what the SDK's limiter adapts, and it is shared by all
/// calls to the service.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Attempts from which on it is told that an earlier change is waited for.
const PATIENT: u32 = 3;

/// Why calls to a service (`Route 53`) take longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// It limits the rate of calls.
    Rate(&'static str),
    /// It carries out one change after the other, and is not done with an earlier one.
    Busy(&'static str),
}
impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(service) => {
                write!(f, "AWS limits the rate of calls to {service} (throttling): going on more slowly.")
            }
            Self::Busy(service) => {
                write!(f, "{service} is still carrying out an earlier change: trying again until it is done.")
            }
        }
    }
}

/// Hears why calls take longer, each time one was rejected.
#[derive(Clone)]
pub struct OnThrottle(Arc<dyn Fn(Slow) + Send + Sync>);

impl OnThrottle {
    /// Calls `told`, from the task whose call was rejected.
    pub fn new(told: impl Fn(Slow) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }
    /// A service rejected a call for now.
    pub fn tell(&self, slow: Slow) {
        (self.0)(slow);
    }
}
impl Default for OnThrottle {
    fn default() -> Self {
        Self::new(|_| ())
    }
}
impl fmt::Debug for OnThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnThrottle")
    }
}

/// How the SDK goes about retries; [`Retries`] decides whether there is one.
pub(super) fn config() -> RetryConfig {
    RetryConfig::adaptive()
        .with_max_attempts(1)
        .with_max_backoff(LONGEST_PAUSE)
        // What AWS_NEW_RETRIES_2026=true sets: each attempt takes one token of the limiter. Before it, the first
        // rejected call of a run pauses for ten tokens at half a token a second.
        .with_retry_spec(RetrySpec::v2_1())
}

/// The limiter of one service in one account and region, as AWS counts. Retries have no budget beside the bounds here.
///
/// The limiter smooths its measure of the rate, a fifth of it being what was there before: so it begins at five calls a
/// second, and not at none, when AWS throttles before there was anything to measure.
pub(super) fn partition(service: &'static str) -> RetryPartition {
    let limiter = ClientRateLimiter::builder().tokens_retrieved_per_second(25.0).build();
    RetryPartition::custom(service).token_bucket(TokenBucket::unlimited()).client_rate_limiter(limiter).build()
}

/// The call is under way.
#[derive(Debug)]
struct Sent(#[expect(dead_code, reason = "it ends when it is dropped")] Option<Held>);
impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

/// How often this call's answer was lost.
#[derive(Debug, Clone, Copy, Default)]
struct Lost(u32);
impl Storable for Lost {
    type Storer = StoreReplace<Self>;
}

/// What is known of the operation: one without a row counts as one that writes, and must not be repeated.
fn row(sent: &Metadata) -> Option<&'static Operation> {
    operations::sent(sent.service(), sent.name())
}

/// Decides after each attempt of one service's calls whether there is another.
#[derive(Debug)]
pub(super) struct Retries {
    /// The service's name, for people.
    pub(super) service: &'static str,
    pub(super) told: OnThrottle,
    pub(super) in_flight: InFlight,
}

impl Intercept for Retries {
    fn name(&self) -> &'static str {
        "Retries"
    }
    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = cfg
            .load::<Metadata>()
            .filter(|m| !row(m).is_some_and(Operation::reads))
            .map(|m| format!("{}: {}", m.service(), m.name()));
        if let Some(name) = call {
            cfg.interceptor_state().store_put(Sent(Some(self.in_flight.hold(name))));
        }
        Ok(())
    }
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Sent(None));
        let config = cfg.load::<RetryConfig>().cloned().unwrap_or_else(config);
        // Whoever sends it sees to that: `RetryConfig::disabled()`.
        if config.mode() != RetryMode::Adaptive {
            return Ok(());
        }
        let action = run_classifiers_on_ctx(components.retry_classifiers(), context.inner());
        let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) = action else { return Ok(()) };
        let says = |words: &str| {
            let body = context.response().and_then(|r| r.body().bytes()).unwrap_or_default();
            body.windows(words.len()).any(|part| part == words.as_bytes())
        };
        // A quota that is reached, which the SDK takes for a rate.
        let throttled = kind == ErrorKind::ThrottlingError && !says("LimitExceededException");
        let attempts = cfg.load::<RequestAttempts>().map_or(1, |a| a.attempts());
        let again = if throttled {
            // One zone's changes, one after the other: no rate that all calls are to heed, and mostly soon over.
            if !says("PriorRequestNotComplete") {
                self.told.tell(Slow::Rate(self.service));
            } else if attempts >= PATIENT {
                self.told.tell(Slow::Busy(self.service));
            }
            true
        } else {
            let lost = cfg.load::<Lost>().copied().unwrap_or_default().0 + 1;
            cfg.interceptor_state().store_put(Lost(lost));
            lost < ATTEMPTS && cfg.load::<Metadata>().and_then(row).is_some_and(Operation::is_repeatable)
        };
        let most = if again { attempts + 1 } else { attempts };
        cfg.interceptor_state().store_put(config.with_max_attempts(most));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
