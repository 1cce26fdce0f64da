//! Gates: what must be true before traffic moves, and waiting until it is.
mod explain;
mod health;

pub use explain::explain;
pub use health::{Health, balancer, health, wait_until_healthy};
