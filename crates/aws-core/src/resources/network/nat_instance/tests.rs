//! Of what needs no AWS.
use super::*;
use aws_sdk_ec2::types::UserIdGroupPair;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

#[test]
fn the_user_data_is_a_script_that_fits() {
    // EC2 takes 16 KB.
    assert!(USER_DATA.starts_with("#!/bin/sh\n") && USER_DATA.len() < 16 * 1024);
    for line in ["net.ipv4.ip_forward = 1", "masquerade", "systemctl enable --now nat.service"] {
        assert!(USER_DATA.contains(line), "{line}");
    }
    // shellcheck is installed beside moto.
    let beside = std::env::var_os("MINION_MOTO").map(|m| PathBuf::from(m).with_file_name("shellcheck"));
    let shellcheck = beside.filter(|p| p.is_file()).unwrap_or_else(|| "shellcheck".into());
    for (program, arguments) in [(PathBuf::from("sh"), ["-n", "-s"]), (shellcheck, ["--severity=style", "-"])] {
        let mut child = Command::new(&program).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(USER_DATA.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{program:?}");
    }
}

/// Runs the script on a machine with this much memory, where `dnf` does this: what was called, and what it said.
fn run(kilobytes: u32, has_nft: bool, dnf: &str) -> (Vec<String>, String, bool) {
    let dir = tempfile::tempdir().unwrap();
    let (root, at) = (dir.path(), dir.path().display());
    for there in ["bin", "etc/sysctl.d", "etc/systemd/system", "usr/sbin", "var", "proc", "dev"] {
        fs::create_dir_all(root.join(there)).unwrap();
    }
    fs::write(root.join("proc/meminfo"), format!("MemTotal:         {kilobytes} kB\nMemFree:  1 kB\n")).unwrap();
    let stub = |name: &str, body: &str| {
        let path = root.join(name);
        fs::write(&path, format!("#!/bin/sh\necho \"${{0##*/}} $*\" >>'{at}/calls'\n{body}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    for name in ["sysctl", "systemctl", "mkswap", "swapon", "swapoff", "sleep"] {
        stub(&format!("bin/{name}"), "");
    }
    stub("bin/dd", "[ \"$(umask)\" = 0077 ] || exit 1; for a do case $a in of=*) : >\"${a#of=}\" ;; esac; done");
    stub("nft", "");
    stub("bin/dnf", dnf);
    if has_nft {
        fs::rename(root.join("nft"), root.join("usr/sbin/nft")).unwrap();
    }
    let script = USER_DATA.replacen("root=''", &format!("root='{at}'"), 1);
    let ran = Command::new("sh").args(["-c", &script]).env("PATH", format!("{at}/bin:/usr/bin:/bin")).output().unwrap();
    assert!(!root.join("var/swap").exists(), "the swap file stays");
    let calls = fs::read_to_string(root.join("calls")).unwrap().replace(&at.to_string(), "");
    let said = String::from_utf8(ran.stdout).unwrap();
    (calls.lines().map(str::to_owned).collect(), said, ran.status.success())
}

#[test]
fn a_small_machine_swaps_while_it_installs() {
    let installs = "at=${0%/bin/dnf}; [ -e \"$at/var/swap\" ] && mv \"$at/nft\" \"$at/usr/sbin/nft\"";
    let (calls, said, well) = run(434_000, false, installs);
    assert!(well && said == "nat: ready\n", "{said}");
    let wanted = [
        "sysctl -q -p /etc/sysctl.d/90-nat.conf",
        "dd if=/dev/zero of=/var/swap bs=1M count=1024",
        "mkswap /var/swap",
        "swapon /var/swap",
        "dnf -q -y --setopt=install_weak_deps=False install nftables",
        "swapoff /var/swap",
        "systemctl daemon-reload",
        "systemctl enable --now nat.service",
        "nft list table ip nat_instance",
    ];
    assert_eq!(calls, wanted);
    // One with memory, and an image that has nftables.
    let (calls, said, _) = run(3_900_000, false, &installs.replace("[ -e", "[ ! -e"));
    assert!(said == "nat: ready\n" && !calls.iter().any(|c| c.contains("swap")), "{calls:?}");
    let (calls, said, _) = run(434_000, true, "exit 1");
    assert!(said == "nat: ready\n" && !calls.iter().any(|c| c.contains("swap") || c.contains("dnf")), "{calls:?}");
}

#[test]
fn what_a_machine_could_not_do_is_told() {
    let (calls, said, well) = run(3_900_000, false, "exit 1");
    assert!(!well && said.ends_with("nat: failed: status 1 while installing nftables\n"), "{said}");
    // While it waits, it says so from time to time.
    assert!(said.starts_with("nat: waiting: nftables cannot be installed yet; 359 tries are left\n"), "{said}");
    assert_eq!(said.lines().count(), 61, "{said}");
    assert_eq!(calls.iter().filter(|c| c.starts_with("dnf")).count(), 360);
    let (_, said, well) = run(3_900_000, true, "exit 1");
    assert!(well && said == "nat: ready\n", "{said}");
}

#[test]
fn what_else_is_open_is_seen() {
    let net = |n: &str| n.parse::<Ipv4Net>().unwrap();
    let ssh = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(ssh).build();
    let pair = UserIdGroupPair::builder().group_id("sg-2").build();
    let both = all_from([net("10.0.0.0/16")]);
    let both = IpPermission::builder()
        .ip_protocol("-1")
        .set_ip_ranges(both.ip_ranges)
        .user_id_group_pairs(pair.clone())
        .build();
    let group = SecurityGroup::builder().ip_permissions(ssh.clone()).ip_permissions(both).build();
    let rest = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair).build();
    assert_eq!(rules(&group), (BTreeSet::from([net("10.0.0.0/16")]), vec![ssh, rest]));
    let closed = SecurityGroup::builder().ip_permissions(all_from([net("10.0.0.0/16")])).build();
    assert_eq!(rules(&closed), (BTreeSet::from([net("10.0.0.0/16")]), vec![]));
}
