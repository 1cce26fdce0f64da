//! DHCP options: what instances are told of name servers and their domain.
use super::{
    fresh::known,
    ids::DhcpOptionsId,
    kinds::{self, Part, listed},
    lists::{self, Tagged as _, retag},
    vpc::Vpc,
};
use crate::{
    Error, Result,
    cloud::{Cloud, Told as _},
    engine::{Change, Cx, Identity, Needs, Resource},
    model::{Owning as _, TeamOwner, tag_rules},
    resources::{kind::itself, tag_drift},
};
use aws_sdk_ec2::types::{DhcpOptions as Live, NewDhcpConfiguration, ResourceType};
use std::{collections::BTreeMap, net::IpAddr};

/// Most name servers (`CreateDhcpOptions`, `domain-name-servers`).
const SERVERS: usize = 4;
/// How EC2 writes its own name server.
const AMAZON: &str = "AmazonProvidedDNS";

/// A set of DHCP options. AWS does not change one: with other contents it is another one, and the old one a stray.
#[derive(Clone, Needs)]
pub struct DhcpOptions {
    /// For whom.
    pub owner: TeamOwner,
    /// The name.
    pub name: String,
    /// The name servers, in this order; empty for Amazon's.
    pub servers: Vec<IpAddr>,
    /// The domain in which instances look up unqualified names.
    pub domain: Option<String>,
}

impl DhcpOptions {
    fn fits(&self) -> Result<()> {
        if self.servers.len() > SERVERS {
            return Err(Error::usage(format!("{} name servers are too many for DHCP options", self.servers.len()))
                .hint(format!("AWS takes {SERVERS}.")));
        }
        Ok(())
    }

    fn contents(&self) -> BTreeMap<String, Vec<String>> {
        let mut servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        if servers.is_empty() {
            servers.push(AMAZON.to_owned());
        }
        let domain = self.domain.iter().map(|d| ("domain-name".to_owned(), vec![d.clone()]));
        [("domain-name-servers".to_owned(), servers)].into_iter().chain(domain).collect()
    }
}

fn contents(live: &Live) -> BTreeMap<String, Vec<String>> {
    let values = |c: &aws_sdk_ec2::types::DhcpConfiguration| {
        c.values().iter().filter_map(|v| v.value().map(str::to_owned)).collect()
    };
    live.dhcp_configurations().iter().filter_map(|c| Some((c.key()?.to_owned(), values(c)))).collect()
}

impl Part for DhcpOptions {
    const NAME: &'static str = "DHCP options";
    const OF_VPC: Option<&'static str> = None;
    const RARE: Option<&'static str> = Some("dhcp-options");
    type Item = Live;
    type Output = ();

    fn id(item: &Live) -> &str {
        item.dhcp_options_id().unwrap_or_default()
    }
    listed!(describe_dhcp_options);

    async fn delete(cloud: &Cloud, owner: &TeamOwner, name: &str, item: &Live) -> Result<()> {
        let id = Self::id(item);
        unset(cloud, owner, name, id).await?;
        let done = cloud.ec2().delete_dhcp_options().dhcp_options_id(id).send().await;
        done.unless_gone(cloud, name).map_err(|e| e.hint("A VPC still uses them.")).map(drop)
    }
    fn output(_: &Live) {}
}

/// A VPC that is to go later has them still: it gets AWS's own. Asked for anew, since one that stays may have been given
/// others by this very run.
async fn unset(cloud: &Cloud, owner: &TeamOwner, name: &str, id: &str) -> Result<()> {
    let found = Vpc::list(cloud, name, vec![lists::filter("dhcp-options-id", id)]).await?;
    for vpc in lists::mine(owner, found) {
        let call = cloud.ec2().associate_dhcp_options().dhcp_options_id("default").vpc_id(Vpc::id(&vpc));
        call.send().await.unless_gone(cloud, name)?;
    }
    Ok(())
}

