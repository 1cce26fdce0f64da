//! Whether a NAT instance forwards: its script says so on the console, which is the only thing that tells without a permission
//! of the instance's own. Status checks pass as soon as the network answers.
use crate::{
    Error, Result,
    cloud::{Cloud, lookups::console_output, wait::Look},
    error::Kind,
    progress,
    resources::network::waiting::within,
};
use std::time::Duration;

/// What the script says when it forwards.
const READY: &str = "nat: ready";
/// What it says when it gave up, with the reason behind it.
const FAILED: &str = "nat: failed: ";
/// What it says while it tries again, with the reason behind it.
const WAITING: &str = "nat: waiting: ";
/// A start, a swap file and a package take two minutes. With what comes before it is less than a node's deadline of ten.
const PATIENCE: Duration = Duration::from_secs(420);

/// What the console tells of the script.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Ready,
    Failed(String),
    Waiting(String),
    Nothing,
}

fn told(console: &str) -> Told {
    let mut told = Told::Nothing;
    for line in console.lines() {
        if let Some((_, why)) = line.split_once(FAILED) {
            told = Told::Failed(why.trim().to_owned());
        } else if let Some((_, why)) = line.split_once(WAITING) {
            told = Told::Waiting(why.trim().to_owned());
        } else if line.contains(READY) {
            told = Told::Ready;
        }
    }
    told
}

/// Waits until a new instance forwards.
pub(super) async fn wait(cloud: &Cloud, name: &str, id: &str) -> Result<()> {
    let look = || async move {
        let console = match console_output(cloud, id).await {
            // Who may not read the console is not kept from working: the instance itself may be well.
            Err(e) if e.kind() == Kind::Access => {
                progress::warn(format!("Could not check whether NAT instance {name} ({id}) forwards: {e}"));
                return Ok(Look::Done(()));
            }
            other => other?,
        };
        match told(&console.unwrap_or_default()) {
            Told::Ready => Ok(Look::Done(())),
            Told::Failed(why) => Err(Error::failed(format!("NAT instance {name} ({id}) does not forward: {why}"))),
            Told::Waiting(why) => Ok(Look::NotYet(format!("its console says: {why}"))),
            Told::Nothing => Ok(Look::NotYet("its console does not say `nat: ready` yet".into())),
        }
    };
    let waited = within(PATIENCE, &format!("NAT instance {name} ({id}) to forward"), look).await;
    waited.map_err(|e| {
        let region = cloud.region();
        e.hint(format!(
            "Read its console: aws ec2 get-console-output --latest --output text --region {region} --instance-id {id}"
        ))
        .hint(format!(
            "If it does not say `nat: ready` there, replace it: \
             aws ec2 terminate-instances --region {region} --instance-ids {id}, then run the same command again."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_tells_how_it_ended() {
        let failed = |why: &str| Told::Failed(why.into());
        for (console, wanted) in [
            ("", Told::Nothing),
            ("[   10.1] cloud-init[1200]: Complete!\n", Told::Nothing),
            ("[   10.1] cloud-init[1200]: nat: ready\r\n", Told::Ready),
            ("Linux version 6.1\nnat: ready\nlogin: ", Told::Ready),
            ("nat: failed: status 1 while installing nftables\r\n", failed("status 1 while installing nftables")),
            ("[ 9.0] x: nat: failed: status 2 while loading the rules\n", failed("status 2 while loading the rules")),
            (
                "nat: waiting: nftables cannot be installed yet\r\n",
                Told::Waiting("nftables cannot be installed yet".into()),
            ),
            ("nat: waiting: x\nnat: ready\n", Told::Ready),
            // Run again by hand.
            ("nat: failed: status 1 while installing nftables\nnat: ready\n", Told::Ready),
            ("nat: ready\nnat: failed: status 1 while loading the rules\n", failed("status 1 while loading the rules")),
        ] {
            assert_eq!(told(console), wanted, "{console}");
        }
    }
}
