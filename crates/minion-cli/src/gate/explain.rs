//! Why a version did not become healthy: what AWS and the instances say.
use super::health;
use crate::site::Site;
use aws_core::{
    Error,
    cloud::{lookups, serving},
    error::Kind,
    model::names::AppVersion,
};

/// Lines of console output to show: the script that boots the container writes there.
const CONSOLE_LINES: usize = 20;
/// Scaling activities to show.
const ACTIVITIES: usize = 3;

/// Adds to a failed wait what the targets, the Auto Scaling group and an instance's console say. What cannot
/// be read is left out: the error is about the version.
pub async fn explain(site: &Site, id: &AppVersion, error: Error) -> Error {
    if error.kind() == Kind::Interrupted {
        return error;
    }
    let (cloud, name) = (&site.cloud, id.resource());
    let mut lines = vec![error.to_string()];
    let (group, activities) = tokio::join!(serving::group(cloud, &name), lookups::scaling_activities(cloud, &name));
    let group = group.ok().flatten();
    if let Some(group) = &group
        && let Ok(health) = health(cloud, &group.target_groups).await
    {
        lines.extend(health.reasons().into_iter().map(|r| format!("  targets: {r}")));
    }
    let failed = activities.unwrap_or_default().into_iter().filter(|a| a.status != "Successful").take(ACTIVITIES);
    lines.extend(failed.map(|a| {
        let message = a.message.unwrap_or(a.description);
        format!("  scaling: {}: {}", a.status, message.trim())
    }));
    if let Some(member) = group.as_ref().and_then(|g| g.members.first())
        && let Ok(Some(console)) = lookups::console_output(cloud, &member.id).await
    {
        let all: Vec<&str> = console.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
        let last = &all[all.len().saturating_sub(CONSOLE_LINES)..];
        lines.push(format!("  the last lines of instance {}'s console:", member.id));
        lines.extend(last.iter().map(|l| format!("    {}", l.escape_debug())));
    }
    Error::new(error.kind(), lines.join("\n"))
}
