//! What the commands write into the history of what they change: that each began, and how it ended.
use crate::{emulator::Server, world::Book};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The runs in a history, by their ids.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct History {
    began: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl History {
    /// What stands in it now; nothing while it was never written to.
    pub(crate) async fn of(server: &Server, book: &Book) -> Self {
        let logs = async |operation: &str, arguments: Value| {
            let call = json!({
                "account": book.account, "service": "logs", "operation": operation, "arguments": arguments,
            });
            server.ask("call", &call).await
        };
        let mut history = Self::default();
        let groups = logs("describe_log_groups", json!({ "logGroupNamePrefix": book.group })).await;
        if groups["logGroups"].as_array().unwrap().is_empty() {
            return history;
        }
        let streams = [book.stream];
        let wanted = json!({ "logGroupName": book.group, "logStreamNames": streams, "limit": 10_000 });
        let answer = logs("filter_log_events", wanted).await;
        assert!(answer["nextToken"].is_null(), "more events than are read");
        for event in answer["events"].as_array().unwrap() {
            let event: Value = serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
            let run = event["run"].as_str().unwrap().to_owned();
            let known = if event["event"] == "began" { &mut history.began } else { &mut history.ended };
            known.insert(run);
        }
        history
    }

    /// What is wrong with one run's part of it, which is all that `before` lacks. `changed`: whether the run asked for
    /// something to be changed; `excused`: whether something kept it from writing.
    pub(crate) fn problems(&self, before: &Self, changed: bool, excused: bool) -> Vec<String> {
        let began: Vec<&String> = self.began.difference(&before.began).collect();
        let open = began.iter().filter(|run| !self.ended.contains(**run)).count();
        let mut problems = Vec::new();
        if began.len() > 1 {
            problems.push(format!("the history has {} beginnings of one run", began.len()));
        }
        if changed && began.is_empty() && !excused {
            problems.push("the history has no beginning of a run that changed something".to_owned());
        }
        if open > 0 && !excused {
            problems.push("the history has no end of a run that ended by itself".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ended_has_an_end() {
        let history = |began: &[&str], ended: &[&str]| {
            let set = |runs: &[&str]| runs.iter().map(|run| (*run).to_owned()).collect();
            History { began: set(began), ended: set(ended) }
        };
        let before = history(&["a"], &[]);
        assert!(history(&["a", "b"], &["b"]).problems(&before, true, false).is_empty());
        assert!(history(&["a"], &[]).problems(&before, false, false).is_empty());
        assert_eq!(history(&["a"], &[]).problems(&before, true, false).len(), 1);
        assert_eq!(history(&["a", "b"], &[]).problems(&before, true, false).len(), 1);
        assert!(history(&["a", "b"], &[]).problems(&before, true, true).is_empty());
        assert_eq!(history(&["a", "b", "c"], &["b", "c"]).problems(&before, true, true).len(), 1);
    }
}
