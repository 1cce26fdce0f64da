//! A dry run's result: what would be done, to standard output.
use crate::{
    Style, Terminal,
    look::{self, plain},
};
use aws_core::{
    Error, Result,
    engine::{Action, NodeReport, Outcome, Report},
    error::Kind,
};

#[derive(Default)]
struct Count {
    create: usize,
    change: usize,
    delete: usize,
    unchanged: usize,
    refused: usize,
    failed: usize,
    unseen: usize,
}

impl Terminal {
    /// Prints what a dry run found: `+ create`, `~ change`, `- delete`, `! cannot ..`, with `--verbose`
    /// `= keep`, and the sum. `destroy` when it was about removing.
    pub fn plan(&self, report: &Report, destroy: bool) -> Result<()> {
        let mut text = String::new();
        let mut count = Count::default();
        for node in &report.nodes {
            self.plan_node(report, node, &mut count, &mut text);
        }
        text.push_str(&count.sum(destroy));
        text.push('\n');
        self.data(&text)
    }

    fn plan_node(&self, report: &Report, node: &NodeReport, count: &mut Count, out: &mut String) {
        let mut push = |style: Style, sign: &str, text: &str| {
            out.push_str(&format!("{} {}\n", self.paint(style, sign), plain(text)));
        };
        match &node.outcome {
            Outcome::Left(why) => {
                count.unchanged += 1;
                push(look::WARN, "=", &format!("leave {node}, because {why}"));
            }
            Outcome::Done(Action::Keep | Action::Leave(_)) => {
                count.unchanged += 1;
                if self.verbose() {
                    push(look::DIM, "=", &format!("keep {node}"));
                }
            }
            Outcome::Done(Action::Create) => {
                count.create += 1;
                push(look::GOOD, "+", &format!("create {node}"));
            }
            Outcome::Done(Action::Delete) => {
                count.delete += 1;
                push(look::BAD, "-", &format!("delete {node}"));
            }
            Outcome::Done(action @ Action::Update(changes)) => {
                *(if action.is_refused() { &mut count.refused } else { &mut count.change }) += 1;
                for change in changes {
                    match &change.refused {
                        None => push(look::WARN, "~", &format!("change {node}: {change}")),
                        Some(hint) => {
                            push(look::BAD, "!", &format!("cannot change {node}: {change}"));
                            push(look::BOLD, " ", &format!("Hint: {hint}"));
                        }
                    }
                }
            }
            Outcome::Failed(error) | Outcome::Tolerated(error) => {
                count.failed += 1;
                push(look::BAD, "!", &failure(node, error));
                error.hints().iter().for_each(|hint| push(look::BOLD, " ", &format!("Hint: {hint}")));
            }
            Outcome::Skipped(_) => {
                count.unseen += 1;
                let because = report.root(node).map(|n| format!(", because of {n}")).unwrap_or_default();
                push(look::BAD, "!", &format!("not looked at: {node}{because}"));
            }
            Outcome::Cancelled => {
                count.unseen += 1;
                push(look::BAD, "!", &format!("not looked at: {node}, interrupted"));
            }
        }
    }
}

/// The report; or its usage error, when nothing was done because of what could be known without AWS.
pub fn checked(mut report: Report) -> Result<Report> {
    let usage = |n: &NodeReport| matches!(&n.outcome, Outcome::Failed(e) if e.kind() == Kind::Usage);
    match report.nodes.iter().position(usage).filter(|_| report.changes() == 0) {
        Some(at) => match report.nodes.swap_remove(at).outcome {
            Outcome::Failed(e) => Err(e),
            _ => Ok(report),
        },
        None => Ok(report),
    }
}

/// The error, said to be about the node unless its first line says so itself.
pub(crate) fn failure(node: &NodeReport, error: &Error) -> String {
    let text = error.to_string();
    if mentions(text.lines().next().unwrap_or_default(), &node.name) { text } else { format!("{node}: {text}") }
}

/// Whether the name stands in the text, not as a part of a longer one.
fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part) && !text[at + name.len()..].chars().next().is_some_and(part)
    })
}

impl Count {
    fn sum(&self, destroy: bool) -> String {
        let Self { create, change, delete, unchanged, refused, failed, unseen } = *self;
        if create + change + delete + refused + failed + unseen == 0 {
            return if destroy { "No changes: nothing to delete.".into() } else { "No changes.".into() };
        }
        let mut text =
            format!("Plan: {create} to create, {change} to change, {delete} to delete, {unchanged} unchanged");
        for (n, what) in [(refused, "cannot be changed"), (failed, "failed"), (unseen, "not looked at")] {
            if n > 0 {
                text.push_str(&format!(", {n} {what}"));
            }
        }
        text + "."
    }
}

