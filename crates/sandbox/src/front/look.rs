//! Reads what there is: records from Route 53, load balancers with their targets and ports from the emulator.
use super::resolve::{Backend, Balancer, Kind, Listener, Record, Snapshot, Target, Zone};
use aws_core::{
    Error, Result,
    cloud::{Cloud, lookups},
    engine::World as _,
    model::tags,
    resources::alias_record::{self, plain_name},
};
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use futures::future;
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;
use url::Url;

/// The emulator is on this computer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who looks.
pub(super) struct Look {
    /// A connection of our own: what it remembers is forgotten before each look.
    cloud: Cloud,
    http: reqwest::Client,
    emulator: Url,
}

impl Look {
    pub(super) fn new(cloud: &Cloud, emulator: Url) -> Self {
        // A proxy of this computer's settings has no business with loopback.
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        Self {
            cloud: cloud.in_region(cloud.region()),
            http: http.expect("a client without files and certificates of its own can always be made"),
            emulator,
        }
    }

    /// Everything as it is now.
    ///
    /// # Errors
    /// What Route 53 or the emulator answers, or that they take too long.
    pub(super) async fn look(&self) -> Result<Snapshot> {
        let look = async {
            // Load balancers after the records: who makes both makes the load balancer first, so none is missed.
            let zones = self.zones().await?;
            let balancers = self.balancers().await?;
            Ok(Snapshot { zones, balancers })
        };
        let late = || Error::deadline(format!("the emulator at {} did not answer within {PATIENCE:?}", self.emulator));
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| Err(late()))
    }

    async fn zones(&self) -> Result<Vec<Zone>> {
        self.cloud.forget();
        let zones = lookups::all_zones(&self.cloud).await?;
        let records = zones.iter().map(|zone| async {
            match alias_record::list_records(&self.cloud, &zone.id).await {
                Ok(records) => Ok(records.iter().filter_map(record).collect()),
                // Deleted a moment ago.
                Err(e) if e.is_gone() => Ok(Vec::new()),
                Err(e) => Err(e),
            }
        });
        let records = future::try_join_all(records).await?;
        let zones = zones.into_iter().zip(records);
        Ok(zones.map(|(zone, records)| Zone { name: zone.name, private: zone.private, records }).collect())
    }

    /// One question for each kind, for all load balancers; Elastic Load Balancing's own API has one question for
    /// each load balancer and group, and does not know the ports on which the emulator answers.
    async fn balancers(&self) -> Result<Vec<Balancer>> {
        let (balancers, listeners, groups) = futures::try_join!(
            self.get::<Balancers>("load-balancers"),
            self.get::<Listeners>("listeners"),
            self.get::<Groups>("target-groups"),
        )?;
        Ok(put_together(balancers, &listeners, &groups))
    }

    async fn get<T: DeserializeOwned>(&self, kind: &str) -> Result<T> {
        let url = self.emulator.join(&format!("/_fakecloud/elbv2/{kind}"));
        let url = url.map_err(|e| Error::usage(format!("{} is no address: {e}", self.emulator)))?;
        let failed = |e: reqwest::Error| Error::failed(format!("the emulator does not answer at {url}")).caused_by(e);
        let answer = self.http.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status);
        let body = answer.map_err(failed)?.bytes().await.map_err(failed)?;
        let unread = |e| Error::failed(format!("what the emulator answers at {url} cannot be read")).caused_by(e);
        serde_json::from_slice(&body).map_err(unread)
    }
}

/// A record that leads somewhere.
fn record(set: &ResourceRecordSet) -> Option<Record> {
    let kind = match set.r#type() {
        RrType::A => Kind::A,
        RrType::Aaaa => Kind::Aaaa,
        RrType::Cname => Kind::Cname,
        _ => return None,
    };
    let values = || set.resource_records().iter().map(|r| r.value());
    let target = match (set.alias_target(), kind) {
        (Some(alias), _) => {
            Target::Alias { name: plain_name(alias.dns_name()), healthy: alias.evaluate_target_health() }
        }
        (None, Kind::Cname) => Target::Name(plain_name(values().next()?)),
        (None, _) => Target::Addresses(values().collect::<Vec<_>>().join(", ")),
    };
    Some(Record {
        name: plain_name(set.name()),
        kind,
        set: set.set_identifier().map(str::to_owned),
        weight: set.weight().and_then(|w| u64::try_from(w).ok()),
        target,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balancers {
    load_balancers: Vec<SeenBalancer>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenBalancer {
    arn: String,
    name: String,
    dns_name: String,
    state_code: String,
    lb_type: String,
    tags: Vec<Tag>,
    bound_port: Option<u16>,
}
#[derive(Deserialize)]
struct Tag {
    key: String,
    value: String,
}
#[derive(Deserialize)]
pub(super) struct Listeners {
    listeners: Vec<SeenListener>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenListener {
    load_balancer_arn: String,
    port: Option<u16>,
    default_target_group_arn: Option<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Groups {
    target_groups: Vec<SeenGroup>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenGroup {
    arn: String,
    port: Option<u16>,
    load_balancer_arns: Vec<String>,
    targets: Vec<SeenTarget>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenTarget {
    id: String,
    port: Option<u16>,
    health_state: String,
}

pub(super) fn put_together(balancers: Balancers, listeners: &Listeners, groups: &Groups) -> Vec<Balancer> {
    let backends = |group: &SeenGroup| {
        let backend = |target: &SeenTarget| {
            let port = target.port.or(group.port)?;
            Some(Backend { id: target.id.clone(), port, health: target.health_state.clone() })
        };
        group.targets.iter().filter_map(backend).collect::<Vec<_>>()
    };
    let listener = |seen: &SeenListener| {
        let forwards_to = seen.default_target_group_arn.as_ref();
        let group = groups.target_groups.iter().find(|group| Some(&group.arn) == forwards_to);
        Some(Listener { port: seen.port?, backends: group.map(backends).unwrap_or_default() })
    };
    let balancer = |seen: SeenBalancer| {
        let own: Vec<&SeenGroup> =
            groups.target_groups.iter().filter(|group| group.load_balancer_arns.contains(&seen.arn)).collect();
        let of = |listener: &&SeenListener| listener.load_balancer_arn == seen.arn;
        let well = |group: &&SeenGroup| group.targets.iter().any(|target| target.health_state == "healthy");
        Balancer {
            dns_name: seen.dns_name.to_ascii_lowercase(),
            version: seen.tags.into_iter().find(|tag| tag.key == tags::VERSION).map(|tag| tag.value),
            network: seen.lb_type == "network",
            state: seen.state_code,
            healthy: !own.is_empty() && own.iter().all(well),
            port: seen.bound_port,
            listeners: listeners.listeners.iter().filter(of).filter_map(listener).collect(),
            name: seen.name,
        }
    };
    balancers.load_balancers.into_iter().map(balancer).collect()
}
