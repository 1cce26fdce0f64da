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
/// Tag with the organization's name, on what `overlord` makes.
pub const ORGANIZATION: &str = "overlord:organization";
/// Tag with the team's name, on what `overlord` makes for a team.
pub const OVERLORD_TEAM: &str = "overlord:team";
/// Tag with the layer's name, on subnets.
pub const LAYER: &str = "layer";

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

/// Who owns a thing on AWS: an application or one of its versions, a team, an organization.
pub trait Owning: Clone + Send + Sync + 'static {
    /// All tags of a thing of this name.
    fn tags(&self, name: &str) -> BTreeMap<String, String>;
    /// Of those, the ones that may change while the thing lives.
    fn lasting(&self) -> BTreeMap<String, String>;
    /// Compares the tags that say whose a thing is.
    fn whose(&self, tags: &BTreeMap<String, String>) -> Whose;
    /// What to do about a thing that is somebody else's.
    fn way_out(&self) -> &'static str;

    /// `Ok` when ours; else the refusal that names the thing and its owner.
    ///
    /// # Errors
    /// A refusal, when the thing is somebody else's.
    fn claim(&self, kind: &str, name: &str, tags: &BTreeMap<String, String>) -> crate::Result<()> {
        match self.whose(tags) {
            Whose::Ours => Ok(()),
            Whose::Theirs(whose) => {
                Err(crate::Error::refused(format!("{kind} {name} exists already and belongs to {whose}"))
                    .hint(self.way_out()))
            }
        }
    }
}

impl Owning for Owner {
    fn tags(&self, name: &str) -> BTreeMap<String, String> {
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

    fn lasting(&self) -> BTreeMap<String, String> {
        let team = self.team.iter().map(|t| (TEAM.to_owned(), t.clone()));
        // What the owner says of itself wins over a tag of the same name that the manifest asks for.
        let all = self.tags("");
        let extra = self.extra.iter().filter(|(k, v)| all.get(*k) == Some(*v));
        extra.map(|(k, v)| (k.clone(), v.clone())).chain(team).collect()
    }

    fn whose(&self, tags: &BTreeMap<String, String>) -> Whose {
        let ours = tags.get(VPC) == Some(&self.vpc)
            && tags.get(APPLICATION) == Some(&self.application)
            && tags.get(VERSION) == self.version.as_ref();
        if ours { Whose::Ours } else { Whose::Theirs(owner_of(tags)) }
    }

    fn way_out(&self) -> &'static str {
        "Choose another application or version name, or remove the other one first."
    }
}

/// What a thing's tags say of its owner.
pub(super) fn owner_of(tags: &BTreeMap<String, String>) -> String {
    match (tags.get(APPLICATION), tags.get(VERSION), tags.get(VPC), tags.get(OVERLORD_TEAM)) {
        (Some(a), Some(v), Some(vpc), _) => format!("application {a} version {v} in {vpc}"),
        (Some(a), None, Some(vpc), _) => format!("application {a} in {vpc}"),
        (_, _, _, Some(team)) => format!("team {team}"),
        _ => "somebody else (it carries no ownership tags of ours)".into(),
    }
}
