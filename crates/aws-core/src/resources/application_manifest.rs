//! The manifest that is stored with its application, so that no file is needed later.
use crate::{
    Error, Result,
    cloud::Cloud,
    engine::{Change, Cx, Needs, Resource},
    model::{Owner, Owning as _, tag_rules},
    registry::{encoding, parameters},
    resources::kind::{Kind, Named},
};

/// An application's stored manifest. Its parameter's name holds VPC and application: whose it is needs no
/// look at its tags.
#[derive(Needs)]
pub struct ApplicationManifest {
    /// For whom.
    pub owner: Owner,
    /// The noun phrase of step lines.
    pub noun: String,
    /// The text.
    pub yaml: String,
}

/// What is stored.
#[derive(Debug, Clone)]
pub struct Live {
    /// The text; `None` when only parts of it are left, or when it is damaged.
    pub yaml: Option<String>,
}

impl Kind for ApplicationManifest {
    const NAME: &'static str = "stored manifest";
    type Owner = Owner;
    type Live = Live;
    type Output = ();
    async fn find(cloud: &Cloud, owner: &Owner, name: &str) -> Result<Option<Live>> {
        let name = parameters::application_name(&owner.vpc, name);
        // Parts without a head are "something": a deletion that was interrupted must go on.
        let load = async { Ok(parameters::look(cloud, &name).await?.map(|stored| Live { yaml: stored.text })) };
        Ok(cloud.once(format!("stored manifest {name}"), load).await?.as_ref().clone())
    }
    async fn remove(cloud: &Cloud, owner: &Owner, name: &str, _: &Live) -> Result<()> {
        parameters::delete_application(cloud, &owner.vpc, name).await
    }
    fn output(_: &str, _: &Live) {}
}

impl Resource for ApplicationManifest {
    type Identity = Named<Self>;

    fn identity(&self) -> Named<Self> {
        Named::new(&self.owner, &self.owner.application).called(&self.noun)
    }
    fn check(&self) -> Result<()> {
        Error::together([
            tag_rules::set(&self.owner.tags(&self.owner.application)),
            encoding::encode(&self.yaml).map(drop),
        ])
    }
    fn diff(&self, _: &Cx<'_, Cloud>, live: &Live) -> Vec<Change> {
        changes(live, &self.yaml)
    }
    async fn create(&self, cx: &Cx<'_, Cloud>) -> Result<Live> {
        parameters::write_application(cx.cloud, &self.owner, &self.yaml).await?;
        Ok(Live { yaml: Some(self.yaml.clone()) })
    }
}

fn changes(live: &Live, wanted: &str) -> Vec<Change> {
    let lines = |text: &str| match text.lines().count() {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    };
    match &live.yaml {
        Some(yaml) if yaml == wanted => Vec::new(),
        Some(yaml) => vec![Change::new("manifest", lines(yaml), lines(wanted))],
        None => vec![Change::new("manifest", "damaged", lines(wanted))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_difference_is_one_change() {
        let live = |yaml: Option<&str>| Live { yaml: yaml.map(Into::into) };
        assert_eq!(changes(&live(Some("a: 1\n")), "a: 1\n"), []);
        assert_eq!(changes(&live(Some("a: 1\n")), "a: 1\nb: 2\n"), [Change::new("manifest", "1 line", "2 lines")]);
        assert_eq!(changes(&live(None), "a: 1"), [Change::new("manifest", "damaged", "1 line")]);
    }
}
