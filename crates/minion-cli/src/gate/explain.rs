//! Why a version did not become healthy: what AWS and the instances say.
use super::health;
use crate::site::Site;
use aws_core::{
    Error,
    cloud::{errors::advice, lookups, serving},
    error::Kind,
    model::names::AppVersion,
};

/// Lines of console output to show: the script that boots the container writes there.
const CONSOLE_LINES: usize = 20;
/// Lines of the container's output to show.
const LOG_LINES: i32 = 10;
/// Consoles to ask for, oldest instance first, until one has something: two calls each.
const CONSOLES: usize = 5;
/// Scaling activities to show.
const ACTIVITIES: usize = 3;

/// Adds to a failed wait what the targets, the Auto Scaling group, an instance's console and its container say. What cannot
/// be read is left out: the error is about the version.
pub async fn explain(site: &Site, id: &AppVersion, error: Error) -> Error {
    if error.kind() == Kind::Interrupted {
        return error;
    }
    let (cloud, name) = (&site.cloud, id.resource());
    let mut lines = vec![error.to_string()];
    let (group, activities, instances) = tokio::join!(
        serving::group(cloud, &name),
        lookups::scaling_activities(cloud, &name),
        lookups::instances(cloud, &site.vpc, Some(id.application.as_str()), Some(id.version.as_str()))
    );
    let group = group.ok().flatten();
    if let Some(group) = &group
        && let Ok(health) = health(cloud, &group.target_groups).await
    {
        lines.extend(health.reasons().into_iter().map(|r| format!("  targets: {r}")));
    }
    let failed = activities.unwrap_or_default().into_iter().filter(|a| a.status != "Successful").take(ACTIVITIES);
    let mut hints: Vec<String> = Vec::new();
    lines.extend(failed.map(|a| {
        let message = a.message.unwrap_or(a.description);
        // Why no instance starts, which no later line says.
        let key = is_about_a_key(&message).then(|| key_hint(cloud.region()));
        for hint in key.into_iter().chain(advice(&message, None, cloud.region())) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        format!("  scaling: {}: {}", a.status, message.trim())
    }));
    // By start: AWS replaces instances that stay unhealthy, and a young one has nothing on its console yet.
    let mut started: Vec<_> = instances
        .unwrap_or_default()
        .iter()
        .filter_map(|i| Some((i.launch_time().map(|t| t.secs()), i.instance_id()?.to_owned())))
        .collect();
    started.sort();
    let mut ids: Vec<String> = started.into_iter().map(|(_, id)| id).collect();
    // What EC2 does not list by its tags, the group may know.
    let members: Vec<String> = group.iter().flat_map(|g| &g.members).map(|m| m.id.clone()).collect();
    ids.extend(members.into_iter().filter(|m| !ids.contains(m)).collect::<Vec<_>>());
    for instance in ids.iter().take(CONSOLES) {
        if let Ok(Some(console)) = lookups::console_output(cloud, instance).await {
            let all: Vec<&str> = console.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
            let last = &all[all.len().saturating_sub(CONSOLE_LINES)..];
            lines.push(format!("  the last lines of instance {instance}'s console:"));
            lines.extend(last.iter().map(|l| format!("    {}", l.escape_debug())));
            let words = lookups::last_words(cloud, &id.application.log_group(), instance, LOG_LINES).await;
            let words = words.unwrap_or_default();
            if !words.is_empty() {
                lines.push(format!("  the last lines of its container (log group {}):", id.application.log_group()));
                lines.extend(words.iter().map(|l| format!("    {}", l.escape_debug())));
            }
            break;
        }
    }
    hints.into_iter().fold(Error::new(error.kind(), lines.join("\n")), Error::hint)
}

/// Whether an instance could not be launched because Auto Scaling may not use the key of its volumes ("Troubleshoot Amazon
/// EC2 Auto Scaling: EC2 instance launch failures"; AWS says no more than that there was a client error).
fn is_about_a_key(message: &str) -> bool {
    ["Client.InvalidKMSKey", "Client.InternalError", "KMS key", "KMSKeyNotAccessibleFault"]
        .iter()
        .any(|words| message.contains(words))
}

fn key_hint(region: &str) -> String {
    format!(
        "Check which key encrypts EBS volumes: `aws ec2 get-ebs-default-kms-key-id --region {region}`. If it is a customer \
         managed key, its key policy must allow AWSServiceRoleForAutoScaling to use it: see docs/troubleshooting.md, \"A key \
         of your own for EBS\"."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_that_fail_because_of_a_key_are_told_from_others() {
        for about in [
            "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: \
             Client.InternalError: Client error on launch",
            "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state",
            "The KMS key provided is in an incorrect state. Launching EC2 instance failed.",
            "Launching a new EC2 instance. Status Reason: KMSKeyNotAccessibleFault",
            "Termination Reason: Client.InternalError",
        ] {
            assert!(is_about_a_key(about), "{about}");
        }
        for other in [
            "We currently do not have sufficient t3.small capacity in the Availability Zone you requested",
            "You have requested more vCPU capacity than your current vCPU limit of 5 allows",
            "Server.InternalError: Internal error on launch",
            "The image id '[ami-1]' does not exist",
            "Your Spot request price of 0.1 is lower than the minimum",
        ] {
            assert!(!is_about_a_key(other), "{other}");
        }
        assert!(key_hint("eu-west-1").contains("`aws ec2 get-ebs-default-kms-key-id --region eu-west-1`"));
    }
}
