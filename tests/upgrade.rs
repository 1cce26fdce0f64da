//! What earlier releases left on AWS is read, updated and deleted by this one: their calls are made again, and then the
//! binaries go on from there.
use crate::support::{Left, Options, Release, Run, Shell, Stage};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

const TEAMS: [&str; 3] = ["red", "blue", "green"];
/// Longer than any lease holds.
const LONG_AGO: u64 = 3600;

/// Runs a command line in a shell.
fn run(shell: &Shell, line: &str) -> Run {
    let words: Vec<&str> = line.split(' ').collect();
    shell.run(words[0], &words[1..])
}

#[test]
fn teams_are_read_updated_and_deleted() {
    for release in Release::all() {
        let mut left = Left::new(&release);
        left.play("teams", LONG_AGO);
        left.assert_tells_as_before("teams", |line| run(left.estate.shell(), line));
        TEAMS.iter().for_each(|team| left.estate.unchanged(team));

        // One setting, and tags, which nearly all kinds carry: changed where they are, and nothing else.
        let before = left.estate.inventory();
        let file = left.file("teams/red.yaml");
        left.estate.shell().file("teams/red.yaml", file.replace("flow_logs_days: 30", "flow_logs_days: 14"));
        let plan = left.estate.plan("red");
        assert!(plan.len() == 1 && plan[0].contains("log group"), "{plan:#?}");
        left.estate.overlord(&["team", "update", "red"]).ok();
        left.estate.unchanged("red");
        left.estate.shell().file("teams/red.yaml", file.replace("4711", "4712"));
        let plan = left.estate.plan("red");
        assert!(plan.len() > 30 && plan.iter().all(|line| line.starts_with("~ ")), "{plan:#?}");
        left.estate.overlord(&["team", "update", "red"]).ok();
        left.estate.unchanged("red");
        assert_eq!(left.estate.inventory(), before, "something was made again");
        ["blue", "green"].iter().for_each(|team| left.estate.unchanged(team));

        TEAMS.iter().for_each(|team| drop(left.estate.delete(team)));
        left.estate.assert_as_before("teams of an earlier release");
    }
}

/// A team whose account was new, in two regions, and one whose network was imported: what cannot be computed again. The
/// records of 0.1.0 were taken from runs beside the story.
#[test]
fn records_of_teams_are_read() {
    let releases = Release::all();
    let with_records: Vec<&Release> = releases.iter().filter(|release| release.has("records")).collect();
    assert!(!with_records.is_empty());
    for release in with_records {
        let mut left = Left::new(release);
        left.play("records", LONG_AGO);
        left.assert_tells_as_before("records", |line| run(left.estate.shell(), line));
        left.estate.overlord(&["team", "show", "fresh"]).ok().says(&["management account"]);
    }
}

/// Each version's share of hello's traffic.
fn traffic(shell: &Shell) -> BTreeMap<String, Option<f64>> {
    let told = run(shell, "minion traffic hello -o json").ok().json();
    let row = |row: &Value| (row["version"].as_str().unwrap().to_owned(), row["weight"].as_f64());
    told.as_array().unwrap().iter().map(row).collect()
}

fn shares(wanted: &[(&str, f64)]) -> BTreeMap<String, Option<f64>> {
    wanted.iter().map(|(version, share)| ((*version).to_owned(), Some(*share))).collect()
}

/// The ports of hello's instances that its load balancers reach.
fn ports(left: &Left<'_>) -> BTreeSet<u64> {
    let filters = json!([{ "Name": "group-name", "Values": ["app-hello"] }]);
    let groups = left.estate.call("red", "ec2", "describe_security_groups", json!({ "Filters": filters }));
    let rules = groups["SecurityGroups"][0]["IpPermissions"].as_array().unwrap();
    rules.iter().filter_map(|rule| rule["FromPort"].as_u64()).collect()
}

