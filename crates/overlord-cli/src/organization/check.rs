//! What is wrong in one file, beyond what YAML can tell; and what is allowed but probably not meant.
use super::{
    Organization, TeamFile,
    types::{Accounts, Defaults, GuardRails, Identity, Reach, TeamAccount, Vpn, Zones},
    values::{self, Valid, overlap},
};
use crate::addresses::{DOCKERS, SLOTS, first_free, free_space};
use aws_core::{
    model::tag_rules,
    resources::{guard::trail_bucket::TrailBucket, log_group::RETENTIONS},
};
use files::{
    Problem,
    Step::{self, At, Key, Nth},
};
use ipnet::Ipv4Net;
use std::{collections::BTreeSet, fmt::Display, ops::RangeInclusive};

/// `Err`: what is wrong, and where.
pub(super) type Checked = Result<(), Problem>;

/// Prefix lengths of a team's network. A VPC has /16 at most (EC2 `CreateVpc`); below /21 a zone has no room for more
/// than a few load balancers.
const NETWORK: RangeInclusive<u8> = 16..=21;
/// Name servers of a set of DHCP options (EC2 `CreateDhcpOptions`).
const DNS_SERVERS: usize = 4;
/// Static routes of a VPN connection that reach a route table (VPC quota "Propagated routes per route table").
const VPN_ROUTES: usize = 100;
/// E-mail addresses of a budget's notification (AWS Budgets quota "Email recipients per notification").
const SUBSCRIBERS: usize = 10;
/// Tags of a file: AWS allows 50 on a resource, and some are ours.
pub(super) const TAGS: usize = tag_rules::MOST - 10;

/// Steps on the way to a value.
pub(super) fn path(at: &[Step], more: &[Step]) -> Vec<Step> {
    [at, more].concat()
}

fn wrong(at: &[Step], more: &[Step], message: impl Into<String>) -> Checked {
    Err(Problem::new(&path(at, more), message))
}

fn valid(at: &[Step], more: &[Step], valid: Valid) -> Checked {
    valid.map_err(|message| Problem::new(&path(at, more), message))
}

fn maybe(at: &[Step], key: &'static str, value: Option<&String>, check: fn(&str) -> Valid) -> Checked {
    value.map_or(Ok(()), |value| valid(at, &[Key(key)], check(value)))
}

fn each<T>(at: &[Step], key: &'static str, all: &[T], check: impl Fn(&T) -> Valid) -> Checked {
    all.iter().enumerate().try_for_each(|(n, one)| valid(at, &[Key(key), At(n)], check(one)))
}

fn once<T: Ord + Display>(at: &[Step], key: &'static str, all: &[T]) -> Checked {
    let mut seen = BTreeSet::new();
    let twice = all.iter().enumerate().find(|(_, one)| !seen.insert(*one));
    twice.map_or(Ok(()), |(n, one)| wrong(at, &[Key(key), At(n)], format!("duplicate {one}")))
}

fn within(at: &[Step], key: &'static str, value: u8, range: RangeInclusive<u8>, unit: &str) -> Checked {
    if range.contains(&value) {
        return Ok(());
    }
    wrong(at, &[Key(key)], format!("{value} is out of range: {} to {}{unit}", range.start(), range.end()))
}

/// The first thing that is wrong in the organization's file.
pub(super) fn organization(o: &Organization) -> Checked {
    addresses(o)?;
    accounts(&o.accounts)?;
    domains(o)?;
    let at = [Key("teams")];
    defaults(&o.teams, &at)?;
    vpn_beside_pool(&o.teams, &at, o)
}

/// The first thing that is wrong in a team's file, whatever the organization's says.
pub(super) fn team(t: &TeamFile) -> Checked {
    match &t.account {
        Some(TeamAccount::Number(number)) => {
            let number = values::account(number).map_err(|e| format!("{e}; or one of the words `current` and `new`"));
            valid(&[], &[Key("account")], number)?;
        }
        Some(TeamAccount::Reach(to)) => {
            reach(to, &[Key("account")])?;
            if to.account.is_none() {
                return wrong(&[], &[Key("account")], "`account` is missing: the number of the team's account");
            }
        }
        Some(TeamAccount::Current | TeamAccount::New) | None => {}
    }
    if let Some(size) = t.network_size {
        within(&[], "network_size", size, NETWORK, "")?;
    }
    if let Some(names) = &t.domains {
        once(&[], "domains", names)?;
    }
    defaults(&t.overrides, &[])
}

