//! The metadata service of an instance: the emulator has one for each, at a path that says whose it is.
use super::Instances;
use crate::{
    http::{Whole, plain},
    place::{LABEL, MACHINE_LABEL},
};
use bollard::query_parameters::ListContainersOptionsBuilder;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response};
use std::{collections::HashMap, net::IpAddr};

/// The header that version 2 of the service asks for.
const TOKEN: &str = "x-aws-ec2-metadata-token";

/// Answers a request of an instance; whose it is, its address says.
pub(super) async fn answer(server: &Instances, whole: Whole) -> Response<Full<Bytes>> {
    let Some(instance) = instance_at(server, whole.peer.ip()).await else {
        return plain(404, "no instance of this sandbox has this address\n");
    };
    // Launch templates of ours require version 2; the emulator answers version 1 all the same.
    if whole.head.method == Method::GET && !whole.head.headers.contains_key(TOKEN) {
        return plain(401, "the metadata service answers with a token only (IMDSv2)\n");
    }
    let path = whole.head.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(url) = server.parts.emulator.join(&format!("_fakecloud/ec2/imds/{instance}{path}")) else {
        return plain(400, "no such path\n");
    };
    let mut request = server.parts.http.request(whole.head.method, url);
    for (name, value) in whole.head.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-aws-")) {
        request = request.header(name, value);
    }
    let answer = match request.body(whole.body).send().await {
        Ok(answer) => answer,
        Err(e) => return plain(502, &format!("the emulator does not answer: {e}\n")),
    };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name.as_str().starts_with("x-aws-") || name.as_str() == "content-type" {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.unwrap_or_default();
    response.body(Full::new(body)).unwrap_or_default()
}

/// The instance whose container has this address.
async fn instance_at(server: &Instances, address: IpAddr) -> Option<String> {
    let label = format!("{}={}", LABEL, server.parts.id);
    let filters = HashMap::from([("label", vec![label.as_str(), MACHINE_LABEL])]);
    let options = ListContainersOptionsBuilder::default().filters(&filters).build();
    let containers = server.parts.engine.client().list_containers(Some(options)).await.ok()?;
    let address = address.to_string();
    containers.into_iter().find_map(|container| {
        let networks = container.network_settings?.networks?;
        let here = networks.values().any(|network| network.ip_address.as_deref() == Some(&address));
        here.then(|| container.labels?.remove(MACHINE_LABEL)).flatten()
    })
}
