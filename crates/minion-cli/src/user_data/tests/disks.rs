//! How the script finds an EBS volume, by the name that it has in the launch template.
use super::*;

/// What the kernel answers to an NVMe "Identify Controller" (NVM Express base specification, 5.17) of an EBS volume: the
/// name is in the vendor's part, at 3072 (aws/amazon-ec2-utils, `ebsnvme`).
const KERNEL: &str = r#"
import ctypes, fcntl, os, struct
def ioctl(device, request, command):
    assert request == 0xC0484E41 and len(command) == 72, (hex(request), len(command))
    fields = struct.unpack("<BBHIQQQII6IQ", command)
    opcode, address, length, which = fields[0], fields[6], fields[8], fields[9]
    assert (opcode, length, which) == (6, 4096, 1), fields
    answer = bytearray(4096)
    name = os.path.basename(device.name)
    answer[3072:3104] = {"nvme1n1": b"/dev/sdg", "nvme2n1": b"sdf"}[name].ljust(32)
    ctypes.memmove(address, bytes(answer), 4096)
    return command
fcntl.ioctl = ioctl
"#;

/// Which device is mounted as the first volume, on a machine that these lines prepare.
fn mounted(prepare: &str) -> (String, Seen) {
    let m = parse(&format!("{BARE}filesystems: [{{type: ebs, mountpoint: /data, size_gb: 10}}]\n"), "m").unwrap();
    let script = render(&instance(&m)).unwrap();
    let script = script.replacen("doing='starting'", &format!("doing='starting'\n{prepare}"), 1);
    let seen = play("sh", &script, "", &[]);
    let line = seen.everything.lines().find(|line| line.starts_with("mount ROOT/dev/")).unwrap_or_default();
    (line.split(' ').nth(1).unwrap_or_default().to_owned(), seen)
}

#[test]
fn a_link_of_udev_is_followed() {
    for link in ["sdf", "xvdf"] {
        let (device, seen) = mounted(&format!(": >\"$root/dev/nvme1n1\"; : >\"$root/dev/{link}\""));
        assert_eq!(device, format!("ROOT/dev/{link}"), "{}", seen.everything);
    }
}

#[test]
fn without_a_link_the_volume_itself_is_asked() {
    let python = r#": >"$root/dev/nvme1n1"; : >"$root/dev/nvme2n1"
python3() { PYTHONPATH="$root" command python3 "$@"; }
"#;
    let kernel = format!("mkdir -p \"$root/var\"; printf '%s' {} >\"$root/sitecustomize.py\"\n", quote(KERNEL));
    let (device, seen) = mounted(&format!("{kernel}{python}"));
    assert_eq!(device, "ROOT/dev/nvme2n1", "{}", seen.everything);
    // The tool of Amazon Linux.
    let tool = r#": >"$root/dev/nvme1n1"; : >"$root/dev/nvme2n1"
printf '%s\n' '#!/bin/sh' 'case $2 in *1n1) echo sdf ;; *) echo sdg ;; esac' >"$root/bin/ebsnvme-id"
chmod 755 "$root/bin/ebsnvme-id"
"#;
    let (device, seen) = mounted(tool);
    assert_eq!(device, "ROOT/dev/nvme1n1", "{}", seen.everything);
}

#[test]
fn a_volume_that_does_not_appear_is_told() {
    let (device, seen) =
        mounted("PATH=\"$PATH:/usr/bin:/bin\" command rm \"$root/bin/python3\"; : >\"$root/dev/nvme1n1\"");
    assert_eq!(device, "");
    assert!(seen.output.contains("minion: the EBS volume /dev/sdf did not appear"), "{}", seen.output);
    assert!(
        seen.output.contains("minion: failed with status 1 while mounting the EBS volume /dev/sdf"),
        "{}",
        seen.output
    );
}
