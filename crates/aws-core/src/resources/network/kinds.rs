//! What the parts of a network are, each said once, beside the resource that makes it: how EC2 lists it, when it is gone, how it is
//! removed. Looking for a wanted one, what is left over and what is in a VPC follow from it.
use super::{
    KINDS,
    lists::{self, Tagged},
};
use crate::{
    Result,
    cloud::Cloud,
    model::{Owning as _, TeamOwner, tags::Whose},
    resources::kind::Kind,
};
use aws_sdk_ec2::types::Filter;
use futures::{FutureExt as _, future::BoxFuture};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Kinds, as constants say them.
pub type On = &'static [fn() -> KindId];

/// What a part of a network is.
pub trait Part: Send + Sync + 'static {
    /// The kind's name in plans.
    const NAME: &'static str;
    /// As it stands in sentences about one that no graph names.
    const NOUN: &'static str = Self::NAME;
    /// EC2's word for it in lists of tags, where most teams have none of it: then it is listed only where there is such a
    /// tag.
    const RARE: Option<&'static str> = None;
    /// Whether all of the region are listed, and the owner's picked from them: others are asked about too, or EC2 knows no
    /// filter by tag.
    const WHOLE: bool = false;
    /// EC2's filter for what is in a VPC, where it has one.
    const OF_VPC: Option<&'static str> = Some("vpc-id");
    /// Whether it stands in a VPC, and is in the way of whoever deletes that.
    const STANDS: bool = Self::OF_VPC.is_some();
    /// The kinds of which it holds some, so that it goes before them.
    const ON: On = &[];
    /// As EC2 lists it.
    type Item: Tagged + Clone + Send + Sync + 'static;
    /// What other nodes need of it.
    type Output: Send + Sync + 'static;

    /// What names it in a call.
    fn id(item: &Self::Item) -> &str;
    /// Whether it is deleted, or on its way: EC2 goes on listing some for an hour.
    fn is_gone(_: &Self::Item) -> bool {
        false
    }
    /// Whether it is in nobody's way any more, where that is another question: what failed may still hold something.
    fn is_out(item: &Self::Item) -> bool {
        Self::is_gone(item)
    }
    /// Whether it comes and goes with its VPC, and nobody can remove it.
    fn is_of_vpc(_: &Self::Item) -> bool {
        false
    }
    /// Whether it stands in this one, where EC2's filter does not say so.
    fn stands_in(_: &Self::Item, _vpc: &str) -> bool {
        true
    }
    /// What EC2 lists with these filters, gone or not; `of` names in errors whose.
    fn list(cloud: &Cloud, of: &str, filters: Vec<Filter>) -> impl Future<Output = Result<Vec<Self::Item>>> + Send;
    /// Removes it, and waits while it holds what it uses; what is gone already is no error. `name` is for messages.
    fn delete(
        cloud: &Cloud,
        owner: &TeamOwner,
        name: &str,
        item: &Self::Item,
    ) -> impl Future<Output = Result<()>> + Send;
    /// What other nodes need of it.
    fn output(item: &Self::Item) -> Self::Output;
}

impl<P: Part> Kind for P {
    const NAME: &'static str = P::NAME;
    type Owner = TeamOwner;
    type Live = P::Item;
    type Output = P::Output;

    async fn find(cloud: &Cloud, owner: &TeamOwner, name: &str) -> Result<Option<P::Item>> {
        named::<P>(cloud, owner, name).await
    }
    async fn remove(cloud: &Cloud, owner: &TeamOwner, name: &str, live: &P::Item) -> Result<()> {
        P::delete(cloud, owner, name, live).await
    }
    fn output(_: &str, live: &P::Item) -> P::Output {
        P::output(live)
    }
}

/// How EC2 lists a kind: the body of [`Part::list`]. In pages, or, `listed!(call => field)`, in one answer.
macro_rules! listed {
    ($call:ident => $found:ident) => {
        async fn list(cloud: &Cloud, of: &str, filters: Vec<aws_sdk_ec2::types::Filter>) -> Result<Vec<Self::Item>> {
            let answer = cloud.ec2().$call().set_filters(Some(filters)).send().await.told(cloud, of)?;
            Ok(answer.$found.unwrap_or_default())
        }
    };
    ($call:ident) => {
        listed!($call, set_filters);
    };
    ($call:ident, $filters:ident) => {
        async fn list(cloud: &Cloud, of: &str, filters: Vec<aws_sdk_ec2::types::Filter>) -> Result<Vec<Self::Item>> {
            let pages = cloud.ec2().$call().$filters(Some(filters)).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.told(cloud, of)
        }
    };
}
pub(super) use listed;

