//! What `overlord` tells `minion` of a VPC: the settings that are stored with it.
use super::domain::certificate::CertificateArn;
use crate::{engine::Ref, registry::VpcSettings, resources::network::ids::VpcId};

/// The settings of a VPC. Only what is set here is ours; the rest is the operators'.
pub struct PlaceSettings {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// Our settings: fields that are set, and lists that are not empty.
    pub base: VpcSettings,
    /// The certificate of HTTPS listeners.
    pub certificate: Option<Ref<CertificateArn>>,
    /// The ARN of the managed policy that bounds roles.
    pub boundary: Option<String>,
}
