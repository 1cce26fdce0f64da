//! The service: requests in, answers out, and the loop that does what they ask for.
use super::{
    control, describe, emulator::Emulator, fault::Fault, groups, members, request::Request, state::unique,
    store::Store, value::Value, world::World, xml,
};
use crate::Answer;
use aws_core::{Result, cloud::Cloud};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

/// Auto Scaling.
#[derive(Clone)]
pub struct AutoScaling {
    service: Service<Emulator>,
}

/// A group, for a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// Its name.
    pub name: String,
    /// How many instances it shall have.
    pub desired: i32,
    /// Its instances.
    pub members: Vec<MemberState>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why its latest launch failed, if it did.
    pub trouble: Option<String>,
}

/// An instance of a group, for a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberState {
    /// Its id.
    pub id: String,
    /// `Pending`, `InService` or `Terminating`.
    pub lifecycle: String,
    /// Whether it counts as healthy.
    pub healthy: bool,
    /// Its zone.
    pub zone: String,
}

impl AutoScaling {
    /// A service without groups; `id` is the sandbox's, as its containers' labels have it.
    pub fn new(cloud: Arc<Cloud>, engine: docker::Engine, id: String) -> Self {
        Self { service: Service::new(Emulator::new(cloud, engine, id)) }
    }

    /// Answers one request of the Query protocol: `Action=..` and its parameters.
    pub async fn answer(&self, form: &BTreeMap<String, String>) -> Answer {
        self.service.answer(form).await
    }

    /// Launches, registers, drains, ends and replaces instances until `stop` says so.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        control::run(self.service, stop).await;
    }

    /// The groups, by name.
    pub fn groups(&self) -> Vec<GroupState> {
        self.service.groups()
    }
}

/// The service on any world.
pub(super) struct Service<W> {
    pub(super) world: Arc<W>,
    pub(super) store: Arc<Store>,
}

impl<W> Clone for Service<W> {
    fn clone(&self) -> Self {
        Self { world: Arc::clone(&self.world), store: Arc::clone(&self.store) }
    }
}

impl<W: World> Service<W> {
    pub(super) fn new(world: W) -> Self {
        Self { world: Arc::new(world), store: Arc::default() }
    }

    pub(super) async fn answer(&self, form: &BTreeMap<String, String>) -> Answer {
        let id = unique();
        let action = form.get("Action").map(String::as_str).unwrap_or_default();
        let request = Request::read(action, &Value::of_form(form));
        let result = match request {
            Ok(request) => self.act(request).await,
            Err(fault) => Err(fault),
        };
        match result {
            Ok(result) => xml::done(action, result.as_ref(), &id),
            Err(fault) => xml::failed(&fault, &id),
        }
    }

    /// Some actions have a result, others are only done.
    async fn act(&self, request: Request) -> Result<Option<Value>, Fault> {
        let described = match request {
            Request::Groups(query) => self.store.read(|s| describe::groups(s, &query)),
            Request::Instances(query) => self.store.read(|s| describe::instances(s, &query)),
            Request::TargetGroups(query) => self.store.read(|s| describe::target_groups(s, &query)),
            Request::Policies(query) => self.store.read(|s| describe::policies(s, &query)),
            Request::Activities(query) => self.store.read(|s| describe::activities(s, &query)),
            Request::Tags(query) => self.store.read(|s| describe::tags(s, &query)),
            changing => {
                let result = self.change(changing).await;
                self.store.wake();
                return result;
            }
        };
        described.map(Some)
    }

    async fn change(&self, request: Request) -> Result<Option<Value>, Fault> {
        let now = self.world.now();
        match request {
            Request::Create(settings) => groups::create(self, settings).await?,
            Request::Update(settings) => groups::update(self, settings).await?,
            Request::Attach(group, arns) => members::attach(self, &group, arns).await?,
            Request::Detach(group, arns) => self.store.change(|s| members::detach(s, &group, &arns))?,
            Request::Delete(name, force) => self.store.change(|s| groups::delete(s, &name, force, now))?,
            Request::Resize(name, desired) => self.store.change(|s| groups::set_desired(s, &name, desired, now))?,
            Request::Terminate(id, shrink) => {
                let ended = self.store.change(|s| members::terminate(s, &id, shrink, now))?;
                return Ok(Some(ended));
            }
            Request::SetHealth(health) => self.store.change(|s| members::set_health(s, &health, now))?,
            Request::PutPolicy(policy) => {
                let account = self.world.account().await.map_err(|e| Fault::inside(&e))?;
                let place = format!("{}:{account}", self.world.region());
                return Ok(Some(self.store.change(|s| members::put_policy(s, policy, &place))?));
            }
            Request::DeletePolicy(group, name) => {
                self.store.change(|s| members::delete_policy(s, group.as_deref(), &name))?;
            }
            Request::PutTags(tags) => self.store.change(|s| members::put_tags(s, tags))?,
            Request::DeleteTags(tags) => self.store.change(|s| members::delete_tags(s, &tags))?,
            _ => {}
        }
        Ok(None)
    }

    pub(super) fn groups(&self) -> Vec<GroupState> {
        self.store.read(|state| {
            let group = |g: &super::state::Group| GroupState {
                name: g.name.clone(),
                desired: g.desired,
                deleting: g.deleting,
                trouble: g.activities.last().filter(|a| a.status == "Failed").and_then(|a| a.message.clone()),
                members: g
                    .members
                    .iter()
                    .map(|m| MemberState {
                        id: m.id.clone(),
                        lifecycle: m.lifecycle.word().to_owned(),
                        healthy: m.healthy,
                        zone: m.zone.clone(),
                    })
                    .collect(),
            };
            state.groups.values().map(group).collect()
        })
    }
}
