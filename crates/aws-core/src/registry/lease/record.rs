//! What a lease's parameter says, and what follows from it. Nothing here calls AWS.
use super::process::Process;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a lease holds that is not renewed.
pub(super) const TTL: SignedDuration = SignedDuration::from_secs(120);
/// How far the clocks of two operators may be apart.
pub(super) const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// The most of a text that is kept, in bytes; a parameter holds 4,096 in all.
const OWNER: usize = 400;
const HOST: usize = 100;
const COMMAND: usize = 500;

/// Who holds a lease, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Of this one holder, and never of another one.
    pub token: String,
    /// Who, as AWS knows it: an ARN.
    #[serde(default)]
    pub owner: String,
    /// Who and where, as the computer knows it: `anna@laptop`.
    #[serde(default)]
    pub host: String,
    /// Which process there.
    #[serde(flatten)]
    pub process: Option<Process>,
    /// What it does.
    #[serde(default)]
    pub command: String,
    /// Since when.
    pub taken: Timestamp,
    /// Until when, unless it is renewed.
    pub expires: Timestamp,
    /// The version of the parameter that this record meant to become. Without one, it counts as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<i64>,
}

impl Record {
    /// A holder's first record.
    pub(super) fn new(token: String, owner: &str, command: &str, now: Timestamp) -> Self {
        Self {
            token,
            owner: cut(owner, OWNER),
            host: cut(&super::process::origin(), HOST),
            process: Process::own(),
            command: cut(command, COMMAND),
            taken: now,
            expires: now + TTL,
            claim: None,
        }
    }
}

/// The beginning of a text: at most so many bytes.
fn cut(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().find(|(at, c)| at + c.len_utf8() > most) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

/// What one version of the parameter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Nobody has the lease.
    Free { claim: Option<i64> },
    /// Somebody says to have it.
    Held(Record),
    /// Nothing that we wrote.
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct FreeRecord {
    free: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<i64>,
}

impl Said {
    pub(super) fn parse(text: &str) -> Self {
        if let Ok(FreeRecord { free: true, claim }) = serde_json::from_str(text) {
            return Self::Free { claim };
        }
        serde_json::from_str(text).map_or(Self::Unknown, Self::Held)
    }

    /// The parameter's value. AWS refuses `{{`, with which a reference to another parameter begins.
    pub(super) fn text(&self) -> String {
        let text = match self {
            Self::Free { claim } => serde_json::to_string(&FreeRecord { free: true, claim: *claim }),
            Self::Held(record) => serde_json::to_string(record),
            Self::Unknown => Ok(String::new()),
        };
        text.unwrap_or_default().replace("{{", "{\\u007b").replace("}}", "}\\u007d")
    }

    /// The same, meant to become that version.
    pub(super) fn claiming(&self, version: i64) -> Self {
        match self {
            Self::Free { .. } => Self::Free { claim: Some(version) },
            Self::Held(record) => Self::Held(Record { claim: Some(version), ..record.clone() }),
            Self::Unknown => Self::Unknown,
        }
    }

    /// Whether it became what it meant to become: else it was too late, and says nothing. What made the parameter anew
    /// was not too late.
    pub(super) fn is_genuine(&self, version: i64) -> bool {
        match self {
            Self::Free { claim } | Self::Held(Record { claim, .. }) => {
                version == 1 || claim.is_none_or(|c| c == version)
            }
            Self::Unknown => true,
        }
    }
}

/// What was read: what holds, and the parameter's last version, which may be another one that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) said: Said,
    pub(super) last: i64,
    /// When that was written, by AWS's clock.
    pub(super) written: Option<Timestamp>,
}

/// Somebody else has the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who; `None` when that cannot be read.
    pub by: Option<Record>,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Take it: over this version, or as the first one.
    Take(Option<i64>),
    /// We have it already: the parameter's last version, and what we wrote.
    Ours(i64, Record),
    /// Wait, or give up.
    Held(Held),
}

/// What follows from what was read.
pub(super) fn decide(seen: Option<&Seen>, token: &str, now: Timestamp, is_over: impl Fn(&Process) -> bool) -> Verdict {
    let Some(seen) = seen else { return Verdict::Take(None) };
    let record = match &seen.said {
        Said::Free { .. } => return Verdict::Take(Some(seen.last)),
        Said::Held(record) if record.token == token => {
            // An answer that took long: what is left of that time is too short.
            let fresh = now < record.taken + TTL / 2;
            return if fresh { Verdict::Ours(seen.last, record.clone()) } else { Verdict::Take(Some(seen.last)) };
        }
        Said::Held(record) => Some(record),
        Said::Unknown => None,
    };
    let until = record.map_or(seen.written.unwrap_or(now) + TTL, |r| r.expires);
    if now > until + SKEW || record.and_then(|r| r.process.as_ref()).is_some_and(is_over) {
        return Verdict::Take(Some(seen.last));
    }
    Verdict::Held(Held { by: record.cloned(), until })
}

