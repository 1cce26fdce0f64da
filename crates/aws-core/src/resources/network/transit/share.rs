//! The share of a transit gateway in Resource Access Manager: who may attach to it.
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _, operations::ram, wait::Look},
    engine::{Change, Cx, Identity, Needs, Ref, Resource},
    error::Kind,
    model::{Owning as _, TeamOwner, tag_rules, tags::Whose},
    progress,
    resources::{
        kind::{found_through, itself},
        network::{
            ids::{ShareArn, TransitGatewayId},
            waiting::within,
        },
        tag_drift,
    },
};
use aws_sdk_ram::types::{
    ResourceOwner, ResourceShare as Share, ResourceShareAssociation as Association,
    ResourceShareAssociationStatus as Joined, ResourceShareAssociationType as AssociationKind,
    ResourceShareInvitationStatus as Invited, ResourceShareStatus as State, Tag,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Resources and principals of the own organization are associated within seconds, invitations arrive within a minute.
const SETTLED: Duration = Duration::from_secs(300);

/// The account whose share this is: `arn:aws:ram:eu-west-1:<account>:resource-share/..`.
fn account_of(share: &ShareArn) -> &str {
    share.0.split(':').nth(4).unwrap_or_default()
}

/// RAM's code when an account is not in the share's organization, or sharing within it is not enabled.
const NOT_PERMITTED: &str = "OperationNotPermittedException";

/// Shares a transit gateway. With whom, the [`SharePrincipal`]s say.
#[derive(Clone, Needs)]
pub struct ResourceShare {
    /// For whom: the organization, without a team.
    pub owner: TeamOwner,
    /// The name, unique in the region.
    pub name: String,
    /// What is shared.
    pub gateway: Ref<TransitGatewayId>,
    /// Whether an account outside of the owner's AWS organization takes part: the share then allows external principals,
    /// which many organizations deny (`ram:RequestedAllowsExternalPrincipals`, "Example service control policies for AWS
    /// Organizations and AWS RAM"). `None`: not known; a new share allows them.
    ///
    /// An existing share is never restricted by an update: whether sharing within the organization is enabled is not
    /// known, and where it is not, accounts could no longer be added.
    pub outside: Option<bool>,
}

/// A share as found.
pub struct LiveShare {
    arn: String,
    external: bool,
    /// `None`: not told.
    tags: Option<BTreeMap<String, String>>,
    /// ARNs of what it shares.
    resources: Vec<String>,
}

/// Own shares that are not deleted. One list for each run.
async fn shares(cloud: &Cloud) -> Result<Arc<Vec<Share>>> {
    cloud.once("own resource shares", list_shares(cloud)).await
}

async fn list_shares(cloud: &Cloud) -> Result<Vec<Share>> {
    let call = cloud.ram().get_resource_shares().resource_owner(ResourceOwner::SelfValue);
    let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
    let all = pages.told(cloud, "")?.into_iter().flat_map(|p| p.resource_shares).flatten();
    let mut all: Vec<Share> = all.filter(|s| matches!(s.status(), Some(State::Active | State::Pending))).collect();
    // Names are not unique: of several, always the first.
    all.sort_by_key(|s| (s.creation_time().copied(), s.resource_share_arn().map(str::to_owned)));
    Ok(all)
}

/// As for the gateway: each of two operators sees what the other one made.
const SETTLE: Duration = Duration::from_secs(2);

/// What own shares are associated with, and not on its way out. One list of each kind for each run.
async fn associations(cloud: &Cloud, kind: AssociationKind) -> Result<Arc<Vec<Association>>> {
    cloud.once(format!("{} of own resource shares", kind.as_str()), list_associations(cloud, kind)).await
}

async fn list_associations(cloud: &Cloud, kind: AssociationKind) -> Result<Vec<Association>> {
    let call = cloud.ram().get_resource_share_associations().association_type(kind);
    let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
    let pages = pages.told(cloud, "")?;
    let all = pages.into_iter().flat_map(|p| p.resource_share_associations.unwrap_or_default());
    let over = |a: &Association| matches!(a.status(), None | Some(Joined::Disassociated | Joined::Disassociating));
    Ok(all.filter(|a| !over(a)).collect())
}

/// Whether a share is shared with an account of another organization.
async fn outsiders(cloud: &Cloud, share: &str) -> Result<bool> {
    let all = associations(cloud, AssociationKind::Principal).await?;
    let mut of_share =
        all.iter().filter(|a| a.resource_share_arn() == Some(share) && a.status() != Some(&Joined::Failed));
    Ok(of_share.any(|a| a.external() == Some(true)))
}

fn of<'a>(all: &'a [Association], share: &str, entity: &str) -> Option<&'a Association> {
    all.iter().find(|a| a.resource_share_arn() == Some(share) && a.associated_entity() == Some(entity))
}