/// A version more takes all traffic over from those that are there, which go.
fn deploy(left: &Left<'_>, shell: &Shell) {
    let minion = |line: &str| run(shell, &format!("minion {line}")).ok();
    let image = format!("{}/hello-world:0.2", crate::support::registry());
    minion(&format!("versions create hello 3.0 {image}"));
    assert_eq!(traffic(shell), shares(&[("1.0", 75.0), ("2.0", 25.0)]));
    minion("traffic hello 3.0 50");
    let all = traffic(shell).values().map(|share| share.unwrap()).sum::<f64>();
    assert!((all - 100.0).abs() < 0.1 && traffic(shell)["3.0"] == Some(50.0), "{:?}", traffic(shell));
    minion("versions scale hello 1.0 1");
    minion("traffic hello 3.0 100");
    assert_eq!(traffic(shell), shares(&[("3.0", 100.0)]));
    minion("versions delete hello 1.0 --yes");
    minion("versions delete hello 2.0 --yes");
    minion("applications update changed.yaml");
    assert_eq!(ports(left), [9091].into());
}

#[test]
fn applications_are_read_updated_and_deleted() {
    for release in Release::all() {
        let mut left = Left::new(&release);
        left.play("teams", LONG_AGO);
        let place = left.estate.inventory();
        left.play("applications", LONG_AGO);
        let shell = left.deployer();
        let minion = |line: &str| run(&shell, &format!("minion {line}")).ok();
        left.assert_tells_as_before("applications", |line| run(&shell, line));
        assert_eq!(minion("instances hello -o json").json().as_array().unwrap().len(), 5);

        let before = left.estate.inventory();
        minion("applications update changed.yaml --dry-run --detailed-exitcode");
        minion("applications update queue.yaml --dry-run --detailed-exitcode");
        minion("applications update shop.yaml --dry-run --detailed-exitcode");
        let file = left.file("changed.yaml");
        shell.file("changed.yaml", file.replace("stage: live", "stage: later").replace("8080, 9090", "9091"));
        minion("applications update changed.yaml");
        minion("applications update changed.yaml --dry-run --detailed-exitcode");
        assert_eq!(left.estate.inventory(), before, "something was made again");
        assert_eq!(ports(&left), [8080, 9091].into(), "there are versions that listen on the old one");

        deploy(&left, &shell);
        let runs = minion("history hello -o json -n 100").json();
        let tools: Vec<&Value> = runs.as_array().unwrap().iter().map(|run| &run["tool"]).collect();
        assert!(tools.len() > 10 && tools.iter().all(|tool| tool.as_str().unwrap().starts_with("minion ")), "{runs}");

        left.estate.unchanged("red");
        minion("applications delete hello --cascade --yes");
        minion("applications delete queue --cascade --yes");
        minion("applications delete shop --yes");
        assert_eq!(left.estate.inventory(), place, "something is left of applications of an earlier release");
        TEAMS.iter().for_each(|team| drop(left.estate.delete(team)));
        left.estate.assert_as_before("teams of an earlier release, and their applications");
    }
}

/// The last run of the history of hello or of team red.
fn last(run: &Run) -> Value {
    run.json()[0].clone()
}

#[test]
fn locks_that_are_held_on_another_computer_are_respected() {
    for release in Release::all() {
        let mut left = Left::new(&release);
        left.play("teams", LONG_AGO);
        left.play("applications", LONG_AGO);
        let (shell, before) = (left.deployer(), left.estate.inventory());
        // Two minutes are left to them.
        left.play("locks", 0);
        let operator = left.estate.shell();
        let refused = run(&shell, "minion versions scale hello 1.0 1").fails(1);
        refused.says(&["hello", "anna@laptop", "minion versions scale hello 1.0 4", "--wait-lock"]);
        let refused = run(operator, "overlord team update red").fails(1);
        refused.says(&["red", "anna@laptop", "overlord team update red", "--wait-lock"]);
        assert_eq!(left.estate.inventory(), before);
        // Another team, another application, and looking: nobody holds them.
        run(&shell, "minion applications update queue.yaml").ok();
        run(operator, "overlord team update blue").ok();
        run(&shell, "minion versions").ok();
        left.estate.unchanged("red");
    }
}

