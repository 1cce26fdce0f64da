//! What AWS does later than it answers, and what it answers although it did not do it.
use crate::{
    Error, Result,
    cloud::{
        operations::{Called, name_of},
        wait::{Look, Patience, poll_until},
    },
    engine::Cancel,
    error::AwsDetail,
};
use aws_sdk_ec2::types::UnsuccessfulItem;
use std::time::Duration;

/// Less than a node's deadline, which is ten minutes: so it is told what was missing.
const PATIENCE: Duration = Duration::from_secs(570);

/// Looks every 2 to 10 seconds until it is done. Another run of the command goes on waiting.
pub(super) async fn until<T, F>(what: &str, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Look<T>>>,
{
    within(PATIENCE, what, look).await
}

/// Waits like [`until`], for at most `longest`.
pub(super) async fn within<T, F>(longest: Duration, what: &str, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Look<T>>>,
{
    // A second Ctrl-C ends the node's work from outside; the first one waits for it.
    poll_until(what, &Patience::new(longest, Cancel::default()), look, |_, _| {}).await
}

/// AWS made a thing, and did not say which.
pub(super) fn nameless<E: Called>() -> Error {
    Error::failed(format!("{} answered without an id", name_of::<E>()))
}

/// EC2 says in the answer itself, with status 200, what it did not do: the first of it as an error.
pub(super) fn undone<E: Called>(region: &str, what: &str, unsuccessful: &[UnsuccessfulItem]) -> Option<Error> {
    let operation = name_of::<E>();
    let error = unsuccessful.first()?.error();
    let code = error.and_then(|e| e.code()).unwrap_or("unknown error");
    let message = error.and_then(|e| e.message()).unwrap_or("no message");
    let detail =
        AwsDetail { operation: operation.into(), region: region.into(), code: Some(code.into()), request_id: None };
    Some(Error::failed(format!("{operation} for {what} in {region}: {message} ({code})")).at(detail).judged())
}
