//! The ownership tags: who made a thing on AWS, and for what.
use std::collections::BTreeMap;

/// Tag with the application's name.
pub const APPLICATION: &str = "minion:application";
/// Tag with the version's name.
pub const VERSION: &str = "minion:version";
/// Tag with the VPC's id, for kinds that AWS does not put into a VPC.
pub const VPC: &str = "minion:vpc";
/// Tag with the tool's name.
pub const MANAGED_BY: &str = "managed-by";
/// Tag with the team's name.
pub const TEAM: &str = "team";
/// The longest tag value, in characters (EC2 "Tag restrictions").
pub const VALUE_LIMIT: usize = 256;

/// For whom a thing is made. Written as tags by the creating call, and looked for afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The tool: `minion` or `overlord`.
    pub tool: &'static str,
    /// The VPC's id.
    pub vpc: String,
    /// The team.
    pub team: Option<String>,
    /// The application.
    pub application: String,
    /// The version, for what belongs to one.
    pub version: Option<String>,
    /// Tags that the manifest asks for.
    pub extra: BTreeMap<String, String>,
}

/// Whose a thing is, going by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// This owner's.
    Ours,
    /// Somebody else's; says whose.
    Theirs(String),
}

impl Owner {
    /// All tags of a thing of this name.
    pub fn tags(&self, name: &str) -> BTreeMap<String, String> {
        let mut tags = self.extra.clone();
        tags.insert("Name".into(), name.into());
        tags.insert(MANAGED_BY.into(), self.tool.into());
        tags.insert(VPC.into(), self.vpc.clone());
        tags.insert(APPLICATION.into(), self.application.clone());
        if let Some(team) = &self.team {
            tags.insert(TEAM.into(), team.clone());
        }
        if let Some(version) = &self.version {
            tags.insert(VERSION.into(), version.clone());
        }
        tags
    }

    /// Compares the tags that say whose a thing is.
    pub fn whose(&self, tags: &BTreeMap<String, String>) -> Whose {
        let ours = tags.get(VPC) == Some(&self.vpc)
            && tags.get(APPLICATION) == Some(&self.application)
            && tags.get(VERSION) == self.version.as_ref();
        if ours {
            return Whose::Ours;
        }
        Whose::Theirs(match (tags.get(APPLICATION), tags.get(VERSION), tags.get(VPC)) {
            (Some(a), Some(v), Some(vpc)) => format!("application {a} version {v} in {vpc}"),
            (Some(a), None, Some(vpc)) => format!("application {a} in {vpc}"),
            _ => "somebody else (it carries no ownership tags of ours)".into(),
        })
    }

    /// `Ok` when ours; else the refusal that names the thing and its owner.
    ///
    /// # Errors
    /// A refusal, when the thing is somebody else's.
    pub fn claim(&self, kind: &str, name: &str, tags: &BTreeMap<String, String>) -> crate::Result<()> {
        match self.whose(tags) {
            Whose::Ours => Ok(()),
            Whose::Theirs(whose) => {
                Err(crate::Error::refused(format!("{kind} {name} exists already and belongs to {whose}"))
                    .hint("Choose another application or version name, or remove the other one first."))
            }
        }
    }
}
