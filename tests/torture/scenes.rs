//! The commands, and what stands before each.
use crate::client::Ended;

/// Which accounts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// One, with a team's network, as `minion` finds it.
    Team,
    /// The same without a way to the internet, and with a login for the registry in Secrets Manager.
    Closed,
    /// Four of an organization, with nothing in them but the zone of example.org.
    Organization,
    /// The same, and AWS Organizations makes more. AWS keeps those: what is left in them has to be nothing of ours.
    Growing,
}

/// A command, and what goes before and after it. Words are separated by spaces; `{image}` is an image of the registry.
#[derive(Debug)]
pub(crate) struct Scene {
    /// In reports.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    /// What stands before all; what is left of the account after `clean` has to be this.
    pub(crate) before: &'static [&'static str],
    /// What is made for the command.
    pub(crate) prepare: &'static [&'static str],
    pub(crate) command: &'static str,
    /// Whether a plan of the command is empty once it is done.
    pub(crate) plans: bool,
    /// Takes away what `prepare` and the command made.
    pub(crate) clean: &'static [&'static str],
    /// Another scene of the same command: only operations that do not occur there are of interest.
    pub(crate) beside: Option<&'static str>,
}

impl Scene {
    /// Whether the command, run again, is content: what was to be taken away does not exist any more.
    pub(crate) fn done(&self, again: &Ended) -> bool {
        let gone = self.command.contains(" delete ") && again.code == Some(1);
        again.ok() || (gone && again.said().contains("does not exist"))
    }
}

const CASCADE: &str = "minion app delete hello --cascade --yes";
const CREATE: &str = "minion app create hello.yaml";
const FIRST: &str = "minion ver create hello 1.0 {image}";
const SECOND: &str = "minion ver create hello 2.0 {image}";
const ALL_TO_FIRST: &str = "minion traffic hello 1.0 100";
const TEAM_GOES: &str = "overlord team delete red --delete-audit-logs --yes";

/// All of them.
pub(crate) static SCENES: &[Scene] = &[
    Scene {
        name: "app create",
        place: Place::Team,
        before: &[],
        prepare: &[],
        command: CREATE,
        plans: true,
        clean: &["minion app delete hello --yes"],
        beside: None,
    },
    Scene {
        name: "app update",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST],
        command: "minion app update changed.yaml",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "app delete",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE],
        command: "minion app delete hello --yes",
        plans: false,
        clean: &[],
        beside: None,
    },
    Scene {
        name: "app delete --cascade",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, ALL_TO_FIRST],
        command: CASCADE,
        plans: false,
        clean: &[],
        beside: None,
    },
    Scene {
        name: "ver create",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, ALL_TO_FIRST],
        command: "minion ver create hello 2.0 {image} --public",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver create (tcp)",
        place: Place::Team,
        before: &[],
        prepare: &["minion app create tcp.yaml"],
        command: "minion ver create hello 1.0 {image} --no-wait",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver create (closed network)",
        place: Place::Closed,
        before: &[],
        prepare: &["minion app create login.yaml"],
        command: "minion ver create hello 1.0 {image}",
        plans: true,
        clean: &[CASCADE],
        beside: Some("ver create"),
    },
    Scene {
        name: "ver scale",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, ALL_TO_FIRST],
        command: "minion ver scale hello 1.0 5",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver delete",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, ALL_TO_FIRST],
        command: "minion ver delete hello 2.0 --yes",
        plans: false,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "ver delete --force",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, "minion traffic hello 1.0 100", "minion traffic hello 2.0 50"],
        command: "minion ver delete hello 2.0 --force --no-wait --yes",
        plans: false,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "traffic 50",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, ALL_TO_FIRST],
        command: "minion traffic hello 2.0 50",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "traffic 100",
        place: Place::Team,
        before: &[],
        prepare: &[CREATE, FIRST, SECOND, ALL_TO_FIRST],
        command: "minion traffic hello 2.0 100",
        plans: true,
        clean: &[CASCADE],
        beside: None,
    },
    Scene {
        name: "team create",
        place: Place::Organization,
        before: &["overlord team create blue"],
        prepare: &[],
        command: "overlord team create red",
        plans: true,
        clean: &[TEAM_GOES],
        beside: None,
    },
    Scene {
        name: "team update",
        place: Place::Organization,
        before: &["overlord team create blue"],
        prepare: &["overlord team create red"],
        command: "overlord team update red -f more/red.yaml",
        plans: true,
        clean: &[TEAM_GOES],
        beside: None,
    },
    Scene {
        name: "team update (less)",
        place: Place::Organization,
        before: &[],
        prepare: &["overlord team create red -f more/red.yaml"],
        command: "overlord team update red -f less/red.yaml",
        plans: true,
        clean: &[TEAM_GOES],
        beside: Some("team update"),
    },
    Scene {
        name: "team create (transit gateway)",
        place: Place::Organization,
        before: &[],
        prepare: &[],
        command: "overlord team create red -c hub/overlord.yaml",
        plans: true,
        clean: &["overlord team delete red -c hub/overlord.yaml --delete-audit-logs --yes"],
        beside: Some("team create"),
    },
    Scene {
        name: "team create (new account)",
        place: Place::Growing,
        before: &[],
        prepare: &[],
        command: "overlord team create red -c fresh/overlord.yaml",
        plans: true,
        clean: &["overlord team delete red -c fresh/overlord.yaml --delete-audit-logs --yes"],
        beside: Some("team create"),
    },
    Scene {
        name: "team delete",
        place: Place::Organization,
        before: &["overlord team create blue"],
        prepare: &["overlord team create red"],
        command: TEAM_GOES,
        plans: false,
        clean: &[],
        beside: None,
    },
    Scene {
        name: "team delete (transit gateway)",
        place: Place::Organization,
        before: &[],
        prepare: &["overlord team create red -c hub/overlord.yaml"],
        command: "overlord team delete red -c hub/overlord.yaml --delete-audit-logs --yes",
        plans: false,
        clean: &[],
        beside: Some("team delete"),
    },
];