/// Every one of a kind in the region that is not gone. One list for each run.
pub(crate) async fn all<K: Part>(cloud: &Cloud) -> Result<Arc<Vec<K::Item>>> {
    let load = async { Ok(there::<K>(K::list(cloud, "", Vec::new()).await?)) };
    cloud.once(format!("every {}", K::NOUN), load).await
}

/// The owner's that are not gone. One list for each run.
pub(crate) async fn owned<K: Part>(cloud: &Cloud, owner: &TeamOwner) -> Result<Arc<Vec<K::Item>>> {
    let load = async {
        if K::WHOLE {
            return Ok(lists::mine(owner, all::<K>(cloud).await?.iter().cloned()));
        }
        Ok(lists::mine(owner, there::<K>(K::list(cloud, "", lists::filters(owner)).await?)))
    };
    cloud.once(lists::key(K::NOUN, owner), load).await
}

/// Those of a VPC that are not gone, whoever made them; of a kind for which EC2 has no such filter, all of the region.
pub(crate) async fn in_vpc<K: Part>(cloud: &Cloud, vpc: &str) -> Result<Arc<Vec<K::Item>>> {
    if K::OF_VPC.is_none() {
        return all::<K>(cloud).await;
    }
    let load = async { Ok(there::<K>(seen_in::<K>(cloud, vpc).await?.to_vec())) };
    cloud.once(format!("every {} of {vpc}", K::NOUN), load).await
}

/// What EC2 lists of a VPC, gone or not.
pub(crate) async fn seen_in<K: Part>(cloud: &Cloud, vpc: &str) -> Result<Arc<Vec<K::Item>>> {
    let filter = K::OF_VPC.map(|name| lists::filter(name, vpc));
    cloud.once(format!("{} seen in {vpc}", K::NOUN), K::list(cloud, vpc, filter.into_iter().collect())).await
}

/// The owner's of this name; a refusal where there are several.
pub(crate) async fn named<K: Part>(cloud: &Cloud, owner: &TeamOwner, name: &str) -> Result<Option<K::Item>> {
    let mine = owned::<K>(cloud, owner).await?;
    Ok(lists::named(K::NOUN, name, &mine, |item| Some(K::id(item)))?.cloned())
}

fn there<K: Part>(mut found: Vec<K::Item>) -> Vec<K::Item> {
    found.retain(|item| !K::is_gone(item));
    found
}

/// What is in a VPC and not the owner's: id and tags.
pub(crate) type Foreign = (&'static str, String, BTreeMap<String, String>);

/// What a call brings, of whichever kind.
type Pending<'a, T> = BoxFuture<'a, Result<T>>;

/// A kind in [`KINDS`]: what its [`Part`] says.
pub(super) struct Entry {
    name: &'static str,
    noun: &'static str,
    rare: Option<&'static str>,
    on: On,
    things: for<'a> fn(&'a Cloud, &'a TeamOwner) -> Pending<'a, Vec<Thing>>,
    foreign: for<'a> fn(&'a Cloud, &'a TeamOwner, &'a str) -> Pending<'a, Vec<Foreign>>,
    remove: for<'a> fn(&'a Cloud, &'a TeamOwner, &'a Thing) -> Pending<'a, ()>,
}

impl Entry {
    pub(super) const fn of<K: Part>() -> Self {
        Self {
            name: K::NAME,
            noun: K::NOUN,
            rare: K::RARE,
            on: K::ON,
            things: |cloud, owner| things::<K>(cloud, owner).boxed(),
            foreign: |cloud, owner, vpc| foreign::<K>(cloud, owner, vpc).boxed(),
            remove: |cloud, owner, thing| remove::<K>(cloud, owner, thing).boxed(),
        }
    }
}

async fn things<K: Part>(cloud: &Cloud, owner: &TeamOwner) -> Result<Vec<Thing>> {
    let found = owned::<K>(cloud, owner).await?;
    let removable = found.iter().filter(|item| !K::is_of_vpc(item) && !K::id(item).is_empty());
    let thing = |item: &K::Item| Thing {
        kind: KindId::of::<K>(),
        id: K::id(item).to_owned(),
        name: item.tag_name().unwrap_or_default().to_owned(),
    };
    Ok(removable.map(thing).collect())
}

