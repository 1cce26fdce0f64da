//! Step lines: `Creating load balancer for myapp version 2.0.. OK`.
//!
//! Several steps may run at the same time. Where lines can be redrawn, what is running is shown at the
//! bottom and moves above when it ends. Elsewhere one whole line is written when the step ends, so that
//! lines never mix; of long ones a sign of life is given now and then. One task, which lives as long as
//! steps are running, turns the spinners and speaks for the steps that are silent.
use crate::{Terminal, look};
use aws_core::{Result, error::Kind};
use dialoguer::console::{measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, task::JoinHandle, time::Instant};

/// How often a step that is not drawn live gives a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);
/// How often the live lines' spinners turn.
const SPIN: Duration = Duration::from_millis(120);
/// From when on a live line says how long the step has been running.
const LONG: Duration = Duration::from_secs(10);
/// Columns that a waiting line's dots may fill up to.
const DOTS_UP_TO: usize = 72;
/// Steps that the engine numbers lie below this, the terminal's own above.
const OWN: u64 = 1 << 63;

#[derive(Debug, Default)]
pub(crate) struct Steps {
    board: Mutex<Board>,
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct Board {
    running: BTreeMap<u64, Running>,
    /// The task that shows that there is life, while there is something to show.
    pulse: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Running {
    text: String,
    /// Progress dots, of steps that wait.
    dots: Option<usize>,
    begun: Instant,
    /// How long it may take.
    within: Option<Duration>,
    /// What was last said of it.
    note: String,
    /// When something was last heard of it.
    heard: Instant,
    /// When something was last told of it.
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Running {
    /// The line without its result.
    fn line(&self) -> String {
        match self.dots {
            None => format!("{}.. ", self.text),
            // With dots, as ever: `Waiting for instance start and LB......OK`.
            Some(0) => format!("{}.. ", self.text),
            Some(n) => {
                let room = DOTS_UP_TO.saturating_sub(measure_text_width(&self.text)).max(6);
                format!("{}{}", self.text, ".".repeat((n + 2).min(room)))
            }
        }
    }

    /// How long already, and how long yet: `2 min, 13 min left`.
    fn times(&self) -> String {
        let since = self.begun.elapsed();
        match self.within {
            Some(within) => format!("{}, {} left", span(since), span(within.saturating_sub(since))),
            None => span(since),
        }
    }

    /// The line as it is drawn live, `room` columns wide at most.
    fn live(&self, room: usize) -> String {
        let times = if self.begun.elapsed() >= LONG { format!(" ({})", self.times()) } else { String::new() };
        live(self.line().trim_end(), &self.note, &times, room)
    }

    /// The line that says it still goes on, `room` columns wide at most.
    fn sign_of_life(&mut self, room: usize) -> String {
        self.told = Instant::now();
        let begin = match (self.dots, self.note.as_str()) {
            (None, "") => format!("  still working: {}", self.text),
            (_, "") => format!("  {}", self.text),
            _ => format!("  {}:", self.text),
        };
        live(&begin, &self.note, &format!(" ({})", self.times()), room)
    }

    /// When a silent step is spoken for. One that is heard of tells about itself, with news.
    fn due(&self) -> Instant {
        self.told.max(self.heard) + SIGN_OF_LIFE
    }
}

impl Terminal {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.steps.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Columns of a live line beside its spinner.
    fn live_room(&self) -> usize {
        self.0.err.width().unwrap_or(usize::MAX).saturating_sub(2)
    }

    pub(crate) fn begin(&self, id: u64, text: &str, waits: bool, within: Option<Duration>) {
        let text = look::plain(text).replace('\n', " ");
        let bar = self.0.live.as_ref().map(|live| {
            let bar = live.add(ProgressBar::new_spinner());
            // `wide_msg` is cut at the terminal's width, so that a line drawn live never wraps.
            bar.set_style(
                ProgressStyle::with_template("{spinner} {wide_msg}")
                    .expect("the template is a constant")
                    .tick_strings(&["|", "/", "-", "\\", " "]),
            );
            bar.set_message(format!("{text}.."));
            bar
        });
        let now = Instant::now();
        let dots = waits.then_some(0);
        let note = String::new();
        let step = Running { text, dots, begun: now, within, note, heard: now, told: now, bar };
        let mut board = self.board();
        let forgotten = board.running.insert(id, step);
        self.keep_pulse(&mut board);
        drop(board);
        if let Some(bar) = forgotten.and_then(|r| r.bar) {
            self.drop_bar(&bar);
        }
    }

    /// A step goes on; `dot` adds a progress dot to one that waits.
    pub(crate) fn tick(&self, id: u64, note: &str, dot: bool) {
        let mut board = self.board();
        let room = self.live_room();
        let Some(step) = board.running.get_mut(&id) else { return };
        step.note = look::plain(note).replace('\n', " ").trim().to_owned();
        step.heard = Instant::now();
        if dot && let Some(n) = &mut step.dots {
            *n += 1;
        }
        if let Some(bar) = &step.bar {
            bar.set_message(step.live(room));
        } else if step.told.elapsed() >= SIGN_OF_LIFE {
            self.progress(&step.sign_of_life(room));
        }
    }

    /// Has the pulse beat while steps are running. Without a runtime there is none: steps then only show
    /// that they go on when they say so themselves.
    fn keep_pulse(&self, board: &mut Board) {
        // It has finished without a word when its runtime is gone.
        let beats = board.pulse.as_ref().is_some_and(|p| !p.is_finished());
        if beats || self.0.quiet {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let inner = Arc::downgrade(&self.0);
        board.pulse = Some(runtime.spawn(async move {
            while let Some(next) = inner.upgrade().and_then(|inner| Self(inner).beat()) {
                tokio::time::sleep_until(next).await;
            }
        }));
    }

    /// Shows that the steps go on; says when to do so again, or that nothing is left to show.
    ///
    /// The board stays locked meanwhile, so that nothing is said of a step after its end.
    fn beat(&self) -> Option<Instant> {
        let mut board = self.board();
        let now = Instant::now();
        let room = self.live_room();
        for step in board.running.values_mut() {
            match &step.bar {
                Some(bar) => {
                    let line = step.live(room);
                    if bar.message() != line {
                        bar.set_message(line);
                    }
                    bar.tick();
                }
                None if step.due() <= now => self.progress(&step.sign_of_life(room)),
                None => {}
            }
        }
        // A step that begins before the next beat is due after it.
        let due = |step: &Running| if step.bar.is_some() { now + SPIN } else { step.due() };
        let next = board.running.values().map(due).min();
        if next.is_none() {
            board.pulse = None;
        }
        next
    }

    pub(crate) fn end(&self, id: u64, result: Result<&str, &str>) {
        let Some(step) = self.board().running.remove(&id) else { return };
        if let Some(bar) = &step.bar {
            self.drop_bar(bar);
        }
        let words = match result {
            Ok(words) => self.tint(look::GOOD, &look::plain(words)),
            Err(words) => self.tint(look::BAD, &look::plain(words)),
        };
        self.progress(&format!("{}{words}", step.line()));
    }

    fn progress(&self, line: &str) {
        if !self.0.quiet {
            self.note(line);
        }
    }

    fn drop_bar(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        if let Some(live) = &self.0.live {
            live.remove(bar);
        }
    }

    fn own(&self, text: &str, waits: bool, within: Option<Duration>) -> Step {
        let id = OWN | self.0.steps.next.fetch_add(1, Ordering::Relaxed);
        self.begin(id, text, waits, within);
        Step { terminal: self.clone(), id, open: true }
    }

    /// Begins a step that is not the engine's: `Checking Docker registry.. OK`.
    pub fn step(&self, text: &str) -> Step {
        self.own(text, false, None)
    }

    /// Begins a step that waits, for so long at most; each [`Step::tick`] adds a dot:
    /// `Waiting for instance start and LB......OK`.
    pub fn waiting(&self, text: &str, within: Duration) -> Step {
        self.own(text, true, Some(within))
    }

    /// Runs `future` as a step, and ends its line with how it went.
    ///
    /// # Errors
    /// The future's.
    pub async fn during<T>(&self, text: &str, future: impl Future<Output = Result<T>>) -> Result<T> {
        let step = self.step(text);
        let result = Box::pin(future).await;
        step.end(result)
    }

    /// Takes the live lines off the screen for good, before the process ends by force.
    pub(crate) fn clear(&self) {
        if let Some(live) = &self.0.live {
            let _ = live.clear();
        }
        if self.0.interactive {
            let _ = dialoguer::console::Term::stderr().show_cursor();
        }
    }
}

/// A line of at most `room` columns: the times stay; what is awaited matters more than the end of the step's text.
fn live(line: &str, note: &str, times: &str, room: usize) -> String {
    let note = note.trim();
    let whole = if note.is_empty() { format!("{line}{times}") } else { format!("{line} {note}{times}") };
    if measure_text_width(&whole) <= room {
        return whole;
    }
    let room = room.saturating_sub(measure_text_width(times));
    if note.is_empty() {
        return format!("{}{times}", truncate_str(line, room, ".."));
    }
    let left = room.saturating_sub(measure_text_width(note) + 1).max(room / 2);
    let line = truncate_str(line, left, "..");
    let rest = room.saturating_sub(measure_text_width(&line) + 1);
    format!("{line} {}{times}", truncate_str(note, rest, ".."))
}

/// A time as people say it: `95 s`, `13 min`, `1 h 20 min`.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A step under way. Dropped before its end, it has `FAILED`.
#[derive(Debug)]
#[must_use = "a step that is dropped at once has failed"]
pub struct Step {
    terminal: Terminal,
    id: u64,
    open: bool,
}

impl Step {
    /// It still goes on; `note` says what it waits for (`1 of 2 targets healthy`).
    pub fn tick(&self, note: &str) {
        self.terminal.tick(self.id, note, true);
    }
    /// It is done.
    pub fn ok(self) {
        self.close(Ok("OK"));
    }
    /// It is done, and there is something to say about it: `OK (already there)`.
    pub fn ok_with(self, note: &str) {
        self.close(Ok(&format!("OK ({note})")));
    }
    /// It failed.
    pub fn failed(self) {
        self.close(Err("FAILED"));
    }
    /// It ended in another way: what is said goes where `FAILED` would stand.
    pub fn otherwise(self, words: &str) {
        self.close(Err(words));
    }
    /// It ended as `result` says, which is handed back.
    ///
    /// # Errors
    /// Those of `result`.
    pub fn end<T>(self, result: Result<T>) -> Result<T> {
        self.close(match &result {
            Ok(_) => Ok("OK"),
            Err(e) if e.kind() == Kind::Interrupted => Err("INTERRUPTED"),
            Err(_) => Err("FAILED"),
        });
        result
    }
    fn close(mut self, words: Result<&str, &str>) {
        self.open = false;
        self.terminal.end(self.id, words);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.open {
            self.terminal.end(self.id, Err("FAILED"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::Error;

    #[tokio::test]
    async fn ends_of_steps() {
        let (terminal, captured) = Terminal::captured(80, true);
        terminal.step("Checking Docker registry ").ok();
        terminal.step("Checking A").ok_with("already there");
        terminal.step("Checking B").failed();
        drop(terminal.step("Checking C"));
        assert_eq!(terminal.during("Checking D", async { Ok(1) }).await.unwrap(), 1);
        assert!(terminal.during("Checking E", async { Err::<(), _>(Error::failed("no")) }).await.is_err());
        assert!(terminal.during("Checking F", async { Err::<(), _>(Error::interrupted("no")) }).await.is_err());
        assert_eq!(
            captured.err(),
            "Checking Docker registry .. OK\nChecking A.. OK (already there)\nChecking B.. FAILED\nChecking C.. FAILED\n\
             Checking D.. OK\nChecking E.. FAILED\nChecking F.. INTERRUPTED\n"
        );
        assert_eq!(captured.out(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_prints_dots_and_signs_of_life() {
        let (terminal, captured) = Terminal::captured(80, false);
        let step = terminal.waiting("Waiting for LB members to become active", Duration::from_secs(900));
        for healthy in 0..4 {
            step.tick(&format!("{healthy} of 4 targets healthy"));
            tokio::time::advance(Duration::from_secs(20)).await;
        }
        step.ok();
        let minute = Duration::from_secs(60);
        terminal.waiting("Waiting for nothing", minute).ok();
        let long = terminal.waiting("Waiting long", minute);
        (0..1000).for_each(|_| long.tick(""));
        long.failed();
        let err = captured.err();
        let lines: Vec<&str> = err.lines().collect();
        assert_eq!(lines[0], "  Waiting for LB members to become active: 2 of 4 targets healthy (40 s, 14 min left)");
        assert_eq!(lines[1], "Waiting for LB members to become active......OK");
        assert_eq!(lines[2], "Waiting for nothing.. OK");
        assert!(lines[3].ends_with("..FAILED") && lines[3].len() < 80, "{}", lines[3]);
    }

    #[tokio::test(start_paused = true)]
    async fn silent_steps_show_signs_of_life() {
        let (terminal, captured) = Terminal::captured(80, false);
        let silent = terminal.step("Deleting auto scaling group for x");
        let short = terminal.step("Deleting key pair");
        tokio::time::sleep(Duration::from_secs(20)).await;
        short.ok();
        tokio::time::sleep(Duration::from_secs(45)).await;
        silent.tick("2 of 3 instances gone");
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert_eq!(
            captured.err(),
            "Deleting key pair.. OK\n  still working: Deleting auto scaling group for x (30 s)\n  \
             still working: Deleting auto scaling group for x (60 s)\n"
        );
        tokio::time::sleep(Duration::from_secs(7)).await;
        silent.ok();
        // Nothing comes after the end, and the pulse stops, until there is another step.
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert!(terminal.board().pulse.is_none());
        let end = "  Deleting auto scaling group for x: 2 of 3 instances gone (95 s)\nDeleting auto scaling group for x.. OK\n";
        assert!(captured.err().ends_with(end), "{}", captured.err());
        let step = terminal.step("Deleting role");
        tokio::time::sleep(Duration::from_secs(31)).await;
        drop(step);
        assert!(captured.err().ends_with("  still working: Deleting role (30 s)\nDeleting role.. FAILED\n"));
    }

    #[test]
    fn a_pulse_dies_with_its_runtime_and_is_replaced() {
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (terminal, captured) = Terminal::captured(80, false);
        let outer = terminal.step("Begun without a runtime");
        assert!(terminal.board().pulse.is_none());
        let leaked = runtime().block_on(async { terminal.step("Left behind") });
        let begun = std::time::Instant::now();
        runtime().block_on(async {
            terminal.step("Begun with one").ok();
            tokio::time::sleep(Duration::from_secs(31)).await;
        });
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(captured.err().contains("  still working: Left behind ("), "{}", captured.err());
        drop((outer, leaked));
    }

    #[test]
    fn live_lines_fit_and_keep_their_notes_and_times() {
        let line = "Waiting for LB members to become active...";
        let note = "1 of 2 targets healthy";
        assert_eq!(live(line, note, " (60 s)", 80), format!("{line} {note} (60 s)"));
        assert_eq!(live(line, "1 of 2 healthy", "", 38), "Waiting for LB member.. 1 of 2 healthy");
        assert_eq!(live(line, note, " (60 s)", 38), "Waiting for L.. 1 of 2 target.. (60 s)");
        assert_eq!(live(line, "", " (60 s)", 38), "Waiting for LB members to bec.. (60 s)");
        // 80 columns: the reason is cut, the times are not.
        let reasons = "0 of 2 targets healthy; Target.FailedHealthChecks: Health checks failed with these codes: [503]";
        let cut = live(line, reasons, " (2 min, 13 min left)", 78);
        assert!(measure_text_width(&cut) <= 78 && cut.ends_with("(2 min, 13 min left)"), "{cut}");
    }

    #[test]
    fn times_as_people_say_them() {
        let said = [0, 59, 119, 120, 899, 7199, 7200, 86400].map(|s| span(Duration::from_secs(s)));
        assert_eq!(said, ["0 s", "59 s", "119 s", "2 min", "14 min", "119 min", "2 h 0 min", "24 h 0 min"]);
    }

    #[test]
    fn quiet_says_nothing() {
        let globals = crate::Globals { quiet: true, ..Default::default() };
        let (terminal, captured) = Terminal::captured_with(80, false, &globals);
        terminal.step("Checking A").ok();
        assert_eq!(captured.err(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_has_no_pulse() {
        let globals = crate::Globals { quiet: true, ..Default::default() };
        let (terminal, captured) = Terminal::captured_with(80, false, &globals);
        let step = terminal.step("Checking A");
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(terminal.board().pulse.is_none());
        step.ok();
        assert_eq!(captured.err(), "");
    }
}
