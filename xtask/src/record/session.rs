//! Runs commands in a pseudo-terminal and keeps what it shows. Long waits are cut.
use super::{
    screen::{self, Screen},
    story::{Step, Story},
};
use anyhow::{Context as _, Result, bail};
use pty_process::blocking::{Command, open};
use std::{
    ffi::OsString,
    io::Read as _,
    num::NonZeroU16,
    path::PathBuf,
    process,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Nothing happens for longer than this in the picture.
const PAUSE: Duration = Duration::from_millis(500);
/// A command's output takes at most this long in the picture.
const LONGEST: Duration = Duration::from_millis(4500);
/// Two pictures are at least this far apart.
const BEAT: Duration = Duration::from_millis(150);
/// How long a comment, a typed command, the end of a command's output and the last picture stand.
const SAID: Duration = Duration::from_millis(900);
const TYPED: Duration = Duration::from_millis(600);
const READ: Duration = Duration::from_millis(1600);
const LAST: Duration = Duration::from_secs(6);
/// How often we look whether a silent command has ended.
const LOOK: Duration = Duration::from_millis(50);

const PROMPT: &str = "\x1b[1;32m$\x1b[0m ";

/// A picture, and how long it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shot {
    pub(super) lasts: Duration,
    pub(super) screen: Screen,
}

/// A session in progress.
pub(super) struct Session {
    parser: vt100::Parser,
    size: (u16, u16),
    directory: PathBuf,
    variables: Vec<(OsString, OsString)>,
    shots: Vec<Shot>,
}

impl Session {
    pub(super) fn new(story: &Story, directory: PathBuf) -> Self {
        let at_least_one = |size| NonZeroU16::new(size).unwrap_or(NonZeroU16::MIN);
        let mut session = Self {
            parser: vt100::Parser::new(at_least_one(story.rows), at_least_one(story.columns), 0),
            size: (story.rows, story.columns),
            directory,
            variables: Vec::new(),
            shots: Vec::new(),
        };
        session.set("TERM", "xterm-256color");
        session
    }

    /// A variable of the commands' environment.
    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.push((name.into(), value.into()));
    }

    pub(super) fn play(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Clear => self.parser.process(b"\x1b[2J\x1b[H"),
            Step::Set(name, value) => self.set(name, value),
            Step::Behind(line) => self.behind(line)?,
            Step::Say(words) => {
                if self.parser.screen().cursor_position().0 > 0 {
                    self.show("\r\n");
                }
                self.show(&format!("\x1b[2m# {words}\x1b[0m\r\n"));
                self.shoot(SAID);
            }
            Step::Run(line) => self.run(line)?,
        }
        Ok(())
    }

    /// All pictures, the last one to stand longer.
    pub(super) fn end(mut self) -> Vec<Shot> {
        self.show(PROMPT);
        self.shoot(LAST);
        self.shots
    }

    fn show(&mut self, text: &str) {
        self.parser.process(text.as_bytes());
    }

    fn shoot(&mut self, lasts: Duration) {
        let screen = screen::shown(self.parser.screen());
        match self.shots.last_mut() {
            Some(last) if last.screen == screen => last.lasts += lasts,
            _ => self.shots.push(Shot { lasts, screen }),
        }
    }

    fn behind(&self, line: &str) -> Result<()> {
        let mut command = process::Command::new("sh");
        command.args(["-c", line]).envs(self.variables.iter().map(|(n, v)| (n, v))).current_dir(&self.directory);
        let done = command.output().with_context(|| format!("cannot run `{line}`"))?;
        if !done.status.success() {
            bail!("`{line}` ended with {}: {}", done.status, String::from_utf8_lossy(&done.stderr));
        }
        Ok(())
    }

    fn run(&mut self, line: &str) -> Result<()> {
        self.show(PROMPT);
        self.shoot(BEAT);
        // Typed in three goes.
        let letters: Vec<char> = line.chars().collect();
        for part in letters.chunks(letters.len().div_ceil(3).max(1)) {
            self.show(&part.iter().collect::<String>());
            self.shoot(BEAT);
        }
        self.shoot(TYPED);
        self.show("\r\n");
        let (pty, pts) = open()?;
        pty.resize(pty_process::Size::new(self.size.0, self.size.1))?;
        let variables = self.variables.iter().map(|(n, v)| (n, v));
        let command = Command::new("sh").args(["-c", line]).envs(variables).current_dir(&self.directory);
        let mut child = command.spawn(pts).with_context(|| format!("cannot run `{line}`"))?;
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // At the command's end Linux says "input/output error".
            while let Ok(length @ 1..) = (&pty).read(&mut buffer) {
                if send.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let began = Instant::now();
        let mut seen: Vec<(Duration, Screen)> = vec![(Duration::ZERO, screen::shown(self.parser.screen()))];
        loop {
            match receive.recv_timeout(LOOK) {
                Ok(bytes) => {
                    self.parser.process(&bytes);
                    seen.push((began.elapsed(), screen::shown(self.parser.screen())));
                }
                Err(RecvTimeoutError::Disconnected) => break,
                // What it started and left running may hold the terminal open.
                Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let status = child.wait()?;
        if !status.success() {
            let text = self.parser.screen().contents();
            bail!("`{line}` ended with {status}; the terminal shows:\n{text}");
        }
        self.shots.extend(cut(seen));
        // The next prompt begins a line, and the cursor and colours are as they were.
        self.show("\x1b[0m\x1b[?25h");
        if self.parser.screen().cursor_position().1 > 0 {
            self.show("\r\n");
        }
        self.shoot(READ);
        Ok(())
    }
}

/// Cuts waits, and what takes too long altogether; pictures that come too fast are left out.
pub(super) fn cut(seen: Vec<(Duration, Screen)>) -> Vec<Shot> {
    let mut at = Duration::ZERO;
    let mut before = Duration::ZERO;
    let mut timed: Vec<(Duration, Screen)> = Vec::new();
    for (when, screen) in seen {
        at += when.saturating_sub(before).min(PAUSE);
        before = when;
        if timed.last().is_none_or(|(_, last)| *last != screen) {
            timed.push((at, screen));
        }
    }
    let pace = if at > LONGEST { LONGEST.as_secs_f64() / at.as_secs_f64() } else { 1.0 };
    let end = at.mul_f64(pace);
    let mut shots: Vec<Shot> = Vec::new();
    let times: Vec<Duration> = timed.iter().map(|(at, _)| at.mul_f64(pace)).collect();
    let mut start = Duration::ZERO;
    for (index, (_, screen)) in timed.into_iter().enumerate() {
        let next = times.get(index + 1).copied().unwrap_or(end + BEAT);
        let lasts = next.saturating_sub(start);
        if lasts >= BEAT {
            shots.push(Shot { lasts, screen });
            start = next;
        }
    }
    shots
}
