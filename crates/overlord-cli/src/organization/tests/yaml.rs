//! What YAML makes of what people write: text that must stay text, characters that it reserves, and numbers.
use super::*;

#[test]
fn text_is_as_it_is_written() {
    for value in ["012345678901", "1.10", "0x10", "on", "1_000", "1e3", "12:30:45"] {
        let files = Files::new(&format!("{HEAD}teams: {{tags: {{version: {value}}}}}\n"));
        assert_eq!(files.load().unwrap().organization.teams.tags["version"], value);
        let team = files.team(&format!("team: red\ntags: {{own: {value}}}\n")).unwrap();
        assert_eq!(team.tags["own"], value);
    }
    let files = Files::new(&format!("{HEAD}accounts: {{home: {{account: 012345678901}}, external_id: 0x10}}\n"));
    let accounts = files.load().unwrap().organization.accounts;
    assert_eq!(
        (accounts.home.account.as_deref(), accounts.external_id.as_deref()),
        (Some("012345678901"), Some("0x10"))
    );
}

#[test]
fn reserved_characters_come_with_the_quotes_that_are_missing() {
    for (more, said) in [
        ("teams: {identity: {account_alias: {team}}}\n", "Quote the value: \"{team}\""),
        ("teams:\n  identity:\n    account_alias: {team}-prod\n", "Quote the value: \"{team}-prod\""),
        ("accounts: {new: {email: {team}@example.org}}\n", "Quote the value: \"{team}@example.org\""),
        ("teams: {tags: {owner: @red}}\n", "Quote the value: \"@red\""),
        ("teams: {tags: {share: %5}}\n", "Quote the value: \"%5\""),
        ("domains: [{name: *.example.org}]\n", "Quote the value: \"*.example.org\""),
        ("teams: {identity: {trusted: [*]}}\n", "Quote the value: \"*\""),
        ("teams: {tags: {owner: !Ref Owner}}\n", "Quote the value: \"!Ref Owner\""),
        ("teams:\n\tnat: none\n", "Indent with spaces"),
    ] {
        let error = told(more);
        assert!(error.contains("./overlord.yaml, line ") && error.contains(said), "{more}{error}");
    }
    let error = told_team("", "tags: {owner: `red`}\n");
    assert!(error.contains("./team.yaml, line 2") && error.contains("Quote the value: \"`red`\""), "{error}");
}

#[test]
fn numbers_say_what_is_wrong_and_what_to_write() {
    for (more, said) in [
        ("teams: {zones: 03}\n", "Write 3."),
        ("teams: {zones: 300}\n", "300 is out of range: 1 to 8"),
        ("teams: {zones: 3.0}\n", "Write 3."),
        ("teams: {flow_logs_days: 030}\n", "Write 30."),
        ("teams: {flow_logs_days: 30 days}\n", "without a unit"),
        ("teams: {guard_rails: {budget: {usd: 1,000, notify: []}}}\n", "comma"),
        ("teams:\n  guard_rails:\n    budget:\n      usd: 1,000\n      notify: []\n", "digits only"),
        ("teams:\n  guard_rails:\n    budget: {usd: 100$, notify: []}\n", "digits only"),
        ("teams: {vpn: {gateway: 203.0.113.7, asn: 065000, routes: [10.0.0.0/8]}}\n", "Write 65000."),
        ("teams: {vpn: {gateway: 203.0.113.07, routes: [10.0.0.0/8]}}\n", "Write 203.0.113.7:"),
        ("teams: {peers: [010.3.0.0/16]}\n", "Write 10.3.0.0/16:"),
        ("teams: {vpn: {gateway: 203.0.113.7, routes: [10.0.0.0/8, '10.3.0.0/016']}}\n", "Write 10.3.0.0/16:"),
        ("teams: {identity: {session_hours: 8h}}\n", "without a unit"),
    ] {
        let error = told(more);
        assert!(error.contains("./overlord.yaml, line ") && error.contains(said), "{more}{error}");
    }
    for addresses in ["{pool: [010.0.0.0/8]}", "{pool: [10.0.0.0/8], reserved: [10.3.00.0/16]}"] {
        let error = told_of(&format!("organization: acme\naddresses: {addresses}\n"));
        assert!(error.contains("line 2") && error.contains("an address has no leading zeros"), "{error}");
    }
    let error = told_team("", "network_size: /19\n");
    assert!(error.contains("whole number"), "{error}");
}
