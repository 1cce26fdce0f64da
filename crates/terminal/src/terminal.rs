//! The handle that everything prints through.
use crate::{
    Globals, Style,
    look::{self, paint, plain},
    steps::Steps,
    stream::{Captured, Stream},
};
use aws_core::{Error, Result, cloud::OnThrottle};
use indicatif::MultiProgress;
use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Standard output (data) and standard error (everything else). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Terminal(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) out: Stream,
    pub(crate) err: Stream,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) yes: bool,
    /// Whether there is somebody to ask.
    pub(crate) interactive: bool,
    /// The lines at the bottom that show what is running; only where they can be drawn.
    pub(crate) live: Option<MultiProgress>,
    pub(crate) steps: Steps,
    closed: AtomicBool,
    /// What is said once in a command.
    told: Mutex<BTreeSet<String>>,
}

impl Terminal {
    /// The process's own terminal.
    pub fn new(globals: &Globals) -> Self {
        let (out, err) = (Stream::out(globals.color), Stream::err(globals.color));
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let live = (err.tty && !dumb && !globals.quiet).then(MultiProgress::new);
        let interactive = err.tty && io::stdin().is_terminal();
        Self::over(out, err, globals, live, interactive)
    }

    /// A terminal for tests: what is printed is read from the [`Captured`]. With `tty` it is laid out for
    /// a terminal of `width` columns, without colour; nobody is there to answer questions.
    pub fn captured(width: usize, tty: bool) -> (Self, Captured) {
        Self::captured_with(width, tty, &Globals::default())
    }

    /// As [`Terminal::captured`], with flags. Only `--color always` gives colour.
    pub fn captured_with(width: usize, tty: bool, globals: &Globals) -> (Self, Captured) {
        let (out, err, captured) = Stream::captured(width, tty, globals.color);
        (Self::over(out, err, globals, None, false), captured)
    }

    fn over(out: Stream, err: Stream, globals: &Globals, live: Option<MultiProgress>, interactive: bool) -> Self {
        let Globals { quiet, verbose, yes, .. } = *globals;
        let (steps, closed, told) = Default::default();
        Self(Arc::new(Inner { out, err, quiet, verbose, yes, interactive, live, steps, closed, told }))
    }

    /// A line of data, to standard output.
    ///
    /// # Errors
    /// As [`Terminal::data`].
    pub fn line(&self, text: &str) -> Result<()> {
        self.data(&format!("{text}\n"))
    }

    /// Data as it is, to standard output. When the reader has gone (`| head`), this does nothing, and the
    /// command goes on to its end as if all had been read.
    ///
    /// # Errors
    /// When standard output cannot be written for another reason, e.g. a full disk.
    pub fn data(&self, text: &str) -> Result<()> {
        if self.output_closed() {
            return Ok(());
        }
        match self.undisturbed(|| self.0.out.write(text)) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.0.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(e) => Err(Error::failed(format!("cannot write to standard output: {e}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Whether the reader of standard output has gone.
    pub fn output_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    /// Something to know, to standard error; not with `--quiet`.
    pub fn say(&self, text: &str) {
        if !self.0.quiet {
            self.note(&plain(text));
        }
    }

    /// A line of another program's log, to standard error, without its colours; not with `--quiet`.
    pub fn log(&self, line: &str) {
        self.say(&anstream::adapter::strip_str(line).to_string());
    }

    /// Something not to miss, to standard error.
    pub fn warn(&self, text: &str) {
        self.note(&format!("{}{}", self.tint(look::WARN, "Warning: "), plain(text)));
    }

    /// As [`Terminal::warn`], once for each text: a command's plan and its run warn of the same.
    pub fn warn_once(&self, text: &str) {
        if self.is_new(text) {
            self.warn(text);
        }
    }

    /// Says why calls to a service take longer: once for each service and reason.
    pub fn on_throttle(&self) -> OnThrottle {
        let terminal = self.clone();
        OnThrottle::new(move |slow| {
            let text = slow.to_string();
            if terminal.is_new(&text) {
                terminal.say(&text);
            }
        })
    }

    /// Whether this was not said yet.
    fn is_new(&self, text: &str) -> bool {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned())
    }

    /// Something for the curious, to standard error; only with `--verbose`.
    pub fn detail(&self, text: &str) {
        if self.0.verbose {
            self.note(&self.tint(look::DIM, &plain(text)));
        }
    }

    /// The text in that style if standard output is coloured.
    pub fn paint(&self, style: Style, text: &str) -> String {
        paint(style, text, self.0.out.color)
    }

    /// Whether `--verbose` was given.
    pub fn verbose(&self) -> bool {
        self.0.verbose
    }

    /// The text in that style if standard error is coloured.
    pub(crate) fn tint(&self, style: Style, text: &str) -> String {
        paint(style, text, self.0.err.color)
    }

    /// A line to standard error, as it is. That stream failing is nothing anybody could be told about.
    pub(crate) fn note(&self, text: &str) {
        let _ = self.undisturbed(|| self.0.err.write(&format!("{text}\n")));
    }

    /// Runs `act` while the live lines are off the screen.
    pub(crate) fn undisturbed<R>(&self, act: impl FnOnce() -> R) -> R {
        match &self.0.live {
            Some(live) => live.suspend(act),
            None => act(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::cloud::Slow;

    #[test]
    fn streams_and_levels() {
        let (terminal, captured) = Terminal::captured(80, false);
        terminal.line("data").unwrap();
        terminal.say("note\x1b[2J");
        terminal.warn("careful");
        terminal.detail("hidden");
        assert_eq!(captured.out(), "data\n");
        assert_eq!(captured.err(), "note\\u{1b}[2J\nWarning: careful\n");

        let quiet = Globals { quiet: true, ..Globals::default() };
        let (terminal, captured) = Terminal::captured_with(80, true, &quiet);
        terminal.say("note");
        terminal.warn("careful");
        assert_eq!(captured.err(), "Warning: careful\n");
    }

    #[test]
    fn each_service_that_throttles_is_named_once() {
        let (terminal, captured) = Terminal::captured(80, false);
        let on_throttle = terminal.on_throttle();
        ["Route 53", "EC2", "Route 53"].into_iter().for_each(|service| on_throttle.tell(Slow::Rate(service)));
        terminal.on_throttle().tell(Slow::Rate("EC2"));
        let told = |service| format!("AWS limits the rate of calls to {service} (throttling): going on more slowly.\n");
        assert_eq!(captured.err(), told("Route 53") + &told("EC2"));
        (0..2).for_each(|_| on_throttle.tell(Slow::Busy("EC2")));
        assert!(
            captured.err().ends_with("EC2 is still carrying out an earlier change: trying again until it is done.\n")
        );
        assert_eq!(captured.err().lines().count(), 3);
    }

    #[test]
    fn colour_when_asked_for() {
        let globals = Globals { color: crate::flags::ColorWhen::Always, verbose: true, ..Globals::default() };
        let (terminal, captured) = Terminal::captured_with(80, false, &globals);
        terminal.warn("careful");
        terminal.detail("more");
        assert_eq!(captured.err(), "\u{1b}[33mWarning: \u{1b}[0mcareful\n\u{1b}[2mmore\u{1b}[0m\n");
    }
}