/// RAM shares within an organization once that is enabled, for all of it.
fn not_enabled(e: Error) -> Error {
    if e.code() != Some(NOT_PERMITTED) {
        return e;
    }
    e.hint(
        "Enable sharing within the AWS organization, once, with the credentials of its management account: `aws ram \
         enable-sharing-with-aws-organization`; then run the same command again.",
    )
}

impl ResourceShare {
    /// Takes ours back when another operator's came first, and tells which one counts.
    async fn first(&self, cloud: &Cloud, ours: String) -> Result<String> {
        tokio::time::sleep(SETTLE).await;
        let all = list_shares(cloud).await?;
        let first = all.iter().find(|s| s.name() == Some(&self.name)).and_then(Share::resource_share_arn);
        let Some(other) = first.filter(|other| *other != ours) else { return Ok(ours) };
        cloud.ram().delete_resource_share().resource_share_arn(&ours).send().await.unless_gone(cloud, &self.name)?;
        Ok(other.to_owned())
    }

    /// Whether it is to allow external principals. One that does, goes on.
    fn external(&self, live: Option<&LiveShare>) -> bool {
        live.map_or(self.outside != Some(false), |live| live.external || self.outside == Some(true))
    }

    /// What to say of a share that allows external principals although there are none.
    fn wider_than_needed(&self, arn: &str, region: &str) -> String {
        format!(
            "Resource share {} allows external principals, although all its accounts are in one AWS organization. It is kept \
             as it is. To restrict it: enable sharing within the organization with the credentials of its management account, \
             `aws ram enable-sharing-with-aws-organization`; then run `aws ram update-resource-share --resource-share-arn \
             {arn} --no-allow-external-principals --region {region}` in the network account.",
            self.name
        )
    }

    /// What an operator can do when such a share is denied.
    fn denied(&self, external: bool, e: Error) -> Error {
        if e.kind() != Kind::Access || !external {
            return e;
        }
        e.hint(match self.outside {
            None => {
                "Allow `organizations:DescribeOrganization` in the team's account and in the network account: overlord then \
                 sees whether both are in one AWS organization, and shares within it. A share that allows external \
                 principals is denied by many a service control policy (`ram:RequestedAllowsExternalPrincipals`)."
            }
            Some(_) => {
                "Exempt this share from the service control policy that denies external principals \
                 (`ram:RequestedAllowsExternalPrincipals`), or invite the account into the AWS organization: `aws \
                 organizations invite-account-to-organization --target Type=ACCOUNT,Id=ACCOUNT`. An account outside of \
                 the organization takes part in the share."
            }
        })
    }

    fn tags(&self) -> Vec<Tag> {
        self.owner.tags(&self.name).iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
    }

    /// Waits until the gateway is really shared.
    async fn shared(&self, cloud: &Cloud, share: &str, gateway: &str) -> Result<()> {
        let look = || async {
            let all = list_associations(cloud, AssociationKind::Resource).await?;
            match of(&all, share, gateway) {
                Some(a) if a.status() == Some(&Joined::Associated) => Ok(Look::Done(())),
                Some(a) if a.status() == Some(&Joined::Failed) => {
                    let why = a.status_message().unwrap_or("AWS does not say why");
                    Err(Error::failed(format!("share {} does not take {gateway}: {why}", self.name)))
                }
                a => Ok(Look::NotYet(a.and_then(Association::status).map_or("not visible yet", Joined::as_str).into())),
            }
        };
        within(SETTLED, &format!("share {} of {gateway}", self.name), look).await
    }
}

impl Identity for ResourceShare {
    const KIND: &'static str = "resource share";
    type Cloud = Cloud;
    type Live = LiveShare;
    type Output = ShareArn;
    fn name(&self) -> String {
        self.name.clone()
    }
    found_through!(gateway);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<LiveShare>> {
        let all = shares(cx.cloud).await?;
        let named: Vec<&Share> = all.iter().filter(|s| s.name() == Some(&self.name)).collect();
        if named.is_empty() {
            return Ok(None);
        }
        let associated = associations(cx.cloud, AssociationKind::Resource).await?;
        let gateway = cx.try_get(self.gateway).map(|g| g.arn.as_str());
        for share in named {
            let arn = share.resource_share_arn().unwrap_or_default();
            let tags: BTreeMap<String, String> =
                share.tags().iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned()))).collect();
            let resources: Vec<String> = associated
                .iter()
                .filter(|a| a.resource_share_arn() == Some(arn) && a.status() != Some(&Joined::Failed))
                .filter_map(|a| a.associated_entity().map(str::to_owned))
                .collect();
            let ours = self.owner.whose(&tags) == Whose::Ours;
            if ours || (tags.is_empty() && resources.iter().any(|r| Some(r.as_str()) == gateway)) {
                let external = share.allow_external_principals() != Some(false);
                if external && self.outside == Some(false) && !outsiders(cx.cloud, arn).await? {
                    progress::warn(self.wider_than_needed(arn, cx.cloud.region()));
                }
                let tags = (!tags.is_empty()).then_some(tags);
                return Ok(Some(LiveShare { arn: arn.to_owned(), external, tags, resources }));
            }
        }
        // Names of shares are not unique: one of somebody else is in nobody's way.
        Ok(None)
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &LiveShare) -> Result<()> {
        let done = cx.cloud.ram().delete_resource_share().resource_share_arn(&live.arn).send().await;
        done.unless_gone(cx.cloud, &self.name).map(drop)
    }
    fn output(&self, live: &LiveShare) -> ShareArn {
        ShareArn(live.arn.clone())
    }
}

