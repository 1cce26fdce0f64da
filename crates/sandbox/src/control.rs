//! Starting, asking and ending a sandbox process, from outside of it.
use crate::{
    Place, Status,
    place::{EMULATOR_LOG, LOG, RUNNING, Running},
};
use aws_core::{Error, Result};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

/// Until a new sandbox process is ready: fakecloud starts in a few seconds.
const START: Duration = Duration::from_secs(90);
/// For its parts to end.
const END: Duration = Duration::from_secs(40);
/// How long one that runs may not answer: it may be ending.
const BUSY: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);
/// Lines of the log that an error shows.
const LINES: usize = 12;

/// How a sandbox is found.
#[derive(Debug, Clone)]
pub enum State {
    /// It answers.
    Up(Running, Box<Status>),
    /// Its process is gone or does not answer; what it made may be there.
    Dead(Running),
    /// There is none.
    Down,
}

/// Keeps two `up` or `down` of one sandbox from getting into each other's way. It lasts as long as the value.
///
/// # Errors
/// When another command has it.
pub fn lock(place: &Place) -> Result<File> {
    let path = place.file("lock");
    let cannot = |e: std::io::Error| Error::failed(format!("{} cannot be used: {e}", path.display()));
    let file = File::create(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::refused("another `minion sandbox` command is at work")
            .hint("Wait until it has ended, and run this one again.")),
        Err(TryLockError::Error(e)) => Err(cannot(e)),
    }
}

/// Asks the sandbox how it is.
///
/// # Errors
/// When what it remembers cannot be read.
pub async fn state(place: &Place) -> Result<State> {
    let Some(running) = place.read::<Running>(RUNNING)? else { return Ok(State::Down) };
    let pid = running.pid;
    let until = Instant::now() + BUSY;
    loop {
        if let Some(status) = ask(place, &running).await {
            return Ok(State::Up(running, Box::new(status)));
        }
        if !is_ours(pid, &place.directory().display().to_string()).await? {
            return Ok(State::Dead(running));
        }
        if Instant::now() < until {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        return Err(Error::failed(format!("the sandbox's process {pid} runs, and does not answer"))
            .hint("It may be busy: try again. `minion sandbox down` ends it, and removes the sandbox."));
    }
}

async fn ask(place: &Place, running: &Running) -> Option<Status> {
    let url = format!("{}/_minion/status", running.endpoint);
    let answer = client().get(url).timeout(Duration::from_secs(5)).send().await.ok()?;
    // Another program may have the port meanwhile, or another sandbox.
    let status: Status = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    (status.id == place.id()).then_some(status)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap_or_default()
}

/// Starts the sandbox process, which outlives this one, and waits until it is ready.
///
/// # Errors
/// What its log says, when it ends or is not ready in time.
pub async fn start(place: &Place, program: &Path) -> Result<Running> {
    place.forget(RUNNING)?;
    let began = fs::metadata(place.file(LOG)).map_or(0, |m| m.len());
    let mut command = tokio::process::Command::new(program);
    command.args(["sandbox", "serve", "--directory"]).arg(place.directory());
    command.current_dir(place.directory()).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn();
    let mut child = child.map_err(|e| Error::failed(format!("{} cannot be started: {e}", program.display())))?;
    let until = Instant::now() + START;
    loop {
        if let Some(running) = place.read::<Running>(RUNNING)? {
            return Ok(running);
        }
        if let Ok(Some(_)) = child.try_wait() {
            return Err(said(place, began, "the sandbox process ended"));
        }
        if Instant::now() > until {
            let _ = child.kill().await;
            return Err(said(place, began, &format!("the sandbox is not ready after {} s", START.as_secs())));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// An error with what the log says since then.
fn said(place: &Place, began: u64, what: &str) -> Error {
    let bytes = fs::read(place.file(LOG)).unwrap_or_default();
    let text =
        String::from_utf8_lossy(bytes.get(usize::try_from(began).unwrap_or(0)..).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let mut message = what.to_owned();
    let mut hints = Vec::new();
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        // The time in front is of no interest here.
        let told = line.split_once(' ').map_or(*line, |(_, told)| told);
        match told.strip_prefix("hint: ") {
            Some(hint) => hints.push(hint.to_owned()),
            None => message.push_str(&format!("\n  {told}")),
        }
    }
    let more = format!("More is in {} and {}.", place.file(LOG).display(), place.file(EMULATOR_LOG).display());
    hints.into_iter().fold(Error::failed(message), Error::hint).hint(more)
}

/// The processes of a sandbox, written down as soon as they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processes {
    /// The sandbox process.
    pub own: u32,
    /// fakecloud's, and a word of its command line.
    pub emulator: Option<(u32, String)>,
}

/// Whether a sandbox process was started here, and not yet ended.
///
/// # Errors
/// When what it wrote down cannot be read.
pub fn was_started(place: &Place) -> Result<bool> {
    Ok(place.read::<Processes>(PROCESSES)?.is_some() || place.read::<Running>(RUNNING)?.is_some())
}

/// [`Processes`].
pub const PROCESSES: &str = "processes.json";

/// Ends the sandbox process and its emulator, whatever state they are in. What they made in the engine stays.
///
/// # Errors
/// When one of them cannot be ended.
pub async fn stop(place: &Place) -> Result<()> {
    if let Some(running) = place.read::<Running>(RUNNING)?
        && ask(place, &running).await.is_some()
    {
        let url = format!("{}/_minion/stop", running.endpoint);
        let _ = client().post(url).timeout(Duration::from_secs(5)).send().await;
        gone(running.pid, END).await;
    }
    if let Some(processes) = place.read::<Processes>(PROCESSES)? {
        end(processes.own, &place.directory().display().to_string()).await?;
        if let Some((pid, word)) = processes.emulator {
            end(pid, &word).await?;
        }
    }
    place.forget(PROCESSES)?;
    place.forget(RUNNING)
}

fn alive(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
}

/// Waits until a process has ended; whether it has.
async fn gone(pid: u32, within: Duration) -> bool {
    let until = Instant::now() + within;
    while alive(pid) {
        if Instant::now() > until {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
    true
}

/// Whether a process runs and has this word in its command line. Numbers of processes are used again.
async fn is_ours(pid: u32, word: &str) -> Result<bool> {
    if !alive(pid) {
        return Ok(false);
    }
    let line = match std::fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) if Path::new("/proc/self/cmdline").exists() => return Ok(false),
        // Without /proc. Not cut at the terminal's width.
        Err(_) => {
            let asked =
                tokio::process::Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output();
            let asked = asked.await.map_err(|e| {
                Error::failed(format!("whether process {pid} is the sandbox's cannot be told: ps cannot be run: {e}"))
            })?;
            String::from_utf8_lossy(&asked.stdout).into_owned()
        }
    };
    // One that has ended and was not waited for has none.
    Ok(line.contains(word))
}

/// Ends a process of ours.
async fn end(pid: u32, word: &str) -> Result<()> {
    for (signal, within) in [(Signal::SIGTERM, END), (Signal::SIGKILL, Duration::from_secs(5))] {
        if !is_ours(pid, word).await? {
            return Ok(());
        }
        let _ = i32::try_from(pid).map(|pid| kill(Pid::from_raw(pid), signal));
        let until = Instant::now() + within;
        while Instant::now() < until {
            if !is_ours(pid, word).await? {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Err(Error::failed(format!("process {pid} of the sandbox does not end"))
        .hint(format!("End it with `kill -9 {pid}`.")))
}
