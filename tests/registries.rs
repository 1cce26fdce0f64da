//! Container registries: private ones, those of Amazon ECR in every spelling, and answers that Docker accepts.
use crate::support::{Answering, Guarded, Options, Stage, endpoint, refusing, registry};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

const PASSWORD: &str = "pull-only-password";

/// A stage with a secret of Secrets Manager that holds this.
fn with_secret(text: &str) -> Stage {
    let stage = Stage::new();
    stage.call("secretsmanager", "create_secret", json!({ "Name": "minion/registry/test", "SecretString": text }));
    stage
}

fn login(password: &str) -> String {
    json!({ "username": "me", "password": password }).to_string()
}

fn credentials(host: &str, reference: &str) -> String {
    format!("registry_credentials: {{'{host}': '{reference}'}}\n")
}

/// The script of the newest launch template.
fn script(stage: &Stage) -> String {
    let templates = stage.call("ec2", "describe_launch_templates", json!({}));
    let template = templates["LaunchTemplates"].as_array().unwrap().last().unwrap()["LaunchTemplateId"].clone();
    let versions = stage.call("ec2", "describe_launch_template_versions", json!({ "LaunchTemplateId": template }));
    let data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"].as_str().unwrap().to_owned();
    let mut shell = std::process::Command::new("/bin/sh")
        .args(["-c", "/usr/bin/base64 -d"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(data.as_bytes()).unwrap();
    String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap()
}

fn role_policy(stage: &Stage) -> String {
    let name = json!({ "RoleName": "app-hello-eu-west-1", "PolicyName": "minion" });
    stage.call("iam", "get_role_policy", name)["PolicyDocument"].to_string()
}

#[test]
fn a_private_registry_by_reference() {
    for (kind, reference, resource) in [
        ("secret", "secretsmanager:minion/registry/test", ":secret:minion/registry/test-??????"),
        ("parameter", "ssm:/minion/registry/test", ":parameter/minion/registry/test"),
    ] {
        let stage = with_secret(&login(PASSWORD));
        let put = json!({ "Name": "/minion/registry/test", "Value": login(PASSWORD), "Type": "SecureString" });
        stage.call("ssm", "put_parameter", put);
        let guarded = Guarded::new(PASSWORD, "token");
        let manifest = stage.manifest("hello", &credentials(&guarded.host, reference));
        let image = format!("{}/hello-world:0.1", guarded.host);
        let told = ["can read the registry credentials", reference, "only pull"];
        stage.minion(&["app", "create", &manifest, "--dry-run"]).ok().says(&told);
        stage.minion(&["app", "create", &manifest]).ok().says(&told).hides(&[PASSWORD]);
        assert!(role_policy(&stage).contains(resource), "{kind}");
        stage.minion(&["ver", "create", "hello", "1.0", &image, "--dry-run"]).ok().hides(&[PASSWORD]);
        stage.minion(&["ver", "create", "hello", "1.0", &image]).ok().hides(&[PASSWORD]);
        let script = script(&stage);
        let name = reference.split_once(':').unwrap().1;
        for words in ["docker login --username", "--password-stdin", &guarded.host, name, "@sha256:"] {
            assert!(script.contains(words), "{kind}: {words} is not in {script}");
        }
        assert!(!script.contains(PASSWORD), "{script}");
        // An application that no longer needs it may no longer read it, once no version does.
        stage.minion(&["ver", "delete", "hello", "1.0", "--yes"]).ok();
        stage.minion(&["app", "update", &stage.manifest("hello", "")]).ok();
        assert!(!role_policy(&stage).contains(resource), "{kind}");
    }
}

#[test]
fn the_operators_own_login_is_not_the_instances() {
    let mut stage = Stage::new();
    let guarded = Guarded::new(PASSWORD, "token");
    let image = format!("{}/hello-world:0.1", guarded.host);
    stage.application(&stage.manifest("hello", ""));
    let config = json!({ "auths": { &guarded.host: { "auth": "", "username": "me", "password": PASSWORD } } });
    stage.file(".docker/config.json", config.to_string());
    let before = stage.added();
    let create = ["ver", "create", "hello", "1.0", &image];
    for arguments in [&create[..], &[&create[..], &["--dry-run"]].concat()] {
        let words = [
            "requires a login",
            "instances have none",
            "registry_credentials",
            "aws secretsmanager create-secret --region",
        ];
        stage.minion(arguments).fails(1).says(&words).hides(&[PASSWORD]);
    }
    assert_eq!(stage.added(), before, "nothing was written");
    // The same login, from the variable that Docker reads first.
    stage.file(".docker/config.json", "{}");
    let auths = r#"{"auths":{"HOST":{"auth":"bWU6cHVsbC1vbmx5LXBhc3N3b3Jk"}}}"#.replace("HOST", &guarded.host);
    stage.set("DOCKER_AUTH_CONFIG", Some(&auths));
    stage.minion(&create).fails(1).says(&["instances have none"]).hides(&[PASSWORD]);
    stage.set("DOCKER_AUTH_CONFIG", None);
    stage.minion(&create).fails(1).says(&["requires a login", &format!("docker login {}", guarded.host)]);
    // The tests' registry lets everybody pull, whatever Docker has stored for it.
    let config = json!({ "auths": { registry(): { "username": "me", "password": PASSWORD } } });
    stage.file(".docker/config.json", config.to_string());
    stage.minion(&["ver", "create", "hello", "2.0", &stage.image("hello-world:0.1"), "--dry-run"]).ok();
}

#[test]
fn credentials_that_instances_could_not_use() {
    for (text, words) in [
        (login("wrong"), ["does not accept the registry credentials", "registry_credentials"]),
        ("not JSON".to_owned(), ["invalid registry credentials", "JSON object"]),
        (json!({ "username": "me" }).to_string(), ["invalid registry credentials", "`password`"]),
        (json!({ "username": "", "password": PASSWORD }).to_string(), ["invalid registry credentials", "`username`"]),
        (json!({ "username": "me", "password": 5 }).to_string(), ["invalid registry credentials", "texts"]),
    ] {
        let stage = with_secret(&text);
        let guarded = Guarded::new(PASSWORD, "token");
        stage.application(&stage.manifest("hello", &credentials(&guarded.host, "secretsmanager:minion/registry/test")));
        let image = format!("{}/hello-world:0.1", guarded.host);
        stage.minion(&["ver", "create", "hello", "1.0", &image]).fails(1).says(&words).hides(&[PASSWORD, "wrong\""]);
    }
    for (reference, command) in [
        ("secretsmanager:nothing", "--name nothing --secret-string file:///dev/stdin"),
        ("ssm:/nothing", "--name /nothing --type SecureString --value file:///dev/stdin"),
    ] {
        let stage = Stage::new();
        stage.application(&stage.manifest("hello", &credentials("ghcr.io", reference)));
        let run = stage.minion(&["ver", "create", "hello", "1.0", "ghcr.io/team/hello:0.1"]);
        run.fails(1).says(&["does not exist", command]);
    }
}

/// Not everybody who deploys may read the secret: then the operator's own login checks the image.
#[test]
fn who_may_not_read_the_secret_uses_the_own_login() {
    let mut stage = with_secret(&login(PASSWORD));
    let guarded = Guarded::new(PASSWORD, "token");
    stage.application(&stage.manifest("hello", &credentials(&guarded.host, "secretsmanager:minion/registry/test")));
    let wire = refusing(endpoint(), &[], |request| {
        request
            .is("GetSecretValue")
            .then_some(("AccessDeniedException", "not authorized to perform: secretsmanager:GetSecretValue"))
    });
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let image = format!("{}/hello-world:0.1", guarded.host);
    let create = ["ver", "create", "hello", "1.0", &image];
    stage.minion(&create).fails(1).says(&["Could not read the registry credentials", "requires a login"]);
    let config = json!({ "auths": { &guarded.host: { "username": "me", "password": PASSWORD } } });
    stage.file(".docker/config.json", config.to_string());
    stage.minion(&create).ok().says(&["Could not read the registry credentials"]).hides(&[PASSWORD]);
}

/// What the profile names is for all applications that are written with it.
#[test]
fn credentials_of_a_profile() {
    let stage = with_secret(&login(PASSWORD));
    let guarded = Guarded::new(PASSWORD, "token");
    let (manifest, image) = (stage.manifest("hello", ""), format!("{}/hello-world:0.1", guarded.host));
    stage.application(&manifest);
    let profile = credentials(&guarded.host, "secretsmanager:minion/registry/test");
    let config = stage.file("minion.yaml", format!("default:\n  {profile}"));
    let create = ["ver", "create", "hello", "1.0", &image, "--config", &config];
    stage.minion(&[&create[..], &["--dry-run"]].concat()).ok().says(&["is not allowed to read", "applications update"]);
    stage.minion(&["app", "update", &manifest, "--config", &config]).ok().says(&["can read the registry credentials"]);
    stage.minion(&create).ok().hides(&["is not granted", PASSWORD]);
    assert!(script(&stage).contains("minion/registry/test"));
    stage.minion(&["images", "hello-world", "--registry", &guarded.host, "--config", &config]).ok().says(&["0.1"]);
    let bad = stage.file("bad.yaml", "default:\n  registry_credentials: {ghcr.io: hunter2}\n");
    stage.minion(&["app", "--config", &bad]).fails(2).says(&["bad.yaml, line 2"]).hides(&["hunter2"]);
}

#[test]
fn every_spelling_of_a_registry_of_amazon_ecr() {
    let stage = Stage::new();
    stage.call("ecr", "create_repository", json!({ "repositoryName": "web" }));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
                    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" },
        "layers": [],
    });
    let put = json!({ "repositoryName": "web", "imageTag": "1.0", "imageManifest": manifest.to_string() });
    stage.call("ecr", "put_image", put);
    stage.application(&stage.manifest("hello", ""));
    for (number, form) in [
        "dkr.ecr.REGION.amazonaws.com",
        "dkr-ecr.REGION.on.aws",
        "dkr.ecr-fips.REGION.amazonaws.com",
        "dkr-ecr-fips.REGION.on.aws",
    ]
    .iter()
    .enumerate()
    {
        let host = format!("{}.{}", stage.account, form.replace("REGION", stage.word("region")));
        let images = stage.minion(&["images", "--registry", &host, "-o", "json"]).ok().json();
        assert_eq!(images[0]["image"], format!("{host}/web:1.0"), "{form}");
        let version = format!("{number}.0");
        stage.minion(&["ver", "create", "hello", &version, &format!("{host}/web:1.0"), "--no-image-check"]).ok();
        let login = script(&stage).lines().find(|l| l.contains("docker login")).unwrap_or_default().to_owned();
        assert!(login.contains("--username AWS") && login.contains(&host), "{form}: {login}");
    }
}

