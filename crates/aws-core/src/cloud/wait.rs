//! Waiting with a deadline.
use crate::{
    Error, Result,
    engine::{Cancel, Stop},
    progress,
};
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait, and how often to look.
#[derive(Debug, Clone)]
pub struct Patience {
    /// In all.
    pub timeout: Duration,
    /// Before the second look; grows by half each time.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// The operator's Ctrl-C.
    pub cancel: Cancel,
}

impl Patience {
    /// Looks every 2 to 10 seconds for `timeout`.
    pub fn new(timeout: Duration, cancel: Cancel) -> Self {
        Self { timeout, first: Duration::from_secs(2), longest: Duration::from_secs(10), cancel }
    }
}

/// Reads a time such as `90s`, `15m` or `1h 30m`.
///
/// # Errors
/// When it is not a time, not positive, or more than a day.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let bad = |why: &str| {
        Error::usage(format!("`{text}` is not a time: {why}, e.g. 90s, 15m or 1h"))
            .hint("Times are between 1s and 24h.")
    };
    let span: jiff::SignedDuration = text.parse().map_err(|_| bad("give a number with its unit"))?;
    let time = Duration::try_from(span).map_err(|_| bad("it is negative"))?;
    if time < Duration::from_secs(1) || time > Duration::from_secs(24 * 3600) {
        return Err(bad("it is out of bounds"));
    }
    Ok(time)
}

/// What one look brought.
#[derive(Debug)]
pub enum Look<T> {
    /// What was waited for.
    Done(T),
    /// Not yet; says what is missing.
    NotYet(String),
}

/// Calls `look` until it is done, fails, the deadline passes, or the operator interrupts. `told` hears
/// after each look what is missing, and how long this has been waiting; within a node of a graph, its step says so.
///
/// # Errors
/// What `look` returns, [`Error::deadline`] naming `what` and what was missing last, or
/// [`Error::interrupted`].
pub async fn poll_until<T, F>(
    what: &str,
    patience: &Patience,
    mut look: impl FnMut() -> F,
    told: impl Fn(&str, Duration),
) -> Result<T>
where
    F: Future<Output = Result<Look<T>>>,
{
    let start = Instant::now();
    let end = start + patience.timeout;
    let mut pause = patience.first;
    let mut missing = String::from("nothing seen yet");
    loop {
        tokio::select! {
            biased;
            () = patience.cancel.reached(Stop::Soon) => {
                return Err(Error::interrupted(format!("interrupted while waiting for {what} ({missing})")));
            }
            looked = tokio::time::timeout_at(end, look()) => match looked {
                Ok(Ok(Look::Done(value))) => return Ok(value),
                Ok(Ok(Look::NotYet(why))) => missing = why,
                Ok(Err(e)) if e.is_retryable() => missing = e.to_string(),
                Ok(Err(e)) => return Err(e),
                Err(_) => return Err(late(what, patience.timeout, &missing)),
            }
        }
        told(&missing, start.elapsed());
        progress::tell(&format!("waiting for {what}: {missing}"));
        if Instant::now() + pause >= end {
            return Err(late(what, patience.timeout, &missing));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = patience.cancel.reached(Stop::Soon) => {}
        }
        pause = pause.mul_f32(1.5).min(patience.longest);
    }
}

fn late(what: &str, timeout: Duration, missing: &str) -> Error {
    Error::deadline(format!("waited {} for {what}: {missing}", seconds(timeout)))
}

/// A time in whole seconds, for people.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        1 => "1 second".to_owned(),
        n => format!("{n} seconds"),
    }
}
