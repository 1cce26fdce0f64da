//! One case: a command, a fault at one of its calls, the command once more, and then all of it away.
use crate::{
    client::{Ended, Shell},
    emulator::Server,
    faults::{Armed, Call, Fault},
    proxy::{Proxy, Role},
    scenes::{Prepared, World},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What is no word for a user.
const INTERNALS: [&str; 13] = [
    "panicked",
    "RUST_BACKTRACE",
    "SdkError",
    "DispatchFailure",
    "dispatch failure",
    "ServiceError(",
    "ConstructionFailure",
    "ResponseError",
    "TimeoutError",
    "Unhandled",
    "unhandled error",
    "Some(",
    "Err(",
];

/// After the second Ctrl-C; a busy computer takes a while.
const AT_ONCE: Duration = Duration::from_secs(8);

/// A command's run with a fault in it.
pub(crate) struct Case {
    pub(crate) scene: usize,
    pub(crate) call: usize,
    pub(crate) fault: Fault,
    /// To be run to the end in any case.
    pub(crate) whole: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The call came.
    pub(crate) reached: bool,
    /// The command bore the fault: exit code 0.
    pub(crate) borne: bool,
    /// All of it was run, to the deletion.
    pub(crate) whole: bool,
    /// How long the second run took.
    pub(crate) recovery: Duration,
    /// What is wrong; nothing when the case has passed.
    pub(crate) problems: Vec<String>,
    /// All that was run, said and found, for a file.
    pub(crate) transcript: String,
}

impl Outcome {
    /// The harness itself could not go on; what it says stands on stderr.
    pub(crate) fn broken() -> Self {
        Self { reached: true, problems: vec!["the harness broke".to_owned()], ..Self::default() }
    }
}

/// A state, a shell, and a proxy between them.
pub(crate) struct Stage<'a> {
    world: &'a World,
    server: Server,
    shell: Shell,
    pub(crate) proxy: Proxy,
    transcript: Mutex<String>,
}

impl<'a> Stage<'a> {
    /// Without faults.
    pub(crate) async fn on(world: &'a World, server: Server) -> Self {
        Self::with(world, server.clone(), Role::Record { before: server }).await
    }

    /// With a proxy that does this.
    pub(crate) async fn with(world: &'a World, server: Server, role: Role) -> Self {
        let proxy = Proxy::start(&server, role).await;
        let shell = Shell::new(&world.environment, &world.files);
        Self { world, server, shell, proxy, transcript: Mutex::default() }
    }

    /// Runs a command line.
    pub(crate) async fn run(&self, line: &str) -> Ended {
        let ended = self.shell.run(&self.world.words(line), &self.proxy).await;
        self.note(&ended.transcript());
        ended
    }

    /// Runs a command line, which must work.
    pub(crate) async fn must(&self, line: &str) -> Ended {
        let ended = self.run(line).await;
        assert!(ended.ok(), "undisturbed, and yet: {}\n{}", ended.transcript(), self.proxy.transcript());
        ended
    }

    /// What differs from a dump.
    async fn differs(&self, wanted: &Value) -> Vec<String> {
        difference(wanted, &self.world.dump(&self.server).await)
    }

    fn note(&self, text: &str) {
        let mut all = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_str(text);
        all.push_str("\n\n");
    }
}

/// The lines that only one of two dumps has: `- ` those that are missing, `+ ` those that are too many.
pub(crate) fn difference(wanted: &Value, found: &Value) -> Vec<String> {
    fn lines(path: &str, value: &Value, all: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    lines(&format!("{path} / {name}"), value, all);
                }
            }
            other => drop(all.insert(format!("{path} = {other}"))),
        }
    }
    let (mut before, mut now) = (BTreeSet::new(), BTreeSet::new());
    lines("", wanted, &mut before);
    lines("", found, &mut now);
    let missing = before.difference(&now).map(|line| format!("-{line}"));
    missing.chain(now.difference(&before).map(|line| format!("+{line}"))).collect()
}

impl Prepared {
    /// Runs a case. A state that is the undisturbed run's to the last field has no other future than that one, which
    /// was tried; so a case ends there, unless it is to be run as a `whole`.
    pub(crate) async fn case(&self, call: &Call, fault: Fault, whole: bool) -> Outcome {
        let server = self.server.fork().await;
        let before = if fault == Fault::Stale { Some(self.server.fork().await) } else { None };
        let role = Role::Fault { armed: Armed::new(call, fault), before: before.clone() };
        let stage = Stage::with(&self.world, server.clone(), role).await;
        let mut outcome = self.on(&stage, call, fault, whole).await;
        let calls = stage.proxy.transcript();
        let said = stage.transcript.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.transcript = format!("{said}calls:\n{calls}\n");
        server.end().await;
        if let Some(before) = before {
            before.end().await;
        }
        outcome
    }

