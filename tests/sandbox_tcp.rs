//! An application that speaks no HTTP, behind a Network Load Balancer.
use crate::{sandbox_story::Images, support::Sandbox};

const MANIFEST: &str = "exposed_protocol: tcp
exposed_ports: [7000]
health_check: {interval: 5, timeout: 2, healthy_threshold: 2}
scaling: {desired: 1}
";

pub(crate) fn an_application_without_http(sandbox: &Sandbox, images: &Images) {
    sandbox.application("line", MANIFEST);
    let kind = ["--env", "KIND=tcp", "--env", "PORT=7000"];
    sandbox.minion(&[&["ver", "create", "line", "1.0", &images.one][..], &kind].concat()).ok();
    sandbox.minion(&["traffic", "line", "1.0", "100"]).ok();
    sandbox.minion(&["app", "delete", "line", "--cascade", "--yes"]).ok();
}