async fn foreign<K: Part>(cloud: &Cloud, owner: &TeamOwner, vpc: &str) -> Result<Vec<Foreign>> {
    if !K::STANDS {
        return Ok(Vec::new());
    }
    let found = if K::OF_VPC.is_some() { seen_in::<K>(cloud, vpc).await? } else { all::<K>(cloud).await? };
    let here = found.iter().filter(|i| K::stands_in(i, vpc) && !K::is_out(i) && !K::is_of_vpc(i));
    let told = here.map(|item| (K::NOUN, K::id(item).to_owned(), item.tag_map()));
    Ok(told.filter(|(.., tags)| owner.whose(tags) != Whose::Ours).collect())
}

async fn remove<K: Part>(cloud: &Cloud, owner: &TeamOwner, thing: &Thing) -> Result<()> {
    let found = owned::<K>(cloud, owner).await?;
    match found.iter().find(|item| K::id(item) == thing.id) {
        Some(item) => K::delete(cloud, owner, &thing.to_string(), item).await,
        None => Ok(()),
    }
}

/// Which of the kinds. They are ordered as they are made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(usize);

impl KindId {
    /// Of this kind.
    pub fn of<K: Part>() -> Self {
        let at = KINDS.iter().position(|kind| kind.noun == K::NOUN);
        Self(at.expect("every kind is in the list"))
    }
    /// Every kind, in the order in which they are made.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..KINDS.len()).map(Self)
    }
    /// The kind's name in plans.
    pub fn name(self) -> &'static str {
        KINDS[self.0].name
    }
    /// The kind as it stands in sentences.
    pub fn noun(self) -> &'static str {
        KINDS[self.0].noun
    }
    /// EC2's word for it in lists of tags, where most teams have none of it.
    pub(super) fn rare(self) -> Option<&'static str> {
        KINDS[self.0].rare
    }
    /// Whether one of this kind goes before one of the other.
    pub fn goes_before(self, other: Self) -> bool {
        KINDS[self.0].on.iter().any(|on| on() == other || on().goes_before(other))
    }
    /// Those of this kind that stand in a VPC and are not the owner's.
    pub(crate) async fn foreign(self, cloud: &Cloud, owner: &TeamOwner, vpc: &str) -> Result<Vec<Foreign>> {
        (KINDS[self.0].foreign)(cloud, owner, vpc).await
    }
    /// All of this kind that carry the owner's tags.
    pub(super) async fn things(self, cloud: &Cloud, owner: &TeamOwner) -> Result<Vec<Thing>> {
        (KINDS[self.0].things)(cloud, owner).await
    }
}

impl fmt::Debug for KindId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// A part of a network that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// Its kind.
    pub kind: KindId,
    /// What names it in a call: `subnet-..`.
    pub id: String,
    /// Its `Name`; empty when it has none.
    pub name: String,
}

impl Thing {
    /// Its name and id, without its kind.
    pub fn label(&self) -> String {
        let name = if self.name.is_empty() { "without a name" } else { &self.name };
        format!("{name} ({})", self.id)
    }
    /// Removes it; what is gone already is no error.
    pub(super) async fn remove(&self, cloud: &Cloud, owner: &TeamOwner) -> Result<()> {
        (KINDS[self.kind.0].remove)(cloud, owner, self).await
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.noun(), self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::network::{
        endpoint::S3Endpoint, nat_gateway::NatGateway, subnet::Subnet, vpc::Vpc, vpn::VpnConnection,
    };
    use std::collections::BTreeSet;

    #[test]
    fn nouns_tell_kinds_apart() {
        let nouns: BTreeSet<&str> = KindId::all().map(KindId::noun).collect();
        assert_eq!(nouns.len(), KINDS.len());
        assert!(KindId::of::<Vpc>() < KindId::of::<Subnet>());
    }

    #[test]
    fn what_goes_before_another_is_made_after_it() {
        for (one, other) in KindId::all().flat_map(|one| KindId::all().map(move |other| (one, other))) {
            assert!(!one.goes_before(other) || one > other, "{one:?} {other:?}");
        }
        let before = |one: KindId, other| one.goes_before(other);
        assert!(before(KindId::of::<S3Endpoint>(), KindId::of::<Vpc>()));
        assert!(!before(KindId::of::<VpnConnection>(), KindId::of::<NatGateway>()), "both take a minute");
    }
}
