//! The EC2 instances of applications, in plain values.
use super::{Cloud, lookups};
use crate::{
    Result,
    model::tags::{APPLICATION, TEAM, VERSION},
};
use aws_sdk_ec2::types::Instance;
use jiff::Timestamp;
use serde::Serialize;

/// An instance. The field names are those of `minion instances -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The application.
    pub application_name: String,
    /// The version.
    pub version: Option<String>,
    /// Instance id.
    pub instance_id: String,
    /// The team.
    pub team: Option<String>,
    /// Public IPv4 address.
    pub public_ip: Option<String>,
    /// Private IPv4 address.
    pub private_ip: Option<String>,
    /// `pending`, `running`, `shutting-down`, ..
    pub state: String,
    /// Instance type.
    pub instance_type: Option<String>,
    /// Availability Zone.
    pub zone: Option<String>,
    /// When it was launched.
    pub launched_at: Option<Timestamp>,
}

impl From<&Instance> for Machine {
    fn from(i: &Instance) -> Self {
        let tag = |key: &str| i.tags().iter().find(|t| t.key() == Some(key)).and_then(|t| t.value()).map(str::to_owned);
        Self {
            application_name: tag(APPLICATION).unwrap_or_default(),
            version: tag(VERSION),
            instance_id: i.instance_id().unwrap_or_default().to_owned(),
            team: tag(TEAM),
            public_ip: i.public_ip_address().filter(|ip| !ip.is_empty()).map(str::to_owned),
            private_ip: i.private_ip_address().filter(|ip| !ip.is_empty()).map(str::to_owned),
            state: i.state().and_then(|s| s.name()).map(|n| n.as_str().to_owned()).unwrap_or_default(),
            instance_type: i.instance_type().map(|t| t.as_str().to_owned()),
            zone: i.placement().and_then(|p| p.availability_zone()).map(str::to_owned),
            launched_at: i.launch_time().and_then(|t| Timestamp::new(t.secs(), 0).ok()),
        }
    }
}

/// The live instances of a VPC's applications, of one application, or of one version; by application, version
/// and launch.
pub async fn list(cloud: &Cloud, vpc: &str, application: Option<&str>, version: Option<&str>) -> Result<Vec<Machine>> {
    let mut found: Vec<Machine> =
        lookups::instances(cloud, vpc, application, version).await?.iter().map(Machine::from).collect();
    found.sort_by(|a, b| {
        (&a.application_name, &a.version, a.launched_at, &a.instance_id).cmp(&(
            &b.application_name,
            &b.version,
            b.launched_at,
            &b.instance_id,
        ))
    });
    Ok(found)
}
