//! Where on this computer an instance's port is reached.
use super::resolve::Backend;
use aws_core::cloud::Cloud;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// Finds the way to targets.
pub(super) enum Reach {
    /// To instances, which are containers, and to addresses.
    Containers { cloud: Arc<Cloud>, engine: docker::Engine },
    /// To addresses only.
    #[cfg(test)]
    Addresses,
}

impl Reach {
    /// The addresses to try, the best one first.
    pub(super) async fn addresses(&self, backend: &Backend) -> Vec<SocketAddr> {
        if let Ok(address) = backend.id.parse::<IpAddr>() {
            return vec![SocketAddr::new(address, backend.port)];
        }
        match self {
            Self::Containers { cloud, engine } => match published(engine, backend).await {
                Some(port) => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
                None => own(cloud, backend).await.into_iter().collect(),
            },
            #[cfg(test)]
            Self::Addresses => Vec::new(),
        }
    }
}

/// The port on which the emulator's forwarder for this port of the instance is published: the way that the emulator's
/// own load balancers take, and the only one where containers run in a virtual machine.
async fn published(engine: &docker::Engine, backend: &Backend) -> Option<u16> {
    let forwarder = format!("fakecloud-ec2-fwd-{}-{}", backend.id, backend.port);
    let found = engine.client().inspect_container(&forwarder, None).await.ok()?;
    let ports = found.network_settings?.ports?;
    let bindings = ports.get(&format!("{}/tcp", backend.port))?.as_ref()?;
    bindings.iter().find_map(|binding| binding.host_port.as_ref()?.parse().ok())
}

/// The instance's own address, which this computer reaches where the engine runs on it directly.
async fn own(cloud: &Cloud, backend: &Backend) -> Option<SocketAddr> {
    let found = cloud.ec2().describe_instances().instance_ids(&backend.id).send().await.ok()?;
    let instance = found.reservations().iter().flat_map(|r| r.instances()).next()?;
    let address: IpAddr = instance.private_ip_address()?.parse().ok()?;
    Some(SocketAddr::new(address, backend.port))
}
