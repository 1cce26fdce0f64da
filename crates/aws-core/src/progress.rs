//! What work says of itself, to whoever runs it, however many calls lie between.
use crate::Error;
use std::{pin::pin, time::Duration};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Something to tell the operator. Whoever listens decides on the words' looks, not on the words.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins. `text` is the step line without its result.
    Begin {
        /// Tells steps that run at the same time apart.
        step: u64,
        /// `Creating load balancer for myapp version 2.0`.
        text: &'a str,
        /// It fails when it takes longer.
        within: Duration,
    },
    /// A step still goes on; `note` says what it waits for.
    Tick {
        /// The step.
        step: u64,
        /// E.g. `1 of 2 targets healthy`.
        note: &'a str,
    },
    /// A step failed in a way that passes, and will be tried again.
    Retry {
        /// The step.
        step: u64,
        /// Why.
        error: &'a Error,
        /// When.
        pause: Duration,
    },
    /// A step ended.
    End {
        /// The step.
        step: u64,
        /// Why it failed.
        error: Option<&'a Error>,
    },
}

/// Whoever listens to [`Event`]s.
pub trait Observer: Send + Sync {
    /// Something happened. Called from many tasks; must not block for long.
    fn event(&self, event: Event<'_>);
    /// Something that the operator should know, of the plan or of one resource, once for each run.
    fn warn(&self, _: &str) {}
}

/// Listens and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;
impl Observer for Quiet {
    fn event(&self, _: Event<'_>) {}
}

/// What work says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// What it waits for.
    Waiting(String),
    /// What the operator should know, although the work goes on: whole sentences.
    Warning(String),
}

tokio::task_local! {
    static NOTES: UnboundedSender<Note>;
}

/// Says what is awaited; nobody hears it outside of [`heard`].
pub(crate) fn tell(note: &str) {
    let _ = NOTES.try_with(|notes| notes.send(Note::Waiting(note.to_owned())));
}

/// Says what the operator should know; nobody hears it outside of [`heard`].
pub(crate) fn warn(text: impl Into<String>) {
    let _ = NOTES.try_with(|notes| notes.send(Note::Warning(text.into())));
}

/// Runs `work`; `told` hears what it tells.
pub(crate) async fn heard<T>(work: impl Future<Output = T>, told: impl Fn(Note)) -> T {
    let (sender, mut notes) = unbounded_channel();
    let mut work = pin!(NOTES.scope(sender, work));
    let done = loop {
        tokio::select! {
            biased;
            Some(note) = notes.recv() => told(note),
            done = &mut work => break done,
        }
    };
    // A warning may be the last that it did.
    while let Ok(note) = notes.try_recv() {
        if matches!(note, Note::Warning(_)) {
            told(note);
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test(start_paused = true)]
    async fn each_hears_its_own() {
        let heard_of = Mutex::new(Vec::new());
        let work = async |name: &str| {
            for n in 0..2 {
                tell(&format!("{name}{n}"));
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        };
        let told = |who: &'static str| {
            let heard_of = &heard_of;
            move |note: Note| match note {
                Note::Waiting(note) => heard_of.lock().unwrap().push(format!("{who} {note}")),
                Note::Warning(text) => panic!("a warning: {text}"),
            }
        };
        tell("nobody");
        tokio::join!(heard(work("a"), told("A")), heard(work("b"), told("B")));
        let mut heard_of = heard_of.into_inner().unwrap();
        heard_of.sort();
        assert_eq!(heard_of, ["A a0", "A a1", "B b0", "B b1"]);
    }

    #[tokio::test]
    async fn a_warning_at_the_end_is_heard() {
        let heard_of = Mutex::new(Vec::new());
        let work = async {
            tell("soon");
            warn("careful");
            7
        };
        assert_eq!(heard(work, |note| heard_of.lock().unwrap().push(note)).await, 7);
        assert!(heard_of.into_inner().unwrap().contains(&Note::Warning("careful".into())));
    }
}
