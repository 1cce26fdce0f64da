//! Systems Manager parameters: `/minion/<vpc>/settings` and `/minion/<vpc>/applications/<name>`.
use super::{
    VpcSettings,
    encoding::{self, Head},
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    model::{Owner, Owning as _, tags},
};
use aws_sdk_ssm::{
    operation::put_parameter::builders::PutParameterFluentBuilder,
    types::{Parameter, ParameterTier, ParameterType, Tag},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Names that one `GetParameters` or `DeleteParameters` takes.
const NAMES: usize = 10;
/// Parameters that one page of `GetParametersByPath` holds at most.
const PAGE: i32 = 10;
/// Calls at the same time.
const PARALLEL: usize = 4;
/// Somebody else writes the same parameter.
const BUSY: &str = "TooManyUpdates";
/// Before the second try then, and what no pause is as long as: six seconds in all.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// What every command reads first.
#[derive(Debug)]
pub struct Start {
    /// The VPC's settings; the default ones when none are stored.
    pub settings: VpcSettings,
    /// The application's manifest, when it is stored and whole.
    pub manifest: Option<String>,
    /// Why a stored manifest cannot be read. Storing it again heals it, and deleting works, too.
    pub damaged: Option<Error>,
}

/// What there is of a stored text.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// The text; `None` when only parts are left, or when it cannot be read.
    pub(crate) text: Option<String>,
}

pub(crate) fn settings_name(vpc: &str) -> String {
    format!("/minion/{vpc}/settings")
}
fn applications_path(vpc: &str) -> String {
    format!("/minion/{vpc}/applications")
}
pub(crate) fn application_name(vpc: &str, application: &str) -> String {
    format!("{}/{application}", applications_path(vpc))
}

/// An application's stored manifest. One call when it fits into a parameter.
///
/// # Errors
/// What Systems Manager answers; and when the stored manifest is damaged.
pub async fn read_application(cloud: &Cloud, vpc: &str, name: &str) -> Result<Option<String>> {
    read(cloud, &application_name(vpc, name)).await.map_err(heal)
}

/// A text of any size; `None` when there is none of this name.
pub(super) async fn read(cloud: &Cloud, name: &str) -> Result<Option<String>> {
    let found = get(cloud, &[name.to_owned()]).await?;
    match found.get(name) {
        Some(head) => text(cloud, name, head).await.map(Some),
        None => Ok(None),
    }
}

/// Adds what heals a damaged manifest, or settings. What AWS told is no damage.
fn heal(e: Error) -> Error {
    match e.aws() {
        Some(_) => e,
        None => e.hint("Store it again, e.g. with `minion applications update MANIFEST`."),
    }
}

/// The VPC's settings and the application's manifest, in one call (and another one for what is in parts).
///
/// # Errors
/// What Systems Manager answers; a usage error that names the parameter when the settings are wrong.
pub async fn read_start(cloud: &Cloud, vpc: &str, application: Option<&str>) -> Result<Start> {
    let settings = settings_name(vpc);
    let manifest = application.map(|a| application_name(vpc, a));
    let names: Vec<String> = [Some(settings.clone()), manifest.clone()].into_iter().flatten().collect();
    let found = get(cloud, &names).await?;
    let read = async |name: Option<&String>| match name.and_then(|n| Some((n, found.get(n)?))) {
        Some((name, head)) => text(cloud, name, head).await.map(Some).map_err(heal),
        None => Ok(None),
    };
    let (stored, manifest) = futures::join!(read(Some(&settings)), read(manifest.as_ref()));
    let settings = stored?.map_or_else(|| Ok(VpcSettings::default()), |yaml| VpcSettings::parse(&settings, &yaml))?;
    match manifest {
        Ok(manifest) => Ok(Start { settings, manifest, damaged: None }),
        // Told by AWS: no connection, no permission. Not told by AWS: what is stored is damaged.
        Err(e) if e.aws().is_some() => Err(e),
        Err(e) => Ok(Start { settings, manifest: None, damaged: Some(e) }),
    }
}

/// Every application's stored manifest: name -> YAML.
///
/// # Errors
/// What Systems Manager answers; and when a stored manifest is damaged.
pub async fn list_applications(cloud: &Cloud, vpc: &str) -> Result<BTreeMap<String, String>> {
    list(cloud, &applications_path(vpc)).await.map_err(heal)
}

/// Every text right below a path: last part of the name -> text.
pub(super) async fn list(cloud: &Cloud, path: &str) -> Result<BTreeMap<String, String>> {
    let all = below(cloud, path).await?;
    let mut texts = BTreeMap::new();
    for (name, head) in &all {
        let Some(last) = name.strip_prefix(path).and_then(|n| n.strip_prefix('/')) else { continue };
        if last.contains('/') {
            continue;
        }
        let whole = encoding::parse(head)
            .and_then(|h| encoding::join(&h, |part| all.get(&format!("{name}/{part}")).map(String::as_str)));
        let text = match whole {
            Some(text) => text,
            // Written anew while the pages were read, perhaps.
            None => match read(cloud, name).await? {
                Some(text) => text,
                None => continue,
            },
        };
        texts.insert(last.to_owned(), text);
    }
    Ok(texts)
}