/// Networks that cannot be a VPC's (RFC 6890: this host, loopback, link local, multicast and reserved).
fn usable(n: &Ipv4Net) -> Valid {
    values::network(*n)?;
    let never = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];
    match never.iter().find(|no| no.parse().is_ok_and(|no| overlap(&no, n))) {
        Some(no) => Err(format!("{n} cannot be used: there are no networks in {no}")),
        None => Ok(()),
    }
}

fn addresses(o: &Organization) -> Checked {
    let (a, at) = (&o.addresses, [Key("addresses")]);
    if a.pool.is_empty() {
        return wrong(&at, &[Key("pool")], "the pool is empty: name at least one network, e.g. 10.0.0.0/8");
    }
    each(&at, "pool", &a.pool, usable)?;
    for (n, one) in a.pool.iter().enumerate() {
        if let Some(other) = a.pool[..n].iter().find(|other| overlap(one, other)) {
            return wrong(&at, &[Key("pool"), At(n)], format!("{one} overlaps {other}, which stands above"));
        }
    }
    within(&at, "network", a.network, NETWORK, "")?;
    each(&at, "reserved", &a.reserved, |n| values::network(*n))?;
    if free_space(&a.pool, &a.reserved).is_empty() {
        return wrong(&at, &[Key("reserved")], "the whole pool is reserved: nothing is left for teams");
    }
    room(o, a.network).map_err(|e| Problem::new(&path(&at, &[Key("network")]), e))
}

/// Whether the pool has room for a network of this size.
pub(super) fn room(o: &Organization, prefix: u8) -> Valid {
    match first_free(&o.addresses.pool, &o.addresses.reserved, prefix) {
        Some(_) => Ok(()),
        None => Err(format!("the pool, without what is reserved, has no room for a /{prefix}")),
    }
}

fn reach(r: &Reach, at: &[Step]) -> Checked {
    maybe(at, "account", r.account.as_ref(), values::account)?;
    maybe(at, "role", r.role.as_ref(), values::role)?;
    maybe(at, "region", r.region.as_ref(), values::region)
}

fn accounts(a: &Accounts) -> Checked {
    let at = [Key("accounts")];
    for (key, to) in [("home", Some(&a.home)), ("network", a.network.as_ref()), ("management", a.management.as_ref())] {
        to.map_or(Ok(()), |to| reach(to, &path(&at, &[Key(key)])))?;
    }
    maybe(&at, "role", a.role.as_ref(), values::role)?;
    each(&at, "through", &a.through, |arn| values::role_arn(arn))?;
    maybe(&at, "external_id", a.external_id.as_ref(), values::external_id)?;
    let Some(new) = &a.new else { return Ok(()) };
    let at = path(&at, &[Key("new")]);
    valid(&at, &[Key("email")], values::template(&new.email, values::email))?;
    if !new.email.contains("{team}") {
        let problem = Problem::new(&path(&at, &[Key("email")]), format!("`{}` would be every team's", new.email));
        return Err(problem.hint("An address can be that of one account only, in all of AWS: put {team} into it."));
    }
    valid(&at, &[Key("role")], values::role(&new.role))?;
    if new.role.contains('/') {
        let message = format!("invalid role name `{}`: AWS Organizations creates it without a path", new.role);
        return wrong(&at, &[Key("role")], message);
    }
    maybe(&at, "organizational_unit", new.organizational_unit.as_ref(), values::organizational_unit)
}

fn domains(o: &Organization) -> Checked {
    for (n, domain) in o.domains.iter().enumerate() {
        let at = [Key("domains"), At(n)];
        valid(&at, &[Key("name")], values::domain(&domain.name, 2))?;
        if o.domains[..n].iter().any(|d| d.name == domain.name) {
            return wrong(&at, &[Key("name")], format!("duplicate {}", domain.name));
        }
        maybe(&at, "zone_id", domain.zone_id.as_ref(), values::zone_id)?;
        if let Some(account) = &domain.account {
            reach(account, &path(&at, &[Key("account")]))?;
        }
    }
    Ok(())
}

