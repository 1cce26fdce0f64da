//! The virtual machine: QEMU, in software, without any network.
use super::{image::Image, scenario::Scenario};
use anyhow::{Context as _, Result, ensure};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// As EC2's machines say it: by this, cloud-init knows where it is.
const IDENTITY: &str = "type=1,manufacturer=Amazon EC2,uuid=ec20b007-0000-4000-8000-00000000b007,\
     serial=ec20b007-0000-4000-8000-00000000b007";
const KERNEL_LINE: &str =
    "root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.show_status=0 apparmor=0 selinux=0 quiet";

/// A running virtual machine; ends with the value.
pub(crate) struct Machine {
    child: Child,
    lines: Receiver<String>,
    deadline: Instant,
    console: PathBuf,
}

/// What the virtual machine says next.
pub(crate) enum Said {
    /// A line of the second serial port.
    Line(String),
    /// It is off.
    Off,
    /// The deadline passed.
    TooLate,
}

impl Machine {
    /// Boots it; what it leaves goes into the directory.
    pub(crate) fn boot(image: &Image, scenario: &Scenario, user_data: &[u8], directory: &Path) -> Result<Self> {
        let console = directory.join("console.log");
        fs::write(directory.join("user-data"), user_data)?;
        fs::write(directory.join("scenario.json"), &scenario.text)?;
        let archive = archive(directory)?;
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2048"]);
        qemu.args(["-nodefaults", "-display", "none", "-nic", "none", "-smbios", IDENTITY]);
        qemu.arg("-kernel").arg(image.kernel()).arg("-initrd").arg(image.initrd()).args(["-append", KERNEL_LINE]);
        qemu.arg("-serial").arg(format!("file:{}", escaped(&console))).args(["-serial", "stdio"]);
        // `snapshot`: the image stays as it is; what is written to it is kept until the virtual machine is off.
        qemu.args(drive("root", &image.disk(), "virtio-blk-pci", ",snapshot=on", ""));
        qemu.args(drive("scenario", &archive, "virtio-blk-pci", ",readonly=on", ",serial=scenario"));
        for (number, disk) in scenario.plan.disks.iter().enumerate() {
            let path = directory.join(format!("{}.img", disk.serial));
            File::create(&path)?.set_len(disk.mib << 20)?;
            let serial = format!(",serial={}", disk.serial);
            qemu.args(drive(&format!("disk{number}"), &path, "nvme", ",cache=unsafe", &serial));
        }
        let errors = File::create(directory.join("qemu.log"))?;
        qemu.env("TMPDIR", directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = qemu.spawn().context("cannot start qemu-system-x86_64")?;
        let output = child.stdout.take().context("the second serial port is piped")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).trim().to_owned()).is_err() {
                    break;
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(scenario.plan.minutes * 60);
        Ok(Self { child, lines, deadline, console })
    }

    /// Waits for it.
    pub(crate) fn next(&mut self) -> Said {
        match self.lines.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Said::Line(line),
            Err(RecvTimeoutError::Disconnected) => Said::Off,
            Err(RecvTimeoutError::Timeout) => Said::TooLate,
        }
    }

    /// What the serial console said so far.
    pub(crate) fn console(&self) -> String {
        fs::read(&self.console).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User data and scenario as one file, which the virtual machine has as a disk.
fn archive(directory: &Path) -> Result<PathBuf> {
    let path = directory.join("scenario.tar");
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(directory).arg("-cf").arg(&path).args(["user-data", "scenario.json"]);
    let made = tar.output().context("cannot start tar")?;
    ensure!(made.status.success(), "tar failed: {}", String::from_utf8_lossy(&made.stderr).trim());
    Ok(path)
}

fn drive(id: &str, path: &Path, device: &str, how: &str, more: &str) -> [String; 4] {
    let file = format!("file={},if=none,id={id},format=raw{how}", escaped(path));
    ["-drive".to_owned(), file, "-device".to_owned(), format!("{device},drive={id}{more}")]
}

/// A comma ends a value in QEMU's options; two are one.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_value_of_an_option() {
        let [_, file, _, device] = drive("root", Path::new("/a,b/c.img"), "nvme", ",snapshot=on", ",serial=x");
        assert_eq!(file, "file=/a,,b/c.img,if=none,id=root,format=raw,snapshot=on");
        assert_eq!(device, "nvme,drive=root,serial=x");
    }
}
