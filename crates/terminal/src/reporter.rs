//! The engine's events, on the terminal.
use crate::Terminal;
use aws_core::engine::{Event, Observer};

impl Observer for Terminal {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Begin { step, text, within } => self.begin(step, text, false, Some(within)),
            Event::Tick { step, note } => self.tick(step, note, true),
            Event::Retry { step, error, pause } => {
                let why = error.to_string();
                let first = why.lines().next().unwrap_or_default();
                self.detail(&format!("  trying again in {} s: {first}", pause.as_secs_f32()));
                self.tick(step, &format!("trying again: {first}"), false);
            }
            Event::End { step, error } => self.end(step, error.map_or(Ok("OK"), |e| Err(e.word()))),
        }
    }
    fn warn(&self, text: &str) {
        self.warn_once(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::Error;
    use std::time::Duration;

    #[test]
    fn concurrent_steps_are_whole_lines() {
        let (terminal, captured) = Terminal::captured(80, false);
        let within = Duration::from_secs(600);
        terminal.event(Event::Begin { step: 0, text: "Creating load balancer for myapp version 2.0", within });
        terminal.event(Event::Begin { step: 1, text: "Configuring DNS name myapp-2-0. ", within });
        terminal.event(Event::Tick { step: 1, note: "in a moment" });
        let error = Error::failed("in use").retryable();
        terminal.event(Event::Retry { step: 1, error: &error, pause: Duration::from_secs(1) });
        terminal.event(Event::End { step: 1, error: None });
        terminal.say("a line");
        terminal.warn("a warning");
        terminal.event(Event::End { step: 0, error: Some(&aws_core::Error::failed("no")) });
        assert_eq!(
            captured.err(),
            "Configuring DNS name myapp-2-0. .. OK\na line\nWarning: a warning\n\
             Creating load balancer for myapp version 2.0.. FAILED\n"
        );
    }

    #[test]
    fn each_warning_of_a_commands_runs_is_said_once() {
        let (terminal, captured) = Terminal::captured(80, false);
        for text in ["little is left", "it stays", "little is left"] {
            Observer::warn(&terminal.clone(), text);
        }
        assert_eq!(captured.err(), "Warning: little is left\nWarning: it stays\n");
    }

    #[test]
    fn a_terminal_can_be_shared() {
        fn shared<T: Clone + Send + Sync + 'static>() {}
        shared::<Terminal>();
    }
}