impl Resource for ResourceShare {
    itself!();

    /// By tags; one whose tags are not told is ours when it has our name and shares our gateway.
    fn check(&self) -> Result<()> {
        tag_rules::set(&self.owner.tags(&self.name))
    }
    fn diff(&self, cx: &Cx<'_, Cloud>, live: &LiveShare) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(gateway) = cx.try_get(self.gateway)
            && !live.resources.contains(&gateway.arn)
        {
            changes.push(Change::new("shares", "-", &gateway.id));
        }
        Change::compare(&mut changes, "external principals", &live.external, &self.external(Some(live)));
        changes.extend(live.tags.iter().flat_map(|tags| tag_drift::changes(&self.owner, tags)));
        changes
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<LiveShare> {
        let gateway = cx.get(self.gateway);
        let call = cx.cloud.ram().create_resource_share().name(&self.name).resource_arns(&gateway.arn);
        let external = self.external(None);
        let call = call.allow_external_principals(external).set_tags(Some(self.tags()));
        let call = call.client_token(cx.cloud.token::<ram::CreateResourceShare>(&self.name));
        let made = call.send().await.told(cx.cloud, &self.name);
        // A gateway just made may not be known to RAM yet.
        let made = made.map_err(|e| not_enabled(self.denied(external, e)))?;
        let arn = made.resource_share().and_then(Share::resource_share_arn).unwrap_or_default().to_owned();
        self.shared(cx.cloud, &arn, &gateway.arn).await?;
        let arn = self.first(cx.cloud, arn).await?;
        let tags = Some(self.owner.tags(&self.name));
        Ok(LiveShare { arn, external, tags, resources: vec![gateway.arn.clone()] })
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &LiveShare, _: &[Change]) -> Result<LiveShare> {
        let (ram, gateway) = (cx.cloud.ram(), cx.get(self.gateway));
        let external = self.external(Some(live));
        if live.external != external {
            let call = ram.update_resource_share().resource_share_arn(&live.arn).allow_external_principals(external);
            let done = call.send().await.told(cx.cloud, &self.name);
            done.map_err(|e| self.denied(external, e))?;
        }
        let stale = live.tags.as_ref().map(|tags| tag_drift::stale(&self.owner, tags)).unwrap_or_default();
        if !stale.is_empty() {
            let tags = stale.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
            let call = ram.tag_resource().resource_share_arn(&live.arn).set_tags(Some(tags));
            call.send().await.told(cx.cloud, &self.name)?;
        }
        let mut resources = live.resources.clone();
        if !resources.contains(&gateway.arn) {
            let call = ram.associate_resource_share().resource_share_arn(&live.arn).resource_arns(&gateway.arn);
            call.send().await.told(cx.cloud, &self.name)?;
            self.shared(cx.cloud, &live.arn, &gateway.arn).await?;
            resources.push(gateway.arn.clone());
        }
        Ok(LiveShare { arn: live.arn.clone(), external, tags: live.tags.clone(), resources })
    }
}

/// An account with which a share is shared. The share's own account always sees it: nothing is done for that one.
/// Accounts of the same AWS organization are in at once when sharing with the organization is enabled; others get an
/// invitation, which [`ShareMembership`] accepts.
#[derive(Clone, Needs)]
pub struct SharePrincipal {
    /// The share.
    pub share: Ref<ShareArn>,
    /// The account's number.
    pub account: String,
}

impl Identity for SharePrincipal {
    const KIND: &'static str = "share with account";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        self.account.clone()
    }
    found_through!(share);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let Some(share) = cx.try_get(self.share) else { return Ok(None) };
        if account_of(share) == self.account {
            return Ok(Some(()));
        }
        let all = associations(cx.cloud, AssociationKind::Principal).await?;
        let there = of(&all, &share.0, &self.account).filter(|a| a.status() != Some(&Joined::Failed));
        Ok(there.map(drop))
    }
    fn left(&self, cx: &Cx<'_, Cloud>, (): &()) -> Option<String> {
        let own = cx.try_get(self.share).is_some_and(|share| account_of(share) == self.account);
        own.then(|| "an account always has access to its own shares".into())
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        let Some(share) = cx.try_get(self.share) else { return Ok(()) };
        let call = cx.cloud.ram().disassociate_resource_share().resource_share_arn(&share.0).principals(&self.account);
        call.send().await.unless_gone(cx.cloud, &self.account).map(drop)
    }
    fn output(&self, (): &()) {}
}

