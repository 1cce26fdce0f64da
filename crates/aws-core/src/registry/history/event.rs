//! The events, and what they say together. Nothing here calls AWS.
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeMap, fmt};

/// The largest event that we write, in bytes. AWS took 256 KB for many years, 26 bytes of which are its own.
pub(super) const EVENT: usize = 250_000;
/// What stands at the end of a text that was cut.
const CUT: &str = "\n# .. cut: too large for the history\n";
/// The most of what changed that is listed.
const CHANGES: usize = 200;

/// The beginning of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Began {
    /// Who, as AWS knows it: an ARN.
    pub who: String,
    /// From where: `anna@laptop`.
    pub from: String,
    /// The command line, without what is secret.
    pub command: String,
    /// The program and its version: `minion 0.1.0`.
    pub tool: String,
    /// The files that it goes by, by what they are: `manifest`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, String>,
}

/// The end of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ended {
    /// In a word.
    pub result: Ending,
    /// The exit code.
    pub exit: u8,
    /// The first line of its error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it changed, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

impl Ended {
    /// Whether what it was told to do may be there now, or a part of it.
    pub fn acted(&self) -> bool {
        !matches!(self.result, Ending::Failed | Ending::Refused) || !self.changes.is_empty()
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It did what it was told to, or compared.
    Done,
    /// It went wrong.
    Failed,
    /// Nothing was begun: it must not be, or somebody was asked and said no.
    Refused,
    /// Some of it went wrong.
    Partly,
    /// The operator stopped it.
    Interrupted,
    /// What another release wrote. The history is only ever read: the word is shown, and nothing is lost.
    #[serde(untagged)]
    Other(String),
}

impl Default for Ending {
    /// Of an event that does not say.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl fmt::Display for Ending {
    /// The word in the history.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A run, read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When it began.
    pub time: Timestamp,
    /// Its beginning.
    #[serde(flatten)]
    pub began: Began,
    /// Its end; `None`: it still runs, or did not end.
    #[serde(flatten)]
    pub ended: Option<Ended>,
    /// When it ended.
    pub end: Option<Timestamp>,
}

/// One event, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    /// Of both events of one run.
    pub(super) run: String,
    #[serde(flatten)]
    pub(super) said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Said {
    Began(Began),
    Ended(Ended),
}

impl Event {
    /// The event's text, no longer than AWS takes: what is too large is cut, and says so.
    pub(super) fn text(mut self) -> String {
        if let Said::Ended(ended) = &mut self.said
            && ended.changes.len() > CHANGES
        {
            let more = ended.changes.len() - CHANGES;
            ended.changes.truncate(CHANGES);
            ended.changes.push(format!(".. and {more} more"));
        }
        loop {
            let text = serde_json::to_string(&self).unwrap_or_default();
            if text.len() <= EVENT || !self.shorten(text.len()) {
                return text;
            }
        }
    }

    /// Cuts the largest text, in an event of so many bytes; `false` when there is nothing left to cut.
    fn shorten(&mut self, size: usize) -> bool {
        let largest = match &mut self.said {
            Said::Began(began) => {
                let documents = began.documents.values_mut();
                documents.chain([&mut began.command]).max_by_key(|t| t.len())
            }
            Said::Ended(ended) => ended.changes.iter_mut().chain(&mut ended.error).max_by_key(|t| t.len()),
        };
        let Some(text) = largest.filter(|t| t.len() > 2 * CUT.len()) else { return false };
        let kept = text.strip_suffix(CUT).unwrap_or(text);
        // Characters are escaped, so that they take more bytes in the event than here: in proportion, and a little more.
        let wanted = (kept.len() * EVENT / size * 9 / 10).min(kept.len().saturating_sub(CUT.len()));
        let end = (0..=wanted).rev().find(|at| kept.is_char_boundary(*at)).unwrap_or_default();
        *text = format!("{}{CUT}", &kept[..end]);
        true
    }
}

/// Events, in any order, as runs: the newest first. Those whose beginning was not read are left out.
pub(super) fn entries(events: &[(Timestamp, Event)]) -> Vec<Entry> {
    let mut runs: BTreeMap<&str, Entry> = BTreeMap::new();
    for (time, event) in events {
        if let Said::Began(began) = &event.said {
            // An answer that was lost lets the SDK write an event twice.
            let entry = Entry { time: *time, began: began.clone(), ended: None, end: None };
            runs.entry(&event.run).or_insert(entry);
        }
    }
    for (time, event) in events {
        if let (Said::Ended(ended), Some(entry)) = (&event.said, runs.get_mut(event.run.as_str())) {
            (entry.ended, entry.end) = (Some(ended.clone()), Some(*time));
        }
    }
    let mut runs: Vec<Entry> = runs.into_values().collect();
    runs.sort_by_key(|entry| Reverse(entry.time));
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn began(document: &str) -> Said {
        let documents = BTreeMap::from([("manifest".to_owned(), document.to_owned())]);
        Said::Began(Began { who: "arn".into(), command: "minion x".into(), documents, ..Began::default() })
    }

    #[test]
    fn events_are_never_too_large() {
        for piece in ["a: 1\n", "\"\n", "ä\u{1}", "𝄞"] {
            let event = Event { run: "r".into(), said: began(&piece.repeat(400_000 / piece.len())) };
            let text = event.text();
            assert!(text.len() <= EVENT && text.len() > EVENT / 3, "{piece:?}: {}", text.len());
            let Said::Began(back) = serde_json::from_str::<Event>(&text).unwrap().said else { panic!("{text}") };
            assert!(back.documents["manifest"].ends_with(CUT));
        }
        let small = Event { run: "r".into(), said: began("a: 1\n") };
        assert_eq!(serde_json::from_str::<Event>(&small.clone().text()).unwrap(), small);
        let changes = vec!["x".repeat(9_000); 500];
        let ended = Event { run: "r".into(), said: Said::Ended(Ended { changes, ..Ended::default() }) }.text();
        assert!(ended.len() <= EVENT && ended.contains("300 more"));
    }

    #[test]
    fn an_ending_of_another_release_is_kept() {
        for (word, ending) in [("partly", Ending::Partly), ("later", Ending::Other("later".into()))] {
            let text = format!(r#"{{"run":"r","event":"ended","result":"{word}","exit":0}}"#);
            let event: Event = serde_json::from_str(&text).unwrap();
            let Said::Ended(ended) = &event.said else { panic!("{text}") };
            assert_eq!((&ended.result, ended.result.to_string().as_str()), (&ending, word));
            assert_eq!(event.text(), text);
        }
    }

    #[test]
    fn events_become_runs() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let event = |run: &str, said| Event { run: run.into(), said };
        let end = || Said::Ended(Ended { result: Ending::Done, ..Ended::default() });
        let events = [
            (at(1), event("a", began("1"))),
            (at(2), event("b", began("2"))),
            (at(2), event("b", began("2"))),
            (at(3), event("a", end())),
            (at(4), event("lost its beginning", end())),
        ];
        let runs = entries(&events);
        let told: Vec<_> = runs.iter().map(|r| (r.time, r.end, r.ended.is_some())).collect();
        assert_eq!(told, [(at(2), None, false), (at(1), Some(at(3)), true)]);
    }
}
