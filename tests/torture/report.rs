//! What came of the cases: progress, the table, and a file for each failure.
use crate::{
    case::{Case, Outcome},
    faults::{Call, Fault},
    prepared::Prepared,
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
    /// Whether cases that pass leave a file too.
    all: bool,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    rows: BTreeMap<&'static str, Row>,
    /// Problem without its particulars -> cases.
    problems: BTreeMap<String, Vec<String>>,
    unreached: Vec<String>,
    /// Faults that no call has.
    unfit: Vec<String>,
    done: usize,
    /// Fault -> cases, and those in which the command bore it.
    borne: BTreeMap<&'static str, (usize, usize)>,
    all: usize,
    told: Instant,
}

impl Report {
    /// For these cases.
    pub(crate) fn new(prepared: &[Prepared], cases: &[Case], unfit: Vec<String>, setup: Duration) -> Self {
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
            unfit,
            done: 0,
            borne: BTreeMap::new(),
            all: cases.len(),
            told: Instant::now(),
        };
        let all = env::var_os("MINION_TORTURE_ALL").is_some();
        Self { directory, all, began: Instant::now(), state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what came of one.
    pub(crate) fn add(&self, prepared: &Prepared, call: &Call, fault: Fault, outcome: &Outcome) {
        let name = format!("{} {} {}", prepared.scene.name, call.id(), fault.name());
        let mut problems = outcome.problems.clone();
        if !outcome.reached && !varies(call) {
            problems.push("the call did not come, in two tries".to_owned());
        }
        if !problems.is_empty() || self.all {
            let file = self.directory.join(name.replace(['/', ' '], "_"));
            let text = format!("{name}\n{}\n\n{}", problems.join("\n"), outcome.transcript);
            fs::write(&file, text).unwrap();
        }
        if !problems.is_empty() {
            eprintln!("FAILED {name}: {}", problems.join("; "));
        }
        let mut state = self.state();
        state.done += 1;
        let row = state.rows.entry(prepared.scene.name).or_default();
        row.failures += usize::from(!problems.is_empty());
        if outcome.reached {
            row.cases += 1;
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
        for problem in &problems {
            state.problems.entry(general(problem)).or_default().push(name.clone());
        }
        if state.told.elapsed() > PROGRESS {
            state.told = Instant::now();
            let done = state.done;
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
        let state = self.state();
        state.rows.values().map(|row| row.failures).sum::<usize>() + state.unfit.len()
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
        if !state.unfit.is_empty() {
            let _ = writeln!(text, "Faults that no call has, each a failure:\n    {}\n", state.unfit.join("\n    "));
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

/// Calls whose number is not the same each time, and why: a case of one that does not come is none.
const VARIES: &[(&str, &str)] =
    &[("route53:ChangeResourceRecordSets", "records are made and deleted at the same time, in any order")];

fn varies(call: &Call) -> bool {
    VARIES.iter().any(|(operation, _)| *operation == call.operation || *operation == call.id())
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