/// Asks the tests' registry, by plain HTTP, for the digest of a tag.
fn digest_of(repository: &str, tag: &str) -> String {
    let mut client = TcpStream::connect(registry()).unwrap();
    let accept = "application/vnd.oci.image.manifest.v1+json";
    let request = format!(
        "GET /v2/{repository}/manifests/{tag} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let header =
        answer.lines().find_map(|line| line.to_lowercase().strip_prefix("docker-content-digest:").map(str::to_owned));
    header.unwrap_or_else(|| panic!("{answer}")).trim().to_owned()
}

#[test]
fn an_index_without_platforms() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let child = digest_of("hello-world", "single");
    let answering = Answering::new(move |path, _, _| {
        let kind = "application/vnd.oci.image.index.v1+json";
        let entry = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": child, "size": 246 });
        let manifests = match path {
            "/v2/hello-world/manifests/index" => json!([entry]),
            "/v2/hello-world/manifests/empty" => json!([]),
            _ => return None,
        };
        let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": manifests });
        Some((200, vec![("Content-Type", kind.to_owned())], index.to_string()))
    });
    let create = |tag: &str, more: &[&str]| {
        let image = format!("{}/hello-world:{tag}", answering.host);
        stage.minion(&[&["ver", "create", "hello", "1.0", &image, "--dry-run"], more].concat())
    };
    create("index", &[]).ok().says(&["hello-world:index@sha256:"]).hides(&["architecture"]);
    // The architecture is known, and holds.
    create("index", &["--instance-type", "t4g.small"]).fails(1).says(&["built for amd64", "t4g.small"]);
    create("empty", &[]).fails(1).says(&["names no image"]);
}

