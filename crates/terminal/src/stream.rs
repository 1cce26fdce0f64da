//! Where text goes: the process's streams, or a test's buffer.
use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use crate::flags::ColorWhen;

/// What a test reads back.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<[String; 2]>>);

impl Captured {
    /// Standard output so far.
    pub fn out(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[0].clone()
    }
    /// Standard error so far.
    pub fn err(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[1].clone()
    }
    fn push(&self, which: usize, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[which].push_str(text);
    }
}

#[derive(Debug)]
enum Target {
    Out,
    Err,
    Captured(Captured, usize),
}

/// One of the two streams, and what it can show.
#[derive(Debug)]
pub(crate) struct Stream {
    target: Target,
    /// Whether a person looks at it.
    pub(crate) tty: bool,
    /// Whether to colour.
    pub(crate) color: bool,
    /// Columns of a captured terminal.
    columns: Option<usize>,
}

impl Stream {
    pub(crate) fn out(when: ColorWhen) -> Self {
        let stream = io::stdout();
        let color = choose(when, || anstream::AutoStream::choice(&stream));
        Self { target: Target::Out, tty: stream.is_terminal(), color, columns: None }
    }
    pub(crate) fn err(when: ColorWhen) -> Self {
        let stream = io::stderr();
        let color = choose(when, || anstream::AutoStream::choice(&stream));
        Self { target: Target::Err, tty: stream.is_terminal(), color, columns: None }
    }
    /// Both streams into one buffer; coloured when `color` says so.
    pub(crate) fn captured(columns: usize, tty: bool, color: ColorWhen) -> (Self, Self, Captured) {
        let buffer = Captured::default();
        let make = |which| Self {
            target: Target::Captured(buffer.clone(), which),
            tty,
            color: color == ColorWhen::Always,
            columns: Some(columns),
        };
        (make(0), make(1), buffer)
    }
    /// Columns to fit text into; none when nobody looks.
    pub(crate) fn width(&self) -> Option<usize> {
        if !self.tty {
            return None;
        }
        let size = |term: dialoguer::console::Term| term.size_checked().map(|(_, columns)| usize::from(columns));
        match self.target {
            Target::Out => size(dialoguer::console::Term::stdout()),
            Target::Err => size(dialoguer::console::Term::stderr()),
            Target::Captured(..) => self.columns,
        }
        // Terminals that do not know say 0.
        .filter(|columns| *columns > 0)
    }
    /// Writes all of it, in one go, and flushes.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        match &self.target {
            Target::Out => {
                let mut stream = io::stdout().lock();
                stream.write_all(text.as_bytes())?;
                stream.flush()
            }
            Target::Err => {
                let mut stream = io::stderr().lock();
                stream.write_all(text.as_bytes())?;
                stream.flush()
            }
            Target::Captured(buffer, which) => {
                buffer.push(*which, text);
                Ok(())
            }
        }
    }
}

fn choose(when: ColorWhen, auto: impl Fn() -> anstream::ColorChoice) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        // Looks at NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM and whether a person looks.
        ColorWhen::Auto => auto() != anstream::ColorChoice::Never,
    }
}