fn defaults(d: &Defaults, at: &[Step]) -> Checked {
    if let Some(regions) = &d.regions {
        if regions.is_empty() {
            return wrong(at, &[Key("regions")], "a team needs at least one region");
        }
        each(at, "regions", regions, |r| values::region(r))?;
        once(at, "regions", regions)?;
    }
    match &d.zones {
        Some(Zones::Count(count)) => within(at, "zones", *count, 1..=SLOTS, "")?,
        Some(Zones::Named(ids)) => zones(ids, at)?,
        None => {}
    }
    if let Some(servers) = &d.dns_servers {
        once(at, "dns_servers", servers)?;
        if servers.len() > DNS_SERVERS {
            let message = format!("{} name servers; AWS allows {DNS_SERVERS}", servers.len());
            return wrong(at, &[Key("dns_servers")], message);
        }
    }
    maybe(at, "internal_domain", d.internal_domain.as_ref(), |s| values::domain(s, 1))?;
    if let Some(days) = d.flow_logs_days.filter(|days| *days != 0 && !RETENTIONS.contains(days)) {
        let all: Vec<String> = RETENTIONS.iter().map(ToString::to_string).collect();
        let problem = Problem::new(&path(at, &[Key("flow_logs_days")]), format!("logs cannot be kept for {days} days"));
        return Err(problem.hint(format!("CloudWatch Logs keeps them for {}; 0 is for no flow logs.", all.join(", "))));
    }
    if let Some(own) = &d.vpn {
        vpn(own, &path(at, &[Key("vpn")]))?;
    }
    if let Some(own) = &d.identity {
        identity(own, &path(at, &[Key("identity")]))?;
    }
    if let Some(own) = &d.guard_rails {
        guard_rails(own, &path(at, &[Key("guard_rails")]))?;
    }
    maybe(at, "registry", d.registry.as_ref(), values::registry)?;
    if let Some(peers) = &d.peers {
        each(at, "peers", peers, |n| values::network(*n))?;
        once(at, "peers", peers)?;
    }
    for (n, (key, value)) in d.tags.iter().enumerate() {
        valid(at, &[Key("tags"), Nth(n)], values::tag(key, value))?;
    }
    alike(d.tags.keys(), d.tags.keys()).map_or(Ok(()), |(n, e)| wrong(at, &[Key("tags"), Nth(n)], e))?;
    if d.tags.len() > TAGS {
        return wrong(at, &[Key("tags")], format!("{} tags; the most is {TAGS}", d.tags.len()));
    }
    Ok(())
}

fn zones(ids: &[String], at: &[Step]) -> Checked {
    if ids.is_empty() {
        return wrong(at, &[Key("zones")], "invalid list of zones: name at least one, e.g. [euw1-az1, euw1-az2]");
    }
    each(at, "zones", ids, |id| values::availability_zone(id))?;
    once(at, "zones", ids)?;
    let region = |id: &String| id.split("-az").next().map(str::to_owned);
    for (n, id) in ids.iter().enumerate() {
        if ids[..n].iter().filter(|other| region(other) == region(id)).count() >= usize::from(SLOTS) {
            return wrong(
                at,
                &[Key("zones"), At(n)],
                format!("invalid zone `{id}`: a network has at most {SLOTS} zones"),
            );
        }
    }
    Ok(())
}

/// A key that IAM takes for another one: what to say, and its place among the file's `own` keys. `all` may have more.
pub(super) fn alike<'k>(
    all: impl Iterator<Item = &'k String>,
    own: impl Iterator<Item = &'k String>,
) -> Option<(usize, String)> {
    let (key, before) = tag_rules::alike(all.map(String::as_str))?;
    let own: Vec<&str> = own.map(String::as_str).collect();
    let place = own.iter().position(|k| *k == key).or_else(|| own.iter().position(|k| *k == before));
    Some((place.unwrap_or_default(), tag_rules::alike_text(key, before)))
}

fn vpn(v: &Vpn, at: &[Step]) -> Checked {
    valid(at, &[Key("gateway")], values::public(v.gateway))?;
    if v.asn == 0 {
        return wrong(at, &[Key("asn")], "0 is out of range: 1 to 4294967295");
    }
    if v.routes.is_empty() {
        return wrong(at, &[Key("routes")], "without routes to your networks a VPN leads nowhere");
    }
    if v.routes.len() > VPN_ROUTES {
        return wrong(at, &[Key("routes")], format!("{} routes; AWS allows {VPN_ROUTES}", v.routes.len()));
    }
    each(at, "routes", &v.routes, |n| values::network(*n))?;
    once(at, "routes", &v.routes)
}

