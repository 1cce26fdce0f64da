//! A version that answers 500 does no harm, and says why.
use crate::{
    a_sandbox::Images,
    support::{Sandbox, Traffic},
};
use std::time::Duration;

const MANIFEST: &str = "exposed_ports: [8080]
health_check: {path: /cgi-bin/health, interval: 5, timeout: 4, healthy_threshold: 2, unhealthy_threshold: 3}
scaling: {desired: 1}
";

pub(crate) fn a_version_that_is_never_healthy(sandbox: &Sandbox, images: &Images) {
    sandbox.application("clinic", MANIFEST);
    sandbox.minion(&["ver", "create", "clinic", "1.0", &images.one]).ok();
    sandbox.minion(&["traffic", "clinic", "1.0", "100"]).ok();
    let clinic = sandbox.address("clinic", "/cgi-bin/version");
    let users = Traffic::start(&clinic, 1, Duration::from_millis(200));
    let before = sandbox.instances("clinic", "1.0");

    let create = ["ver", "create", "clinic", "2.0", &images.two, "--env", "KIND=broken", "--timeout", "75s"];
    // What the load balancer sees, and what the container says. On AWS the former has the code 500 in it; the emulator's
    // load balancers do not tell codes.
    let seen = "health checks failed";
    sandbox.minion(&create).fails(1).says(&["unhealthy", seen, "no answer from the database at db.invalid:5432"]);
    sandbox.minion(&["traffic", "clinic", "2.0", "50"]).fails(1).says(&["healthy"]);

    assert_eq!(sandbox.instances("clinic", "1.0"), before);
    assert_eq!(sandbox.version("clinic", "1.0")["weight"], 100.0);
    sandbox.minion(&["ver", "delete", "clinic", "2.0", "--yes"]).ok();
    let users = users.end().flawless(50);
    assert_eq!(users.percent("1.0"), 100.0, "{users}");
    sandbox.minion(&["app", "delete", "clinic", "--cascade", "--yes"]).ok();
}
