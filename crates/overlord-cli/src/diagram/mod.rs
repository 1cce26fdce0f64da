//! A team's network as a picture: what is on AWS, or what its file asks for.
mod aws;
mod mermaid;
mod picture;
mod plan;
mod svg;

pub use aws::from_aws;
pub use mermaid::mermaid;
pub use picture::{
    Application, Balancer, Exit, Interconnect, Nat, NatKind, Peer, Picture, RegionPicture, Source, Subnet, Vpn, Zone,
};
pub use plan::from_plan;
pub use svg::svg;