#[test]
fn locks_of_commands_that_were_killed_expire() {
    for release in Release::all() {
        let mut left = Left::new(&release);
        left.play("teams", LONG_AGO);
        left.play("applications", LONG_AGO);
        left.play("locks", LONG_AGO);
        let (shell, operator) = (left.deployer(), left.estate.shell());
        // The history has their beginning, and no end.
        let killed = last(&run(&shell, "minion history hello -o json").ok());
        assert_eq!((&killed["command"], &killed["end"]), (&json!("minion versions scale hello 1.0 4"), &Value::Null));
        let killed = last(&run(operator, "overlord history red -o json").ok());
        assert_eq!((&killed["command"], &killed["end"]), (&json!("overlord team update red"), &Value::Null));

        run(&shell, "minion versions scale hello 1.0 4").ok();
        run(operator, "overlord team update red").ok();
        assert_eq!(last(&run(&shell, "minion history hello -o json").ok())["result"], "done");
        assert_eq!(last(&run(operator, "overlord history red -o json").ok())["result"], "done");
        // They were let go of.
        run(&shell, "minion applications delete hello --cascade --yes").ok();
        run(&shell, "minion applications delete queue --cascade --yes").ok();
        run(&shell, "minion applications delete shop --yes").ok();
        TEAMS.iter().for_each(|team| drop(left.estate.delete(team)));
        left.estate.assert_as_before("locks of an earlier release");
    }
}

/// A place without settings of its own, and what the release's users had in a file, with what it refers to.
fn place(release: &Release, file: &str) -> (Stage, String) {
    let mut stage = Stage::with(Options::usual().with("policies", json!(["bound"])));
    stage.forget_settings();
    let zone = stage.place["zones"]["public"][0].as_str().unwrap();
    let known = [
        ("account", stage.account.as_str()),
        ("certificate", stage.word("certificate_arn")),
        ("zone", zone),
        ("vpc", stage.word("vpc")),
    ];
    let text = known.iter().fold(release.file(&format!("settings/{file}")), |text, (name, value)| {
        text.replace(&format!("@{{{name}}}"), value)
    });
    (stage, text)
}

/// Fails unless a version that settings alone tell about is what they say.
fn assert_settings_hold(stage: &mut Stage) {
    let vpc = stage.word("vpc").to_owned();
    stage.set("MINION_REGION", Some("eu-west-1")).set("MINION_VPC", Some(&vpc));
    let manifest = "application_name: hello\nexposed_ports: [8080]\ninstance_type: t4g.small\n";
    stage.application(&stage.file("hello.yaml", manifest));
    stage.version("hello", "1.0");
    let row = stage.minion(&["versions", "-o", "json"]).ok().json()[0].clone();
    assert_eq!(row["dns_name"], "hello-1-0.team.example.org");
    let (template, script) = stage.template("app-hello-1.0");
    assert_eq!(template["ImageId"], "ami-0123456789abcdef0");
    assert!(script.contains("10.2.0.2"), "the name server is not in {script}");
    assert!(stage.inventory()["listener"].contains(&"app-hello-1-0:443".to_owned()), "{:?}", stage.inventory());
    let configured = stage.minion(&["configure", "--dry-run"]).ok();
    assert!(configured.stdout.contains("registry.example.org:5000"), "{}", configured.stdout);
}