/// Stores an application's manifest, over an older one if there is one. Not atomic for the parts of a
/// large one, but readers see the old text or the new one, never a mixture.
///
/// # Errors
/// What Systems Manager answers; a usage error when it is too large.
pub async fn write_application(cloud: &Cloud, owner: &Owner, yaml: &str) -> Result<()> {
    let name = application_name(&owner.vpc, &owner.application);
    write(cloud, &name, yaml, &owner.tags(&owner.application)).await
}

/// Stores a VPC's settings.
///
/// # Errors
/// As [`write_application`].
pub async fn write_settings(cloud: &Cloud, vpc: &str, settings: &VpcSettings) -> Result<()> {
    write_settings_text(cloud, vpc, &settings.to_yaml()?).await
}

/// As [`write_settings`], keys that are not ours included.
pub(crate) async fn write_settings_text(cloud: &Cloud, vpc: &str, yaml: &str) -> Result<()> {
    let name = settings_name(vpc);
    let tags = [("Name", "settings"), (tags::MANAGED_BY, "minion"), (tags::VPC, vpc)];
    let tags = tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    write(cloud, &name, yaml, &tags).await
}

/// The stored settings of a VPC, as they were written. One call when they fit into a parameter.
///
/// # Errors
/// What Systems Manager answers; and when what is stored is damaged.
pub(crate) async fn read_settings_text(cloud: &Cloud, vpc: &str) -> Result<Option<String>> {
    read(cloud, &settings_name(vpc)).await
}

/// Removes a VPC's settings. What is gone already is no error.
pub(crate) async fn delete_settings(cloud: &Cloud, vpc: &str) -> Result<()> {
    remove(cloud, &settings_name(vpc)).await
}

/// Removes an application's manifest, and all of its parts. What is gone already is no error.
pub async fn delete_application(cloud: &Cloud, vpc: &str, name: &str) -> Result<()> {
    remove(cloud, &application_name(vpc, name)).await
}

/// Removes a text and all of its parts. What is gone already is no error.
pub(super) async fn remove(cloud: &Cloud, name: &str) -> Result<()> {
    // The head first: without it the text is not there, and a second try finds the parts by path.
    delete(cloud, &[name.to_owned()]).await?;
    let parts: Vec<String> = below(cloud, name).await?.into_keys().collect();
    delete(cloud, &parts).await
}

/// What there is of a text, parts without a head included.
pub(crate) async fn look(cloud: &Cloud, name: &str) -> Result<Option<Stored>> {
    let names = [name.to_owned()];
    let (head, parts) = futures::try_join!(get(cloud, &names), below(cloud, name))?;
    let Some(head) = head.get(name) else {
        return Ok((!parts.is_empty()).then_some(Stored { text: None }));
    };
    let head = encoding::parse(head);
    let text = head.and_then(|h| encoding::join(&h, |part| parts.get(&format!("{name}/{part}")).map(String::as_str)));
    Ok(Some(Stored { text }))
}

/// The text behind a head.
async fn text(cloud: &Cloud, name: &str, head: &str) -> Result<String> {
    if let Some(text) = parts_of(cloud, name, head).await? {
        return Ok(text);
    }
    // Perhaps it was written anew between the two reads: once more.
    let again = get(cloud, &[name.to_owned()]).await?;
    if let Some(head) = again.get(name)
        && let Some(text) = parts_of(cloud, name, head).await?
    {
        return Ok(text);
    }
    Err(Error::failed(format!("what is stored in parameter {name} is incomplete or damaged")))
}

async fn parts_of(cloud: &Cloud, name: &str, head: &str) -> Result<Option<String>> {
    let Some(head) = encoding::parse(head) else { return Ok(None) };
    let names: Vec<String> = match &head {
        Head::Plain(_) => Vec::new(),
        Head::Coded { parts, .. } => parts.iter().map(|p| format!("{name}/{p}")).collect(),
    };
    let parts = get(cloud, &names).await?;
    Ok(encoding::join(&head, |part| parts.get(&format!("{name}/{part}")).map(String::as_str)))
}

/// Writes parts, then the head, then removes the parts of older texts.
pub(super) async fn write(cloud: &Cloud, name: &str, text: &str, tags: &BTreeMap<String, String>) -> Result<()> {
    let encoded = encoding::encode(text).map_err(|e| e.context(name))?;
    let parts = put_parts(cloud, name, encoded.parts, tags).await?;
    let existed = put_head(cloud, name, &encoded.head, tags).await?;
    if existed || !parts.is_empty() {
        let stale = below(cloud, name).await?.into_keys().filter(|n| !parts.contains(n)).collect::<Vec<_>>();
        delete(cloud, &stale).await?;
    }
    Ok(())
}