/// A time of day for people, in UTC.
fn clock(time: Timestamp) -> impl fmt::Display {
    time.strftime("%H:%M:%S UTC").to_string()
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(by) = &self.by else {
            return write!(f, "somebody else, until {}", clock(self.until));
        };
        let host = if by.host.is_empty() { String::new() } else { format!(" on {}", by.host) };
        let owner = if by.owner.is_empty() { "somebody else" } else { &by.owner };
        write!(f, "{owner}{host}, with `{}`, since {}", by.command, clock(by.taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn process(pid: u32) -> Process {
        Process { boot: "b".into(), namespace: "n".into(), pid, started: "1".into() }
    }

    fn record(token: &str, pid: u32) -> Record {
        Record {
            process: Some(process(pid)),
            ..Record::new(token.into(), "arn:aws:iam::1:user/anna", "minion x", at(0))
        }
    }

    fn seen(said: Said, last: i64) -> Seen {
        Seen { said, last, written: Some(at(0)) }
    }

    #[test]
    fn what_follows_from_what_was_read() {
        let is_over = |p: &Process| p.pid == 9;
        let decide = |seen: Option<&Seen>, second| decide(seen, "mine", at(second), is_over);
        let held = |token, pid| seen(Said::Held(record(token, pid)), 7);
        let theirs = Verdict::Held(Held { by: Some(record("theirs", 1)), until: at(120) });
        let somebodys = Verdict::Held(Held { by: None, until: at(120) });
        let table = [
            ("nothing there", None, 0, Verdict::Take(None)),
            ("free", Some(seen(Said::Free { claim: Some(7) }, 7)), 0, Verdict::Take(Some(7))),
            ("ours: an answer was lost", Some(held("mine", 1)), 0, Verdict::Ours(7, record("mine", 1))),
            ("ours: an answer was late", Some(held("mine", 1)), 60, Verdict::Take(Some(7))),
            ("held", Some(held("theirs", 1)), 0, theirs.clone()),
            ("run out, but clocks differ", Some(held("theirs", 1)), 150, theirs),
            ("run out", Some(held("theirs", 1)), 151, Verdict::Take(Some(7))),
            ("its process is over", Some(held("theirs", 9)), 1, Verdict::Take(Some(7))),
            ("unreadable", Some(seen(Said::Unknown, 3)), 150, somebodys),
            ("unreadable and old", Some(seen(Said::Unknown, 3)), 151, Verdict::Take(Some(3))),
        ];
        for (what, seen, second, wanted) in table {
            assert_eq!(decide(seen.as_ref(), second), wanted, "{what}");
        }
    }

    #[test]
    fn texts_come_back() {
        let mut record = record("t", 3);
        record.command = "minion versions create a 1 i -e {{x}}=..  }}}}{{{{{ \"\\".into();
        for said in [
            Said::Held(record.clone()),
            Said::Held(Record { process: None, claim: Some(4), ..record }),
            Said::Free { claim: None },
            Said::Free { claim: Some(8) },
        ] {
            let text = said.text();
            assert!(!text.contains("{{") && !text.contains("}}"), "{text}");
            assert_eq!(Said::parse(&text), said);
        }
        assert_eq!(Said::parse("what a person wrote"), Said::Unknown);
        assert_eq!(Said::parse("{}"), Said::Unknown);
    }

    #[test]
    fn a_record_fits_into_a_parameter() {
        for piece in ["\"", "ä", "\\", "\u{1}", "𝄞", "{{"] {
            let long = piece.repeat(3000);
            let mut record = Record::new("t".repeat(32), &long, &long, at(0));
            record.host = cut(&long, HOST);
            record.claim = Some(i64::MAX);
            let text = Said::Held(record).text();
            assert!(text.len() <= 4096, "{piece}: {}", text.len());
        }
    }

    #[test]
    fn only_what_became_what_it_meant_to_counts() {
        let said = Said::Held(record("t", 1));
        assert!(said.is_genuine(5), "written by hand");
        assert!(said.claiming(5).is_genuine(5) && !said.claiming(5).is_genuine(6));
        assert!(said.claiming(5).is_genuine(1), "it made the parameter anew");
        assert!(Said::Unknown.claiming(5).is_genuine(6));
    }

    #[test]
    fn the_holder_is_told() {
        let by = Some(Record { host: "anna@laptop".into(), ..record("t", 1) });
        assert_eq!(
            Held { by, until: at(120) }.to_string(),
            "arn:aws:iam::1:user/anna on anna@laptop, with `minion x`, since 08:00:00 UTC"
        );
    }
}
