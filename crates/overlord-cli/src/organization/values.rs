//! What single values may look like. Each function gives back what is wrong, as a sentence without an end.
use aws_core::model::{OrganizationName, TeamName, tag_rules, tags::LAYER};
use ipnet::Ipv4Net;
use serde::{Deserialize, Deserializer};
use std::net::Ipv4Addr;

/// `Err`: what is wrong.
pub(super) type Valid = Result<(), String>;

fn when(good: bool, wrong: impl FnOnce() -> String) -> Valid {
    if good { Ok(()) } else { Err(wrong()) }
}

fn digits(s: &str, count: usize) -> bool {
    s.len() == count && s.bytes().all(|b| b.is_ascii_digit())
}

/// A network as it is written.
#[derive(Deserialize)]
#[serde(transparent)]
struct Network(#[serde(deserialize_with = "files::address")] Ipv4Net);

/// Networks as they are written. For serde's `deserialize_with`.
pub(super) fn networks<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Ipv4Net>, D::Error> {
    Ok(Vec::<Network>::deserialize(d)?.into_iter().map(|network| network.0).collect())
}

/// The same, for a key that may be left out.
pub(super) fn some_networks<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<Ipv4Net>>, D::Error> {
    let networks = Option::<Vec<Network>>::deserialize(d)?;
    Ok(networks.map(|all| all.into_iter().map(|network| network.0).collect()))
}

/// An account's number.
pub(super) fn account(s: &str) -> Valid {
    when(digits(s, 12), || {
        format!("`{s}` is no account number: 12 digits, in quotes, because YAML drops zeros in front of a number")
    })
}

/// A role's name, with its path if it has one (IAM `CreateRole`).
pub(super) fn role(s: &str) -> Valid {
    let body = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    let name = s.rsplit('/').next().unwrap_or_default();
    when(!s.starts_with('/') && (1..=64).contains(&name.len()) && s.len() <= 512 && s.chars().all(body), || {
        format!("`{s}` is no role's name (not its ARN; at most 64 letters, digits and _+=,.@-)")
    })
}

/// The parts of an ARN of IAM or STS: account and resource.
fn arn<'a>(s: &'a str, services: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut parts = s.splitn(6, ':');
    let good = parts.next() == Some("arn")
        && parts.next().is_some_and(|p| p == "aws" || p.starts_with("aws-"))
        && parts.next().is_some_and(|service| services.contains(&service))
        && parts.next() == Some("");
    let (account, resource) = (parts.next()?, parts.next()?);
    (good && digits(account, 12)).then_some((account, resource))
}

/// A role's ARN.
pub(super) fn role_arn(s: &str) -> Valid {
    let good = arn(s, &["iam"]).and_then(|(_, r)| r.strip_prefix("role/")).is_some_and(|name| role(name).is_ok());
    when(good, || format!("`{s}` is no role's ARN, such as arn:aws:iam::123456789012:role/hub"))
}

/// Who may be trusted: an account, or a role, user or session in one. Never everybody.
pub(super) fn principal(s: &str) -> Valid {
    let named = |resource: &str| {
        resource == "root"
            || ["role/", "user/", "assumed-role/", "federated-user/"].iter().any(|kind| {
                resource.strip_prefix(kind).is_some_and(|name| {
                    let body = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
                    !name.is_empty() && name.chars().all(body)
                })
            })
    };
    when(digits(s, 12) || arn(s, &["iam", "sts"]).is_some_and(|(_, resource)| named(resource)), || {
        format!("`{s}` is neither an account number (12 digits, in quotes) nor the ARN of a role or user")
    })
}

/// An external id (STS `AssumeRole`).
pub(super) fn external_id(s: &str) -> Valid {
    let body = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    when((2..=1224).contains(&s.len()) && s.chars().all(body), || {
        format!("`{s}` is no external id: 2 to 1224 letters, digits and _+=,.@:/-")
    })
}