/// As [`write`], unless there is a text of this name: then nothing changes, and the answer is `false`.
pub(super) async fn create(cloud: &Cloud, name: &str, text: &str, tags: &BTreeMap<String, String>) -> Result<bool> {
    let encoded = encoding::encode(text).map_err(|e| e.context(name))?;
    let parts = put_parts(cloud, name, encoded.parts, tags).await?;
    let created = create_head(cloud, name, &encoded.head, tags).await?;
    if !created && !parts.is_empty() {
        // Not those that the other text is made of: it may be the same one.
        let head = get(cloud, &[name.to_owned()]).await?.remove(name);
        let theirs = match head.as_deref().and_then(encoding::parse) {
            Some(Head::Coded { parts, .. }) => parts.iter().map(|p| format!("{name}/{p}")).collect(),
            _ => BTreeSet::new(),
        };
        delete(cloud, &parts.difference(&theirs).cloned().collect::<Vec<_>>()).await?;
    }
    Ok(created)
}

/// Writes parts; gives their full names.
async fn put_parts(
    cloud: &Cloud,
    name: &str,
    parts: Vec<(String, String)>,
    tags: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>> {
    let parts: BTreeMap<String, String> =
        parts.into_iter().map(|(part, value)| (format!("{name}/{part}"), value)).collect();
    let calls: Vec<_> = parts.iter().map(|(name, value)| put(cloud, name, value, tags)).collect();
    stream::iter(calls).map(Ok).try_for_each_concurrent(PARALLEL, |call| call).await?;
    Ok(parts.into_keys().collect())
}

async fn put(cloud: &Cloud, name: &str, value: &str, tags: &BTreeMap<String, String>) -> Result<()> {
    put_head(cloud, name, value, tags).await.map(drop)
}

/// Writes one parameter; says whether it was there. Tags go with the creating call only: AWS refuses
/// them together with `overwrite`.
async fn put_head(cloud: &Cloud, name: &str, value: &str, tags: &BTreeMap<String, String>) -> Result<bool> {
    if create_head(cloud, name, value, tags).await? {
        return Ok(false);
    }
    let call = cloud.ssm().put_parameter().name(name).value(value);
    let call = call.r#type(ParameterType::String).tier(ParameterTier::Standard).overwrite(true);
    put_once_free(cloud, name, call).await?;
    Ok(true)
}

/// Writes one parameter unless it is there; says whether it did.
async fn create_head(cloud: &Cloud, name: &str, value: &str, tags: &BTreeMap<String, String>) -> Result<bool> {
    let tags: Result<Vec<Tag>, _> = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    let tags = tags.map_err(|e| Error::failed("a tag lacks its key or value").caused_by(e))?;
    let call = cloud.ssm().put_parameter().name(name).value(value);
    let call = call.r#type(ParameterType::String).tier(ParameterTier::Standard).overwrite(false);
    put_once_free(cloud, name, call.set_tags(Some(tags))).await
}

/// Writes; again while AWS is still busy with another write of the parameter. Says whether it did, or one is there.
async fn put_once_free(cloud: &Cloud, name: &str, call: PutParameterFluentBuilder) -> Result<bool> {
    let mut pause = PAUSE;
    loop {
        match call.clone().send().await.unless_there(cloud, name) {
            Err(e) if e.code() == Some(BUSY) && pause < LONGEST => tokio::time::sleep(pause).await,
            answer => return answer.map(|made| made.is_some()),
        }
        pause *= 2;
    }
}

/// Values by name; what does not exist is left out.
async fn get(cloud: &Cloud, names: &[String]) -> Result<BTreeMap<String, String>> {
    let calls: Vec<_> = names
        .chunks(NAMES)
        .map(|names| async move {
            cloud.ssm().get_parameters().set_names(Some(names.to_vec())).send().await.told(cloud, names.join(", "))
        })
        .collect();
    let answers: Vec<_> = stream::iter(calls).buffered(PARALLEL).try_collect().await?;
    Ok(answers.into_iter().flat_map(|a| a.parameters.unwrap_or_default()).filter_map(pair).collect())
}

/// Every parameter below a path, in pages of ten.
async fn below(cloud: &Cloud, path: &str) -> Result<BTreeMap<String, String>> {
    Ok(parameters(cloud, path).await?.into_iter().filter_map(pair).collect())
}

/// Every parameter below a path, with all that AWS says of it.
pub(super) async fn parameters(cloud: &Cloud, path: &str) -> Result<Vec<Parameter>> {
    let call = cloud.ssm().get_parameters_by_path().path(path).recursive(true);
    let pages = call.into_paginator().page_size(PAGE).send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.told(cloud, path)?;
    Ok(all.into_iter().flat_map(|page| page.parameters.unwrap_or_default()).collect())
}

fn pair(parameter: Parameter) -> Option<(String, String)> {
    parameter.name.zip(parameter.value)
}

/// Removes parameters; those that are gone already are told apart by AWS, and are no error.
async fn delete(cloud: &Cloud, names: &[String]) -> Result<()> {
    for names in names.chunks(NAMES) {
        cloud.ssm().delete_parameters().set_names(Some(names.to_vec())).send().await.told(cloud, names.join(", "))?;
    }
    Ok(())
}
