//! What came of the cases: progress, the table, and a file for each failure.
use crate::{
    case::{Case, Outcome},
    faults::{Call, Fault},
    scenes::Prepared,
};
use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(15);

/// The sums of one command.
#[derive(Debug, Default, Clone)]
struct Row {
    calls: usize,
    cases: usize,
    not_reached: usize,
    /// Cases in which the command failed, and the next run went on.
    failed_first: usize,
    failures: usize,
    whole: usize,
    recovery: Duration,
}

/// Grows while the cases run.
pub(crate) struct Report {
    directory: PathBuf,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    rows: BTreeMap<&'static str, Row>,
    /// Problem without its particulars -> cases.
    problems: BTreeMap<String, Vec<String>>,
    unreached: Vec<String>,
    /// Fault -> cases, and those in which the command bore it.
    borne: BTreeMap<&'static str, (usize, usize)>,
    all: usize,
    told: Instant,
}

impl Report {
    /// For these cases.
    pub(crate) fn new(prepared: &[Prepared], cases: &[Case], setup: Duration) -> Self {
        let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
        for one in prepared {
            rows.insert(one.scene.name, Row { calls: one.calls.len(), ..Row::default() });
            let writes = one.calls.iter().filter(|call| !call.reads()).count();
            eprintln!(
                "{}: {} calls, {writes} of them change something; {:.1?} undisturbed",
                one.scene.name,
                one.calls.len(),
                one.took
            );
        }
        let directory = env::var_os("MINION_TORTURE_OUT")
            .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("torture"), PathBuf::from);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        for one in prepared {
            let calls: Vec<String> = one
                .calls
                .iter()
                .map(|call| format!("{} {} {}", call.id(), call.status, if call.stale_differs { "stale" } else { "" }))
                .collect();
            fs::write(directory.join(format!("calls-{}", one.scene.name.replace(['/', ' '], "_"))), calls.join("\n"))
                .unwrap();
        }
        eprintln!(
            "{} cases, after {setup:.0?} of setting up; failures are told in {}",
            cases.len(),
            directory.display()
        );
        let state = State {
            rows,
            problems: BTreeMap::new(),
            unreached: Vec::new(),
            borne: BTreeMap::new(),
            all: cases.len(),
            told: Instant::now(),
        };
        Self { directory, began: Instant::now(), state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what came of one.
    pub(crate) fn add(&self, prepared: &Prepared, call: &Call, fault: Fault, outcome: &Outcome) {
        let name = format!("{} {} {}", prepared.scene.name, call.id(), fault.name());
        if !outcome.problems.is_empty() {
            let file = self.directory.join(name.replace(['/', ' '], "_"));
            let text = format!("{name}\n{}\n\n{}", outcome.problems.join("\n"), outcome.transcript);
            fs::write(&file, text).unwrap();
            eprintln!("FAILED {name}: {}", outcome.problems.join("; "));
        }
        let mut state = self.state();
        let row = state.rows.entry(prepared.scene.name).or_default();
        row.cases += 1;
        if outcome.reached {
            row.failures += usize::from(!outcome.problems.is_empty());
            row.failed_first += usize::from(!outcome.borne);
            row.whole += usize::from(outcome.whole);
            row.recovery = row.recovery.max(outcome.recovery);
            let (cases, borne) = state.borne.entry(fault.name()).or_default();
            *cases += 1;
            *borne += usize::from(outcome.borne);
        } else {
            row.not_reached += 1;
            state.unreached.push(name.clone());
        }
        for problem in &outcome.problems {
            state.problems.entry(general(problem)).or_default().push(name.clone());
        }
        if state.told.elapsed() > PROGRESS {
            state.told = Instant::now();
            let done: usize = state.rows.values().map(|row| row.cases).sum();
            let failures: usize = state.rows.values().map(|row| row.failures).sum();
            let left = self.began.elapsed().mul_f64((state.all - done) as f64 / done as f64);
            eprintln!(
                "{done} of {} cases, {failures} failures; {:.0} minutes more",
                state.all,
                left.as_secs_f64() / 60.0
            );
        }
    }

    /// Prints all of it, and writes it into the directory.
    pub(crate) fn end(&self, took: Duration) {
        let text = self.text(took);
        eprintln!("\n{text}");
        fs::write(self.directory.join("report.txt"), text).unwrap();
    }

    /// How many cases failed.
    pub(crate) fn failures(&self) -> usize {
        self.state().rows.values().map(|row| row.failures).sum()
    }

    fn text(&self, took: Duration) -> String {
        let state = self.state();
        let mut text = String::new();
        if !state.problems.is_empty() {
            let _ = writeln!(text, "Problems:");
            for (problem, cases) in &state.problems {
                let _ =
                    writeln!(text, "{} x {problem}\n    {}", cases.len(), cases[..cases.len().min(6)].join("\n    "));
            }
            text.push('\n');
        }
        if !state.unreached.is_empty() {
            let _ = writeln!(text, "Not reached, in two tries each:\n    {}\n", state.unreached.join("\n    "));
        }
        let _ = writeln!(text, "{:<26} {:>6} {:>8}", "fault", "cases", "borne");
        for (fault, (cases, borne)) in &state.borne {
            let _ = writeln!(text, "{fault:<26} {cases:>6} {borne:>8}");
        }
        let _ = writeln!(
            text,
            "\n{:<32} {:>6} {:>6} {:>12} {:>11} {:>8} {:>9} {:>17}",
            "command", "calls", "cases", "not reached", "second run", "deleted", "failures", "longest recovery"
        );
        let mut sum = Row::default();
        for (name, row) in &state.rows {
            line(&mut text, name, row);
            sum.calls += row.calls;
            sum.cases += row.cases;
            sum.not_reached += row.not_reached;
            sum.failed_first += row.failed_first;
            sum.failures += row.failures;
            sum.whole += row.whole;
            sum.recovery = sum.recovery.max(row.recovery);
        }
        line(&mut text, "all", &sum);
        let _ = writeln!(text, "in {:.1} minutes", took.as_secs_f64() / 60.0);
        text
    }
}

fn line(text: &mut String, name: &str, row: &Row) {
    let Row { calls, cases, not_reached, failed_first, whole, failures, recovery } = row;
    let recovery = format!("{:.1} s", recovery.as_secs_f64());
    let _ = writeln!(
        text,
        "{name:<32} {calls:>6} {cases:>6} {not_reached:>12} {failed_first:>11} {whole:>8} {failures:>9} {recovery:>17}"
    );
}

/// A problem without ids and numbers, so that many cases of one cause are one line.
fn general(problem: &str) -> String {
    let plain = |word: &str| {
        let id = word.chars().filter(char::is_ascii_digit).count() > 3;
        if id { "..".to_owned() } else { word.to_owned() }
    };
    problem.split(' ').map(plain).collect::<Vec<_>>().join(" ").chars().take(220).collect()
}
