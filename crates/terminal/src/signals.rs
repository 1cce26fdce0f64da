//! Ctrl-C, SIGTERM and SIGHUP (a terminal that was closed): the first ends gently, the second at once, the third by force.
use crate::{Exit, Terminal};
use aws_core::{
    Error, Result,
    engine::{Cancel, Stop},
};

/// Listens for interrupts from now on, and passes them to `cancel`. Call it once, in the async runtime.
pub fn listen(cancel: Cancel, terminal: Terminal) {
    tokio::spawn(async move {
        let Some(mut signals) = Signals::new() else {
            terminal.detail("interrupts cannot be listened for; Ctrl-C ends the program at once");
            return;
        };
        for n in 1.. {
            signals.next().await;
            if n > 2 {
                terminal.clear();
                #[expect(clippy::exit, reason = "asked for three times: whatever hangs must not hold the operator")]
                std::process::exit(Exit::Interrupted.code().into());
            }
            terminal.interrupted(cancel.advance());
        }
    });
}

/// Runs `future`, unless the operator interrupts it: for what only reads, where there is nothing to finish.
///
/// # Errors
/// The future's, or [`aws_core::error::Kind::Interrupted`].
pub async fn interruptible<T>(cancel: &Cancel, future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.reached(Stop::Soon) => Err(Error::interrupted("interrupted")),
        result = Box::pin(future) => result,
    }
}

/// Runs `work`; at the first interrupt, lets what is in flight be finished, and then leaves the rest; at the second, leaves
/// all. `work` may as well end itself.
///
/// # Errors
/// Those of `work`, or [`aws_core::error::Kind::Interrupted`] with what may have happened.
pub async fn gently<T>(cancel: &Cancel, work: impl Future<Output = Result<T>>) -> Result<T> {
    leaving(cancel, cancel.in_flight().idle(), work).await
}

/// As [`gently`], around all of a command: what has to do something at its end is let do so.
///
/// # Errors
/// As [`gently`].
pub async fn command<T>(cancel: &Cancel, work: impl Future<Output = Result<T>>) -> Result<T> {
    let idle = async {
        cancel.undertakings().idle().await;
        cancel.in_flight().idle().await;
    };
    leaving(cancel, idle, work).await
}

async fn leaving<T>(cancel: &Cancel, idle: impl Future, work: impl Future<Output = Result<T>>) -> Result<T> {
    let left = async {
        cancel.reached(Stop::Soon).await;
        tokio::select! {
            biased;
            _ = idle => Vec::new(),
            () = cancel.reached(Stop::Now) => {
                // Known before it is dropped; whoever has something to say at the end says it now.
                let names = cancel.in_flight().names();
                for _ in 0..YIELDS {
                    tokio::task::yield_now().await;
                }
                names
            }
        }
    };
    tokio::select! {
        // Work that heeds the interrupt by itself has the first word.
        biased;
        // Boxed: each function that a future is handed through would else hold it twice.
        done = Box::pin(work) => done,
        names = left => Err(stopped(&names)),
    }
}

/// So often other tasks and the work itself are looked after before it is left.
const YIELDS: u32 = 100;

fn stopped(in_flight: &[String]) -> Error {
    if in_flight.is_empty() {
        return Error::interrupted("interrupted; nothing was in flight").hint(AGAIN);
    }
    let names = in_flight.join(", ");
    Error::interrupted(format!("interrupted while this was in flight, which may have happened: {names}")).hint(AGAIN)
}

/// What both interrupts leave behind.
const AGAIN: &str = "Run the same command again: it looks at what is there, and goes on.";

impl Terminal {
    fn interrupted(&self, stop: Stop) {
        let text = match stop {
            Stop::No => return,
            Stop::Soon => "Interrupted: finishing what is in flight; press Ctrl-C again to stop at once.",
            Stop::Now => "Interrupted again: stopping at once; what was in flight may have happened.",
        };
        self.note(&self.tint(crate::look::WARN, text));
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// None where it is ignored: `nohup` means that a closed terminal ends nothing.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        let terminate = signal(SignalKind::terminate()).ok()?;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let hangup = if ignores_hangup(&status) { None } else { signal(SignalKind::hangup()).ok() };
        Some(Self { interrupt, terminate, hangup })
    }
    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether this process ignores SIGHUP, by what Linux says of it (proc(5), `SigIgn`).
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Self)
    }
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reading_ends_at_the_first_interrupt() {
        let cancel = Cancel::default();
        assert_eq!(interruptible(&cancel, async { Ok(1) }).await.unwrap(), 1);
        cancel.advance();
        let ended = interruptible(&cancel, std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(Exit::of(&ended), Exit::Interrupted);
    }

    #[tokio::test]
    async fn what_is_in_flight_is_finished_and_nothing_else() {
        let cancel = Cancel::default();
        let read = gently(&cancel, std::future::pending::<Result<()>>());
        let (ended, _) = tokio::join!(read, async { cancel.advance() });
        assert_eq!(ended.unwrap_err().to_string(), "interrupted; nothing was in flight");

        let cancel = Cancel::default();
        let work = async {
            let held = cancel.in_flight().hold("Route 53: ChangeResourceRecordSets");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            drop(held);
            std::future::pending::<Result<()>>().await
        };
        let (ended, _) = tokio::join!(gently(&cancel, work), async { cancel.advance() });
        assert_eq!(ended.unwrap_err().to_string(), "interrupted; nothing was in flight");

        // What heeds the interrupt itself has the first word.
        let cancel = Cancel::default();
        let heeding = async {
            cancel.reached(Stop::Soon).await;
            Err::<(), _>(Error::interrupted("while waiting for x"))
        };
        let (ended, _) = tokio::join!(gently(&cancel, heeding), async { cancel.advance() });
        assert_eq!(ended.unwrap_err().to_string(), "while waiting for x");
    }

    #[tokio::test]
    async fn the_second_interrupt_names_what_was_in_flight() {
        let cancel = Cancel::default();
        let work = async {
            let _held = cancel.in_flight().hold("EC2: CreateVpc");
            std::future::pending::<Result<()>>().await
        };
        let twice = async {
            cancel.advance();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            cancel.advance();
        };
        let (ended, ()) = tokio::join!(command(&cancel, work), twice);
        let error = ended.unwrap_err();
        assert!(error.to_string().ends_with("may have happened: EC2: CreateVpc"), "{error}");
        assert_eq!(Exit::of(&error), Exit::Interrupted);
    }

    #[cfg(unix)]
    #[test]
    fn nohup_is_heeded() {
        assert!(ignores_hangup("Name:\tminion\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000000\n"));
        assert!(!ignores_hangup("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
        assert!(!ignores_hangup(""));
    }

    #[test]
    fn each_interrupt_says_what_it_does() {
        let (terminal, captured) = Terminal::captured(80, false);
        let cancel = Cancel::default();
        terminal.interrupted(cancel.advance());
        terminal.interrupted(cancel.advance());
        assert_eq!(
            captured.err(),
            "Interrupted: finishing what is in flight; press Ctrl-C again to stop at once.\nInterrupted again: stopping at once; what was in flight may have happened.\n"
        );
    }
}
