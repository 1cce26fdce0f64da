//! Several who change the same records at the same time: whoever was too late looks again.
use aws_core::{
    Error, Result,
    cloud::{Cloud, dns},
    engine::{Cancel, Stop, World as _},
};
use std::time::Duration;
use tokio::time::Instant;

/// How long others may keep one from having a turn. Each time one is too late, another one was not.
const PATIENCE: Duration = Duration::from_secs(180);
/// The longest pause before another look; the first one is a tenth of a second.
const LONGEST: Duration = Duration::from_secs(3);

/// Runs `attempt`, which looks, decides and writes; and runs it anew, with all that was read forgotten, when the records
/// were no longer what it had read, or when an answer was lost. `what` names what is changed.
///
/// # Errors
/// What `attempt` returns otherwise; that others go on changing the records; an interruption.
pub async fn in_turn<T>(
    cloud: &Cloud,
    cancel: &Cancel,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let begun = Instant::now();
    let mut bound = Duration::from_millis(100);
    loop {
        let error = match attempt().await {
            Err(e) if dns::is_outdated(&e) || e.is_retryable() => e,
            other => return other,
        };
        let pause = bound.mul_f64(fastrand::f64()).max(error.pause());
        bound = (bound * 2).min(LONGEST);
        if begun.elapsed() + pause >= PATIENCE {
            if !dns::is_outdated(&error) {
                return Err(error);
            }
            let seconds = begun.elapsed().as_secs();
            return Err(Error::failed(format!(
                "{what} is changed by others at the same time, for {seconds} s: {error}"
            ))
            .hint("Nothing was changed. Run the same command again when they are done."));
        }
        tokio::select! {
            biased;
            () = cancel.reached(Stop::Soon) => {
                let interrupted = if dns::is_outdated(&error) {
                    Error::interrupted(format!("interrupted before {what} was changed"))
                } else {
                    Error::interrupted(format!("interrupted before it was known whether {what} was changed"))
                        .hint("Run the same command again: it looks at what is there, and goes on.")
                };
                return Err(interrupted.caused_by(error));
            }
            () = tokio::time::sleep(pause) => {}
        }
        cloud.forget();
    }
}
