//! The layers of a VPC, and which one a subnet belongs to.
//!
//! *Public* subnets reach the internet through an internet gateway, *private* ones at most through a
//! NAT. *Shared* ones are private ones that hold what other teams may reach: internal load balancers.
//! The network alone cannot tell shared from private, so tags and names come first.
use std::{collections::BTreeMap, fmt};

/// Tags that name the layer outright, the first one present with a known value wins.
pub const LAYER_TAGS: [&str; 2] = ["minion:layer", "layer"];

/// A layer of a VPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Open to the internet.
    Public,
    /// For internal load balancers.
    Shared,
    /// For instances.
    #[default]
    Private,
}

impl Layer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Public, Self::Shared, Self::Private];

    /// The name, in small letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Shared => "shared",
            Self::Private => "private",
        }
    }

    /// The layer of a subnet with these tags. In this order: a layer tag; a `Name` that begins with a
    /// layer's name as a word of its own (`shared-eu-west-1a`); the route table, where `to_internet` says
    /// that its default route goes to an internet gateway.
    pub fn of_subnet(tags: &BTreeMap<String, String>, to_internet: bool) -> Self {
        let tagged = LAYER_TAGS.iter().find_map(|key| {
            let value = tags.get(*key)?.trim().to_ascii_lowercase();
            Self::ALL.into_iter().find(|layer| value == layer.as_str())
        });
        let named = || {
            let name = tags.get("Name")?.trim().to_ascii_lowercase();
            Self::ALL.into_iter().find(|layer| {
                name.strip_prefix(layer.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
        };
        let routed = || if to_internet { Self::Public } else { Self::Private };
        tagged.or_else(named).unwrap_or_else(routed)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnets_layer() {
        use Layer::{Private, Public, Shared};
        type Tags = &'static [(&'static str, &'static str)];
        let table: &[(Tags, bool, Layer)] = &[
            // The predecessor crashed on a subnet without a name.
            (&[], true, Public),
            (&[], false, Private),
            (&[("Name", "")], false, Private),
            (&[("Name", "shared-eu-west-1a")], false, Shared),
            (&[("Name", "Private Subnet 1")], true, Private),
            (&[("Name", "public")], false, Public),
            (&[("Name", "public_a")], false, Public),
            // Not words of their own.
            (&[("Name", "publicity")], false, Private),
            (&[("Name", "shared2")], true, Public),
            (&[("Name", "dmz-1a")], true, Public),
            (&[("Name", "team-shared-1a")], false, Private),
            // Tags beat names.
            (&[("Name", "private-1a"), ("layer", "shared")], true, Shared),
            (&[("layer", "Public")], false, Public),
            (&[("layer", "public"), ("minion:layer", "private")], true, Private),
            // A word that we do not know says nothing.
            (&[("layer", "dmz"), ("Name", "shared-1a")], true, Shared),
            (&[("minion:layer", "dmz"), ("layer", "shared")], true, Shared),
        ];
        for (tags, to_internet, wanted) in table {
            let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(Layer::of_subnet(&tags, *to_internet), *wanted, "{tags:?} {to_internet}");
        }
    }
}
