//! Which addresses a team's network has, and how they are split: arithmetic alone, no call to AWS.
//!
//! A network is split as the predecessor did it, because teams know the result by heart: a quarter for the public
//! layer, a quarter for the shared one, half for the private one, and each of these in [`SLOTS`] equal slots, one for
//! each availability zone. A slot's place depends on its number alone, so that a zone can be added without any other
//! one moving. In `10.2.0.0/19` the public subnets are `10.2.0.0/24`, `10.2.1.0/24`, ..; the shared ones
//! `10.2.8.0/24`, ..; the private ones `10.2.16.0/23`, `10.2.18.0/23`, ..
mod pool;
mod slots;

pub use pool::{DOCKERS, Shares, first_free, free_space, shares};
pub use slots::{SLOTS, SMALLEST_SUBNET, Slot, slot};