#[test]
fn two_challenges_in_one_header() {
    let stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let answering = Answering::new(|path, authorization, host| {
        if path.starts_with("/token?") {
            let good = path.contains("service=reg%2Cone");
            return Some((if good { 200 } else { 401 }, Vec::new(), json!({ "token": "T" }).to_string()));
        }
        let challenge = format!(r#"Basic realm="registry", Bearer realm="http://{host}/token",service="reg,one""#);
        (authorization != "Bearer T").then(|| (401, vec![("WWW-Authenticate", challenge)], String::new()))
    });
    let image = format!("{}/hello-world:0.1", answering.host);
    stage.minion(&["ver", "create", "hello", "1.0", &image, "--dry-run"]).ok();
    assert!(answering.asked().iter().any(|line| line.starts_with("GET /token?")), "{:?}", answering.asked());
}

/// Without a way out and without endpoints, an instance would hang at boot: it is said before.
#[test]
fn subnets_that_lead_nowhere() {
    let mut stage = Stage::with(Options::usual().with("layers", json!(["shared", "private"])));
    stage.application(&stage.manifest("hello", ""));
    let image = stage.image("hello-world:0.1");
    let create = ["ver", "create", "hello", "1.0", &image, "--dry-run"];
    let words = ["cannot reach", "CloudWatch Logs (logs)", "no default route", "aws ec2 create-vpc-endpoint"];
    stage.minion(&create).ok().says(&words);
    let of_ecr = format!("{}.dkr.ecr.eu-west-1.amazonaws.com/web:1.0", stage.account);
    let from_ecr = ["ver", "create", "hello", "1.0", &of_ecr, "--dry-run", "--no-image-check"];
    stage.minion(&from_ecr).ok().says(&["Amazon ECR (ecr.api, ecr.dkr)", "Amazon S3", "(logs)"]);
    // Denied, it is told once, and nothing fails.
    let wire = refusing(endpoint(), &[], |request| {
        request.is("DescribeVpcEndpoints").then_some(("UnauthorizedOperation", "not authorized"))
    });
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let run = stage.minion(&create).ok().says(&["may not reach", "could not be read"]);
    assert_eq!(run.stderr.matches("could not be read").count(), 1, "{run:?}");
    stage.set("AWS_ENDPOINT_URL", Some(endpoint()));
    let vpc = stage.word("vpc").to_owned();
    let add = |service: &str, more: serde_json::Value| {
        let mut endpoint = json!({ "VpcId": vpc, "ServiceName": format!("com.amazonaws.eu-west-1.{service}") });
        endpoint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage.call("ec2", "create_vpc_endpoint", endpoint);
    };
    let interface = |private: bool| json!({ "VpcEndpointType": "Interface", "PrivateDnsEnabled": private });
    add("logs", interface(false));
    stage.minion(&create).ok().says(&["CloudWatch Logs (logs)"]);
    for service in ["logs", "ecr.api", "ecr.dkr"] {
        add(service, interface(true));
    }
    stage.minion(&create).ok().hides(&["cannot reach", "may not reach"]);
    stage.minion(&from_ecr).ok().says(&["cannot reach Amazon S3"]).hides(&["ecr.api", "(logs)"]);
    let filter = json!([{ "Name": "vpc-id", "Values": [vpc] }]);
    let tables = stage.call("ec2", "describe_route_tables", json!({ "Filters": filter }));
    let tables: Vec<_> = tables["RouteTables"].as_array().unwrap().iter().map(|t| t["RouteTableId"].clone()).collect();
    add("s3", json!({ "VpcEndpointType": "Gateway", "RouteTableIds": tables }));
    stage.minion(&from_ecr).ok().hides(&["cannot reach", "may not reach"]);
    stage.minion(&["ver", "create", "hello", "1.0", &image]).ok().hides(&["cannot reach"]);
}

/// With a way out nothing is said, and the endpoints are not asked for.
#[test]
fn subnets_with_a_way_out() {
    let mut stage = Stage::new();
    stage.application(&stage.manifest("hello", ""));
    let wire = refusing(endpoint(), &[], |request| {
        request.is("DescribeVpcEndpoints").then_some(("UnauthorizedOperation", "not authorized"))
    });
    stage.set("AWS_ENDPOINT_URL", Some(&wire.endpoint));
    let image = stage.image("hello-world:0.1");
    stage.minion(&["ver", "create", "hello", "1.0", &image]).ok().hides(&[
        "cannot reach",
        "may not reach",
        "could not be read",
    ]);
    let hub = ["ver", "create", "hello", "2.0", "nginx:1.27", "--no-image-check", "--dry-run"];
    stage.minion(&hub).ok().says(&["100 such pulls in 6 hours", "registry_credentials"]);
}
