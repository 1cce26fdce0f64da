//! The history of an application or a team, for people and for programs.
use crate::{Cell, Column, Format, Listing, Output, Terminal, look};
use aws_core::{
    Result,
    registry::history::{Ending, Entry},
};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use similar::TextDiff;
use std::{collections::BTreeMap, fmt::Write as _};

/// Flags of `history`.
#[derive(Debug, Clone, Copy, Args)]
#[command(about = None, long_about = None)]
pub struct HistoryFlags {
    /// How many of the last runs
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub number: u16,
    /// Show what each run changed in the files that it went by, and the oldest ones whole
    #[arg(long)]
    pub diff: bool,
    #[command(flatten)]
    output: Output,
}

/// A run, as it is listed.
#[derive(Debug, Serialize)]
struct Row {
    time: Timestamp,
    end: Option<Timestamp>,
    who: String,
    from: String,
    command: String,
    tool: String,
    result: Option<Ending>,
    exit: Option<u8>,
    error: Option<String>,
    changes: Vec<String>,
    documents: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diffs: Option<BTreeMap<String, String>>,
}

impl Row {
    fn of(entry: &Entry, diffs: Option<BTreeMap<String, String>>) -> Self {
        let (began, ended) = (entry.began.clone(), entry.ended.clone());
        Self {
            time: entry.time,
            end: entry.end,
            who: began.who,
            from: began.from,
            command: began.command,
            tool: began.tool,
            result: ended.as_ref().map(|e| e.result.clone()),
            exit: ended.as_ref().map(|e| e.exit),
            error: ended.as_ref().and_then(|e| e.error.clone()),
            changes: ended.map(|e| e.changes).unwrap_or_default(),
            documents: began.documents,
            diffs,
        }
    }

    /// In words: `done`, or what went wrong.
    fn outcome(&self) -> Cell {
        let style = match &self.result {
            Some(Ending::Done) => look::GOOD,
            Some(Ending::Partly | Ending::Interrupted) | None => look::WARN,
            Some(Ending::Failed | Ending::Refused | Ending::Other(_)) => look::BAD,
        };
        let word = self.result.as_ref().map_or("no end: it runs, or was killed".to_owned(), ToString::to_string);
        let text = self.error.as_ref().map_or(word.clone(), |error| format!("{word}: {error}"));
        Cell::styled(text, Some(style))
    }
}

impl Listing for Row {
    fn columns() -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            Column::left("When (UTC)"),
            Column::left("Who"),
            Column::left("From"),
            Column::left("Command"),
            Column::left("Result"),
        ];
        COLUMNS
    }
    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        vec![
            Cell::new(utc(self.time)),
            Cell::new(short(&self.who)),
            Cell::new(&self.from),
            Cell::new(&self.command),
            self.outcome(),
        ]
    }
    fn fields() -> &'static [&'static str] {
        &["time", "end", "who", "from", "command", "tool", "result", "exit", "error", "changes", "documents"]
    }
}

fn utc(time: Timestamp) -> String {
    time.strftime("%F %T").to_string()
}

/// An ARN's end, which tells people apart: `user/anna` is `anna`, `assumed-role/admin/anna` is `admin/anna`.
fn short(arn: &str) -> &str {
    let end = arn.rsplit(':').next().unwrap_or(arn);
    end.split_once('/').map_or(end, |(_, name)| name)
}

impl Terminal {
    /// Prints the newest runs; `entries` may hold older ones, to compare files with.
    pub fn history(&self, flags: &HistoryFlags, entries: &[Entry]) -> Result<()> {
        let newest = usize::from(flags.number).min(entries.len());
        let rows: Vec<Row> = (0..newest).map(|n| Row::of(&entries[n], flags.diff.then(|| diffs(entries, n)))).collect();
        if flags.diff && Format::from(flags.output) == Format::Table {
            return self.data(&rows.iter().map(|row| self.told(row)).collect::<String>());
        }
        self.listing(flags.output, &rows)
    }

    /// A run with its diffs.
    fn told(&self, row: &Row) -> String {
        let paint = |style, text: &str| self.paint(style, &look::plain(text));
        let head = format!("{} UTC  {}  {}", utc(row.time), row.from, short(&row.who));
        let outcome = row.outcome();
        let mut text = format!("{}\n    {}\n", paint(look::BOLD, &head), look::plain(&row.command));
        let _ = writeln!(text, "    {}", outcome.style.map_or(outcome.text.clone(), |s| paint(s, &outcome.text)));
        for change in &row.changes {
            let _ = writeln!(text, "    {}", look::plain(change));
        }
        for (kind, diff) in row.diffs.iter().flatten() {
            if diff.is_empty() {
                let _ = writeln!(text, "{kind}: as before");
            }
            for line in diff.lines() {
                let style = match line.as_bytes().first() {
                    Some(b'+') => look::GOOD,
                    Some(b'-') => look::BAD,
                    _ => look::DIM,
                };
                let _ = writeln!(text, "{}", paint(style, line));
            }
        }
        text.push('\n');
        text
    }
}