/// What the terminal reads out of a report.
pub(crate) trait Roots {
    /// The node because of which this one was skipped: the first of the chain, which failed.
    fn root<'a>(&'a self, node: &'a NodeReport) -> Option<&'a NodeReport>;
}

impl Roots for Report {
    fn root<'a>(&'a self, node: &'a NodeReport) -> Option<&'a NodeReport> {
        let mut node = node;
        // A chain is never longer than the graph.
        for _ in 0..=self.nodes.len() {
            match &node.outcome {
                Outcome::Skipped(because) => node = self.nodes.get(because.index())?,
                _ => return Some(node),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Exit, Globals, Terminal, Writes,
        testbed::{Fake, Thing, graph, run},
    };
    use aws_core::engine::{Graph, Mode};

    #[test]
    fn a_name_is_not_a_part_of_another() {
        assert!(super::mentions("ec2:CreateSecurityGroup for app-x in eu-west-1: no", "app-x"));
        assert!(!super::mentions("app-x-lb is in use", "app-x"));
        assert!(!super::mentions("broken", "b"));
    }

    async fn plan(things: Vec<Thing>, verbose: bool) -> (String, Exit) {
        planned(&graph(things), verbose, false).await
    }

    async fn planned(graph: &Graph<Fake>, verbose: bool, destroy: bool) -> (String, Exit) {
        let (terminal, captured) = Terminal::captured_with(80, false, &Globals { verbose, ..Globals::default() });
        let report = run(graph, &Fake::default(), Mode::Plan, &terminal).await;
        terminal.plan(&report, destroy).unwrap();
        assert_eq!(captured.err(), "");
        (captured.out(), Writes { dry_run: true, detailed_exitcode: true }.exit(&report))
    }

    #[tokio::test]
    async fn what_would_be_done() {
        let things = || vec![Thing::new("a"), Thing::there("b"), Thing::there("c").differs(), Thing::new("d").on("a")];
        let (text, exit) = plan(things(), true).await;
        assert_eq!(
            text,
            "+ create thing a\n= keep thing b\n~ change thing c: size: 1 -> 2\n~ change thing c: team: x -> y\n\
             + create thing d\nPlan: 2 to create, 1 to change, 0 to delete, 1 unchanged.\n"
        );
        assert_eq!(exit, Exit::Changes);
        let (text, _) = planned(&graph(things()).absence(|_| true), false, true).await;
        assert_eq!(
            text,
            "- delete thing b\n- delete thing c\nPlan: 0 to create, 0 to change, 2 to delete, 2 unchanged.\n"
        );
    }

    #[tokio::test]
    async fn nothing_to_do() {
        assert_eq!(plan(vec![Thing::there("b")], false).await, ("No changes.\n".into(), Exit::Done));
    }

    #[tokio::test]
    async fn an_explanation_of_several_lines_is_kept() {
        let things = vec![Thing::new("b").unseen().says("no permission:\n  on thing b\n    at all")];
        let (text, exit) = plan(things, false).await;
        assert_eq!(
            text,
            "! thing b: no permission:\n  on thing b\n    at all\n  Hint: Ask for it.\n\
             Plan: 0 to create, 0 to change, 0 to delete, 0 unchanged, 1 failed.\n"
        );
        assert_eq!(exit, Exit::Failed);
    }

    #[tokio::test]
    async fn what_could_be_known_is_an_error_of_usage() {
        let things = || vec![Thing::new("a").wrong("too long"), Thing::new("b"), Thing::there("c").wrong("too wide")];
        for mode in [Mode::Plan, Mode::Apply] {
            let (terminal, _) = Terminal::captured(80, false);
            let report = run(&graph(things()), &Fake::default(), mode, &terminal).await;
            let error = super::checked(report).unwrap_err();
            assert_eq!(Exit::of(&error), Exit::Usage);
            assert_eq!(error.to_string(), "thing a: too long\nthing c: too wide");
        }
        let (terminal, _) = Terminal::captured(80, false);
        let failed = run(&graph(vec![Thing::new("a").fails()]), &Fake::default(), Mode::Apply, &terminal).await;
        assert!(super::checked(failed).is_ok(), "a failure that is told by the summary");
    }

    #[tokio::test]
    async fn what_cannot_be_done() {
        let things = vec![Thing::there("a").refuses(), Thing::new("b").unseen(), Thing::new("c").on("b")];
        let (text, exit) = plan(things, false).await;
        assert_eq!(
            text,
            "! cannot change thing a: image: old -> new\n  Hint: Create another version.\n! thing b: no permission\n  \
             Hint: Ask for it.\n! not looked at: thing c, because of thing b\n\
             Plan: 0 to create, 0 to change, 0 to delete, 0 unchanged, 1 cannot be changed, 1 failed, 1 not looked at.\n"
        );
        assert_eq!(exit, Exit::Failed);
    }
}
