//! What was made a moment ago, and is not known everywhere yet: the EC2 API is eventually consistent.
use super::waiting::within;
use crate::{Result, cloud::wait::Look};
use std::time::Duration;

/// "Add wait time [..] up to about five minutes" (EC2 developer guide, "Eventual consistency").
const LONGEST: Duration = Duration::from_secs(300);

/// Calls again while the operation's row says that some part of AWS does not know yet what was just made. All
/// other errors are the caller's, those that pass with time too: before such a call is made again, somebody must
/// look whether AWS carried it out all the same.
pub(super) async fn known<T, F>(what: &str, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    settled(what, || {
        let called = call();
        async move {
            Ok(match called.await {
                Err(e) if e.is_unseen() => Look::NotYet(e.to_string()),
                done => Look::Done(done),
            })
        }
    })
    .await?
}

/// Looks until AWS is done with what was just made.
pub(super) async fn settled<T, F>(what: &str, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Look<T>>>,
{
    within(LONGEST, what, look).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, error::AwsDetail};
    use std::sync::atomic::{AtomicU32, Ordering};

    fn error(code: &str) -> Error {
        let operation = "ec2:CreateSubnet".into();
        Error::failed("no").at(AwsDetail { operation, code: Some(code.into()), ..AwsDetail::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_named_codes_are_waited_for() {
        let calls = AtomicU32::new(0);
        let done = known("it", || async {
            if calls.fetch_add(1, Ordering::Relaxed) < 3 { Err(error("InvalidVpcID.NotFound")) } else { Ok(7) }
        });
        assert_eq!(done.await.unwrap(), 7);
        let refused = known("it", || async { Err::<(), _>(error("UnauthorizedOperation")) });
        assert_eq!(refused.await.unwrap_err().code(), Some("UnauthorizedOperation"));
        let lost = known("it", || async { Err::<(), _>(error("InternalError").retryable()) });
        assert!(lost.await.unwrap_err().is_retryable(), "told at once, and not as a deadline");
    }
}
