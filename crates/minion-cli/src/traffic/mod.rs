//! Which version of an application gets how much of its traffic: the arithmetic, and the weighted
//! records in Route 53 that carry it out.
mod arithmetic;
mod records;
mod share;
mod sync;
mod turns;

pub use arithmetic::{Resharing, reshare};
pub use records::{Weights, weights_of, write, written};
pub use share::Share;
pub use sync::in_sync;
pub use turns::in_turn;
