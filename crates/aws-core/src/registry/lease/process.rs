//! Which process of which computer this is, and whether another one still runs.
use serde::{Deserialize, Serialize};

/// A process, told apart from all others that ever ran on its computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The computer, from this start to the next.
    pub boot: String,
    /// Within it, the numbers of which container.
    pub namespace: String,
    /// The process's number.
    pub pid: u32,
    /// When it was started; a number that is used again has another one.
    pub started: String,
}

impl Process {
    /// This process; `None` where the system does not say.
    pub fn own() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { boot: system::boot()?, namespace: system::namespace()?, pid, started: system::started(pid)? })
    }

    /// Whether it certainly runs no longer. What runs on another computer, before its last start, or in another
    /// container, nobody can tell from here.
    pub fn is_over(&self) -> bool {
        let here = system::boot().is_some_and(|b| b == self.boot)
            && system::namespace().is_some_and(|n| n == self.namespace)
            && system::tells();
        here && system::started(self.pid).is_none_or(|s| s != self.started)
    }
}

/// Who works from where, as people say it: `anna@laptop`.
pub fn origin() -> String {
    let user =
        ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let host = hostname::get().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default();
    let host = if host.is_empty() { "an unnamed computer".to_owned() } else { host };
    user.map_or(host.clone(), |user| format!("{user}@{host}"))
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    pub(super) fn boot() -> Option<String> {
        Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
    }
    pub(super) fn namespace() -> Option<String> {
        Some(fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
    }
    /// Whether other processes can be seen at all: `/proc` may be mounted so that they cannot.
    pub(super) fn tells() -> bool {
        started(std::process::id()).is_some() && started(1).is_some()
    }
    /// Clock ticks from the computer's start (proc(5), `starttime`); `None` when there is no such process, or when it has
    /// ended and its parent has not yet asked how.
    pub(super) fn started(pid: u32) -> Option<String> {
        of_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }
    /// The program's name, in parentheses, may hold spaces and parentheses: what follows begins behind the last one.
    pub(super) fn of_stat(stat: &str) -> Option<String> {
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let state = fields.first()?;
        (!matches!(*state, "Z" | "X" | "x")).then(|| fields.get(19).map(|s| (*s).to_owned())).flatten()
    }
}

#[cfg(target_os = "macos")]
mod system {
    use std::process::Command;

    fn said(program: &str, args: &[&str]) -> Option<String> {
        let out = Command::new(program).args(args).env("LC_ALL", "C").output().ok()?;
        let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        (out.status.success() && !text.is_empty()).then_some(text)
    }
    pub(super) fn boot() -> Option<String> {
        said("/usr/sbin/sysctl", &["-n", "kern.bootsessionuuid"])
    }
    pub(super) fn namespace() -> Option<String> {
        Some("-".into())
    }
    pub(super) fn tells() -> bool {
        started(std::process::id()).is_some()
    }
    pub(super) fn started(pid: u32) -> Option<String> {
        let line = said("/bin/ps", &["-o", "stat=,lstart=", "-p", &pid.to_string()])?;
        let (state, started) = line.split_once(char::is_whitespace)?;
        (!state.starts_with('Z')).then(|| started.trim().to_owned())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod system {
    pub(super) fn boot() -> Option<String> {
        None
    }
    pub(super) fn namespace() -> Option<String> {
        None
    }
    pub(super) fn tells() -> bool {
        false
    }
    pub(super) fn started(_: u32) -> Option<String> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_another_one_is_over() {
        let own = Process::own().unwrap();
        assert!(!own.is_over());
        assert!(Process { started: "1".into(), ..own.clone() }.is_over(), "its number belongs to another one now");
        assert!(!Process { boot: "another".into(), started: "1".into(), ..own.clone() }.is_over());
        assert!(!Process { namespace: "another".into(), started: "1".into(), ..own.clone() }.is_over());
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = child.id();
        let gone = Process { pid, ..own };
        assert!(gone.is_over());
        child.wait().unwrap();
        assert!(gone.is_over());
    }

    #[test]
    fn a_child_that_nobody_asked_after_is_over() {
        let line = |state: &str| format!("7 (a) b (c)) {state} {}", "4 ".repeat(30));
        assert_eq!(system::of_stat(&line("S")).as_deref(), Some("4"));
        assert_eq!(system::of_stat(&line("Z")), None);
        assert_eq!(system::of_stat("nonsense"), None);
    }
}
