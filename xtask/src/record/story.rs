//! What is to be recorded, as data.
use anyhow::{Context as _, Error, Result, bail};
use std::str::FromStr;

/// A story file.
#[derive(Debug, PartialEq)]
pub(super) struct Story {
    pub(super) title: String,
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) steps: Vec<Step>,
}

/// One line of it.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// `# WORDS`: shown as a comment, with a gap above it.
    Say(String),
    /// `$ COMMAND`: typed, run, and shown; it must end well.
    Run(String),
    /// `! COMMAND`: run, not shown.
    Behind(String),
    /// `= NAME VALUE`: a variable of the environment from here on.
    Set(String, String),
    /// `clear`: a fresh screen.
    Clear,
}

impl FromStr for Story {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut story = Self { title: String::new(), columns: 80, rows: 24, steps: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            story.line(line.trim()).with_context(|| format!("line {number}: `{line}`"))?;
        }
        Ok(story)
    }
}

impl Story {
    fn line(&mut self, line: &str) -> Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            // `;` begins a note to who reads the file.
            "" | ";" => {}
            "title" => self.title = rest.to_owned(),
            "columns" => self.columns = size(rest)?,
            "rows" => self.rows = size(rest)?,
            "clear" => self.steps.push(Step::Clear),
            "#" => self.steps.push(Step::Say(rest.to_owned())),
            "$" => self.steps.push(Step::Run(rest.to_owned())),
            "!" => self.steps.push(Step::Behind(rest.to_owned())),
            "=" => {
                let (name, value) = rest.split_once(' ').context("`= NAME VALUE` sets a variable")?;
                self.steps.push(Step::Set(name.to_owned(), value.trim().to_owned()));
            }
            _ => bail!("a line begins with `title`, `columns`, `rows`, `clear`, `#`, `$`, `!`, `=` or `;`"),
        }
        Ok(())
    }
}

fn size(text: &str) -> Result<u16> {
    match text.parse()? {
        0..10 => bail!("at least 10"),
        size => Ok(size),
    }
}
