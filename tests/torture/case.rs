//! One case: a command, a fault at one of its calls, the command once more, and then all of it away.
use crate::{
    client::{Ended, Shell},
    emulator::Server,
    faults::{Armed, Call, Fault},
    history::History,
    interrupted,
    prepared::Prepared,
    proxy::{Change, Proxy, Role},
    world::World,
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

    /// Runs a command line, and looks what it says and what stands of it in the history. `excused`: a fault may keep it
    /// from writing there.
    async fn watched(&self, line: &str, excused: bool) -> Watched {
        self.proxy.changes();
        let before = History::of(&self.server, &self.world.book).await;
        let ended = self.run(line).await;
        let changes = self.proxy.changes();
        let mut problems = words(&ended);
        let changed = changes.iter().any(|change| !change.accompanies());
        let history = History::of(&self.server, &self.world.book).await;
        problems.extend(history.problems(&before, changed, excused || ended.hung));
        Watched { ended, changes, problems }
    }

    /// Runs a command line, which must work.
    pub(crate) async fn must(&self, line: &str) -> Ended {
        let ended = self.run(line).await;
        assert!(ended.ok(), "undisturbed, and yet: {}\n{}", ended.transcript(), self.proxy.transcript());
        assert_eq!(self.proxy.broken(), None, "{}", ended.transcript());
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

/// A run, what it asked to be changed, and what is wrong with it whatever it was to do.
struct Watched {
    ended: Ended,
    changes: Vec<Change>,
    problems: Vec<String>,
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
        let role = Role::Fault { armed: Armed::new(call, fault, &self.calls), before: before.clone() };
        let stage = Stage::with(&self.world, server.clone(), role).await;
        let mut outcome = self.on(&stage, call, fault, whole).await;
        if let Some(why) = stage.proxy.broken() {
            outcome.problems.insert(0, format!("the harness broke: {why}"));
        }
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
        let killed = matches!(fault, Fault::KillBefore | Fault::KillAfter | Fault::InterruptTwice);
        let Watched { ended: run, changes, problems } = stage.watched(scene.command, killed || writing(call)).await;
        let reached = stage.proxy.reached();
        let mut outcome = Outcome { reached, borne: run.ok(), whole, problems, ..Outcome::default() };
        let problems = &mut outcome.problems;
        if !outcome.reached {
            if !run.ok() {
                problems.push(format!("undisturbed, and yet: {}", reason(&run)));
            }
            return outcome;
        }
        problems.extend(first(&run, (scene.name, call), fault, stage.proxy.stopped()));
        if let Some(pressed) = stage.proxy.interrupted() {
            problems.extend(interrupted::problems(&run, &changes, call, pressed));
        }
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

        let Watched { ended: again, problems: more, .. } = stage.watched(scene.command, false).await;
        outcome.recovery = again.took;
        problems.extend(more.into_iter().map(|problem| format!("the second run: {problem}")));
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
            let Watched { ended: clean, problems: more, .. } = stage.watched(line, false).await;
            problems.extend(more.into_iter().map(|problem| format!("deleting: {problem}")));
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

/// Whether a command may be unable to write its history when this call goes wrong: it says who it is.
fn writing(call: &Call) -> bool {
    call.operation.starts_with("logs:") || call.operation.starts_with("sts:")
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
fn first(run: &Ended, (command, call): (&str, &Call), fault: Fault, stopped: Option<Instant>) -> Vec<String> {
    let mut problems = Vec::new();
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
            } else if run.code == Some(130) && fault == Fault::Interrupt && run.heard.is_none() {
                not("it does not say at once that it was interrupted");
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
                Some(0) if named || UNIMPORTANT.contains(&(&call.operation, command)) => {}
                Some(0) if advisory(call, command) => {}
                Some(1 | 4) if named => {}
                Some(0) => not("what it may not do is not told"),
                _ => not("denied, and the action is not named"),
            }
        }
        _ if fault.borne(call, command) => {
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

/// Reads that a command does without, and the command: they are asked for before the manifest is known, and a load
/// balancer for TCP needs no certificate; two accounts of which one is in no organization are not in one.
const UNIMPORTANT: [(&str, &str); 3] = [
    ("acm:ListCertificates", "ver create (tcp)"),
    ("acm:DescribeCertificate", "ver create (tcp)"),
    ("organizations:DescribeOrganization", "team create (transit gateway)"),
];

/// Reads of quotas, and of what counts against them: no command needs them. Where the plan creates nothing of the kind,
/// nothing is judged, and nothing is told.
fn advisory(call: &Call, command: &str) -> bool {
    let operation = call.operation.as_str();
    let quotas = ["autoscaling:DescribeAccountLimits", "iam:GetAccountSummary", "route53:GetAccountLimit"];
    let counted = match operation {
        "ec2:DescribeInstances" => command.starts_with("ver create") || command.starts_with("ver scale"),
        // All of the region are counted; the command looks for those of a tag or a VPC, or fails without them.
        _ if ["tag%3A", "vpc-id"].iter().any(|of| call.request.contains(of)) => false,
        "ec2:DescribeSecurityGroups" => command == "app update",
        "ec2:DescribeInternetGateways" | "ec2:DescribeVpcEndpoints" => command == "team update",
        _ => false,
    };
    counted || operation.starts_with("servicequotas:") || quotas.contains(&operation)
}

/// Whether an output names an action, by AWS's name or IAM's.
fn names(operation: &str, said: &str) -> bool {
    let (service, name) = operation.split_once(':').unwrap_or_default();
    let iam = match name {
        "GetPublicAccessBlock" | "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PublicAccessBlock",
        // Deleting it is allowed by the action that puts it.
        "GetAccountPublicAccessBlock" | "PutAccountPublicAccessBlock" | "DeleteAccountPublicAccessBlock" => {
            "AccountPublicAccessBlock"
        }
        "ListObjectVersions" => "ListBucketVersions",
        "GetBucketLifecycleConfiguration" | "PutBucketLifecycleConfiguration" => "LifecycleConfiguration",
        _ if service == "budgets" => "Budget",
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
