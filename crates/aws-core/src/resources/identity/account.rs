//! All roles and managed policies of an account, each kind read once in a run.
use crate::{
    Result,
    cloud::{Cloud, Told as _},
};
use aws_sdk_iam::types::{EntityType, ManagedPolicyDetail, Role, RoleDetail};
use std::{collections::BTreeMap, sync::Arc};

/// What IAM holds.
pub(super) struct Account {
    /// The roles with their trust, policies, boundary and tags.
    pub(super) roles: Vec<RoleDetail>,
    /// The account's own managed policies with their documents, without tags.
    pub(super) policies: Vec<ManagedPolicyDetail>,
}

/// Roles and policies, in as few calls as IAM has pages.
pub(super) async fn account(cloud: &Cloud) -> Result<Arc<Account>> {
    let load = async {
        let call = cloud.iam().get_account_authorization_details();
        let call = call.filter(EntityType::Role).filter(EntityType::LocalManagedPolicy);
        let mut pages = call.into_paginator().send();
        let mut all = Account { roles: Vec::new(), policies: Vec::new() };
        while let Some(page) = pages.next().await {
            let page = page.told(cloud, "")?;
            all.roles.extend(page.role_detail_list.unwrap_or_default());
            all.policies.extend(page.policies.unwrap_or_default());
        }
        Ok(all)
    };
    cloud.once("iam account", load).await
}

/// The names of the account's roles that begin with `prefix` and do not have `boundary`, an ARN, as their permissions
/// boundary, in the order of names.
pub async fn unbounded(cloud: &Cloud, prefix: &str, boundary: &str) -> Result<Vec<String>> {
    let all = account(cloud).await?;
    let bounded = |r: &&RoleDetail| {
        r.permissions_boundary().and_then(|b| b.permissions_boundary_arn()).is_some_and(|arn| arn == boundary)
    };
    let names = all.roles.iter().filter(|r| !bounded(r)).filter_map(|r| r.role_name());
    let mut names: Vec<String> = names.filter(|n| n.starts_with(prefix)).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

/// What [`account`] does not say of roles: description and length of sessions, by the role's name.
pub(super) async fn sessions(cloud: &Cloud) -> Result<Arc<BTreeMap<String, Role>>> {
    let load = async {
        let pages = cloud.iam().list_roles().into_paginator().items().send();
        let roles = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, "")?;
        Ok(roles.into_iter().map(|role| (role.role_name.clone(), role)).collect())
    };
    cloud.once("iam roles", load).await
}
