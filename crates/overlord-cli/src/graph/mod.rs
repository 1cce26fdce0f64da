//! A team's place as a graph: what it should have, in every account that has a part of it.
mod account;
mod domains;
mod gone;
mod interconnect;
mod network;
mod team;

pub use account::{bucket_left, settings_found};
pub use domains::Domain;
pub use gone::{Gone, deletion};
pub(crate) use network::NAT_INSTANCE;
pub use team::{Input, graph};
