//! Taking a lease, keeping it, and letting go of it.
use super::{
    record::{Held, Record, SKEW, Said, TTL, Verdict, decide},
    store::{self, Place},
};
use crate::{
    Error, Result,
    cloud::{
        Cloud,
        operations::{self, Operation},
        wait::seconds,
    },
    engine::{Cancel, Stop},
    error::{AwsDetail, Kind},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

/// How often a lease is renewed.
const RENEW: SignedDuration = SignedDuration::from_secs(30);
/// How often its holder looks at the clock: a computer that slept finds out within this.
const TICK: Duration = Duration::from_secs(1);
/// Tries against those who come at the same moment, or against answers that are late or lost, without waiting for anybody.
const TRIES: usize = 8;
/// Failures in a row that pass, beside what the SDK tries again by itself.
const FAULTS: usize = 3;
/// The pause between two looks, in milliseconds.
const PAUSE: std::ops::Range<u64> = 500..3000;
/// Of one who has waited for long, the most: all parameters of an account share 40 looks in a second (Systems Manager
/// endpoints and quotas).
const LONG_PAUSE: u64 = 10_000;
/// Of a try that was overtaken for the first time; it doubles, up to [`DOUBLED`] times: many that come at the same moment
/// would else overtake each other for ever, and bury what holds under more versions than AWS keeps.
const SHORT: std::ops::Range<u64> = 100..600;
const DOUBLED: u32 = 4;
/// A parameter may be read and put this far apart; later, its application may have been deleted and made anew.
const PROMPT: SignedDuration = SignedDuration::from_secs(60);
/// The time for letting go.
const RELEASE: Duration = Duration::from_secs(20);

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What for.
    pub place: Place,
    /// The command line, without what is secret.
    pub command: String,
    /// How long to wait for whoever has it; `None`: not at all.
    pub wait: Option<Duration>,
}

/// A lease that we have. Dropped without [`Lease::release`], it stays until it runs out, or until somebody sees that this
/// process is over.
pub struct Lease {
    place: Place,
    cloud: Arc<Cloud>,
    held: Arc<Mutex<Holding>>,
    renewal: JoinHandle<()>,
    /// Says that it is to be renewed no more.
    stop: watch::Sender<bool>,
    /// Whether the parameter was not there before.
    fresh: bool,
    /// Whether others had it when it was asked for.
    waited: bool,
}

/// What its holder knows of a lease.
#[derive(Debug)]
struct Holding {
    record: Record,
    /// The parameter's last version, as far as we know.
    last: i64,
    lost: bool,
}