/// A route into the pool would lead other teams' traffic away, or ours.
pub(super) fn vpn_beside_pool(d: &Defaults, at: &[Step], o: &Organization) -> Checked {
    for (n, route) in d.vpn.iter().flat_map(|vpn| vpn.routes.iter().enumerate()) {
        if let Some(part) = o.addresses.pool.iter().find(|part| overlap(part, route)) {
            return wrong(at, &[Key("vpn"), Key("routes"), At(n)], format!("{route} overlaps {part} of the pool"));
        }
    }
    Ok(())
}

fn identity(i: &Identity, at: &[Step]) -> Checked {
    if let Some(trusted) = &i.trusted {
        each(at, "trusted", trusted, |p| values::principal(p))?;
        once(at, "trusted", trusted)?;
    }
    if let Some(hours) = i.session_hours {
        within(at, "session_hours", hours, 1..=12, " hours")?;
    }
    maybe(at, "account_alias", i.account_alias.as_ref(), |s| values::template(s, values::alias))
}

fn guard_rails(g: &GuardRails, at: &[Step]) -> Checked {
    if let Some(keys) = &g.cost_tags {
        once(at, "cost_tags", keys)?;
        each(at, "cost_tags", keys, |key| match key.chars().count() {
            1..=128 => Ok(()),
            _ => Err(format!("`{key}` is no tag's key: 1 to 128 characters")),
        })?;
    }
    let most = TrailBucket::MOST_DAYS;
    if let Some(days) = g.audit_trail_days.filter(|days| !(1..=most).contains(days)) {
        let message = format!("invalid audit_trail_days `{days}`: from 1 to {most} days");
        return wrong(at, &[Key("audit_trail_days")], message);
    }
    let Some(budget) = &g.budget else { return Ok(()) };
    let at = path(at, &[Key("budget")]);
    if budget.usd == 0 {
        return wrong(&at, &[Key("usd")], "a budget is at least 1 dollar");
    }
    match budget.notify.len() {
        0 => return wrong(&at, &[Key("notify")], "nobody would be told: name at least one e-mail address"),
        1..=SUBSCRIBERS => {}
        many => return wrong(&at, &[Key("notify")], format!("{many} addresses; AWS allows {SUBSCRIBERS}")),
    }
    each(&at, "notify", &budget.notify, |s| values::template(s, values::email))?;
    once(&at, "notify", &budget.notify)
}

/// What is allowed in the organization's file, but probably not meant: whole sentences.
pub(super) fn warnings(o: &Organization) -> Vec<String> {
    let (mut all, a) = (Vec::new(), &o.addresses);
    for part in &a.pool {
        if !values::is_private(part) {
            all.push(format!(
                "{part} of the pool is no network for private use (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, \
                 100.64.0.0/10): hosts on the internet that have these addresses cannot be reached."
            ));
        }
        if part.prefix_len() > a.network && first_free(&[*part], &[], a.network).is_none() {
            all.push(format!("{part} of the pool has no room for a /{}: teams get nothing of it alone.", a.network));
        }
    }
    let mut never = a.reserved.clone();
    never.push(DOCKERS);
    if first_free(&a.pool, &never, a.network).is_none() {
        all.push(format!(
            "The pool has no room for a new team: {DOCKERS} is Docker's own network on every instance, and no team gets a \
             part of it. Add a network to `addresses.pool`."
        ));
    }
    for reserved in a.reserved.iter().filter(|r| !a.pool.iter().any(|part| overlap(part, r))) {
        all.push(format!("{reserved} is reserved, but lies outside the pool: no team would get it anyway."));
    }
    let alias = o.teams.identity.as_ref().and_then(|i| i.account_alias.as_ref());
    if let Some(alias) = alias.filter(|alias| !alias.contains("{team}")) {
        all.push(format!(
            "The account alias {alias} can be that of one account only, in all of AWS: put {{team}} into it."
        ));
    }
    all
}
