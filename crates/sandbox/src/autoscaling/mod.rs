//! Auto Scaling: the service that the emulator has no working form of, on top of its EC2 and its load balancers.
//! Groups launch instances by their launch template, register them once they answer, drain them before they end,
//! and replace what is dead or unhealthy. Scaling policies are kept and described; nothing acts on them.
mod control;
mod describe;
mod emulator;
mod fault;
mod groups;
mod judge;
mod launch;
mod leave;
mod members;
mod probe;
mod request;
mod service;
mod state;
mod store;
mod value;
mod world;
mod xml;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod loop_tests;
#[cfg(test)]
mod protocol_tests;

pub use service::{AutoScaling, GroupState, MemberState};
