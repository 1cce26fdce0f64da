//! What YAML makes of what people write: text that must stay text, characters that it reserves, and numbers.
use super::*;

fn conditions(condition: &str) -> serde_json::Value {
    let text = format!(
        "{HEAD}policies:\n- effect: Deny\n  actions: s3:GetObject\n  resources: \"*\"\n  condition:\n{condition}"
    );
    let manifest = parse(&text, "m").unwrap_or_else(|e| panic!("{}", words(&e)));
    manifest.policies[0].to_json()["Condition"].clone()
}

#[test]
fn a_policys_conditions_are_as_they_are_written() {
    let read = conditions(
        "    StringEquals:\n      \"aws:PrincipalAccount\": [012345678901]\n      \"aws:PrincipalTag/version\": [1.10]\n      \"aws:PrincipalTag/flag\": [0x10, on, 1_000]\n",
    );
    assert_eq!(
        read.to_string(),
        r#"{"StringEquals":{"aws:PrincipalAccount":["012345678901"],"aws:PrincipalTag/flag":["0x10","on","1_000"],"aws:PrincipalTag/version":["1.10"]}}"#
    );
    for (written, kept) in [
        ("012345678901", "012345678901"),
        ("1.10", "1.10"),
        ("0x10", "0x10"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("+5", "+5"),
        ("-0", "-0"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("0o17", "0o17"),
        ("true", "true"),
        ("No", "No"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("99999999999999999999", "99999999999999999999"),
        ("'007'", "007"),
        ("\"a: b\"", "a: b"),
        ("10.0.0.0/8 # the network", "10.0.0.0/8"),
    ] {
        let read = conditions(&format!("    StringEquals: {{ \"a:b\":   {written} \n    }}\n"));
        assert_eq!(read["StringEquals"]["a:b"], kept, "{written}");
        let list = conditions(&format!("    StringEquals:\n      a:b:\n      - {written}\n      - x\n"));
        assert_eq!(list["StringEquals"]["a:b"][0], kept, "{written}");
    }
    // An alias stands for what is written where its anchor is.
    let read = conditions("    StringEquals: {a: &version 1.10, b: *version, c: [*version, ä, 0755]}\n");
    assert_eq!(read["StringEquals"], serde_json::json!({"a": "1.10", "b": "1.10", "c": ["1.10", "ä", "0755"]}));
}

#[test]
fn text_is_as_it_is_written_wherever_it_stands() {
    let values = ["012345678901", "1.10", "0x10", "on", "1_000", "1e3", ".inf", "2024-01-01", "-0", "12:30:45"];
    for value in values {
        let text = format!(
            "{HEAD}team_name: {value}\nenvironment: {{A: {value}}}\ntags: {{a: {value}}}\nlogging:\n  options: {{awslogs-stream: {value}}}\n"
        );
        let m = parse(&text, "m").unwrap_or_else(|e| panic!("{}", words(&e)));
        assert_eq!(m.team_name.as_ref().map(|t| t.as_str()), Some(value));
        assert_eq!(m.environment.values().next().unwrap().as_str(), value);
        assert_eq!(m.extra_tags()["a"], value);
        assert_eq!(m.logging.options["awslogs-stream"].as_str(), value);
        let again = parse(&m.to_yaml().unwrap(), "again").unwrap_or_else(|e| panic!("{}", words(&e)));
        assert_eq!(again, m);
    }
}

/// What cannot stay as it is written is refused.
#[test]
fn values_that_yaml_would_change_are_refused() {
    let tag = more("environment:\n  TABLE: !Ref Table\n");
    assert!(tag.contains("myapp.yaml, line 4, ") && tag.contains("Quote the value: \"!Ref Table\""), "{tag}");
    for bad in [
        "environment: {A: !Sub x}",
        "environment: {A: ~}",
        "environment: {A: null}",
        "policies: [{actions: 's3:*', resources: '*', condition: {Null: {a: }}}]",
        "policies: [{actions: 's3:*', resources: '*', condition: {StringEquals: {a: {b: c}}}}]",
        "policies: [{actions: 's3:*', resources: '*', condition: {StringEquals: [a]}}]",
        "policies: [{actions: [null], resources: '*'}]",
        "team_name: !important x",
    ] {
        assert!(more(bad).contains("myapp.yaml, line 3"), "{bad}: {}", more(bad));
    }
}

#[test]
fn reserved_characters_come_with_the_quotes_that_are_missing() {
    for (text, column, quoted, reserved) in [
        ("policies: [{actions: s3:ListAllMyBuckets, resources: *}]\n", "", "\"*\"", "*"),
        ("environment: {OWNER: @team}\n", "22", "\"@team\"", "@"),
        ("environment: {FORMAT: %h %l}\n", "23", "\"%h %l\"", "%"),
        ("environment: {CMD: `id`}\n", "20", "\"`id`\"", "`"),
        ("logging: {options: {tag: {{.Name}}/{{.ID}}}}\n", "26", "\"{{.Name}}/{{.ID}}\"", "{{"),
    ] {
        let error = more(text);
        assert!(error.starts_with(&format!("myapp.yaml, line 3, column {column}")), "{error}");
        assert!(error.contains(&format!("\nHint: Quote the value: {quoted} (YAML reserves `{reserved}`).")), "{error}");
        assert!(error.contains("\n3 | ") && error.contains(&text.trim_end()[10..]), "the line is shown: {error}");
    }
}

/// The advice is right: with it, the manifest has the value that was meant.
#[test]
fn the_quotes_make_the_value() {
    for (line, value) in [
        ("  A: @team", "@team"),
        ("  A: %h %l", "%h %l"),
        ("  A: `id`", "`id`"),
        ("  A: *", "*"),
        ("  A: *.example.org", "*.example.org"),
        ("  A: {{.Name}}/{{.ID}}", "{{.Name}}/{{.ID}}"),
        ("  A: {{ .Values.name }}", "{{ .Values.name }}"),
        ("  A: !Ref Table", "!Ref Table"),
        ("  A: !important", "!important"),
        ("  A: #fff", "#fff"),
        ("  A: &x", "&x"),
        ("  A: >=1.2", ">=1.2"),
        ("  A: |x", "|x"),
        ("  A: a: b", "a: b"),
        ("  A: error:", "error:"),
        ("  A: - b", "- b"),
        ("  A: [a, b]", "[a, b]"),
        ("  A: {\"a\": 1}", "{\"a\": 1}"),
        ("  A: {team}@example.org", "{team}@example.org"),
        ("  A: 'it's'", "it's"),
        ("  A: \"\\d+\"", "\\d+"),
        ("  A: \"a\" b", "\"a\" b"),
        ("  A: ]", "]"),
    ] {
        let text = format!("environment:\n{line}\n  B: c\n");
        let error = more(&text);
        assert!(error.contains("myapp.yaml, line 4, column "), "{line}: {error}");
        let hint = error.lines().find_map(|l| l.strip_prefix("Hint: Quote the value: "));
        let hint = hint.unwrap_or_else(|| panic!("{line}: {error}"));
        let quoted = &hint[..hint.rfind(" (YAML reserves").unwrap()];
        let m = parse(&format!("{HEAD}environment:\n  A: {quoted}\n  B: c\n"), "m").unwrap();
        assert_eq!(m.environment.values().next().unwrap().as_str(), value, "{error}");
    }
    // Inside of brackets, and over several lines.
    for (text, value) in [
        ("environment: {A: @team, B: c}\n", "@team"),
        ("environment: {\n  A: @team,\n  B: c\n}\n", "@team"),
        ("environment: {B: c, A: ${HOME}/bin}\n", "${HOME}/bin"),
        ("environment: {A: {{.ID}}, B: c}\n", "{{.ID}}"),
        ("tags: {a: %x}\n", "%x"),
        ("policies: [{actions: [s3:GetObject, *], resources: '*'}]\n", "*"),
        ("policies:\n- actions: s3:GetObject\n  resources:\n  - *\n", "*"),
        ("instance_type: @x\n", "@x"),
    ] {
        let error = more(text);
        assert!(error.contains(&format!("Hint: Quote the value: \"{value}\" (YAML reserves")), "{text}{error}");
    }
}

#[test]
fn a_comma_in_brackets_ends_a_value() {
    assert!(more("health_check: {codes: 200,204}\n").contains("Hint: Quote a value that has a comma inside { }"));
    assert!(!more("health_check: {code: 200,204}\n").contains("comma"));
}

#[test]
fn tabs_and_other_mistakes_keep_their_words() {
    assert!(more("environment:\n\tA: b\n").contains("Hint: Indent with spaces"));
    assert!(more("environment: {A: [1]}\n").contains("expected one value, not a list or a map"));
    assert!(!more("exposed_protocol: [http]\n").contains("is empty"));
}

#[test]
fn numbers_say_what_is_wrong_and_what_to_write() {
    assert_snapshot!(told("application_name: web\nexposed_ports: [08080]\n"), @r"
    myapp.yaml, line 2, column 17: invalid whole number `08080`: a number has no leading zeros
      |
    2 | exposed_ports: [08080]
      |                 ^
    Hint: Write 8080.
    ");
    assert_snapshot!(more("cpu: 0,5\n"), @r"
    myapp.yaml, line 3, column 6: invalid number `0,5`: the decimal separator is a point
      |
    3 | cpu: 0,5
      |      ^
    Hint: Write 0.5.
    ");
    let memory = more("memory_mb: 0512\n");
    assert!(memory.contains("invalid whole number `0512`: a number has no leading zeros; write 512"), "{memory}");
    for (bad, said) in [
        ("health_check: {interval: 020}", "Write 20."),
        ("health_check: {interval: 20.0}", "Write 20."),
        ("health_check: {interval: 20s}", "without a unit"),
        ("health_check: {interval: -5}", "out of range: 0 to 4294967295"),
        ("health_check: {interval: 99999999999}", "out of range"),
        ("health_check: {port: 08080}", "Write 8080."),
        ("health_check: {port: 1e3}", "Write 1000."),
        ("health_check: {port: -1}", "-1 is not a port"),
        ("scaling: {max: 1.5}", "no fraction"),
        ("scaling: {max: 1,000}", "comma"),
        ("scaling: {target_cpu_percent: 50%}", "without a unit"),
        ("scaling: {target_cpu_percent: much}", "expected a number"),
        ("memory_mb: 512MB", "without a unit"),
        ("memory_mb: 512.0", "write 512"),
        ("memory_mb: {hard: 0512}", "Write 512."),
        ("memory_mb: 1e3", "write 1000"),
        ("memory_mb: true", "a number of MiB"),
        ("memory_mb: [512]", "expected"),
        ("filesystems: [{mountpoint: /a, size_mb: 64M}]", "without a unit"),
        ("logging: {retention_days: 030}", "Write 30."),
        ("cpu: 500m", "without a unit"),
        ("cpu: \"half\"", "expected a number"),
    ] {
        let error = more(bad);
        assert!(error.contains(said) && error.contains("myapp.yaml, line 3, column "), "{bad}: {error}");
    }
    // What YAML 1.2 says is a number, and what others write for one, is that number.
    for (port, number) in
        [("8080", 8080), ("0x1F90", 8080), ("0o17", 15), ("+5", 5), ("1_000", 1000), ("\"8080\"", 8080)]
    {
        let m = parse(&format!("application_name: web\nexposed_ports: [{port}]\n"), "m").unwrap();
        assert_eq!(m.traffic_port().get(), number, "{port}");
    }
    for (memory, number) in [("512", 512), ("0x200", 512), ("1_024", 1024), ("\"64\"", 64)] {
        let m = parse(&format!("{HEAD}memory_mb: {memory}\n"), "m").unwrap();
        assert_eq!(m.memory_mb.unwrap().hard, Some(number), "{memory}");
    }
}

#[test]
fn health_check_codes() {
    for good in ["200", "'200,204'", "200-299", "'200-399,401'", "'200-299,301-308'", "'401,200-204,429'", "499"] {
        let m =
            parse(&format!("{HEAD}health_check: {{codes: {good}}}\n"), "m").unwrap_or_else(|e| panic!("{}", words(&e)));
        assert_eq!(m.health_check_codes(), Some(good.trim_matches('\'')));
    }
    assert_snapshot!(more("health_check: {path: /health, codes: '200, 204'}\n"), @r"
    myapp.yaml, line 3, column 38: invalid HTTP codes `200, 204`: codes and ranges within 200 to 499, e.g. 200,204 or 200-299,401
      |
    3 | health_check: {path: /health, codes: '200, 204'}
      |                                      ^
    Hint: Write 200,204.
    ");
    for bad in ["200-600", "'200-399,500'", "0200", "'200-'", "'299-200'", "2xx", "''", "'200\u{2013}399'"] {
        let error = more(&format!("health_check: {{codes: {bad}}}\n"));
        assert!(error.contains("line 3, column 23: invalid HTTP codes"), "{bad}: {error}");
    }
    let tcp = "application_name: a\nexposed_ports: [1]\nexposed_protocol: tcp\nhealth_check: {path: /, codes: ";
    parse(&format!("{tcp}'200-399,503'}}\n"), "m").unwrap();
    assert!(told(&format!("{tcp}'200-600'}}\n")).contains("within 200 to 599"));
}
