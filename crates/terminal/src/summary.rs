//! What became of an apply or a removal, to standard error.
use crate::{
    Exit, Terminal, look,
    plan::{Roots as _, failure},
};
use aws_core::{
    engine::{Action, NodeReport, Outcome, Report},
    error::Kind,
};

/// Names that one line lists at most.
const NAMED: usize = 8;

impl Terminal {
    /// Says what failed and what was therefore not tried; says nothing when all got done. `what` names the
    /// whole: `version 2.0 of myapp`.
    pub fn summary(&self, report: &Report, what: &str) -> Exit {
        for node in &report.nodes {
            if let Outcome::Left(why) = &node.outcome {
                self.note(&look::plain(&format!("Left {node}, because {why}.")));
            }
        }
        if report.complete() {
            return Exit::Done;
        }
        for (node, error) in report.failures() {
            if error.kind() == Kind::Interrupted {
                self.note(&format!("Interrupted while working on {node}; it may be half done."));
            } else {
                let text = error.to_string();
                let about = failure(node, error).strip_suffix(&text).unwrap_or_default().to_owned();
                self.error_about(&about, error);
            }
        }
        self.skipped(report);

        let done = report.nodes.iter().filter(|n| matches!(n.outcome, Outcome::Done(_) | Outcome::Left(_))).count();
        let of = format!("{done} of {} resources of {what}", report.nodes.len());
        if report.cancelled() {
            let text = format!("Interrupted: {of} are done.{} Run the same command again to continue.", parts(report));
            self.note(&self.tint(look::WARN, &text));
            Exit::Interrupted
        } else if report.changes() > 0 {
            self.note(&self.tint(look::WARN, &format!("Partly done: {of}. Run the same command again to continue.")));
            Exit::Partly
        } else {
            Exit::Failed
        }
    }

    /// One line for each failure that kept others from being tried.
    fn skipped(&self, report: &Report) {
        let skipped = report.nodes.iter().filter(|n| matches!(n.outcome, Outcome::Skipped(_)));
        let mut groups: Vec<(&NodeReport, Vec<String>)> = Vec::new();
        for node in skipped {
            let Some(root) = report.root(node) else { continue };
            match groups.iter_mut().find(|(r, _)| std::ptr::eq(*r, root)) {
                Some((_, names)) => names.push(node.to_string()),
                None => groups.push((root, vec![node.to_string()])),
            }
        }
        for (root, names) in groups {
            self.note(&format!("Not tried, because of {root}: {}", listed(names)));
        }
    }
}

/// What an interrupt left: made, changed, removed, perhaps done and not begun, each where there is some.
fn parts(report: &Report) -> String {
    let interrupted = |o: &Outcome| matches!(o, Outcome::Failed(e) if e.kind() == Kind::Interrupted);
    let parts: [(&str, String); 5] = [
        ("Made", names(report, |o| matches!(o, Outcome::Done(Action::Create)))),
        ("Changed", names(report, |o| matches!(o, Outcome::Done(Action::Update(_))))),
        ("Removed", names(report, |o| matches!(o, Outcome::Done(Action::Delete)))),
        ("Perhaps done", names(report, interrupted)),
        ("Not begun", names(report, |o| matches!(o, Outcome::Cancelled))),
    ];
    parts.iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| format!(" {what}: {names}.")).collect()
}

fn names(report: &Report, which: impl Fn(&Outcome) -> bool) -> String {
    listed(report.nodes.iter().filter(|n| which(&n.outcome)).map(ToString::to_string).collect())
}

/// The names in a line; when they are many, the first of them, and how many more there are.
pub(crate) fn listed(mut names: Vec<String>) -> String {
    // Rules of one group are resources of their own, and have its name.
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let text = look::plain(&names.join(", ")).into_owned();
    if more == 0 { text } else { format!("{text}, and {more} more") }
}

#[cfg(test)]
mod tests {
    use crate::{
        Exit, Terminal,
        testbed::{Fake, Thing, graph, run},
    };
    use aws_core::engine::{Cancel, Mode};

    async fn apply(things: Vec<Thing>, fake: Fake) -> (String, Exit) {
        let (terminal, captured) = Terminal::captured(80, false);
        let report = run(&graph(things), &fake, Mode::Apply, &terminal).await;
        let exit = terminal.summary(&report, "version 2.0 of myapp");
        assert_eq!(captured.out(), "");
        (captured.err(), exit)
    }

