//! Questions: only on a terminal, and only for what is missing.
//!
//! A question blocks its thread until it is answered; commands ask before they start their work (those that hold a lease
//! by [`Terminal::confirmed`], on another thread), and after
//! [`crate::signals::listen`]: without it, Ctrl-C at a question ends the program with its cursor hidden.
use crate::Terminal;
use aws_core::{Error, Result};
use dialoguer::{Input, Select, console::Term};
use std::io;

impl Terminal {
    /// Whether there is somebody who can be asked.
    pub fn is_interactive(&self) -> bool {
        self.0.interactive
    }

    /// Asks for a yes; without an answer it is no. `--yes` answers. `flag_hint` is the flag that answers
    /// where nobody can be asked (`--yes` when empty).
    ///
    /// # Errors
    /// A usage error that names the flag, when there is nobody to ask; [`aws_core::error::Kind::Interrupted`] on Ctrl-C.
    pub fn confirm(&self, question: &str, flag_hint: &str) -> Result<bool> {
        if self.0.yes {
            return Ok(true);
        }
        self.somebody(question, if flag_hint.is_empty() { "--yes" } else { flag_hint })?;
        // A whole line, not `Confirm`, which takes one key and leaves the rest of `yes` to the shell.
        let answer = self.asked(|term| {
            Input::<String>::new()
                .with_prompt(format!("{question} [y/N]"))
                .default("n".to_owned())
                .show_default(false)
                .validate_with(|answer: &String| yes(answer).map(|_| ()).ok_or("Please answer yes or no."))
                .interact_text_on(term)
        })?;
        Ok(yes(&answer).unwrap_or(false))
    }

    /// As [`Terminal::confirm`], while other work of this process goes on: what is held meanwhile is not lost.
    ///
    /// # Errors
    /// As [`Terminal::confirm`].
    pub async fn confirmed(&self, question: &str, flag_hint: &str) -> Result<bool> {
        let (terminal, question, hint) = (self.clone(), question.to_owned(), flag_hint.to_owned());
        beside(move || terminal.confirm(&question, &hint)).await
    }

    /// As [`Terminal::confirm_name`], while other work of this process goes on.
    ///
    /// # Errors
    /// As [`Terminal::confirm`].
    pub async fn confirmed_name(&self, question: &str, name: &str, flag: &str) -> Result<bool> {
        let (terminal, question, name, flag) = (self.clone(), question.to_owned(), name.to_owned(), flag.to_owned());
        beside(move || terminal.confirm_name(&question, &name, &flag)).await
    }

    /// Asks to type `name`; anything else is no. `--yes` answers.
    ///
    /// # Errors
    /// As [`Terminal::confirm`].
    pub fn confirm_name(&self, question: &str, name: &str, flag: &str) -> Result<bool> {
        if self.0.yes {
            return Ok(true);
        }
        Ok(self.ask(&format!("{question} ({name})"), None, flag)? == name)
    }

    /// Asks for a text. `--yes` takes the default, if there is one. `flag` is the flag that gives the answer.
    ///
    /// # Errors
    /// As [`Terminal::confirm`].
    pub fn ask(&self, question: &str, default: Option<&str>, flag: &str) -> Result<String> {
        if let (true, Some(default)) = (self.0.yes, default) {
            return Ok(default.to_owned());
        }
        self.somebody(question, flag)?;
        self.asked(|term| {
            let mut input = Input::<String>::new().with_prompt(title(question));
            if let Some(default) = default {
                input = input.default(default.to_owned());
            }
            input.interact_text_on(term)
        })
        .map(|answer| answer.trim().to_owned())
    }

    /// Asks for one of `options` and returns its place. A single one is taken without a question.
    /// `flag` is the flag that gives the answer.
    ///
    /// # Errors
    /// As [`Terminal::confirm`]; the error lists the options.
    pub fn choose(&self, question: &str, options: &[String], flag: &str) -> Result<usize> {
        match options {
            [] => return Err(Error::not_found(format!("{question}: there is nothing to choose from"))),
            [_] => return Ok(0),
            _ => {}
        }
        self.somebody(question, flag).map_err(|e| e.hint(format!("One of: {}.", options.join(", "))))?;
        self.asked(|term| Select::new().with_prompt(title(question)).items(options).default(0).interact_on(term))
    }