/// How a region's name looks; whether there is one of that name, AWS tells.
pub(super) fn region(s: &str) -> Valid {
    let parts: Vec<&str> = s.split('-').collect();
    let word = |p: &&str| p.len() >= 2 && p.bytes().all(|b| b.is_ascii_lowercase());
    let good = match parts.split_last() {
        Some((number, words)) => words.len() >= 2 && words.iter().all(word) && (digits(number, 1) || digits(number, 2)),
        None => false,
    };
    when(good, || format!("`{s}` is no region, such as eu-west-1"))
}

/// The ID of one of a region's own availability zones, which means the same in all accounts; names do not, and Local and
/// Wavelength Zones (`use1-bos1-az1`) have no room for a network (EC2 User Guide, "AZ IDs for your Availability Zones").
pub(super) fn availability_zone(s: &str) -> Valid {
    let number = |s: &str| (1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    let good = s.split_once("-az").is_some_and(|(region, zone)| {
        let words = region.trim_end_matches(|c: char| c.is_ascii_digit());
        (3..=6).contains(&words.len())
            && words.bytes().all(|b| b.is_ascii_lowercase())
            && number(&region[words.len()..])
            && number(zone)
    });
    when(good, || {
        format!(
            "invalid zone ID `{s}`: expected one such as use1-az1; names such as us-east-1a differ between accounts, and \
             Local Zones and Wavelength Zones cannot be used"
        )
    })
}

/// A domain's name in small letters, without a dot at the end (RFC 1035 §2.3.4); at least so many labels.
pub(super) fn domain(s: &str, labels: usize) -> Valid {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    when(s.len() <= 253 && s.split('.').all(label) && s.split('.').count() >= labels, || {
        format!("`{s}` is no domain, such as example.org: small letters, digits and dashes, no dot at the end")
    })
}

/// An e-mail address as people have them.
pub(super) fn email(s: &str) -> Valid {
    let body = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`|~.-".contains(c);
    let good = s.rsplit_once('@').is_some_and(|(local, host)| {
        (1..=64).contains(&local.len())
            && local.chars().all(body)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && domain(&host.to_ascii_lowercase(), 2).is_ok()
    });
    when(good, || format!("`{s}` is no e-mail address"))
}

/// An account's alias (IAM `CreateAccountAlias`).
pub(super) fn alias(s: &str) -> Valid {
    let body = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let dashes = s.starts_with('-') || s.ends_with('-') || s.contains("--");
    when((3..=63).contains(&s.len()) && body && !dashes && !digits(s, 12), || {
        format!("`{s}` is no account alias: 3 to 63 small letters, digits and single dashes, none at either end")
    })
}

/// A hosted zone's id (Route 53 allows 32 characters).
pub(super) fn zone_id(s: &str) -> Valid {
    let body = s.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    when(s.starts_with('Z') && (2..=32).contains(&s.len()) && body, || {
        format!("`{s}` is no hosted zone's id, such as Z0123456789ABCDEFGHIJ")
    })
}

/// An organizational unit's id, or that of the root (Organizations `MoveAccount`).
pub(super) fn organizational_unit(s: &str) -> Valid {
    let body = |p: &str, least| {
        (least..=32).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let good = match s.split('-').collect::<Vec<_>>().as_slice() {
        ["r", root] => body(root, 4),
        ["ou", root, unit] => body(root, 4) && body(unit, 8),
        _ => false,
    };
    when(good, || format!("`{s}` is no organizational unit's id, such as ou-ab12-34cd56ef"))
}

/// A registry: a host, perhaps with a port.
pub(super) fn registry(s: &str) -> Valid {
    let (host, port) = s.split_once(':').unwrap_or((s, "443"));
    let port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    when(port && domain(host, 1).is_ok(), || {
        format!("`{s}` is no registry: a host or host:port, without https:// and without a path")
    })
}

/// A network whose address is its first one.
pub(super) fn network(n: Ipv4Net) -> Valid {
    when(n == n.trunc(), || format!("{n} is an address within {0}; write {0}, or the network that is meant", n.trunc()))
}

/// An address that the internet can reach, going by its looks.
pub(super) fn public(a: Ipv4Addr) -> Valid {
    let inside = a.is_private()
        || shared(a)
        || a.is_loopback()
        || a.is_link_local()
        || a.is_multicast()
        || a.is_broadcast()
        || a.octets()[0] == 0;
    when(!inside, || format!("{a} cannot be reached from the internet: the gateway's public address is meant"))
}

/// RFC 6598: between a provider and its customers.
fn shared(a: Ipv4Addr) -> bool {
    a.octets()[0] == 100 && a.octets()[1] & 0b1100_0000 == 64
}

/// Whether all of a network is for private use: RFC 1918, RFC 6598.
pub(super) fn is_private(n: &Ipv4Net) -> bool {
    let all = |a: Ipv4Addr, prefix| Ipv4Net::new(a, prefix).is_ok_and(|private| private.contains(n));
    all(Ipv4Addr::new(10, 0, 0, 0), 8)
        || all(Ipv4Addr::new(172, 16, 0, 0), 12)
        || all(Ipv4Addr::new(192, 168, 0, 0), 16)
        || all(Ipv4Addr::new(100, 64, 0, 0), 10)
}

/// Whether two networks have an address in common.
pub(super) fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(b) || b.contains(a)
}

/// A tag (`tag_rules`): none of ours. Where CloudTrail gets it, too, `resolve` refuses an empty value.
pub(super) fn tag(key: &str, value: &str) -> Valid {
    tag_rules::chosen_key(key, &[LAYER])?;
    tag_rules::value(value)
}

/// The text with names put in for `{team}` and `{organization}`.
pub(super) fn fill(s: &str, team: &TeamName, organization: &OrganizationName) -> String {
    s.replace("{team}", team.as_str()).replace("{organization}", organization.as_str())
}

/// A text with placeholders: what `check` says of it once names stand for them.
pub(super) fn template(s: &str, check: fn(&str) -> Valid) -> Valid {
    let filled = s.replace("{team}", "team").replace("{organization}", "organization");
    if filled.contains(['{', '}']) {
        return Err(format!("`{s}`: only {{team}} and {{organization}} are replaced"));
    }
    // What is too long, or not, depends on the names.
    check(&filled).map_err(|e| e.replace(&filled, s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(check: impl Fn(&str) -> Valid, good: &[&str], bad: &[&str]) {
        for s in good {
            assert_eq!(check(s), Ok(()), "{s}");
        }
        for s in bad {
            assert!(check(s).is_err(), "{s}");
        }
    }

    #[test]
    fn accounts_and_who_is_in_them() {
        table(account, &["123456789012", "000000000001"], &["", "12345678901", "1234567890123", "12345678901a"]);
        table(
            role,
            &["OrganizationAccountAccessRole", "team/admin", "a+=,.@-_"],
            &["", "/a", "arn:aws:iam::1:role/a", "a b", &"a".repeat(65)],
        );
        let arn = "arn:aws:iam::123456789012:role/hub";
        table(
            role_arn,
            &[arn, "arn:aws-cn:iam::123456789012:role/x/hub", "arn:aws-us-gov:iam::123456789012:role/h"],
            &[
                "hub",
                "arn:aws:iam::12:role/hub",
                "arn:aws:iam::123456789012:user/hub",
                "arn:aws:iam::123456789012:role/",
                "arn:aws:sts::123456789012:role/h",
            ],
        );
        table(
            principal,
            &["123456789012", arn, "arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:assumed-role/a/b"],
            &[
                "*",
                "arn:aws:iam::*:root",
                "arn:aws:iam::123456789012:*",
                "arn:aws:iam::123456789012:role/*",
                "1234",
                "",
            ],
        );
        table(external_id, &["ab", "a:b/c"], &["a", "a b", ""]);
        table(organizational_unit, &["ou-ab12-34cd56ef", "r-ab12"], &["ou-ab12", "ou-ab12-34", "OU-ab12-34cd56ef", ""]);
    }

    #[test]
    fn names_of_places() {
        table(
            region,
            &["eu-west-1", "us-gov-east-1", "ap-southeast-12", "cn-north-1", "us-isob-east-1"],
            &["eu-west", "eu-west-1a", "EU-west-1", "west-1", "eu_west_1", ""],
        );
        table(
            |s| domain(s, 2),
            &["example.org", "a-b.c1.d"],
            &["example", "Example.org", "a..b", "-a.b", "a.b.", "", "a b.c"],
        );
        table(|s| domain(s, 1), &["internal"], &["", "."]);
        table(zone_id, &["Z0123456789ABCDEFGHIJ"], &["/hostedzone/Z1", "z1", "Z", ""]);
        table(registry, &["registry.example.org", "r:5000"], &["https://r", "r/x", "r:", "r:0", "r:70000", ""]);
    }

    #[test]
    fn names_that_people_choose() {
        table(
            email,
            &["a@example.org", "aws+red@Example.org"],
            &["a", "a@b", "@example.org", "a b@example.org", "a@b@c d", ".a@example.org"],
        );
        table(
            alias,
            &["abc", "acme-red", "1234567890123"],
            &["ab", "-ab", "ab-", "a--b", "A-b", "a.b", "123456789012", &"a".repeat(64)],
        );
        table(|s| template(s, email), &["aws+{team}@example.org"], &["aws+{tema}@example.org", "{team}"]);
        table(|s| template(s, alias), &["{team}", "{organization}-{team}"], &["{Team}", "{team", "-{team}"]);
        assert!(template("-{team}", alias).unwrap_err().contains("`-{team}`"));
    }

    #[test]
    fn tags_of_others() {
        for (key, value) in [("cost-center", "4711"), ("Kostenstelle Süd", "a b+c=d@e:f/g"), ("teams", "x"), ("a", "")]
        {
            assert_eq!(tag(key, value), Ok(()), "{key}");
        }
        for (key, value) in [
            ("", "a"),
            ("aws:x", "a"),
            ("AWS:x", "a"),
            ("overlord:team", "a"),
            ("Name", "a"),
            ("team", "a"),
            ("a?", "b"),
            ("a", "b?"),
            ("Team", "a"),
            ("Layer", "a"),
            ("MINION:x", "a"),
            ("ทีม", "a"),
            ("a", "ทีม"),
            ("a", "x "),
            ("a", "aws:x"),
        ] {
            assert!(tag(key, value).is_err(), "{key}");
        }
        assert!(tag(&"ä".repeat(128), &"ä".repeat(256)).is_ok());
        assert!(tag(&"a".repeat(129), "b").is_err() && tag("a", &"a".repeat(257)).is_err());
    }

    #[test]
    fn networks() {
        let net = |s: &str| s.parse::<Ipv4Net>().unwrap();
        assert_eq!(network(net("10.0.0.0/8")), Ok(()));
        assert!(network(net("10.0.0.1/8")).unwrap_err().contains("10.0.0.0/8"));
        for private in ["10.0.0.0/8", "10.2.0.0/19", "172.16.0.0/12", "192.168.4.0/24", "100.64.0.0/10"] {
            assert!(is_private(&net(private)), "{private}");
        }
        for other in ["0.0.0.0/0", "172.0.0.0/8", "100.0.0.0/8", "203.0.113.0/24", "8.0.0.0/7"] {
            assert!(!is_private(&net(other)), "{other}");
        }
        for (address, good) in [
            ("203.0.113.7", true),
            ("10.0.0.1", false),
            ("100.127.0.1", false),
            ("0.0.0.0", false),
            ("100.128.0.1", true),
            ("169.254.1.1", false),
        ] {
            assert_eq!(public(address.parse().unwrap()).is_ok(), good, "{address}");
        }
    }
}
