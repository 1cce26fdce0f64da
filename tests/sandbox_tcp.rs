//! An application that speaks no HTTP, behind a Network Load Balancer.
use crate::{a_sandbox::Images, support::Sandbox};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

const MANIFEST: &str = "exposed_protocol: tcp
exposed_ports: [7000]
health_check: {interval: 5, timeout: 4, healthy_threshold: 2}
scaling: {desired: 1}
";

pub(crate) fn an_application_without_http(sandbox: &Sandbox, images: &Images) {
    sandbox.application("line", MANIFEST);
    let kind = ["--env", "KIND=tcp", "--env", "PORT=7000"];
    sandbox.minion(&[&["ver", "create", "line", "1.0", &images.one][..], &kind].concat()).ok();
    sandbox.minion(&["traffic", "line", "1.0", "100"]).ok();

    let name = format!("line.{}", sandbox.ports().domain);
    let status = sandbox.status();
    let mut addresses = status["addresses"].as_array().unwrap().iter();
    let url = addresses.find(|address| address["name"] == name).and_then(|address| address["url"].as_str());
    let address = url.and_then(|url| url.strip_prefix("tcp://")).unwrap_or_else(|| panic!("no {name}: {status}"));
    for word in ["hello", "again"] {
        let mut stream = TcpStream::connect(address.trim_end_matches('/')).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        writeln!(stream, "{word}").unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, format!("version 1.0 heard {word}\n"));
    }
    sandbox.minion(&["app", "delete", "line", "--cascade", "--yes"]).ok();
}
