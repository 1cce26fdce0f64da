//! Transit gateways: the hub of a region, how it is shared with the teams' accounts, and their VPCs' attachments.
mod attachment;
mod gateway;
mod share;

pub use attachment::TransitAttachment;
pub use gateway::{TransitGateway, gateways};
pub use share::{ResourceShare, ShareMembership, SharePrincipal};

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use std::collections::BTreeMap;

/// The tags of a thing to be made.
pub(super) fn specification(kind: ResourceType, tags: &BTreeMap<String, String>) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(ec2_tags(tags))).build()
}

/// Tags as EC2 takes them.
pub(super) fn ec2_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}
