//! The story that README and demo tell, step by step, with a look at AWS in between.
use crate::support::{Stage, workspace};
use serde_json::json;

const APPLICATION: &str = "clojure-web-hello-world";

fn example() -> String {
    workspace().join("examples/manifests/aws-minion-manifest.yaml").display().to_string()
}

#[test]
fn two_versions_and_the_traffic_between_them() {
    let stage = Stage::new();

    stage.minion(&["app", "create", &example()]).ok().says(&[
        "Checking whether application clojure-web-hello-world exists.. OK",
        "Creating key pair for application clojure-web-hello-world.. OK",
        "Creating application security group app-clojure-web-hello-world.. OK",
        "Creating LB security group app-clojure-web-hello-world-lb.. OK",
        "Creating IAM role and instance profile.. OK",
    ]);
    stage.minion(&["app", "create", &example(), "--dry-run", "--detailed-exitcode"]).ok();
    let applications = stage.minion(&["app", "-o", "json"]).ok().json();
    assert_eq!(applications[0]["application_name"], APPLICATION);

    stage.minion(&["ver", "create", APPLICATION, "1.0", &stage.image("hello-world:0.1")]).ok().says(&[
        "Checking Docker registry",
        "Creating launch template for clojure-web-hello-world version 1.0.",
        "Creating load balancer for clojure-web-hello-world version 1.0.",
        "Creating auto scaling group for clojure-web-hello-world version 1.0.",
        "DNS name of load balancer is ",
        "Configuring DNS name clojure-web-hello-world-1-0",
        "Waiting for",
        "Application version URL is https://clojure-web-hello-world-1-0.team.example.org",
    ]);
    stage.version(APPLICATION, "2.0");

    stage.minion(&["traffic", APPLICATION, "1.0", "100"]).ok();
    assert_eq!(stage.records(&format!("{APPLICATION}.team.example.org")), ["1.0 200"]);
    stage.minion(&["traffic", APPLICATION, "2.0", "100"]).ok();
    assert_eq!(stage.records(&format!("{APPLICATION}.team.example.org")), ["2.0 200"]);
    stage.minion(&["versions", "traffic", APPLICATION, "1.0", "30"]).ok();
    assert_eq!(stage.records(&format!("{APPLICATION}.team.example.org")), ["1.0 60", "2.0 140"]);

    let versions = stage.minion(&["ver", "-o", "json"]).ok().json();
    let row = &versions.as_array().unwrap().iter().find(|row| row["version"] == "2.0").unwrap();
    assert_eq!(row["application_name"], APPLICATION);
    assert_eq!(row["image"], stage.image("hello-world:0.1"));
    assert!(row["image_digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(row["instance_states"], json!({ "InService": 1 }));
    assert_eq!((row["desired"].as_i64(), row["weight"].as_f64()), (Some(1), Some(70.0)));
    assert_eq!(row["dns_name"], format!("{APPLICATION}-2-0.team.example.org"));
    assert!(row["created_at"].as_str().unwrap().ends_with('Z'));

    stage.minion(&["ver", "delete", APPLICATION, "2.0", "--yes"]).fails(1);
    stage.minion(&["app", "delete", APPLICATION, "--yes"]).fails(1);
    stage.minion(&["traffic", APPLICATION, "2.0", "100"]).ok();
    stage.minion(&["ver", "delete", APPLICATION, "1.0", "--yes"]).ok();
    stage.minion(&["ver", "delete", APPLICATION, "2.0", "--yes", "--force"]).ok();
    stage.minion(&["app", "delete", APPLICATION, "--yes"]).ok();
    stage.assert_as_before("the story");
}

#[test]
fn listings_have_the_columns_of_the_talk_and_every_format() {
    let stage = Stage::new();
    stage.application(&example());
    stage.version(APPLICATION, "2.0");
    let header = |command: &[&str]| {
        let table = stage.minion(command).ok();
        table.stdout.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let versions = "Application Name Ver. Docker Image Instance States Desired# Weight Created";
    let instances = "Application Name Ver. Instance Id Team Public Ip Private Ip State Launched";
    assert_eq!(header(&["ver"]), versions);
    assert_eq!(header(&["instances"]), instances);
    for format in ["json", "yaml", "tsv"] {
        for listing in ["app", "ver", "instances"] {
            let run = stage.minion(&[listing, "-o", format]).ok();
            assert!(run.stdout.contains(APPLICATION), "{listing} -o {format}: {}", run.stdout);
            assert!(!run.stdout.contains('\x1b'), "colour in a file: {}", run.stdout);
        }
    }
    assert_eq!(stage.minion(&["instances", APPLICATION, "2.0", "-o", "json"]).ok().json().as_array().unwrap().len(), 1);
}

#[test]
fn images_lists_what_the_registry_has() {
    let stage = Stage::new();
    let registry = stage.image("");
    let registry = registry.trim_end_matches('/');
    let images = stage.minion(&["images", "--registry", registry, "-o", "json"]).ok();
    for expected in ["hello-world", "tools/echo", "0.2"] {
        assert!(images.stdout.contains(expected), "{expected} is not in {}", images.stdout);
    }
    let one = stage.minion(&["images", "tools/echo", "--registry", registry, "-o", "json"]).ok();
    assert!(!one.stdout.contains("hello-world"), "{}", one.stdout);
}

#[test]
fn a_profile_made_through_flags_is_all_that_commands_need() {
    let mut stage = Stage::new();
    stage.forget_settings();
    let manifest = stage.manifest("hello", "");
    stage.minion(&["app", "create", &manifest]).fails(2);
    let (vpc, certificate) = (stage.word("vpc").to_owned(), stage.word("certificate_arn").to_owned());
    let flags = ["--region", "eu-west-1", "--vpc", &vpc, "--domain", "team.example.org"];
    stage.minion(&[&["configure"], &flags[..], &["--certificate-arn", &certificate]].concat()).ok();
    stage.minion(&["app", "create", &manifest]).ok();
    assert_eq!(stage.minion(&["app", "-o", "json"]).ok().json()[0]["application_name"], "hello");
    stage.minion(&["app", "delete", "hello", "--yes"]).ok();
    stage.assert_as_before("configure, create and delete");
}

#[test]
fn configure_finds_on_aws_what_it_is_not_told_and_checks_what_it_is() {
    let mut stage = Stage::new();
    stage.forget_settings();
    // One VPC, one domain, one certificate that covers it: nothing to ask.
    stage.minion(&["configure", "--region", "eu-west-1"]).ok();
    stage.minion(&["app"]).ok();
    stage.minion(&["configure", "--region", "eu-west-1", "--vpc", "vpc-0123456789abcdef0"]).fails_somehow();
    stage.minion(&["configure", "--region", "eu-west-1", "--domain", "nowhere.example.net"]).fails_somehow();
    stage.minion(&["app"]).ok();
}
