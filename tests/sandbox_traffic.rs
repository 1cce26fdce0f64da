//! Versions are created, traffic moves, instances come and go: users notice nothing.
use crate::{
    a_sandbox::Images,
    support::{Sandbox, Traffic, docker, eventually, sample},
};
use serde_json::json;
use std::{collections::BTreeSet, thread, time::Duration};

const MANIFEST: &str = "exposed_ports: [8080]
health_check: {path: /cgi-bin/health, interval: 5, timeout: 4, healthy_threshold: 2, unhealthy_threshold: 3}
scaling: {min: 1, max: 4, desired: 2}
";

pub(crate) fn two_versions_under_load(sandbox: &Sandbox, images: &Images) {
    sandbox.application("shop", MANIFEST);
    sandbox.minion(&["ver", "create", "shop", "1.0", &images.one]).ok();
    sandbox.minion(&["traffic", "shop", "1.0", "100"]).ok();
    let shop = sandbox.address("shop", "/cgi-bin/version");
    assert_eq!(shop.page().word("version"), Some("1.0"));

    let users = Traffic::start(&shop, 4, Duration::from_millis(100));
    let patient = Traffic::start(&sandbox.address("shop", "/cgi-bin/slow"), 2, Duration::from_millis(50));

    sandbox.minion(&["ver", "create", "shop", "2.0", &images.two]).ok();
    // A version answers under a name of its own before it has traffic, from each of its instances.
    let second = sandbox.address("shop-2-0", "/cgi-bin/version");
    let hosts: BTreeSet<_> = (0..40).map(|_| second.page().word("hostname").unwrap().to_owned()).collect();
    assert_eq!(hosts.len(), 2, "{hosts:?}");
    let quiet = sample(&shop, 200).flawless(200);
    assert_eq!(quiet.percent("1.0"), 100.0, "{quiet}");

    sandbox.minion(&["traffic", "shop", "2.0", "30"]).ok();
    let shared = sample(&shop, 2000).flawless(2000);
    assert!((26.0..=34.0).contains(&shared.percent("2.0")), "{shared}");
    sandbox.minion(&["traffic", "shop", "2.0", "100"]).ok();
    let moved = sample(&shop, 200).flawless(200);
    assert_eq!(moved.percent("2.0"), 100.0, "{moved}");

    sandbox.minion(&["ver", "delete", "shop", "1.0", "--yes"]).ok();
    let gone = sandbox.address("shop-1-0", "/cgi-bin/version").get();
    assert!(!gone.as_ref().is_ok_and(|page| page.status < 400), "a deleted version answers: {gone:?}");

    sandbox.minion(&["ver", "scale", "shop", "2.0", "3"]).ok();
    sandbox.settles("shop", "2.0", 3);
    sandbox.minion(&["ver", "scale", "shop", "2.0", "1"]).ok();
    sandbox.settles("shop", "2.0", 1);
    // Those that were in flight while the last instances went have come back by now.
    thread::sleep(Duration::from_secs(3));
    let (users, patient) = (users.end(), patient.end());
    eprintln!("users: {users}\nwith slow requests: {patient}");
    users.flawless(500);
    let patient = patient.flawless(30);
    assert!(patient.slowest >= Duration::from_secs(2), "{patient}");

    sandbox.minion(&["app", "delete", "shop", "--cascade", "--yes"]).ok();
}

pub(crate) fn killed_instances_are_replaced(sandbox: &Sandbox, images: &Images) {
    sandbox.application("phoenix", MANIFEST);
    sandbox.minion(&["ver", "create", "phoenix", "1.0", &images.one]).ok();
    sandbox.minion(&["traffic", "phoenix", "1.0", "100"]).ok();
    let before = sandbox.instances("phoenix", "1.0");
    let [machine, application] = before.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        panic!("not two instances: {before:?}")
    };
    // The load balancer's opinion counts after a quarter of an hour only, so that slow applications can start.
    let hasty = json!({ "AutoScalingGroupName": "app-phoenix-1.0", "HealthCheckGracePeriod": 1 });
    sandbox.call("autoscaling", "update_auto_scaling_group", &hasty, &[]);
    // One loses all of it, the other its application alone.
    let label = format!("label=fakecloud-ec2={machine}");
    let containers = docker(&["ps", "--quiet", "--filter", &label]);
    assert_eq!(containers.len(), 1, "{machine} is not one container");
    docker(&["rm", "--force", &containers[0]]);
    docker(&["kill", &format!("{application}-app")]);

    eventually("two new instances", || {
        let now = sandbox.instances("phoenix", "1.0");
        let fresh = now.len() == 2 && now.is_disjoint(&before);
        if fresh { Ok(()) } else { Err(format!("before {before:?}, now {now:?}")) }
    });
    sandbox.settles("phoenix", "1.0", 2);
    sample(&sandbox.address("phoenix", "/cgi-bin/version"), 50).flawless(50);
    sandbox.minion(&["app", "delete", "phoenix", "--cascade", "--yes"]).ok();
}