    async fn on(&self, stage: &Stage<'_>, call: &Call, fault: Fault, whole: bool) -> Outcome {
        let scene = self.scene;
        let run = stage.run(scene.command).await;
        let mut outcome = Outcome { reached: stage.proxy.reached(), borne: run.ok(), whole, ..Outcome::default() };
        if !outcome.reached {
            return outcome;
        }
        let problems = &mut outcome.problems;
        problems.extend(first(&run, call, fault, stage.proxy.stopped()));
        if run.ok() {
            let mut lines = stage.differs(&self.wanted).await;
            let kept = run.stderr.contains("the lease of");
            if kept {
                // That is told, and it runs out.
                lines.retain(|line| !line.contains("/leases/"));
            }
            found(stage, problems, "it says that it is done, and is not", &lines);
            if problems.is_empty() && !whole && !kept {
                return outcome;
            }
        }
        stage.proxy.calm();

        let again = stage.run(scene.command).await;
        outcome.recovery = again.took;
        problems.extend(words(&again));
        if !scene.done(&again) {
            problems.push(format!("the second run: {}", reason(&again)));
            let third = stage.run(scene.command).await;
            if !third.ok() {
                problems.push(format!("the third run: {}", reason(&third)));
            }
        }
        let lines = stage.differs(&self.wanted).await;
        found(stage, problems, "not what an undisturbed run makes", &lines);
        if problems.is_empty() && !whole {
            return outcome;
        }
        if scene.plans {
            let plan = stage.run(&format!("{} --dry-run --detailed-exitcode", scene.command)).await;
            if !plan.ok() {
                problems.push(format!("the plan afterwards: {}", reason(&plan)));
            }
        }
        for line in scene.clean {
            let clean = stage.run(line).await;
            if !clean.ok() {
                problems.push(format!("deleting: {}", reason(&clean)));
            }
        }
        if !scene.clean.is_empty() {
            let lines = stage.differs(&self.before).await;
            found(stage, problems, "deleting does not leave what was before", &lines);
        }
        outcome
    }
}

/// Notes a difference of dumps.
fn found(stage: &Stage<'_>, problems: &mut Vec<String>, what: &str, lines: &[String]) {
    if let Some(line) = lines.first() {
        problems.push(format!("{what}: {line} ({} lines)", lines.len()));
        stage.note(&format!("{what}:\n{}", lines.join("\n")));
    }
}

/// How a run ended, and the first line of its error.
fn reason(run: &Ended) -> String {
    let line = run.stderr.lines().find(|line| line.contains("error") || line.contains("Error")).unwrap_or_default();
    format!("{}: {}", run.told(), line.trim())
}

/// What no run may do.
fn words(run: &Ended) -> Vec<String> {
    let said = run.said();
    let mut problems: Vec<String> =
        INTERNALS.iter().filter(|word| said.contains(**word)).map(|word| format!("it says `{word}`")).collect();
    if run.hung {
        problems.push(run.told());
    }
    problems
}

/// What the run with the fault must not do.
fn first(run: &Ended, call: &Call, fault: Fault, stopped: Option<Instant>) -> Vec<String> {
    let mut problems = words(run);
    let mut not = |why: &str| problems.push(format!("{why}: {}", reason(run)));
    match fault {
        Fault::KillBefore | Fault::KillAfter => {
            if run.signal != Some(9) {
                not("it was killed");
            }
        }
        Fault::Interrupt | Fault::InterruptTwice => {
            if !matches!(run.code, Some(0 | 130)) {
                not("interrupted");
            } else if run.code == Some(130) && !run.said().to_lowercase().contains("interrupt") {
                not("it does not say that it was interrupted");
            }
            let late = stopped.map_or(Duration::ZERO, |stopped| run.at.saturating_duration_since(stopped));
            if fault == Fault::InterruptTwice && late > AT_ONCE {
                not(&format!("the second Ctrl-C stopped it after {late:.1?}"));
            }
        }
        Fault::Denied => {
            let named = names(&call.operation, &run.said());
            match run.code {
                // It went around: that must be said, unless nothing depends on the call.
                Some(0) if named || UNIMPORTANT.contains(&call.operation.as_str()) => {}
                Some(1 | 4) if named => {}
                Some(0) => not("what it may not do is not told"),
                _ => not("denied, and the action is not named"),
            }
        }
        _ if fault.borne(call) => {
            if !run.ok() {
                not("that it should bear");
            }
        }
        _ => {
            if !matches!(run.code, Some(0 | 1 | 4)) {
                not("it ended otherwise");
            }
        }
    }
    problems
}

/// Reads that only make an output better, or that have another way.
const UNIMPORTANT: [&str; 0] = [];

/// Whether an output names an action, by AWS's name or IAM's.
fn names(operation: &str, said: &str) -> bool {
    let (service, name) = operation.split_once(':').unwrap_or_default();
    let iam = match name {
        "GetPublicAccessBlock" => "PublicAccessBlock",
        "ListObjectVersions" => "ListBucketVersions",
        "PutBucketEncryption" => "Encryption",
        "DeleteObjects" => "DeleteObject",
        other => other,
    };
    let said = said.to_lowercase();
    said.contains(&name.to_lowercase()) || said.contains(&iam.to_lowercase()) || said.contains(&format!("{service}:*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_told_in_lines() {
        let (one, other) = (json!({ "vpc": { "team": { "cidr": 1 } } }), json!({ "vpc": { "team": { "cidr": 2 } } }));
        assert_eq!(difference(&one, &other), ["- / vpc / team / cidr = 1", "+ / vpc / team / cidr = 2"]);
        assert!(difference(&one, &one).is_empty());
    }
}
