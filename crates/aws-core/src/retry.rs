//! Trying again what passes with time.
use crate::{
    Error, Result,
    cancel::{Cancel, Stop},
};
use std::time::Duration;
use tokio::time::Instant;

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long and how often.
pub(crate) struct Bounds<'a> {
    /// What is tried, for errors.
    pub(crate) what: String,
    /// Time for all of it.
    pub(crate) deadline: Duration,
    /// Before the second attempt; it doubles.
    pub(crate) pause: Duration,
    /// The operator's Ctrl-C.
    pub(crate) cancel: &'a Cancel,
}

/// Tries until it works, fails for good, the deadline passes, or the operator interrupts. `told` hears of each pause;
/// `attempt`, whether it is another one.
///
/// # Errors
/// The last attempt's; a deadline; an interruption.
pub(crate) async fn retrying(
    bounds: &Bounds<'_>,
    told: impl Fn(&Error, Duration),
    mut attempt: impl AsyncFnMut(bool) -> Result<()>,
) -> Result<()> {
    let Bounds { what, deadline: within, .. } = bounds;
    let deadline = Instant::now() + *within;
    let (mut pause, mut again) = (bounds.pause, false);
    loop {
        let Ok(tried) = tokio::time::timeout_at(deadline, attempt(again)).await else {
            return Err(Error::deadline(format!("{what}: not done within {within:?}")));
        };
        let Err(error) = tried else { return Ok(()) };
        pause = pause.max(error.pause());
        if !error.is_retryable() || Instant::now() + pause >= deadline {
            return Err(error);
        }
        told(&error, pause);
        tokio::select! {
            biased;
            () = bounds.cancel.reached(Stop::Soon) => {
                let text = format!("{what}: interrupted before another try: {error}");
                return Err(Error::interrupted(text).caused_by(error));
            }
            () = tokio::time::sleep(pause) => {}
        }
        (pause, again) = ((pause * 2).min(LONGEST_PAUSE), true);
    }
}
