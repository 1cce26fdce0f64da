//! The front door: one address for all applications, answering by name as a resolver and the load balancers would.
//!
//! What there is (records, load balancers, targets) is read at once into a snapshot, every second and
//! whenever the gateway has seen a change; resolving is arithmetic on it. Each request and each connection is resolved
//! anew: a resolver would remember an answer for its time to live, which would hide for a minute what `traffic` did.
mod door;
mod http;
mod known;
mod look;
mod proxied;
mod reach;
mod resolve;
mod routes;
mod tcp;
#[cfg(test)]
mod tests;

pub use door::Front;
pub use routes::{Route, Share};
