//! What users are told of mistakes.
use super::*;

#[test]
fn mistakes_in_yaml_show_the_line() {
    assert_snapshot!(told_of(""), @r"
    organization file ./overlord.yaml is empty
    Hint: The least that it needs is organization and addresses: `organization: acme` and `addresses: {pool: [10.0.0.0/8]}`.
    ");
    assert_snapshot!(told_of("organization: acme\n"), @r"
    ./overlord.yaml, line 1, column 1: `addresses` is missing
      |
    1 | organization: acme
      | ^
    ");
    assert_snapshot!(told_of("organization: Acme Inc\naddresses: {pool: []}\n"), @r"
    ./overlord.yaml, line 1, column 15: `Acme Inc` is not an organization's name. At most 32 small letters, digits and single dashes; a letter at the beginning, no dash at the end
      |
    1 | organization: Acme Inc
      |               ^
    ");
    assert_snapshot!(told("team:\n  zones: 2\n"), @r"
    ./overlord.yaml, line 3, column 1: unknown key `team`
      |
    3 | team:
      | ^
    Hint: Did you mean `teams`?
    ");
    assert_snapshot!(told("teams:\n  nat: none\n  gard_rails: {}\n"), @r"
    ./overlord.yaml, line 5, column 3: unknown key `gard_rails`
      |
    5 |   gard_rails: {}
      |   ^
    Hint: Did you mean `guard_rails`?
    ");
    assert_snapshot!(told("teams:\n  nat: singel\n"), @r"
    ./overlord.yaml, line 4, column 8: invalid value `singel`: expected one of per-az, single, instance, none
      |
    4 |   nat: singel
      |        ^
    Hint: Did you mean `single`?
    ");
    assert_snapshot!(told("domains: example.org\n"), @r"
    ./overlord.yaml, line 3, column 10: expected a list, e.g. [eu-west-1]
      |
    3 | domains: example.org
      |          ^
    ");
    assert_snapshot!(told_of("organization: acme\naddresses:\n  pool: [10.0.0.0/33]\n"), @r"
    ./overlord.yaml, line 3, column 10: expected an address or network, e.g. 10.0.0.1 or 10.0.0.0/16
      |
    3 |   pool: [10.0.0.0/33]
      |          ^
    ");
    assert_snapshot!(told_of("organization: acme\naddresses:\n  pool: [10.0.0.0/8]\n  network: nineteen\n"), @r"
    ./overlord.yaml, line 4, column 12: expected a whole number that is not negative
      |
    4 |   network: nineteen
      |            ^
    ");
}

/// A team's file is read by hand: it must be told as well as if it were not.
#[test]
fn mistakes_in_a_teams_file_show_the_line() {
    assert_snapshot!(told_team("", "nat: none\nregion: [eu-west-1]\n"), @r"
    ./team.yaml, line 3, column 1: unknown key `region`
      |
    3 | region: [eu-west-1]
      | ^
    Hint: Did you mean `regions`?
    ");
    assert_snapshot!(told_team("", "zones: three\n"), @r"
    ./team.yaml, line 2, column 8: expected a number of zones, or a list of their IDs, e.g. 3 or [euw1-az1, euw1-az2]
      |
    2 | zones: three
      |        ^
    ");
    assert_snapshot!(told_team("", "identity:\n  session_hour: 3\n"), @r"
    ./team.yaml, line 3, column 3: unknown key `session_hour`
      |
    3 |   session_hour: 3
      |   ^
    Hint: Did you mean `session_hours`?
    ");
    assert_snapshot!(told_team("", "nat: none\nnat: single\n"), @r"
    ./team.yaml, line 3, column 1: duplicate key `nat`
      |
    3 | nat: single
      | ^
    ");
    assert_snapshot!(told_team("", "team: blue\n"), @r"
    ./team.yaml, line 2, column 1: duplicate key `team`
      |
    2 | team: blue
      | ^
    ");
    assert_snapshot!(told_team("", "account: 123456789012\n"), @r#"
    ./team.yaml, line 2, column 10: an account number stands in quotes, e.g. "012345678901": YAML takes digits without quotes for a number, and drops zeros in front
      |
    2 | account: 123456789012
      |          ^
    "#);
    assert_snapshot!(told_team("", "account: 012345678901\n"), @r#"
    ./team.yaml, line 2, column 10: an account number stands in quotes, e.g. "012345678901": YAML takes digits without quotes for a number, and drops zeros in front
      |
    2 | account: 012345678901
      |          ^
    "#);
    assert_snapshot!(told_team("", "account: [a]\n"), @r#"
    ./team.yaml, line 2, column 1: expected `current`, `new`, an account number in quotes, or `{account: "..", role: ..}`
      |
    2 | account: [a]
      | ^
    "#);
    assert_snapshot!(told_team("", "account:\n  number: \"123456789012\"\n"), @r#"
    ./team.yaml, line 3, column 3: unknown key `number`
      |
    3 |   number: "123456789012"
      |   ^
    Hint: The keys here are account, role, region.
    "#);
    assert_snapshot!(told_team("", "account: {role: admin}\n"), @r"
    ./team.yaml, line 2, column 10: `account` is missing: the number of the team's account
      |
    2 | account: {role: admin}
      |          ^
    ");
    assert_snapshot!(told_team("", "account: \"1234\"\n"), @r#"
    ./team.yaml, line 2, column 10: `1234` is no account number: 12 digits, in quotes, because YAML drops zeros in front of a number; or one of the words `current` and `new`
      |
    2 | account: "1234"
      |          ^
    "#);
    assert_snapshot!(told_team("", "network_size: 22\n"), @r"
    ./team.yaml, line 2, column 15: 22 is out of range: 16 to 21
      |
    2 | network_size: 22
      |               ^
    ");
    let files = Files::new(HEAD);
    assert_snapshot!(files.words(&files.team("team: Red\n").unwrap_err()), @r"
    ./team.yaml, line 1, column 7: `Red` is not a team's name. At most 32 small letters, digits and single dashes; a letter at the beginning, no dash at the end
      |
    1 | team: Red
      |       ^
    ");
    assert_snapshot!(files.words(&files.team("zones: 2\n").unwrap_err()), @r"
    ./team.yaml, line 1, column 1: `team` is missing
      |
    1 | zones: 2
      | ^
    ");
    assert_snapshot!(files.words(&files.team("- team\n").unwrap_err()), @r"
    ./team.yaml, line 1, column 1: expected keys with values, e.g. `team: red`
      |
    1 | - team
      | ^
    ");
    assert_eq!(
        files.team("team: red\naccount: \"012345678901\"\n").unwrap().account,
        TeamAccount::Number("012345678901".into())
    );
    // Nothing is a value, too, but not where keys have to be.
    assert!(told("teams:\n").contains("line 3, column 6: expected keys with values"));
    assert_eq!(files.team("team: red\nguard_rails:\nvpn:\n").unwrap().zones, Zones::Count(3));
    assert_eq!(files.team("team: red\naccount:\nzones:\n").unwrap().zones, Zones::Count(3));
}

#[test]
fn addresses_are_checked() {
    let addresses = |text: &str| told_of(&format!("organization: acme\naddresses:\n{text}"));
    assert_snapshot!(addresses("  pool: []\n"), @r"
    ./overlord.yaml, line 3, column 9: the pool is empty: name at least one network, e.g. 10.0.0.0/8
      |
    3 |   pool: []
      |         ^
    ");
    assert_snapshot!(addresses("  pool:\n    - 10.0.0.0/9\n    - 10.64.0.0/10\n"), @r"
    ./overlord.yaml, line 5, column 7: 10.64.0.0/10 overlaps 10.0.0.0/9, which stands above
      |
    5 |     - 10.64.0.0/10
      |       ^
    ");
    assert_snapshot!(addresses("  pool: [10.0.0.1/8]\n"), @r"
    ./overlord.yaml, line 3, column 10: 10.0.0.1/8 is an address within 10.0.0.0/8; write 10.0.0.0/8, or the network that is meant
      |
    3 |   pool: [10.0.0.1/8]
      |          ^
    ");
    assert_snapshot!(addresses("  pool: [169.254.0.0/16]\n"), @r"
    ./overlord.yaml, line 3, column 10: 169.254.0.0/16 cannot be used: there are no networks in 169.254.0.0/16
      |
    3 |   pool: [169.254.0.0/16]
      |          ^
    ");
    assert_snapshot!(addresses("  pool: [10.0.0.0/8]\n  network: 22\n"), @r"
    ./overlord.yaml, line 4, column 12: 22 is out of range: 16 to 21
      |
    4 |   network: 22
      |            ^
    ");
    assert_snapshot!(addresses("  pool: [10.0.0.0/20]\n"), @r"
    ./overlord.yaml, line 3, column 3: the pool, without what is reserved, has no room for a /19
      |
    3 |   pool: [10.0.0.0/20]
      |   ^
    ");
    assert_snapshot!(addresses("  pool: [10.0.0.0/8]\n  reserved: [10.0.0.0/9, 10.128.0.0/9]\n"), @r"
    ./overlord.yaml, line 4, column 13: the whole pool is reserved: nothing is left for teams
      |
    4 |   reserved: [10.0.0.0/9, 10.128.0.0/9]
      |             ^
    ");
    assert_snapshot!(told_team("", "network_size: 16\nvpn:\n  gateway: 203.0.113.7\n  routes: [192.168.0.0/16, 10.3.0.0/16]\n"), @r"
    ./team.yaml, line 5, column 28: 10.3.0.0/16 overlaps 10.0.0.0/8 of the pool
      |
    5 |   routes: [192.168.0.0/16, 10.3.0.0/16]
      |                            ^
    ");
    assert_snapshot!(told("teams:\n  vpn: {gateway: 203.0.113.7, routes: [0.0.0.0/0]}\n"), @r"
    ./overlord.yaml, line 4, column 40: 0.0.0.0/0 overlaps 10.0.0.0/8 of the pool
      |
    4 |   vpn: {gateway: 203.0.113.7, routes: [0.0.0.0/0]}
      |                                        ^
    ");
}

#[test]
fn what_aws_would_refuse_is_refused_before() {
    let all: Vec<String> = [
        "teams: {regions: []}",
        "teams: {regions: [eu-west-1, eu-west-1]}",
        "teams: {regions: [Ireland]}",
        "teams: {zones: 9}",
        "teams: {zones: 0}",
        "teams: {zones: 300}",
        "teams: {zones: []}",
        "teams: {zones: [us-east-1a]}",
        "teams: {zones: [use1-az1, use1-bos1-az1]}",
        "teams: {zones: [use1-az1, use1-az1]}",
        "teams: {zones: [a-az1]}",
        "teams: {zones: [use1-az1, use1-az2, use1-az3, use1-az4, use1-az5, use1-az6, use1-az7, use1-az8, use1-az9]}",
        "teams: {dns_servers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5]}",
        "teams: {internal_domain: Example}",
        "teams: {flow_logs_days: 31}",
        "teams: {vpn: {gateway: 10.0.0.1, routes: [192.168.0.0/16]}}",
        "teams: {vpn: {gateway: 203.0.113.7, asn: 0, routes: [192.168.0.0/16]}}",
        "teams: {vpn: {gateway: 203.0.113.7, routes: []}}",
        "teams: {identity: {session_hours: 13}}",
        "teams: {identity: {trusted: ['*']}}",
        "teams: {identity: {account_alias: 'Acme-{team}'}}",
        "teams: {identity: {account_alias: 'acme-{tema}'}}",
        "teams: {guard_rails: {audit_trail_days: 0}}",
        "teams: {guard_rails: {audit_trail_days: 36501}}",
        "teams: {guard_rails: {budget: {usd: 0, notify: [a@example.org]}}}",
        "teams: {guard_rails: {budget: {usd: 1, notify: []}}}",
        "teams: {guard_rails: {budget: {usd: 1, notify: [nobody]}}}",
        "teams: {guard_rails: {budget: {usd: 1, notify: [a@b.c, b@b.c, c@b.c, d@b.c, e@b.c, f@b.c, g@b.c, h@b.c, i@b.c, j@b.c, k@b.c]}}}",
        "teams: {registry: 'https://registry.example.org'}",
        "teams: {peers: [192.168.1.1/16]}",
        "teams: {tags: {'aws:x': y}}",
        "teams: {tags: {team: y}}",
        "accounts: {home: {account: '12345'}}",
        "accounts: {role: 'arn:aws:iam::123456789012:role/x'}",
        "accounts: {through: [hub]}",
        "accounts: {new: {email: aws@example.org}}",
        "accounts: {new: {email: 'aws+{team}@example.org', organizational_unit: live}}",
        "domains: [{name: example}]",
        "domains: [{name: example.org}, {name: example.org}]",
        "domains: [{name: example.org, zone_id: /hostedzone/Z1}]",
    ]
    .iter()
    .map(|more| {
        let words = told(&format!("{more}\n"));
        let (first, rest) = words.split_once('\n').unwrap();
        assert!(first.starts_with("./overlord.yaml, line 3, column "), "{words}");
        assert!(rest.contains('^'), "{words}");
        first.to_owned()
    })
    .collect();
    assert_snapshot!(all.join("\n"), @r"
    ./overlord.yaml, line 3, column 18: a team needs at least one region
    ./overlord.yaml, line 3, column 30: duplicate eu-west-1
    ./overlord.yaml, line 3, column 19: `Ireland` is no region, such as eu-west-1
    ./overlord.yaml, line 3, column 16: 9 is out of range: 1 to 8
    ./overlord.yaml, line 3, column 16: 0 is out of range: 1 to 8
    ./overlord.yaml, line 3, column 16: 300 is out of range: 1 to 8
    ./overlord.yaml, line 3, column 16: invalid list of zones: name at least one, e.g. [euw1-az1, euw1-az2]
    ./overlord.yaml, line 3, column 17: invalid zone ID `us-east-1a`: expected one such as use1-az1; names such as us-east-1a differ between accounts, and Local Zones and Wavelength Zones cannot be used
    ./overlord.yaml, line 3, column 27: invalid zone ID `use1-bos1-az1`: expected one such as use1-az1; names such as us-east-1a differ between accounts, and Local Zones and Wavelength Zones cannot be used
    ./overlord.yaml, line 3, column 27: duplicate use1-az1
    ./overlord.yaml, line 3, column 17: invalid zone ID `a-az1`: expected one such as use1-az1; names such as us-east-1a differ between accounts, and Local Zones and Wavelength Zones cannot be used
    ./overlord.yaml, line 3, column 97: invalid zone `use1-az9`: a network has at most 8 zones
    ./overlord.yaml, line 3, column 22: 5 name servers; AWS allows 4
    ./overlord.yaml, line 3, column 26: `Example` is no domain, such as example.org: small letters, digits and dashes, no dot at the end
    ./overlord.yaml, line 3, column 25: logs cannot be kept for 31 days
    ./overlord.yaml, line 3, column 24: 10.0.0.1 cannot be reached from the internet: the gateway's public address is meant
    ./overlord.yaml, line 3, column 42: 0 is out of range: 1 to 4294967295
    ./overlord.yaml, line 3, column 45: without routes to your networks a VPN leads nowhere
    ./overlord.yaml, line 3, column 35: 13 is out of range: 1 to 12 hours
    ./overlord.yaml, line 3, column 30: `*` is neither an account number (12 digits, in quotes) nor the ARN of a role or user
    ./overlord.yaml, line 3, column 35: `Acme-{team}` is no account alias: 3 to 63 small letters, digits and single dashes, none at either end
    ./overlord.yaml, line 3, column 35: `acme-{tema}`: only {team} and {organization} are replaced
    ./overlord.yaml, line 3, column 41: invalid audit_trail_days `0`: from 1 to 36500 days
    ./overlord.yaml, line 3, column 41: invalid audit_trail_days `36501`: from 1 to 36500 days
    ./overlord.yaml, line 3, column 37: a budget is at least 1 dollar
    ./overlord.yaml, line 3, column 48: nobody would be told: name at least one e-mail address
    ./overlord.yaml, line 3, column 49: `nobody` is no e-mail address
    ./overlord.yaml, line 3, column 48: 11 addresses; AWS allows 10
    ./overlord.yaml, line 3, column 19: `https://registry.example.org` is no registry: a host or host:port, without https:// and without a path
    ./overlord.yaml, line 3, column 17: 192.168.1.1/16 is an address within 192.168.0.0/16; write 192.168.0.0/16, or the network that is meant
    ./overlord.yaml, line 3, column 25: invalid tag key `aws:x`: it must not begin with aws:, which AWS reserves
    ./overlord.yaml, line 3, column 22: invalid tag key `team`: this tag is set automatically
    ./overlord.yaml, line 3, column 28: `12345` is no account number: 12 digits, in quotes, because YAML drops zeros in front of a number
    ./overlord.yaml, line 3, column 18: `arn:aws:iam::123456789012:role/x` is no role's name (not its ARN; at most 64 letters, digits and _+=,.@-)
    ./overlord.yaml, line 3, column 22: `hub` is no role's ARN, such as arn:aws:iam::123456789012:role/hub
    ./overlord.yaml, line 3, column 25: `aws@example.org` would be every team's
    ./overlord.yaml, line 3, column 72: `live` is no organizational unit's id, such as ou-ab12-34cd56ef
    ./overlord.yaml, line 3, column 18: `example` is no domain, such as example.org: small letters, digits and dashes, no dot at the end
    ./overlord.yaml, line 3, column 39: duplicate example.org
    ./overlord.yaml, line 3, column 40: `/hostedzone/Z1` is no hosted zone's id, such as Z0123456789ABCDEFGHIJ
    ");
}

#[test]
fn both_files_have_to_go_together() {
    assert_snapshot!(told_team("domains: [{name: example.org}]\n", "domains: [example.org, example.net]\n"), @r"
    ./team.yaml, line 2, column 24: `example.net` is no domain of the organization's
      |
    2 | domains: [example.org, example.net]
      |                        ^
    Hint: ./overlord.yaml has example.org.
    ");
    assert_snapshot!(told_team("", "domains: [example.net]\n"), @r"
    ./team.yaml, line 2, column 11: `example.net` is no domain of the organization's
      |
    2 | domains: [example.net]
      |           ^
    Hint: ./overlord.yaml has none: name it under `domains` there.
    ");
    assert_snapshot!(told_team("", "account: new\n"), @r"
    ./team.yaml, line 2, column 10: how new accounts are made is not known
      |
    2 | account: new
      |          ^
    Hint: Say it under `accounts`, `new` in ./overlord.yaml, or name an account.
    ");
    assert_snapshot!(told_team("teams:\n  identity: {saml_metadata: idp.xml}\n", ""), @r"
    ./overlord.yaml, line 4, column 29: ./idp.xml cannot be read: No such file or directory (os error 2)
      |
    4 |   identity: {saml_metadata: idp.xml}
      |                             ^
    ");
    assert_snapshot!(told_team("", "identity: {saml_metadata: overlord.yaml}\n"), @r"
    ./team.yaml, line 2, column 27: invalid SAML metadata ./overlord.yaml: it has no EntityDescriptor: it is not SAML metadata
      |
    2 | identity: {saml_metadata: overlord.yaml}
      |                           ^
    ");
    // Found by fuzzing: what never ends was read until the memory was full.
    assert_snapshot!(told_team("", "identity: {saml_metadata: /dev/zero}\n"), @r"
    ./team.yaml, line 2, column 27: /dev/zero is no file
      |
    2 | identity: {saml_metadata: /dev/zero}
      |                           ^
    ");
    let long = "a".repeat(60);
    assert_snapshot!(told_team(&format!("domains: [{{name: {long}.org}}]\n"), ""), @r"
    ./overlord.yaml, line 3, column 18: red.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org is too long: a certificate's name has at most 64 characters
      |
    3 | domains: [{name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org}]
      |                  ^
    ");
    assert_snapshot!(told_team(&format!("teams: {{identity: {{account_alias: '{long}-{{team}}'}}}}\n"), ""), @r"
    ./overlord.yaml, line 3, column 35: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-{team}` is no account alias: 3 to 63 small letters, digits and single dashes, none at either end
      |
    3 | teams: {identity: {account_alias: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-{tea
      |                                   ^
    ");
    assert_snapshot!(told_team(&format!("accounts: {{new: {{email: '{long}{{team}}@example.org'}}}}\n"), "account: new\n"), @r"
    ./overlord.yaml, line 3, column 25: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaared@example.org has 75 characters; AWS allows 6 to 64
      |
    3 | accounts: {new: {email: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{team}@example.
      |                         ^
    ");
    let tags = |from: usize, to: usize| {
        let all: Vec<String> = (from..to).map(|n| format!("t{n}: x")).collect();
        format!("tags: {{{}}}", all.join(", "))
    };
    let words = told_team(&format!("teams: {{{}}}\n", tags(0, 30)), &format!("{}\n", tags(20, 41)));
    assert!(words.contains("team.yaml, line 2") && words.contains("41 tags together"), "{words}");
    let files = Files::new(&format!("{HEAD}teams: {{{}}}\n", tags(0, 30)));
    assert_eq!(files.team(&format!("team: red\n{}\n", tags(20, 40))).unwrap().tags.len(), 40);
}
