//! What goes on in a sandbox.
use crate::{autoscaling::GroupState, front::Route, serve::Parts};
use serde::{Deserialize, Serialize};

/// A sandbox, as its process sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The sandbox's id.
    pub id: String,
    /// Auto Scaling groups, and their instances.
    pub groups: Vec<GroupState>,
    /// The names that the front door answers to.
    pub routes: Vec<Route>,
}

/// Asks the parts.
pub(crate) fn of(parts: &Parts) -> Status {
    Status { id: parts.id.clone(), groups: parts.groups.groups(), routes: parts.front.routes() }
}