impl Identity for DhcpOptions {
    const KIND: &'static str = Self::NAME;
    type Cloud = Cloud;
    type Live = Live;
    type Output = DhcpOptionsId;
    fn name(&self) -> String {
        self.name.clone()
    }
    async fn find(&self, cx: &Cx<'_, Cloud>) -> Result<Option<Live>> {
        let mine = kinds::owned::<Self>(cx.cloud, &self.owner).await?;
        let wanted = self.contents();
        // Two of the same contents do the same: the one that a VPC may have already is as good as the other.
        let mut same: Vec<&Live> =
            mine.iter().filter(|o| o.tag_name() == Some(&self.name) && contents(o) == wanted).collect();
        same.sort_by_key(|o| o.dhcp_options_id());
        Ok(same.first().copied().cloned())
    }
    async fn remove(&self, cx: &Cx<'_, Cloud>, live: &Live) -> Result<()> {
        Self::delete(cx.cloud, &self.owner, &self.name, live).await
    }
    fn output(&self, live: &Live) -> DhcpOptionsId {
        DhcpOptionsId(Self::id(live).to_owned())
    }
}

impl Resource for DhcpOptions {
    itself!();

    fn check(&self) -> Result<()> {
        Error::together([tag_rules::set(&self.owner.tags(&self.name)), self.fits()])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        tag_drift::changes(&self.owner, &live.tag_map())
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        let tags = self.owner.tags(&self.name);
        let entry = |(key, values): (String, Vec<String>)| {
            NewDhcpConfiguration::builder().key(key).set_values(Some(values)).build()
        };
        let call = cx.cloud.ec2().create_dhcp_options();
        let call = call.set_dhcp_configurations(Some(self.contents().into_iter().map(entry).collect()));
        let call = call.tag_specifications(lists::specification(ResourceType::DhcpOptions, &tags));
        let made = call.send().await.told(cx.cloud, &self.name)?;
        let made = made.dhcp_options.ok_or_else(|| Error::failed("AWS answered without the DHCP options it made"))?;
        let id = Self::id(&made);
        // An endpoint that passes over the tags of the creating call says so in its answer.
        if made.tags().is_empty() {
            known(&self.name, || async {
                let call = cx.cloud.ec2().create_tags().resources(id).set_tags(Some(lists::ec2_tags(&tags)));
                call.send().await.told(cx.cloud, &self.name)
            })
            .await?;
        }
        Ok(made)
    }
    async fn update(&self, cx: &Cx<'_, Cloud>, live: &Live, _: &[Change]) -> Result<Live> {
        retag(cx.cloud, &self.owner, (Self::id(live), &self.name), &live.tag_map(), &[]).await?;
        Ok(live.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{AttributeValue, DhcpConfiguration};

    fn wanted(servers: &[&str], domain: Option<&str>) -> DhcpOptions {
        DhcpOptions {
            owner: TeamOwner { organization: "acme".parse().unwrap(), team: None, extra: BTreeMap::new() },
            name: "dhcp".into(),
            servers: servers.iter().map(|s| s.parse().unwrap()).collect(),
            domain: domain.map(str::to_owned),
        }
    }

    #[test]
    fn contents_are_compared_in_their_order() {
        let entry = |key: &str, values: &[&str]| {
            let values = values.iter().map(|v| AttributeValue::builder().value(*v).build()).collect();
            DhcpConfiguration::builder().key(key).set_values(Some(values)).build()
        };
        let live = |servers: &[&str]| {
            let live = Live::builder().dhcp_configurations(entry("domain-name", &["example.org"]));
            live.dhcp_configurations(entry("domain-name-servers", servers)).build()
        };
        let domain = Some("example.org");
        assert_eq!(contents(&live(&["10.0.0.2", "fd00::1"])), wanted(&["10.0.0.2", "fd00::1"], domain).contents());
        assert_ne!(contents(&live(&["fd00::1", "10.0.0.2"])), wanted(&["10.0.0.2", "fd00::1"], domain).contents());
        assert_eq!(contents(&live(&[AMAZON])), wanted(&[], domain).contents());
        assert_ne!(contents(&live(&[AMAZON])), wanted(&[], None).contents());
    }

    #[test]
    fn four_name_servers_are_enough() {
        let many = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
        wanted(&many[..4], None).check().unwrap();
        assert!(wanted(&many, None).check().is_err());
    }
}