    fn somebody(&self, question: &str, flag: &str) -> Result<()> {
        if self.0.interactive {
            return Ok(());
        }
        Err(Error::usage(format!("an answer is needed, and there is no terminal to ask on: {question}"))
            .hint(format!("Give the answer with {flag}.")))
    }

    fn asked<T>(&self, ask: impl FnOnce(&Term) -> dialoguer::Result<T>) -> Result<T> {
        let term = Term::stderr();
        // The live lines are taken off the screen, and not held: whoever has something to say meanwhile would wait for the
        // answer, and with it all that runs on that thread.
        self.undisturbed(|| ());
        ask(&term).map_err(|dialoguer::Error::IO(e)| {
            let _ = term.show_cursor();
            match e.kind() {
                io::ErrorKind::Interrupted => Error::interrupted("interrupted at a question; nothing was changed"),
                _ => Error::failed(format!("the question could not be asked: {e}")),
            }
        })
    }
}

/// Runs what blocks on a thread of its own. When this is dropped before the answer, that thread goes on waiting for it until
/// the program ends; the terminal is as it was.
async fn beside<T: Send + 'static>(ask: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let mut asking = Asking::begin();
    let asked = tokio::task::spawn_blocking(ask).await;
    asking.answered = true;
    asked.unwrap_or_else(|e| Err(Error::failed("the question could not be asked").caused_by(e)))
}

/// A question that waits for its answer: until then the terminal passes on each key, and shows none.
struct Asking {
    #[cfg(unix)]
    before: Option<nix::sys::termios::Termios>,
    answered: bool,
}

impl Asking {
    fn begin() -> Self {
        Self {
            #[cfg(unix)]
            before: nix::sys::termios::tcgetattr(io::stdin()).ok(),
            answered: false,
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        #[cfg(unix)]
        if let Some(before) = &self.before {
            use nix::sys::termios::{SetArg, tcsetattr};
            // What comes next begins a line of its own.
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, before)
                .and_then(|()| Term::stderr().write_line("").map_err(|_| nix::errno::Errno::EIO));
        }
    }
}

/// What an answer to a question of yes or no says, if it is one.
fn yes(answer: &str) -> Option<bool> {
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

/// The prompts end with a colon of their own.
fn title(question: &str) -> &str {
    question.trim_end_matches([':', '?', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, Globals};

    #[test]
    fn nobody_to_ask() {
        let (terminal, captured) = Terminal::captured(80, true);
        let error = terminal.confirm("Delete it?", "").unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Usage);
        assert!(error.to_string().ends_with("Delete it?"));
        assert_eq!(error.hints(), ["Give the answer with --yes."]);
        let error = terminal.ask("Region?", Some("eu-west-1"), "--region").unwrap_err();
        assert_eq!(error.hints(), ["Give the answer with --region."]);
        let options = ["vpc-1".to_owned(), "vpc-2".to_owned()];
        let error = terminal.choose("Which VPC?", &options, "--vpc").unwrap_err();
        assert_eq!(error.hints(), ["Give the answer with --vpc.", "One of: vpc-1, vpc-2."]);
        assert_eq!(captured.err(), "");
    }

    #[test]
    fn yes_is_a_word() {
        assert_eq!(["y", "Yes", " YES "].map(yes), [Some(true); 3]);
        assert_eq!(["", "n", "No"].map(yes), [Some(false); 3]);
        assert_eq!(["yess", "es", "1", "delete"].map(yes), [None; 4]);
    }

    #[test]
    fn what_needs_no_question() {
        let (terminal, _) = Terminal::captured_with(80, false, &Globals { yes: true, ..Globals::default() });
        assert!(terminal.confirm("Delete it?", "").unwrap());
        assert_eq!(terminal.ask("Region?", Some("eu-west-1"), "--region").unwrap(), "eu-west-1");
        assert!(terminal.ask("Region?", None, "--region").is_err());
        assert_eq!(terminal.choose("Which VPC?", &["vpc-1".to_owned()], "--vpc").unwrap(), 0);
        assert!(terminal.choose("Which VPC?", &[], "--vpc").is_err());
    }
}