impl Resource for SharePrincipal {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// Does not wait: for an account that is invited, it stays `ASSOCIATING` until the invitation is accepted.
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<()> {
        let share = cx.get(self.share);
        if account_of(share) == self.account {
            return Ok(());
        }
        let call = cx.cloud.ram().associate_resource_share().resource_share_arn(&share.0).principals(&self.account);
        let done = call.send().await.told(cx.cloud, &self.account);
        done.map_err(not_enabled).map(drop)
    }
}

/// That an account can use what is shared with it. Acts in that account: accepts the invitation, if there is one, and
/// waits until the share is visible. Put it after the account's [`SharePrincipal`].
#[derive(Clone, Needs)]
pub struct ShareMembership {
    /// The share, which is another account's.
    pub share: Ref<ShareArn>,
}

impl ShareMembership {
    async fn visible(cloud: &Cloud, share: &str) -> Result<bool> {
        let call = cloud.ram().get_resource_shares().resource_owner(ResourceOwner::OtherAccounts);
        let call = call.resource_share_status(State::Active);
        let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
        let pages = pages.told(cloud, "")?;
        Ok(pages.iter().flat_map(|p| p.resource_shares()).any(|s| s.resource_share_arn() == Some(share)))
    }

    /// Accepts a pending invitation. Whether there was one.
    async fn accept(cloud: &Cloud, share: &str) -> Result<bool> {
        let call = cloud.ram().get_resource_share_invitations().resource_share_arns(share);
        let pages: Result<Vec<_>, _> = call.into_paginator().send().collect().await;
        let pages = pages.unless_gone(cloud, share)?.unwrap_or_default();
        let mut all = pages.iter().flat_map(|p| p.resource_share_invitations());
        let Some(pending) = all.find(|i| i.status() == Some(&Invited::Pending)) else { return Ok(false) };
        let arn = pending.resource_share_invitation_arn().unwrap_or_default();
        let done = cloud.ram().accept_resource_share_invitation().resource_share_invitation_arn(arn).send().await;
        done.unless_there(cloud, share)?;
        Ok(true)
    }
}

impl Identity for ShareMembership {
    const KIND: &'static str = "share membership";
    type Cloud = Cloud;
    type Live = ();
    type Output = ();
    fn name(&self) -> String {
        "transit gateway".into()
    }
    fn noun(&self) -> String {
        "access to the shared transit gateway".into()
    }
    found_through!(share);

    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<()>> {
        let Some(share) = cx.try_get(self.share) else { return Ok(None) };
        let own = cx.cloud.account().await? == account_of(share);
        Ok((own || Self::visible(cx.cloud, &share.0).await?).then_some(()))
    }
    fn left(&self, _: &Cx<'_, Cloud>, (): &()) -> Option<String> {
        Some("only the owner of the share can remove the account".into())
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        Ok(())
    }
    fn output(&self, (): &()) {}
}

impl Resource for ShareMembership {
    itself!();

    fn check(&self) -> Result<()> {
        Ok(())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<()> {
        let (cloud, share) = (cx.cloud, cx.get(self.share));
        if cloud.account().await? == account_of(share) {
            return Ok(());
        }
        let look = || async {
            if Self::visible(cloud, &share.0).await? {
                return Ok(Look::Done(()));
            }
            let accepted = Self::accept(cloud, &share.0).await?;
            if accepted && Self::visible(cloud, &share.0).await? {
                return Ok(Look::Done(()));
            }
            let missing = if accepted { "the invitation was just accepted" } else { "no invitation has arrived yet" };
            Ok(Look::NotYet(missing.into()))
        };
        let visible = within(SETTLED, &format!("resource share {} to be visible", share.0), look).await;
        visible.map_err(|e| {
            e.hint(
                "The account must be among the share's principals; an invitation that was rejected must be sent anew: \
                 `aws ram disassociate-resource-share`, then run the same command again.",
            )
        })
    }
}
