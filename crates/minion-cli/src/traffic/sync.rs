//! Waiting until a DNS change is everywhere.
use crate::site::{Session, Site};
use aws_core::{
    Result,
    cloud::wait::{Look, Patience, poll_until},
    resources::alias_record,
};
use std::time::Duration;

/// How long Route 53 may take to bring a change to all its name servers; it is usually done within a minute.
const IN_SYNC: Duration = Duration::from_secs(180);

/// Waits until all of Route 53's name servers know the change, as a step.
///
/// # Errors
/// A deadline or an interruption; the change arrives all the same.
pub async fn in_sync(session: &Session, site: &Site, change: &str) -> Result<()> {
    let step = session.terminal.waiting("Waiting for all name servers to know", IN_SYNC);
    let patience = Patience::new(IN_SYNC, session.cancel.clone());
    let look = async || {
        let done = alias_record::in_sync(&site.cloud, change).await?;
        Ok(if done { Look::Done(()) } else { Look::NotYet("the change is pending".into()) })
    };
    let what = "Route 53 to bring the change to all its name servers";
    let waited = poll_until(what, &patience, look, |missing, _| step.tick(missing)).await;
    step.end(waited).map_err(|e| e.hint("The change of the traffic is written, and will arrive."))
}
