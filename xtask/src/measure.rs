//! Time and memory of one run of a binary.
use anyhow::{Context as _, Result};
use std::{
    fs,
    io::Read as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How a run went.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) wall: Duration,
    /// The largest resident size seen, in KiB; none where there is no /proc, or when the run was too
    /// short to be seen.
    pub(crate) peak_kib: Option<u64>,
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

/// How often a running process is looked at. The kernel keeps the peak; only its last growth within
/// this time can be missed.
const GLANCE: Duration = Duration::from_micros(200);

/// Runs it, with nothing on stdin and stdout thrown away.
pub(crate) fn measure(command: &mut Command) -> Result<Measured> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut stderr = child.stderr.take().context("stderr is piped")?;
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let mut peak_kib = None;
    let (status, wall) = loop {
        if let Some(status) = child.try_wait()? {
            break (status, began.elapsed());
        }
        peak_kib = peak_kib.max(high_water(&status_file));
        thread::sleep(GLANCE);
    };
    Ok(Measured { wall, peak_kib, code: status.code(), stderr: reader.join().unwrap_or_default() })
}

/// `VmHWM` of a process (proc_pid_status(5)).
fn high_water(status_file: &str) -> Option<u64> {
    let status = fs::read_to_string(status_file).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_timed_and_its_exit_code_and_words_are_kept() {
        let run = measure(Command::new("/bin/sh").args(["-c", "sleep 0.05; echo no >&2; exit 3"])).unwrap();
        assert_eq!((run.code, run.stderr.as_str()), (Some(3), "no\n"));
        assert!(run.wall >= Duration::from_millis(50));
        #[cfg(target_os = "linux")]
        assert!(run.peak_kib.unwrap() > 100);
    }
}
