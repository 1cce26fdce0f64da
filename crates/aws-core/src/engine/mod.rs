//! Converges a graph of typed resources; knows no AWS service.
//!
//! A [`Graph`] holds [`Resource`]s. [`run`] looks at each ([`Resource::find`]), compares
//! ([`Resource::diff`]), and, unless it is a dry run, creates, updates or deletes. One mechanism gives
//! create, update, delete, dry run, resume and drift:
//!
//! * a [`Ref`] is made by [`Graph::add`] alone, so references point backwards and there is no cycle;
//! * all is looked at and decided on before anything is written; a dry run ends there;
//! * what there is only so much of is read beside the looks ([`World::room`]) and judged with the plan;
//! * independent nodes run at the same time, bounded by [`Options::parallel`]; there are no waves;
//! * a failed node skips what depends on it; running again converges; a retry starts from `find`, never blind.
mod events;
mod graph;
mod resource;
mod room;
mod run;
#[cfg(test)]
mod tests;

pub use crate::cancel::{Cancel, Held, InFlight, Stop};
pub use events::{Event, NodeReport, Observer, Outcome, Quiet, Report};
pub use graph::{Cx, Graph, NodeId, Ref};
pub use resource::{Action, Change, Ownership, Resource, World};
pub use room::{Room, Use, Wanted};
pub use run::{Mode, Options, run};
