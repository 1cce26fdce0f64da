//! Leases: one operator at a time works on an application, or on a team's place.
//!
//! A lease is a parameter of Systems Manager. Every write of it says which version it means to become (`claim`);
//! AWS answers which one it became. A record whose claim is its version is genuine, any other one was too late and
//! means nothing: the version before it holds. So a put is a compare-and-swap, whoever is late does no harm, and a put
//! that the SDK sent twice is recognized.
mod hold;
mod process;
mod record;
mod store;

pub(crate) use hold::token;
pub use hold::{Lease, Wanted, acquire};
pub use process::{Process, origin};
pub use record::{Held, Record};
pub use store::Place;