/// What a run changed in each of its documents: compared with the last run before it that may have done something. Empty
/// for one that is as before.
fn diffs(entries: &[Entry], n: usize) -> BTreeMap<String, String> {
    let run = &entries[n];
    let older = || entries[n + 1..].iter().filter(|e| e.ended.as_ref().is_none_or(|end| end.acted()));
    let one = |(kind, text): (&String, &String)| {
        let before = older().find_map(|e| Some((e.time, e.began.documents.get(kind)?)));
        let old = before.map_or("", |(_, text)| text.as_str());
        let from = before.map_or("/dev/null".to_owned(), |(time, _)| format!("{kind}, {} UTC", utc(time)));
        let to = format!("{kind}, {} UTC", utc(run.time));
        (kind.clone(), TextDiff::from_lines(old, text).unified_diff().header(&from, &to).to_string())
    };
    run.began.documents.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_core::registry::history::{Began, Ended};

    fn entry(second: i64, manifest: &str, result: Option<Ending>) -> Entry {
        let ended = result.map(|result| Ended { result, ..Ended::default() });
        Entry {
            time: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            began: Began {
                who: "arn:aws:sts::1:assumed-role/admin/anna".into(),
                from: "anna@laptop".into(),
                command: "minion applications update a.yaml".into(),
                tool: "minion 0.1.0".into(),
                documents: BTreeMap::from([("manifest".into(), manifest.into())]),
            },
            end: ended.as_ref().map(|_| Timestamp::from_second(1_800_000_001 + second).unwrap()),
            ended,
        }
    }

    fn shown(flags: HistoryFlags, entries: &[Entry]) -> String {
        let (terminal, captured) = Terminal::captured(200, false);
        terminal.history(&flags, entries).unwrap();
        captured.out()
    }

    const FLAGS: HistoryFlags = HistoryFlags { number: 20, diff: false, output: Output { format: Format::Table } };

    #[test]
    fn runs_are_listed() {
        let mut failed = entry(60, "a: 1\n", Some(Ending::Failed));
        failed.ended.as_mut().unwrap().error = Some("AWS said no".into());
        let text = shown(FLAGS, &[entry(120, "a: 1\n", None), failed, entry(0, "a: 1\n", Some(Ending::Done))]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("When (UTC)"), "{text}");
        assert!(text.contains("2027-01-15 08:02:00") && text.contains("no end"), "{text}");
        assert!(text.contains("admin/anna") && text.contains("failed: AWS said no"), "{text}");
        assert_eq!(
            shown(HistoryFlags { number: 1, ..FLAGS }, &[entry(1, "", None), entry(0, "", None)])
                .matches("no end")
                .count(),
            1
        );
    }

    #[test]
    fn diffs_are_with_what_was_there() {
        let entries = [
            entry(3, "a: 3\nb: 1\n", Some(Ending::Done)),
            entry(2, "a: 2\nb: 1\n", Some(Ending::Refused)),
            entry(1, "a: 1\nb: 1\n", Some(Ending::Done)),
            entry(0, "a: 1\nb: 1\n", Some(Ending::Done)),
        ];
        let text = shown(HistoryFlags { diff: true, ..FLAGS }, &entries);
        assert!(text.contains("-a: 1\n+a: 3\n b: 1\n"), "{text}");
        assert!(text.contains("-a: 1\n+a: 2\n"), "{text}");
        assert!(text.contains("manifest: as before"), "{text}");
        assert!(
            text.contains("--- /dev/null\n+++ manifest, 2027-01-15 08:00:00 UTC\n@@ -0,0 +1,2 @@\n+a: 1\n+b: 1\n"),
            "{text}"
        );
        let json = HistoryFlags { diff: true, output: Output { format: Format::Json }, number: 1 };
        let rows: serde_json::Value = serde_json::from_str(&shown(json, &entries)).unwrap();
        assert_eq!(rows[0]["documents"]["manifest"], "a: 3\nb: 1\n");
        assert!(rows[0]["diffs"]["manifest"].as_str().unwrap().contains("+a: 3"));
    }
}
