//! Of what needs no AWS.
use super::*;
use aws_sdk_ec2::types::UserIdGroupPair;
use std::{
    io::Write as _,
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
