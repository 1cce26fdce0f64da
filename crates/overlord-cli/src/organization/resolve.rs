//! A team's file over the organization's, defaults filled in.
use super::{
    Loaded, LoadedTeam, Team,
    check::{Checked, TAGS, alike, path, room, vpn_beside_pool},
    types::{Defaults, GuardRails, Identity, MonthlyBudget, NewAccounts, ParentDomain, TeamAccount, Zones},
    values::{self, fill},
};
use aws_core::{
    Error, Result,
    model::{OrganizationName, TeamName, names, policy_rules},
    resources::{
        guard::trail::AuditTrail,
        identity::{
            saml_provider::{SamlArn, metadata},
            team_role::Trust,
        },
    },
};
use files::{
    Problem,
    Step::{self, At, Key, Nth},
};
use std::{collections::BTreeMap, fs};

/// Days that flow logs are kept when no file says it.
const FLOW_LOG_DAYS: i32 = 30;
/// Availability zones of a network when no file says it.
const ZONES: u8 = 3;
/// Hours that a login lasts when no file says it: AWS's own default (IAM `CreateRole`).
const SESSION_HOURS: u8 = 1;
/// Characters of an account's e-mail address (Organizations `CreateAccount`).
const EMAIL: std::ops::RangeInclusive<usize> = 6..=64;

/// What holds for a team: its own file, if it has one, over the organization's, and defaults where neither says
/// anything. `identity` and `guard_rails` are laid over each other key by key; tags are added. `current_region` is
/// that of the current settings of AWS, for files that name none.
///
/// # Errors
/// Usage errors that show the line that is wrong: of another team's file, without a region, with values that AWS or
/// `overlord` does not take.
pub fn resolve(
    loaded: &Loaded,
    name: &TeamName,
    file: Option<&LoadedTeam>,
    current_region: Option<&str>,
) -> Result<Team> {
    if let Some(file) = file.filter(|f| f.file.team != *name) {
        let problem = Problem::new(&[Key("team")], format!("this is the file of team {}, not {name}", file.file.team));
        return Err(file.shown().wrong(&problem));
    }
    Both { loaded, name, file }.team(current_region)
}

impl NewAccounts {
    /// The e-mail address of a team's new account.
    pub fn email_of(&self, team: &TeamName, organization: &OrganizationName) -> String {
        fill(&self.email, team, organization)
    }
}

/// Both files of a team.
#[derive(Clone, Copy)]
struct Both<'a> {
    loaded: &'a Loaded,
    name: &'a TeamName,
    file: Option<&'a LoadedTeam>,
}

/// Which of the files says a thing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Team,
    All,
}

