//! A change to an application or a team, as every command makes it: under the lease, and written into the history.
use crate::{Exit, Terminal, command_line, passwords::hidden, signals::gently, summary::listed};
use aws_core::{
    Error, Result,
    cloud::Cloud,
    engine::{Action, Cancel, NodeReport, Outcome, Report, Stop, World as _},
    error::Kind,
    registry::{
        history::{self, Began, Book, Ended, Ending},
        lease::{self, Lease, Place, Wanted},
    },
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// Time for writing into the history.
const WRITING: Duration = Duration::from_secs(20);

/// What is undertaken.
pub struct Task<'a> {
    /// Where the lease and the history are kept.
    pub cloud: &'a Cloud,
    /// The operator's own credentials.
    pub caller: &'a Cloud,
    /// The lease that it needs.
    pub place: Place,
    /// Where it is written down.
    pub book: Book,
    /// The program and its version: `minion 0.1.0`.
    pub tool: String,
    /// The files that it goes by, by what they are.
    pub documents: BTreeMap<String, String>,
    /// How long to wait for whoever has the lease; `None`: not at all.
    pub wait: Option<Duration>,
    /// Whether, once it is done, what the lease is for is gone.
    pub ends: bool,
}

/// Work under way, that has the lease; by default, work that needs none.
#[derive(Default)]
pub struct Undertaking {
    lease: Mutex<Option<Lease>>,
    changes: Mutex<Vec<String>>,
    cancel: Cancel,
    /// Why the lease could not be let go of.
    kept: Mutex<Option<Error>>,
}

impl Undertaking {
    /// Writes down what a report says was changed.
    pub fn changed(&self, report: &Report) {
        let lines = report.nodes.iter().filter_map(line);
        locked(&self.changes).extend(lines);
    }

    /// Writes down what kept a plan from being carried out: nothing of it was done.
    pub fn hindered(&self, plan: &Report) {
        let failed = plan.nodes.iter().filter(|node| matches!(node.outcome, Outcome::Failed(_)));
        locked(&self.changes).extend(failed.filter_map(line));
    }

    /// Writes down what else was changed, a line each.
    pub fn note(&self, lines: impl IntoIterator<Item = String>) {
        locked(&self.changes).extend(lines);
    }

    /// Lets go of the lease before the end: nothing is written from now on. What keeps it from that is no error: it runs
    /// out, and the end says so.
    pub async fn let_go(&self) {
        let lease = locked(&self.lease).take();
        if let Some(lease) = lease {
            let released = unless_stopped(&self.cancel, lease.release(false)).await;
            *locked(&self.kept) = released.and_then(Result::err);
        }
    }

