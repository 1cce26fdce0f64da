//! What a scenario has shown: the checks of the virtual machine, and what its console says.
use super::scenario::Scenario;
use serde::Deserialize;

/// A line that the virtual machine says on its second serial port (`check.py`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    boot: u64,
    check: String,
    ok: bool,
    found: String,
    /// The checks of a boot begin; seconds since it began.
    uptime: Option<f64>,
    ends: bool,
    /// For a person who looks for the cause of a failure.
    note: Option<String>,
}

/// What a scenario has shown so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Boots whose checks ran to their end.
    boots: u64,
    passed: usize,
    failed: Vec<String>,
    /// Seconds from the start of each boot to its checks.
    uptimes: Vec<f64>,
}

impl Report {
    /// Takes a line of the second serial port; what to show of it.
    pub(crate) fn take(&mut self, line: &str) -> Option<String> {
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            // The firmware and the kernel say nothing there.
            return self.fail(format!("an unknown line on the second serial port: {line}"));
        };
        if let Some(uptime) = line.uptime {
            self.uptimes.push(uptime);
            return Some(format!("boot {}: user data ended within {uptime:.0} s", line.boot));
        }
        if let Some(note) = line.note {
            return Some(format!("| {note}"));
        }
        if line.ends {
            self.boots += 1;
            return None;
        }
        if line.ok {
            self.passed += 1;
            return Some(format!("boot {}: {}", line.boot, line.check));
        }
        self.fail(format!("boot {}: {}; found: {}", line.boot, line.check, line.found))
    }

    /// Notes a failure; what to show of it.
    pub(crate) fn fail(&mut self, what: String) -> Option<String> {
        let shown = format!("FAILED: {what}");
        self.failed.push(what);
        Some(shown)
    }

    /// Compares the console and the number of boots with what was wanted; what to show of it.
    pub(crate) fn end(&mut self, scenario: &Scenario, console: &str) -> Vec<String> {
        let mut shown = Vec::new();
        let plan = &scenario.plan;
        // What was checked, whether it holds, and what was found instead.
        let mut checks = vec![(
            format!("the checks of {} boots ran", plan.wanted.boots),
            self.boots == plan.wanted.boots,
            format!("those of {}", self.boots),
        )];
        for text in &plan.console.once {
            let count = console.matches(text.as_str()).count();
            checks.push((format!("the console says once: {text}"), count == 1, format!("{count} times")));
        }
        for text in &plan.console.says {
            checks.push((format!("the console says: {text}"), console.contains(text), "it does not".to_owned()));
        }
        let secrets = plan.wanted.secret.iter().filter_map(|secret| Some((secret.lines().next()?, "a secret")));
        for (text, name) in plan.console.never.iter().map(|text| (text.as_str(), text.as_str())).chain(secrets) {
            checks.push((format!("the console never says: {name}"), !console.contains(text), "it does".to_owned()));
        }
        for (check, holds, found) in checks {
            if holds {
                self.passed += 1;
                shown.push(check);
            } else {
                shown.extend(self.fail(format!("{check}; found: {found}")));
            }
        }
        shown
    }

    pub(crate) fn is_good(&self) -> bool {
        self.failed.is_empty() && self.passed > 0
    }

    /// One line.
    pub(crate) fn summary(&self) -> String {
        let uptimes: Vec<String> = self.uptimes.iter().map(|seconds| format!("{seconds:.0} s")).collect();
        let (passed, failed) = (self.passed, self.failed.len());
        format!("{passed} checks passed, {failed} failed; checked after {} of each boot", uptimes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(boots: u64) -> Scenario {
        let text = format!(
            r#"{{"about": "a", "image": "hello", "minutes": 1, "aws": {{"registry_password": "", "parameters": {{}}, "secrets": {{}}}},
                "console": {{"once": ["runs"], "says": ["why"], "never": ["twice"]}},
                "wanted": {{"boots": {boots}, "fails": false, "pulls": true, "secret": ["s3cret\nline"]}}}}"#
        );
        let plan = serde_json::from_str(&text).unwrap();
        Scenario { name: "one".to_owned(), manifest: "manifest.yaml".into(), text, plan }
    }

    fn after(lines: &[&str], console: &str) -> Report {
        let mut report = Report::default();
        for line in lines {
            report.take(line);
        }
        report.end(&scenario(1), console);
        report
    }

    const BEGINS: &str = r#"{"boot": 1, "begins": true, "uptime": 61.5}"#;
    const GOOD: &str = r#"{"boot": 1, "check": "the container runs", "ok": true, "found": ""}"#;
    const ENDS: &str = r#"{"boot": 1, "ends": true, "last": true}"#;

    #[test]
    fn all_is_well() {
        let report = after(&[BEGINS, GOOD, ENDS], "minion: it runs\nwhy: because");
        assert!(report.is_good(), "{report:?}");
        assert_eq!(report.summary(), "6 checks passed, 0 failed; checked after 62 s of each boot");
    }

    #[test]
    fn whatever_is_not_well_fails() {
        let well = "it runs, and why";
        let bad = r#"{"boot": 1, "check": "the container runs", "ok": false, "found": "nothing"}"#;
        let cases: [(&[&str], &str, &str); 7] = [
            (&[BEGINS, bad, ENDS], well, "the container runs; found: nothing"),
            (&[BEGINS, GOOD], well, "the checks of 1 boots ran; found: those of 0"),
            (&[BEGINS, GOOD, ENDS], "why", "the console says once: runs; found: 0 times"),
            (&[BEGINS, GOOD, ENDS], "runs, runs, why", "found: 2 times"),
            (&[BEGINS, GOOD, ENDS], "runs", "the console says: why"),
            (&[BEGINS, GOOD, ENDS], "runs twice, why", "the console never says: twice"),
            (&[BEGINS, "garbage", GOOD, ENDS], well, "garbage"),
        ];
        for (lines, console, wanted) in cases {
            let report = after(lines, console);
            assert!(!report.is_good(), "{wanted}");
            assert!(report.failed.iter().any(|failed| failed.contains(wanted)), "{wanted}: {report:?}");
        }
    }

    #[test]
    fn a_secret_on_the_console_is_a_failure_and_is_not_repeated() {
        let report = after(&[BEGINS, GOOD, ENDS], "runs, why, s3cret");
        assert!(!report.is_good());
        assert!(report.failed.iter().any(|failed| failed.contains("a secret")), "{report:?}");
        assert!(!format!("{report:?}").contains("s3cret"), "{report:?}");
    }
}
