//! Transit gateways: the hub of a region, how it is shared with the teams' accounts, and their VPCs' attachments.
mod attachment;
mod gateway;
mod share;

pub use attachment::TransitAttachment;
pub use gateway::{TransitGateway, gateways};
pub use share::{ResourceShare, ShareMembership, SharePrincipal};
