//! Converges a graph of typed resources; knows no AWS service.
//!
//! What a resource is, its [`Identity`] says: how it is found and removed. What one should be, a [`Resource`] says: how it
//! is compared, created and updated. A [`Graph`] holds both, and a wish for each node: managed, external or absent.
//! [`run`] looks at each, compares, and, unless it is a dry run, writes. One mechanism gives create, update, delete, dry
//! run, resume and drift:
//!
//! * a [`Ref`] is made by the graph alone, so references point backwards and there is no cycle;
//! * all is looked at and decided on before anything is written; a dry run ends there;
//! * what there is only so much of is read beside the looks ([`World::room`]) and judged with the plan;
//! * what should not exist goes after what it needs and stays, and before what it needs and goes too;
//! * independent nodes run at the same time, bounded by [`Options::parallel`]; there are no waves;
//! * a failed node skips what depends on it; running again converges; a retry starts from `find`, never blind.
mod graph;
mod report;
mod resource;
mod run;
#[cfg(test)]
mod tests;

pub use crate::cancel::{Cancel, Held, InFlight, Stop};
pub use crate::change::{Action, Change};
pub use crate::needs::Needs;
pub use crate::progress::{Event, Observer, Quiet};
pub use crate::world::{Room, Use, Wanted, World};
pub use ::needs::Needs;
pub use graph::{Cx, Graph, NodeId, Ref};
pub use report::{NodeReport, Outcome, Report};
pub use resource::{CloudOf, Identity, LiveOf, Resource};
pub use run::{Mode, Options, run};