/// Takes a lease, for whoever has the credentials of `caller`. `told` hears, at each look, who has it and how long that has been waited for.
///
/// # Errors
/// A refusal that says who has it, when there is no time to wait; [`Error::deadline`] after that time;
/// [`Error::interrupted`]; what Systems Manager answers.
pub async fn acquire(
    cloud: &Cloud,
    caller: &Cloud,
    wanted: &Wanted,
    cancel: &Cancel,
    told: impl Fn(&Held, Duration),
) -> Result<Lease> {
    let begun = Instant::now();
    let (place, name) = (&wanted.place, &wanted.place.parameter);
    let token = token()?;
    let (mut tries, mut faults, mut waited, mut overtaken) = (0, 0, false, 0);
    loop {
        let looked = Timestamp::now();
        let tried = async {
            let (seen, caller) = tokio::try_join!(store::read(cloud, name), caller.caller())?;
            let now = Timestamp::now();
            let over = match decide(seen.as_ref(), &token, now, |p| p.is_over()) {
                Verdict::Held(held) => return Ok(Tried::Held(held)),
                Verdict::Ours(last, record) => return Ok(Tried::Ours(last, record)),
                Verdict::Take(over) => over,
            };
            let record = Record::new(token.clone(), &caller.arn, &wanted.command, now);
            let said = Said::Held(record.clone());
            let Some(over) = over else {
                let made = store::create(cloud, place, &said).await?;
                return Ok(if made { Tried::Ours(1, record) } else { Tried::Overtaken });
            };
            let became = store::put(cloud, name, &said, over + 1).await?;
            if Timestamp::now().duration_since(looked) > PROMPT {
                // Those who come next need not wait until it runs out; if that cannot be said either, they must.
                if became == over + 1 {
                    let free = store::put(cloud, name, &Said::Free { claim: None }, became + 1);
                    let _ = tokio::time::timeout(RELEASE, free).await;
                }
                return Err(Error::failed(format!(
                    "taking the lease of {} took too long to be sure that nobody else has it",
                    place.what
                ))
                .hint("Run the same command again."));
            }
            if became == over + 1 { Ok(Tried::Ours(became, record)) } else { Ok(Tried::Overtaken) }
        };
        let tried = tokio::select! {
            biased;
            // What was put by then is left to be recognized as that of a process that is over.
            () = cancel.reached(Stop::Now) => return Err(interrupted(place)),
            tried = tried => tried,
        };
        let pause = match tried {
            Ok(Tried::Ours(last, record)) => {
                let fresh = last == 1;
                return Ok(Lease::hold(cloud, place.clone(), record, last, fresh, waited, cancel));
            }
            Ok(Tried::Held(held)) => {
                let Some(patience) = wanted.wait else { return Err(refusal(place, &held)) };
                let elapsed = begun.elapsed();
                if elapsed >= patience {
                    return Err(Error::deadline(format!(
                        "waited {} for {}: {held} works on it",
                        seconds(patience),
                        place.what
                    ))
                    .hint("Run the same command again, with a longer time, such as --wait-lock=30m."));
                }
                told(&held, elapsed);
                (waited, tries, faults, overtaken) = (true, 0, 0, overtaken / 2);
                before_next_look(elapsed).min(patience.saturating_sub(elapsed))
            }
            Ok(Tried::Overtaken) => {
                (tries, faults, overtaken) = (tries + 1, 0, overtaken + 1);
                if tries >= TRIES && wanted.wait.is_none_or(|w| begun.elapsed() >= w) {
                    let words = format!("could not lock {}: too many commands try at the same time", place.what);
                    return Err(Error::refused(words).hint(WAIT_HINT));
                }
                match wanted.wait {
                    Some(patience) => after(overtaken).min(patience.saturating_sub(begun.elapsed())),
                    // Who does not wait is told soon.
                    None => after(1),
                }
            }
            Err(e) if faults < FAULTS && (e.is_retryable() || unclear(&e)) => {
                faults += 1;
                Duration::from_millis(fastrand::u64(PAUSE))
            }
            Err(e) => return Err(e),
        };
        tokio::select! {
            biased;
            () = cancel.reached(Stop::Soon) => return Err(interrupted(place)),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// The pause of one who has waited for so long.
fn before_next_look(elapsed: Duration) -> Duration {
    let end = u64::try_from(elapsed.as_millis() / 8).unwrap_or(u64::MAX).clamp(PAUSE.end, LONG_PAUSE);
    Duration::from_millis(fastrand::u64(PAUSE.start..end))
}

/// The pause of one who was overtaken so many times.
fn after(overtaken: u32) -> Duration {
    let end = SHORT.end << (overtaken - 1).min(DOUBLED);
    Duration::from_millis(fastrand::u64(SHORT.start..end))
}

/// What became of one try.
enum Tried {
    /// We have it: the parameter's version, and what we wrote or would have written.
    Ours(i64, Record),
    Held(Held),
    /// Somebody else was faster, or the parameter is no longer what was read.
    Overtaken,
}

const WAIT_HINT: &str =
    "Run the same command again a moment later, or with --wait-lock (or --wait-lock=TIME), which waits for its turn.";

fn refusal(place: &Place, held: &Held) -> Error {
    let error = Error::refused(format!("{} is being worked on by {held}", place.what)).hint(WAIT_HINT);
    let end = (held.until + SKEW).strftime("%H:%M:%S UTC");
    error.hint(format!("Should that command no longer run: its lease ends by itself at {end}."))
}

fn interrupted(place: &Place) -> Error {
    Error::interrupted(format!("interrupted while waiting for {}; nothing was begun", place.what))
}

/// Whether AWS may have acted although no answer came.
fn unclear(e: &Error) -> bool {
    let wrote = |aws: &AwsDetail| aws.code.is_none() && !operations::find(&aws.operation).is_some_and(Operation::reads);
    e.kind() == Kind::Failed && e.aws().is_some_and(wrote)
}

/// Nobody else's, now or ever.
pub(crate) fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| Error::failed(format!("this computer has no random numbers: {e}")))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

impl Lease {
    fn hold(
        cloud: &Cloud,
        place: Place,
        record: Record,
        last: i64,
        fresh: bool,
        waited: bool,
        cancel: &Cancel,
    ) -> Self {
        let cloud = Arc::new(cloud.beside());
        let held = Arc::new(Mutex::new(Holding { record, last, lost: false }));
        let (stop, stopped) = watch::channel(false);
        let name = place.parameter.clone();
        let renewal = tokio::spawn(renew(cloud.clone(), name, held.clone(), cancel.clone(), stopped));
        Self { place, cloud, held, renewal, stop, fresh, waited }
    }

    /// Whether others had it when it was asked for: what was read before may no longer be true.
    pub fn waited(&self) -> bool {
        self.waited
    }

    /// Whether nobody had ever taken it before, as when there is no such application.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The failure of a holder whose lease ran out while it worked, as of a computer that slept.
    pub fn check(&self) -> Result<()> {
        if !holding(&self.held).lost {
            return Ok(());
        }
        Err(Error::failed(format!(
            "the lease of {} ran out while this command worked on it: somebody else may be working on it now",
            self.place.what
        ))
        .hint("This happens when a computer sleeps, or loses its connection. Run the same command again: it goes on."))
    }

    /// Lets go. With `remove` nothing stays of it: for what is no longer there.
    ///
    /// # Errors
    /// What Systems Manager answers: the lease then stays until it runs out.
    pub async fn release(mut self, remove: bool) -> Result<()> {
        self.stop.send_replace(true);
        let patient = tokio::time::timeout(RELEASE, async {
            // A renewal that is under way would come after what frees or removes it, and put the parameter anew.
            let _ = (&mut self.renewal).await;
            if holding(&self.held).lost || Timestamp::now() >= holding(&self.held).record.expires {
                return Ok(());
            }
            loop {
                let tried = if remove { self.removed().await } else { self.freed().await };
                match tried {
                    Err(e) if e.is_retryable() || unclear(&e) => {
                        tokio::time::sleep(Duration::from_millis(fastrand::u64(SHORT))).await;
                    }
                    other => return other,
                }
            }
        });
        let released = patient.await;
        let until = holding(&self.held).record.expires + SKEW;
        let name = &self.place.what;
        match released {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(e.context(format!("the lease of {name} stays until {}", until.strftime("%H:%M:%S UTC")))),
            Err(_) => Err(Error::failed(format!("the lease of {name} stays until it runs out: no answer in time"))),
        }
    }

    async fn freed(&self) -> Result<()> {
        self.write(&Said::Free { claim: None }).await
    }

    /// Only what is ours is removed: an answer that was lost may have been that of a removal.
    async fn removed(&self) -> Result<()> {
        let name = &self.place.parameter;
        let token = holding(&self.held).record.token.clone();
        match store::remove(&self.cloud, name).await {
            Err(e) if e.is_retryable() || unclear(&e) => {}
            other => return other,
        }
        match store::read(&self.cloud, name).await? {
            Some(seen) if matches!(&seen.said, Said::Held(r) if r.token == token) => {
                Err(Error::failed(format!("parameter {name} could not be removed")).retryable())
            }
            _ => Ok(()),
        }
    }

    async fn write(&self, said: &Said) -> Result<()> {
        write(&self.cloud, &self.place.parameter, &self.held, said).await.map(drop)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

fn holding(held: &Mutex<Holding>) -> std::sync::MutexGuard<'_, Holding> {
    held.lock().expect("no code panics while it holds this lock")
}

/// Writes as the holder, again when somebody who was too late came in between; `false` when somebody else has taken it
/// over: by a clock that is ahead of ours by more than [`SKEW`].
async fn write(cloud: &Cloud, name: &str, held: &Mutex<Holding>, said: &Said) -> Result<bool> {
    let token = holding(held).record.token.clone();
    let ours = |said: &Said| match said {
        Said::Held(record) => record.token == token,
        // What we freed ourselves.
        Said::Free { .. } => true,
        Said::Unknown => false,
    };
    for _ in 0..TRIES {
        let last = holding(held).last;
        let became = store::put(cloud, name, said, last + 1).await?;
        if became == last + 1 {
            holding(held).last = became;
            return Ok(true);
        }
        // A lower one: the parameter was removed, and this made it anew.
        let first = if became > last { last + 1 } else { 1 };
        if let Some((_, between)) = store::genuine(cloud, name, first, became - 1).await?
            && !ours(&between)
        {
            return Ok(false);
        }
        holding(held).last = became;
    }
    Err(Error::failed(format!("others keep writing parameter {name}")).retryable())
}

/// Renews the lease until it is let go of, or lost: then nothing new is to be started. A renewal that is under
/// way when it is stopped is brought to its end.
async fn renew(
    cloud: Arc<Cloud>,
    name: String,
    held: Arc<Mutex<Holding>>,
    cancel: Cancel,
    mut stopped: watch::Receiver<bool>,
) {
    let mut next = holding(&held).record.taken + RENEW;
    loop {
        tokio::select! {
            biased;
            _ = stopped.changed() => return,
            () = tokio::time::sleep(TICK) => {}
        }
        let now = Timestamp::now();
        let record = holding(&held).record.clone();
        let mut kept = now < record.expires;
        if kept && now >= next {
            let renewed = Record { expires: now + TTL, ..record.clone() };
            let left = Duration::try_from(record.expires.duration_since(now)).unwrap_or_default();
            let said = Said::Held(renewed.clone());
            match tokio::time::timeout(left, write(&cloud, &name, &held, &said)).await {
                Ok(Ok(true)) => {
                    holding(&held).record = renewed;
                    next = now + RENEW;
                }
                Ok(Ok(false)) => kept = false,
                // Tried again while it lasts.
                Ok(Err(_)) | Err(_) => next = now + RENEW / 6,
            }
        }
        if !kept {
            holding(&held).lost = true;
            if cancel.state() == Stop::No && !*stopped.borrow() {
                cancel.advance();
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests;