#[test]
fn settings_of_a_vpc_are_read() {
    for release in Release::all() {
        let (mut stage, text) = place(&release, "vpc.yaml");
        let name = format!("/minion/{}/settings", stage.word("vpc"));
        stage.call("ssm", "put_parameter", json!({ "Name": name, "Value": text, "Type": "String" }));
        assert_settings_hold(&mut stage);
        assert!(stage.template("app-hello-1.0").1.contains("dGhlIGNvbXBhbnkncw=="), "no certificate of an authority");
        let role = stage.call("iam", "get_role", json!({ "RoleName": "app-hello-eu-west-1" }));
        let boundary = role["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"].as_str().unwrap_or_default();
        assert!(boundary.ends_with(":policy/bound"), "{role}");
        let filters = json!([{ "Name": "group-name", "Values": ["app-hello-lb"] }]);
        let groups = stage.call("ec2", "describe_security_groups", json!({ "Filters": filters }));
        assert!(groups["SecurityGroups"][0]["IpPermissions"].to_string().contains("10.9.0.0/16"), "{groups}");
    }
}

/// The predecessor of the first release kept a VPC's settings in its tag `Config`.
#[test]
fn settings_in_a_tag_are_read() {
    for release in Release::all() {
        let (mut stage, text) = place(&release, "config-tag.yaml");
        let tags = json!([{ "Key": "Config", "Value": text }]);
        stage.call("ec2", "create_tags", json!({ "Resources": [stage.word("vpc")], "Tags": tags }));
        assert_settings_hold(&mut stage);
    }
}

#[test]
fn profiles_are_read_and_kept() {
    for release in Release::all() {
        let (mut stage, text) = place(&release, "profiles.yaml");
        let path = stage.file(".config/minion/config.yaml", &text);
        let manifest = stage.manifest("hello", "");
        stage.minion(&["--profile", "full", "applications", "create", &manifest]).ok();
        let image = stage.image("hello-world:0.1");
        stage.minion(&["--profile", "full", "versions", "create", "hello", "1.0", &image]).ok();
        stage.set("AWS_MINION_PROFILE", Some("full"));
        let row = stage.minion(&["versions", "-o", "json"]).ok().json()[0].clone();
        assert_eq!((&row["dns_name"], &row["desired"]), (&json!("hello-1-0.team.example.org"), &json!(1)));
        stage.set("AWS_MINION_PROFILE", Some("nobodys")).minion(&["versions"]).fails(2).says(&["nobodys"]);
        stage.set("AWS_MINION_PROFILE", None);
        assert_eq!(stage.minion(&["applications", "-o", "json"]).ok().json()[0]["application_name"], "hello");

        // Another one is added to them.
        stage.minion(&["--profile", "another", "configure", "--region", "eu-west-1"]).ok();
        let now = fs::read_to_string(path).unwrap();
        for kept in ["another:", "sandbox:", "http://127.0.0.1:4566", "ghcr.io: secretsmanager:minion/registry/ghcr.io"]
        {
            assert!(now.contains(kept), "{kept} is not in {now}");
        }
        stage.set("AWS_MINION_PROFILE", Some("full"));
        assert_eq!(stage.minion(&["versions", "-o", "json"]).ok().json()[0], row);
    }
}

/// Else they could not be kept for ever, nor be shown to anybody.
#[test]
fn what_is_stored_of_a_release_is_of_no_computer_and_no_day() {
    let day = |text: &str| {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        text.match_indices('T').any(|(at, _)| {
            let (before, after) = (text.get(at.saturating_sub(2)..at), text.get(at + 1..at + 3));
            before.is_some_and(digits) && after.is_some_and(digits) && text.get(at + 3..at + 4) == Some(":")
        })
    };
    for release in Release::all() {
        let mut size = 0;
        for path in release.files() {
            let text = fs::read_to_string(&path).unwrap();
            size += text.len();
            for word in ["/root", "/tmp/", "AKIA", "ASIA", "aws-sdk-rust", "PRIVATE KEY"] {
                assert!(!text.contains(word), "{} says {word}", path.display());
            }
            assert!(!day(&text), "{} names a time", path.display());
        }
        assert!(size < 300_000, "{size} bytes");
    }
}