impl<'a> Both<'a> {
    /// What a file says of one thing, and which file: the team's, when both do.
    fn either<T>(self, of: impl Fn(&'a Defaults) -> Option<T>) -> Option<(Whose, T)> {
        let own = self.file.and_then(|f| of(&f.file.overrides)).map(|t| (Whose::Team, t));
        own.or_else(|| of(&self.loaded.organization.teams).map(|t| (Whose::All, t)))
    }

    /// The value alone.
    fn of<T: Clone + 'a>(self, of: impl Fn(&'a Defaults) -> Option<&'a T>) -> Option<T> {
        self.either(of).map(|(_, value)| value.clone())
    }

    fn identity<T>(self, of: impl Fn(&'a Identity) -> Option<T>) -> Option<(Whose, T)> {
        self.either(|d| d.identity.as_ref().and_then(&of))
    }

    fn rails<T>(self, of: impl Fn(&'a GuardRails) -> Option<T>) -> Option<T> {
        self.either(|d| d.guard_rails.as_ref().and_then(&of)).map(|(_, value)| value)
    }

    /// The error with the line of the file that says it. `steps` begin below `teams` in the organization's file.
    fn wrong(self, whose: Whose, steps: &[Step], message: impl Into<String>) -> Error {
        match (whose, self.file) {
            (Whose::Team, Some(file)) => file.shown().wrong(&Problem::new(steps, message)),
            _ => self.loaded.shown().wrong(&Problem::new(&path(&[Key("teams")], steps), message)),
        }
    }

    fn team(self, current_region: Option<&str>) -> Result<Team> {
        let (Self { loaded, name, file }, organization) = (self, &self.loaded.organization);
        let own = file.map(|f| &f.file);
        if let Some(file) = file {
            self.own_file(file).map_err(|problem| file.shown().wrong(&problem))?;
        }
        let regions = match self.of(|d| d.regions.as_ref()) {
            Some(regions) => regions,
            None => vec![current_region.map(str::to_owned).ok_or_else(|| self.no_region())?],
        };
        let account = own.and_then(|f| f.account.clone()).unwrap_or_default();
        if account == TeamAccount::New {
            self.new_account()?;
        }
        Ok(Team {
            organization: organization.organization.clone(),
            name: name.clone(),
            account,
            regions,
            zones: self.of(|d| d.zones.as_ref()).unwrap_or(Zones::Count(ZONES)),
            network_size: own.and_then(|f| f.network_size).unwrap_or(organization.addresses.network),
            nat: self.of(|d| d.nat.as_ref()).unwrap_or_default(),
            interconnect: self.of(|d| d.interconnect.as_ref()).unwrap_or_default(),
            ipv6: self.of(|d| d.ipv6.as_ref()).unwrap_or_default(),
            dns_servers: self.of(|d| d.dns_servers.as_ref()).unwrap_or_default(),
            internal_domain: self.of(|d| d.internal_domain.as_ref()),
            flow_logs_days: Some(self.of(|d| d.flow_logs_days.as_ref()).unwrap_or(FLOW_LOG_DAYS)).filter(|d| *d != 0),
            vpn: self.of(|d| d.vpn.as_ref()),
            domains: self.domains()?,
            saml_metadata: self.saml_metadata()?,
            trusted: self.trusted()?,
            session_hours: self.identity(|i| i.session_hours).map_or(SESSION_HOURS, |(_, hours)| hours),
            account_alias: self.alias()?,
            account_wide: self.account_wide(),
            audit_trail: self.audit_trail(),
            audit_trail_days: self.rails(|g| g.audit_trail_days),
            ebs_encryption: self.rails(|g| g.ebs_encryption).unwrap_or(true),
            block_public_buckets: self.rails(|g| g.block_public_buckets).unwrap_or(true),
            imds_v2: self.rails(|g| g.imds_v2).unwrap_or(true),
            password_policy: self.rails(|g| g.password_policy).unwrap_or(true),
            budget: self.rails(|g| g.budget.as_ref()).map(|budget| MonthlyBudget {
                usd: budget.usd,
                notify: budget.notify.iter().map(|s| fill(s, name, &organization.organization)).collect(),
            }),
            cost_tags: self.rails(|g| g.cost_tags.clone()).unwrap_or_default(),
            registry: self.of(|d| d.registry.as_ref()),
            peers: self.of(|d| d.peers.as_ref()).unwrap_or_default(),
            tags: self.tags()?,
            pool: loaded.organization.addresses.pool.clone(),
        })
    }

    /// What in the team's file does not go with the organization's.
    fn own_file(self, file: &LoadedTeam) -> Checked {
        let (organization, own) = (&self.loaded.organization, &file.file);
        if let Some(size) = own.network_size {
            room(organization, size).map_err(|e| Problem::new(&[Key("network_size")], e))?;
        }
        for (n, name) in own.domains.iter().flatten().enumerate() {
            if !organization.domains.iter().any(|d| d.name == *name) {
                let known: Vec<&str> = organization.domains.iter().map(|d| d.name.as_str()).collect();
                let message = format!("`{name}` is no domain of the organization's");
                let problem = Problem::new(&[Key("domains"), At(n)], message);
                return Err(problem.hint(match known.as_slice() {
                    [] => format!("{} has none: name it under `domains` there.", self.loaded.path.display()),
                    _ => format!("{} has {}.", self.loaded.path.display(), known.join(", ")),
                }));
            }
        }
        if own.account == Some(TeamAccount::New) && organization.accounts.new.is_none() {
            let problem = Problem::new(&[Key("account")], "how new accounts are made is not known");
            let hint = format!("Say it under `accounts`, `new` in {}, or name an account.", self.loaded.path.display());
            return Err(problem.hint(hint));
        }
        vpn_beside_pool(&own.overrides, &[], organization)
    }

    fn no_region(self) -> Error {
        Error::usage(format!("team {} has no region", self.name)).hint(format!(
            "Name it with `regions: [..]` in the team's file or under `teams` in {}, or with --region.",
            self.loaded.path.display()
        ))
    }

    fn new_account(self) -> Result<()> {
        let organization = &self.loaded.organization;
        let Some(new) = &organization.accounts.new else { return Ok(()) };
        let email = new.email_of(self.name, &organization.organization);
        if EMAIL.contains(&email.len()) {
            return Ok(());
        }
        let message =
            format!("{email} has {} characters; AWS allows {} to {}", email.len(), EMAIL.start(), EMAIL.end());
        Err(self.loaded.shown().wrong(&Problem::new(&[Key("accounts"), Key("new"), Key("email")], message)))
    }

    fn domains(self) -> Result<Vec<ParentDomain>> {
        let all = &self.loaded.organization.domains;
        let own = self.file.and_then(|f| f.file.domains.as_ref());
        let chosen: Vec<ParentDomain> = match own {
            None => all.clone(),
            Some(names) => names.iter().filter_map(|n| all.iter().find(|d| d.name == *n)).cloned().collect(),
        };
        let wide = |d: &&ParentDomain| self.name.as_str().len() + 1 + d.name.len() > names::CERTIFICATE;
        let Some(domain) = chosen.iter().find(wide) else { return Ok(chosen) };
        let message = format!(
            "{}.{} is too long: a certificate's name has at most {} characters",
            self.name,
            domain.name,
            names::CERTIFICATE
        );
        let shown = self.loaded.shown();
        let place = all.iter().position(|d| d.name == domain.name).unwrap_or_default();
        Err(shown.wrong(&Problem::new(&[Key("domains"), At(place), Key("name")], message)))
    }

    fn saml_metadata(self) -> Result<Option<String>> {
        let Some((whose, named)) = self.identity(|i| i.saml_metadata.as_ref()) else { return Ok(None) };
        let path = self.loaded.root.join(named);
        let wrong = |message: String| self.wrong(whose, &[Key("identity"), Key("saml_metadata")], message);
        let shown = path.display();
        let metadata = fs::metadata(&path).map_err(|e| wrong(format!("{shown} cannot be read: {e}")))?;
        // A device may have no end, and a pipe no beginning.
        if !metadata.is_file() {
            return Err(wrong(format!("{shown} is no file")));
        }
        let length = metadata.len();
        // In UTF-8 a character has at most four bytes.
        if length > 4 * *metadata::LENGTH.end() as u64 {
            return Err(wrong(format!("{shown} has {length} bytes: too many for SAML metadata")));
        }
        let text = fs::read_to_string(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => wrong(format!("{shown} is not UTF-8: convert it, e.g. with `iconv`")),
            _ => wrong(format!("{shown} cannot be read: {e}")),
        })?;
        let text = metadata::read(&text).map_err(|why| wrong(format!("invalid SAML metadata {shown}: {why}")))?;
        Ok(Some(text.to_owned()))
    }

    /// Who is trusted: all of them have to fit into a role's trust policy.
    fn trusted(self) -> Result<Option<Vec<String>>> {
        let Some((whose, principals)) = self.identity(|i| i.trusted.clone()) else { return Ok(None) };
        let trust = Trust { principals, ..Trust::default() };
        // With SAML the provider's ARN stands there, too.
        let saml = self.identity(|i| i.saml_metadata.as_ref()).map(|_| {
            SamlArn(format!("arn:aws:iam::123456789012:saml-provider/{}", self.loaded.organization.organization))
        });
        let size = policy_rules::size(&trust.document(saml.as_ref()));
        if size > policy_rules::TRUST {
            let message = format!(
                "the roles' trust policy would have {size} characters without white space; IAM allows {}: name accounts \
                 instead of roles, or fewer of them",
                policy_rules::TRUST
            );
            return Err(self.wrong(whose, &[Key("identity"), Key("trusted")], message));
        }
        Ok(Some(trust.principals))
    }

    fn alias(self) -> Result<Option<String>> {
        let Some((whose, alias)) = self.identity(|i| i.account_alias.as_ref()) else { return Ok(None) };
        let alias = fill(alias, self.name, &self.loaded.organization.organization);
        let steps = [Key("identity"), Key("account_alias")];
        values::alias(&alias).map_err(|e| self.wrong(whose, &steps, e)).map(|()| Some(alias))
    }

    fn account_wide(self) -> bool {
        self.of(|d| d.account_wide.as_ref()).unwrap_or(true)
    }

    fn audit_trail(self) -> bool {
        self.rails(|g| g.audit_trail).unwrap_or(true)
    }

    /// CloudTrail alone refuses tags without a value.
    fn empty_tag(self, tags: &BTreeMap<String, String>) -> Result<()> {
        let empty = tags.iter().find(|(_, value)| value.is_empty());
        let Some((key, _)) = empty.filter(|_| self.account_wide() && self.audit_trail()) else { return Ok(()) };
        let place = |tags: &BTreeMap<String, String>| tags.keys().position(|k| k == key);
        let own = self.file.and_then(|f| place(&f.file.overrides.tags)).map(|n| (Whose::Team, n));
        let (whose, n) = own.unwrap_or((Whose::All, place(&self.loaded.organization.teams.tags).unwrap_or_default()));
        Err(self
            .wrong(whose, &[Key("tags"), Nth(n)], AuditTrail::empty_tag(key))
            .hint("Set a value, or do without the audit trail: `guard_rails: {audit_trail: false}`."))
    }

    fn tags(self) -> Result<BTreeMap<String, String>> {
        let mut tags = self.loaded.organization.teams.tags.clone();
        tags.extend(self.file.map(|f| f.file.overrides.tags.clone()).unwrap_or_default());
        if tags.len() > TAGS {
            let message = format!("{} tags together with the organization's; the most is {TAGS}", tags.len());
            return Err(self.wrong(Whose::Team, &[Key("tags")], message));
        }
        let own = self.file.map(|f| &f.file.overrides.tags).into_iter().flat_map(BTreeMap::keys);
        if let Some((n, message)) = alike(tags.keys(), own) {
            return Err(self.wrong(Whose::Team, &[Key("tags"), Nth(n)], message));
        }
        self.empty_tag(&tags)?;
        Ok(tags)
    }
}
