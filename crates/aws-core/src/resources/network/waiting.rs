//! Waiting for what AWS does later than it answers.
use crate::{
    Error, Result,
    cloud::wait::{Look, Patience, poll_until},
    engine::Cancel,
};
use std::time::Duration;

/// Less than a node's deadline, which is ten minutes: so it is told what was missing.
const PATIENCE: Duration = Duration::from_secs(570);

/// Looks every 2 to 10 seconds until it is done. Another run of the command goes on waiting.
pub(super) async fn until<T, F>(what: &str, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Look<T>>>,
{
    poll_until(what, &Patience::new(PATIENCE, Cancel::default()), look, |_, _| {}).await
}

/// AWS made a thing, and did not say which.
pub(super) fn nameless(operation: &str) -> Error {
    Error::failed(format!("{operation} answered without an id"))
}