    /// Fails when the lease ran out: before a step that nothing else keeps from being begun.
    pub fn check(&self) -> Result<()> {
        locked(&self.lease).as_ref().map_or(Ok(()), Lease::check)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds this lock")
}

/// What a node says of a change.
fn line(node: &NodeReport) -> Option<String> {
    match &node.outcome {
        Outcome::Done(Action::Create) => Some(format!("+ {node}")),
        Outcome::Done(Action::Delete) => Some(format!("- {node}")),
        Outcome::Done(Action::Update(changes)) => {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            Some(format!("~ {node}: {}", changes.join("; ")))
        }
        Outcome::Failed(e) => Some(format!("! {node}: {}", first_line(e))),
        Outcome::Left(why) => Some(format!("= {node}: left, because {why}")),
        Outcome::Done(Action::Keep | Action::Leave(_))
        | Outcome::Tolerated(_)
        | Outcome::Skipped(_)
        | Outcome::Cancelled => None,
    }
}

/// What was done before an interrupt, for the operator: `Made: .. Changed: .. Removed: ..`; none when nothing was.
fn until_then(changes: &[String]) -> Option<String> {
    let named = |(word, sign): (&str, char)| {
        let lines = changes.iter().filter_map(|line| line.strip_prefix(sign));
        let names: Vec<_> = lines.map(|line| line.split(": ").next().unwrap_or(line).trim().to_owned()).collect();
        (!names.is_empty()).then(|| format!("{word}: {}.", listed(names)))
    };
    let all: Vec<String> = [("Made", '+'), ("Changed", '~'), ("Removed", '-')].into_iter().filter_map(named).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

fn first_line(error: &Error) -> String {
    hidden(error.to_string().lines().next().unwrap_or_default()).into_owned()
}

/// Takes the lease, writes down that the work begins, does it, writes down how it ended, and lets go of the lease. `work`
/// looks at nothing of what it changes before it is called.
///
/// # Errors
/// Those of `work`; a refusal that says who has the lease.
pub async fn undertake(
    terminal: &Terminal,
    cancel: &Cancel,
    task: Task<'_>,
    work: impl AsyncFnOnce(&Undertaking) -> Result<Exit>,
) -> Result<Exit> {
    let _held = cancel.undertakings().hold("an undertaking");
    let command = command_line::own();
    let wanted = Wanted { place: task.place.clone(), command: command.clone(), wait: task.wait };
    let documents = task.documents.clone();
    let began = Began { command, tool: task.tool.clone(), documents, ..Began::default() };
    let (lease, run) = tokio::join!(
        taken(terminal, cancel, &task, &wanted),
        unless_stopped(cancel, in_time(history::began(task.cloud, task.caller, &task.book, began)))
    );
    if let Some(Err(e)) = &run
        // Without a connection both fail the same way: that is told once.
        && lease.as_ref().err().is_none_or(|e| e.kind() == Kind::Refused)
    {
        unwritten(terminal, e);
    }
    let (result, lease, changes) = match lease {
        Ok(lease) => {
            if lease.waited() {
                // Read while somebody else still worked.
                task.cloud.forget();
            }
            let under =
                Undertaking { lease: Mutex::new(Some(lease)), cancel: cancel.clone(), ..Undertaking::default() };
            let done = gently(cancel, work(&under)).await;
            let lost = under.check();
            if let Some(e) = locked(&under.kept).take() {
                terminal.warn(&e.to_string());
            }
            (lost.and(done), locked(&under.lease).take(), std::mem::take(&mut *locked(&under.changes)))
        }
        Err(e) => (Err(e), None, Vec::new()),
    };
    if let (Err(e), Some(done)) = (&result, until_then(&changes))
        && e.kind() == Kind::Interrupted
    {
        terminal.say(&done);
    }
    let ended = ended(&result, changes);
    let finish = async {
        let gone = gone(&task, lease.as_ref(), &result, ended.acted());
        let release = async {
            if let Some(lease) = lease
                && let Err(e) = lease.release(gone).await
            {
                terminal.warn(&e.to_string());
            }
        };
        let write = async {
            if let Some(Ok(run)) = &run
                && let Err(e) = in_time(history::ended(task.cloud, &task.book, run, ended)).await
            {
                unwritten(terminal, &e);
            }
        };
        tokio::join!(release, write);
    };
    unless_stopped(cancel, finish).await;
    result
}

/// What `future` gives; nothing when the operator interrupted twice. Whoever comes next sees that this process is over.
async fn unless_stopped<T>(cancel: &Cancel, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.reached(Stop::Now) => None,
        done = Box::pin(future) => Some(done),
    }
}

/// The history keeps nobody from working.
async fn in_time<T>(writing: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Err(Error::deadline(format!("no answer within {} s", WRITING.as_secs())));
    tokio::time::timeout(WRITING, writing).await.unwrap_or_else(late)
}

/// Takes the lease; while somebody else has it, says who.
async fn taken(terminal: &Terminal, cancel: &Cancel, task: &Task<'_>, wanted: &Wanted) -> Result<Lease> {
    let step = Mutex::new(None);
    let told = |held: &lease::Held, _: Duration| {
        let mut step = locked(&step);
        if step.is_none() {
            terminal.say(&format!("{} is being worked on by {held}.", capital(wanted.place.what())));
        }
        let waiting = step.get_or_insert_with(|| {
            let text = format!("Waiting for the lease of {}", wanted.place.what());
            terminal.waiting(&text, wanted.wait.unwrap_or_default())
        });
        let by = held.by.as_ref().map_or("somebody else", |r| if r.host.is_empty() { &r.owner } else { &r.host });
        waiting.tick(&format!("{by} has it"));
    };
    let taken = lease::acquire(task.cloud, task.caller, wanted, cancel, told).await;
    match step.into_inner().ok().flatten() {
        Some(step) => step.end(taken),
        None => taken,
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + chars.as_str())
}

fn unwritten(terminal: &Terminal, error: &Error) {
    terminal.warn(&format!("this is not written into the history: {}", first_line(error)));
}

/// Whether nothing is to stay of the lease: what it was for is not there, going by how this ended.
fn gone(task: &Task<'_>, lease: Option<&Lease>, result: &Result<Exit>, acted: bool) -> bool {
    let kind = result.as_ref().err().map(Error::kind);
    let done = matches!(result, Ok(Exit::Done)) || kind == Some(Kind::NotFound);
    (task.ends && done) || (lease.is_some_and(Lease::is_fresh) && result.as_ref().ok() != Some(&Exit::Done) && !acted)
}

/// How it ended, for the history.
fn ended(result: &Result<Exit>, changes: Vec<String>) -> Ended {
    let exit = result.as_ref().map_or_else(Exit::of, |exit| *exit);
    let kind = result.as_ref().err().map(Error::kind);
    let ending = match (exit, kind) {
        (Exit::Done | Exit::Changes, _) => Ending::Done,
        (Exit::Partly, _) => Ending::Partly,
        (Exit::Interrupted, _) => Ending::Interrupted,
        (_, Some(Kind::Refused | Kind::Usage | Kind::NotFound)) => Ending::Refused,
        // Without an error: somebody was asked, and said no.
        (_, None) if changes.is_empty() => Ending::Refused,
        (Exit::Failed | Exit::Usage, _) => Ending::Failed,
    };
    let failure = changes.iter().find_map(|line| line.strip_prefix("! ").map(str::to_owned));
    let error = result.as_ref().err().map(first_line).or(failure);
    let changes = changes.into_iter().filter(|line| !line.starts_with("! ")).collect();
    Ended { result: ending, exit: exit.code(), error, changes }
}

#[cfg(test)]
mod tests {
    use super::until_then;

    #[test]
    fn what_was_done_is_told_by_what_was_done_to_it() {
        let changes = ["- load balancer a", "~ role b: policy: x -> y", "! group c: denied", "- record d"];
        let told = until_then(&changes.map(String::from));
        assert_eq!(told.as_deref(), Some("Changed: role b. Removed: load balancer a, record d."));
        assert_eq!(until_then(&[]), None);
    }
}