    #[tokio::test]
    async fn done_says_nothing_more() {
        let (text, exit) = apply(vec![Thing::new("a"), Thing::there("b")], Fake::default()).await;
        assert_eq!((text.as_str(), exit), ("Creating thing a.. OK\n", Exit::Done));
    }

    #[tokio::test]
    async fn partly_done() {
        let things =
            vec![Thing::new("a"), Thing::new("b").on("a").fails(), Thing::new("c").on("b"), Thing::new("d").on("c")];
        let (text, exit) = apply(things, Fake::default()).await;
        assert_eq!(
            text,
            "Creating thing a.. OK\nCreating thing b.. FAILED\nError: thing b: broken\nHint: Mend it.\n\
             Not tried, because of thing b: thing c, thing d\n\
             Partly done: 1 of 4 resources of version 2.0 of myapp. Run the same command again to continue.\n"
        );
        assert_eq!(exit, Exit::Partly);
    }

    #[tokio::test]
    async fn only_some_of_many_are_named() {
        const MANY: [&str; 12] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11"];
        let named = "Not tried, because of thing b: thing c0, thing c1, thing c2, thing c3, thing c4, thing c5, thing c6, thing c7";
        for (count, more) in [(8, ""), (9, ", and 1 more"), (12, ", and 4 more")] {
            let mut things = vec![Thing::new("b").fails()];
            things.extend(MANY[..count].iter().map(|name| Thing::new(name).on("b")));
            let (text, _) = apply(things, Fake::default()).await;
            let line = text.lines().find(|l| l.starts_with("Not tried"));
            assert_eq!(line, Some(format!("{named}{more}").as_str()));
        }
    }

    #[tokio::test]
    async fn failed_when_nothing_was_written() {
        let (text, exit) = apply(vec![Thing::there("a"), Thing::new("b").fails()], Fake::default()).await;
        assert_eq!(text, "Creating thing b.. FAILED\nError: thing b: broken\nHint: Mend it.\n");
        assert_eq!(exit, Exit::Failed);
    }

    #[tokio::test]
    async fn an_explanation_of_several_lines_is_kept() {
        for (error, begin) in [
            ("AccessDenied: not allowed\n  on thing b\n\n    Action: x", "thing b: AccessDenied"),
            ("AccessDenied for b: not allowed\n  on thing b\n\n    Action: x", "AccessDenied for b"),
        ] {
            let (text, _) = apply(vec![Thing::new("b").fails().says(error)], Fake::default()).await;
            assert_eq!(
                text,
                format!(
                    "Creating thing b.. FAILED\nError: {begin}: not allowed\n  on thing b\n\n    Action: x\nHint: Mend it.\n"
                )
            );
        }
    }

    #[tokio::test]
    async fn interrupted_says_what_is_open() {
        let cancel = Cancel::default();
        let fake = Fake { cancel: cancel.clone() };
        let (text, exit) = apply(vec![Thing::new("a").interrupts(), Thing::new("b").on("a")], fake).await;
        assert_eq!(
            text,
            "Creating thing a.. OK\nInterrupted: 1 of 2 resources of version 2.0 of myapp are done. \
             Made: thing a. Not begun: thing b. Run the same command again to continue.\n"
        );
        assert_eq!(exit, Exit::Interrupted);
    }

    #[test]
    fn an_interrupt_names_what_was_done_and_what_perhaps() {
        use aws_core::engine::{Action, NodeReport, Outcome, Report};
        let (terminal, captured) = Terminal::captured(80, false);
        let interrupted = || Outcome::Failed(aws_core::Error::interrupted("interrupted while working on thing e"));
        let outcomes = [
            ("a", Outcome::Done(Action::Keep)),
            ("b", Outcome::Done(Action::Create)),
            ("c", Outcome::Done(Action::Update(Vec::new()))),
            ("d", Outcome::Done(Action::Delete)),
            ("e", interrupted()),
            ("f", Outcome::Cancelled),
        ];
        let node = |(name, outcome): (&str, Outcome)| NodeReport::new("thing", name, outcome);
        let report = Report::from(outcomes.into_iter().map(node).collect::<Vec<_>>());
        assert_eq!(terminal.summary(&report, "myapp"), Exit::Interrupted);
        assert_eq!(
            captured.err(),
            "Interrupted while working on thing e; it may be half done.\n\
             Interrupted: 4 of 6 resources of myapp are done. Made: thing b. Changed: thing c. Removed: thing d. \
             Perhaps done: thing e. Not begun: thing f. Run the same command again to continue.\n"
        );
    }
}
