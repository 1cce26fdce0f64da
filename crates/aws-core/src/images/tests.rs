//! Against a registry on loopback that says what a test wants.
mod accepted;

use super::*;
use crate::{Error, error::Kind, model::ImageRef};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tiny_http::{Header, Response, Server};

/// Status, headers, body.
type Reply = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// What came: method, path with query, `Authorization`, body.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    path: String,
    authorization: Option<String>,
    body: String,
}

struct Fake {
    host: String,
    server: Arc<Server>,
    asked: Arc<Mutex<Vec<Asked>>>,
}
impl Drop for Fake {
    fn drop(&mut self) {
        self.server.unblock();
    }
}
impl Fake {
    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
    fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|a| a.path).collect()
    }
    fn image(&self, rest: &str) -> ImageRef {
        format!("{}/{rest}", self.host).parse().unwrap()
    }
}

fn serve(answer: impl Fn(&Asked, &str) -> Reply + Send + 'static) -> Fake {
    let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
    let host = server.server_addr().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let fake = Fake { host: host.clone(), server: server.clone(), asked: asked.clone() };
    std::thread::spawn(move || {
        for mut request in server.incoming_requests() {
            let header =
                |n: &'static str| request.headers().iter().find(|h| h.field.equiv(n)).map(|h| h.value.to_string());
            let authorization = header("Authorization");
            let (method, path) = (request.method().to_string(), request.url().to_owned());
            let mut body = String::new();
            let _ = request.as_reader().read_to_string(&mut body);
            let question = Asked { method, path, authorization, body };
            asked.lock().unwrap().push(question.clone());
            let (status, headers, body) = answer(&question, &host);
            let mut response = Response::from_data(body).with_status_code(status);
            for (name, value) in headers {
                response.add_header(Header::from_bytes(name, value).unwrap());
            }
            let _ = request.respond(response);
        }
    });
    fake
}

fn registry() -> Registry<'static> {
    with(None)
}
fn with(docker_config: Option<PathBuf>) -> Registry<'static> {
    let options = RegistryOptions { docker_config, timeout: Duration::from_secs(3), ..RegistryOptions::default() };
    Registry::connect(options, None)
}
fn digest(body: &[u8]) -> String {
    let hex: String = Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}
fn json(status: u16, body: impl Into<String>) -> Reply {
    (status, vec![("Content-Type", "application/json".into())], body.into().into_bytes())
}
fn fault(status: u16, code: &str) -> Reply {
    json(status, format!(r#"{{"errors":[{{"code":"{code}","message":"said {code}"}}]}}"#))
}

const CONFIG: &str = r#"{"architecture":"arm64","os":"linux","rootfs":{}}"#;
fn image_manifest(kind: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{kind}","digest":"{}","size":1}},"layers":[]}}"#,
        digest(CONFIG.as_bytes())
    )
}
const OCI: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER: &str = "application/vnd.docker.container.image.v1+json";
const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
    {"platform":{"architecture":"amd64","os":"linux"}}, {"platform":{"architecture":"arm64","os":"linux","variant":"v8"}},
    {"platform":{"architecture":"amd64","os":"windows"}}, {"platform":{"architecture":"unknown","os":"unknown"}}, {"digest":"x"}]}"#;

/// A registry without a lock, with one index, two images, and tags.
fn content(path: &str) -> Reply {
    match path.strip_prefix("/v2/web/").unwrap_or(path) {
        "manifests/index" => json(200, INDEX),
        "manifests/oci" => json(200, image_manifest(OCI)),
        "manifests/docker" => json(200, image_manifest(DOCKER)),
        "manifests/chart" => json(200, image_manifest("application/vnd.cncf.helm.config.v1+json")),
        "manifests/old" => json(200, r#"{"schemaVersion":1,"name":"web","architecture":"amd64"}"#),
        "manifests/text" => (200, vec![], b"<html>welcome</html>".to_vec()),
        "manifests/huge" => (200, vec![], vec![b' '; 5 << 20]),
        "manifests/windows" => {
            json(200, r#"{"schemaVersion":2,"manifests":[{"platform":{"architecture":"amd64","os":"windows"}}]}"#)
        }
        "manifests/lie" => (200, vec![("Docker-Content-Digest", digest(b"else"))], INDEX.into()),
        "manifests/busy" => (429, vec![("Retry-After", "60".into())], b"slow down".to_vec()),
        "manifests/broken" => (503, vec![], vec![0xff, 0xfe]),
        "manifests/locked" => fault(403, "DENIED"),
        "tags/list?n=1000" => (
            200,
            vec![("Link", "</v2/web/tags/list?n=1000&last=1.1>; rel=\"next\"".into())],
            br#"{"name":"web","tags":["1.0","1.1"]}"#.to_vec(),
        ),
        "tags/list?n=1000&last=1.1" => json(200, r#"{"name":"web","tags":["2.0","latest","old","1.2-rc1"]}"#),
        "/v2/empty/tags/list?n=1000" => json(200, r#"{"name":"empty","tags":null}"#),
        "/v2/_catalog?n=1000" => json(200, r#"{"repositories":["web","empty"]}"#),
        p if p == format!("manifests/{}", digest(INDEX.as_bytes())) => json(200, INDEX),
        p if p == format!("blobs/{}", digest(CONFIG.as_bytes())) => json(200, CONFIG),
        p if p.starts_with("manifests/") => fault(404, "MANIFEST_UNKNOWN"),
        _ => fault(404, "NAME_UNKNOWN"),
    }
}
fn open() -> Fake {
    serve(|asked, _| content(&asked.path))
}

async fn failed(fake: &Fake, image: &str) -> Error {
    registry().resolve(&fake.image(image)).await.expect_err(image)
}

#[tokio::test]
async fn index_and_images() {
    let (fake, registry) = (open(), registry());
    let index = registry.resolve(&fake.image("web:index")).await.unwrap();
    assert_eq!((index.digest, index.architectures), (digest(INDEX.as_bytes()), vec!["amd64".into(), "arm64".into()]));
    for (tag, kind) in [("oci", OCI), ("docker", DOCKER)] {
        let image = registry.resolve(&fake.image(&format!("web:{tag}"))).await.unwrap();
        assert_eq!(image.digest, digest(image_manifest(kind).as_bytes()));
        assert_eq!(image.architectures, ["arm64"]);
    }
    let pinned = fake.image(&format!("web:gone@{}", digest(INDEX.as_bytes())));
    assert_eq!(registry.resolve(&pinned).await.unwrap().digest, digest(INDEX.as_bytes()), "the digest decides");
    assert!(fake.asked().iter().all(|a| a.authorization.is_none()));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let fake = open();
    let e = failed(&fake, "web:1.2").await;
    assert_eq!(e.kind(), Kind::NotFound);
    assert!(e.to_string().ends_with("repository web has no tag 1.2"), "{e}");
    assert!(e.hints()[0].starts_with("Tags that are there: 1.1, 1.0"), "{:?}", e.hints());
    let e = failed(&fake, "nope:1").await;
    assert!(e.kind() == Kind::NotFound && e.to_string().ends_with("there is no repository nope"), "{e}");
    let e = failed(&fake, "empty:1").await;
    assert!(e.hints()[0].contains("no tags at all"), "{:?}", e.hints());
    let gone = format!("web@{}", digest(b"gone"));
    assert!(failed(&fake, &gone).await.to_string().contains("has nothing of digest sha256:"));
    let before = fake.asked().len();
    let e = failed(&fake, "web").await;
    assert_eq!((e.kind(), fake.asked().len()), (Kind::Usage, before), "no tag: nothing is asked");
}

#[tokio::test]
async fn odd_answers() {
    let fake = open();
    for (tag, kind, words) in [
        ("chart", Kind::Failed, "not a container image (application/vnd.cncf.helm.config.v1+json)"),
        ("old", Kind::Failed, "schema 1"),
        ("text", Kind::Failed, "manifest cannot be read"),
        ("huge", Kind::Failed, "larger than 4 MiB"),
        ("windows", Kind::Refused, "is for windows"),
        ("lie", Kind::Failed, "not those of sha256:"),
        ("busy", Kind::Failed, "429 Too Many Requests"),
        ("broken", Kind::Failed, "503 Service Unavailable"),
        ("locked", Kind::Access, "said DENIED"),
    ] {
        let e = failed(&fake, &format!("web:{tag}")).await;
        assert_eq!(e.kind(), kind, "{tag}: {e}");
        assert!(e.to_string().contains(words) && e.to_string().contains(&fake.host), "{tag}: {e}");
        assert!(kind == Kind::Refused || e.hints().iter().any(|h| h.contains("--no-image-check")), "{tag}");
    }
    let e = failed(&fake, "web:busy").await;
    assert!(e.hints()[0].contains("after 60"), "{:?}", e.hints());
}

#[tokio::test]
async fn listings() {
    let (fake, registry) = (open(), registry());
    assert_eq!(registry.repositories(&fake.host).await.unwrap(), ["empty", "web"]);
    let tags = registry.tags(&fake.host, "web").await.unwrap();
    let names: Vec<&str> = tags.iter().map(|t| t.tag.as_str()).collect();
    assert_eq!(names, ["1.0", "1.1", "1.2-rc1", "2.0", "latest", "old"]);
    assert!(registry.tags(&fake.host, "empty").await.unwrap().is_empty());
    assert_eq!(registry.tags(&fake.host, "nope").await.unwrap_err().kind(), Kind::NotFound);
    let silent = serve(|_, _| fault(404, "UNSUPPORTED"));
    let e = registry.repositories(&silent.host).await.unwrap_err();
    assert!(e.to_string().contains("does not list"), "{e}");
    let e = registry.tags("127.0.0.1:1", "web").await.unwrap_err();
    for e in [e, registry.tags(&fake.host, "nope").await.unwrap_err()] {
        assert!(!e.hints().iter().any(|h| h.contains("--no-image-check")), "nothing is deployed: {:?}", e.hints());
    }
    let circle = serve(|asked, _| {
        let link = vec![("Link", format!("<{}x>; rel=next", asked.path))];
        (200, link, br#"{"repositories":["a"]}"#.to_vec())
    });
    assert!(registry.repositories(&circle.host).await.is_err(), "a list without end ends");
}

/// 401 with a challenge, the token server, the same question with the token; the next question has it at once.
#[tokio::test]
async fn token_dance() {
    let fake = serve(|asked, host| {
        if asked.path.starts_with("/token?") {
            return json(200, r#"{"token":"T1"}"#);
        }
        match asked.authorization.as_deref() {
            Some("Bearer T1") => content(&asked.path),
            _ => {
                let realm = format!(r#"Bearer realm="http://{host}/token",service="reg",scope="repository:web:pull""#);
                (401, vec![("WWW-Authenticate", realm)], Vec::new())
            }
        }
    });
    let registry = registry();
    assert_eq!(registry.resolve(&fake.image("web:oci")).await.unwrap().architectures, ["arm64"]);
    let asked = fake.asked();
    let paths: Vec<&str> = asked.iter().map(|a| a.path.split('?').next().unwrap()).collect();
    assert_eq!(paths[..3], ["/v2/web/manifests/oci", "/token", "/v2/web/manifests/oci"]);
    assert_eq!(paths.len(), 4, "the blob is asked for with the token at once");
    assert!(asked[1].path.contains("service=reg") && asked[1].path.contains("scope=repository%3Aweb%3Apull"));
    assert_eq!((asked[1].method.as_str(), asked[1].authorization.as_deref()), ("GET", None), "anonymous");
}

fn config(json: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    std::fs::write(&path, json).unwrap();
    (dir, path)
}
fn basic() -> String {
    base64::engine::general_purpose::STANDARD.encode("ann:s3:cret")
}
fn basic_only() -> Fake {
    serve(|asked, _| match &asked.authorization {
        Some(a) if *a == format!("Basic {}", basic()) => content(&asked.path),
        _ => (401, vec![("WWW-Authenticate", "Basic realm=\"r\"".into())], Vec::new()),
    })
}

#[tokio::test]
async fn stored_passwords() {
    let fake = basic_only();
    let auths = BTreeMap::from([(fake.host.clone(), BTreeMap::from([("auth", basic())]))]);
    let (_dir, path) = config(&serde_json::json!({ "auths": auths }).to_string());
    assert!(with(Some(path)).resolve(&fake.image("web:index")).await.is_ok());
    assert_eq!(fake.paths().len(), 2);
    // None stored, no file, another host's: an access error that says what to do.
    let (_dir, other) = config(r#"{"auths":{"elsewhere.example":{"auth":"YTpi"}}}"#);
    for docker_config in [None, Some(PathBuf::from("/nonexistent/config.json")), Some(other)] {
        let e = with(docker_config).resolve(&fake.image("web:index")).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Access, "{e}");
        assert!(e.hints()[0].contains(&format!("docker login {}", fake.host)), "{:?}", e.hints());
    }
}

/// `docker login` with a single sign-on leaves a refresh token, which is posted, never put into a URL.
#[tokio::test]
async fn stored_identity_tokens() {
    let fake = serve(|asked, host| match (asked.path.as_str(), asked.authorization.as_deref()) {
        ("/token", _) if asked.body.contains("refresh_token=R1") => json(200, r#"{"access_token":"T2"}"#),
        ("/token", _) => fault(401, "UNAUTHORIZED"),
        (path, Some("Bearer T2")) => content(path),
        _ => (401, vec![("WWW-Authenticate", format!("Bearer realm=\"http://{host}/token\""))], Vec::new()),
    });
    let auths = serde_json::json!({ "auths": { fake.host.clone(): { "identitytoken": "R1" } } });
    let (_dir, path) = config(&auths.to_string());
    assert!(with(Some(path)).resolve(&fake.image("web:index")).await.is_ok());
    let token = &fake.asked()[1];
    assert_eq!((token.method.as_str(), token.path.as_str()), ("POST", "/token"));
    assert!(token.body.contains("grant_type=refresh_token") && token.body.contains("repository%3Aweb%3Apull"));
    let e = registry().resolve(&fake.image("web:index")).await.unwrap_err();
    assert!(e.kind() == Kind::Access && e.to_string().contains("requires a login"), "{e}");
}

#[tokio::test]
async fn broken_stores_are_named() {
    let fake = basic_only();
    for (json, words) in [
        ("not json".to_owned(), "is not Docker's JSON"),
        (r#"{"credsStore":"no-such-helper"}"#.to_owned(), "docker-credential-no-such-helper cannot be run"),
        (
            format!(r#"{{"credHelpers":{{"{}":"nor-this-one"}},"credsStore":"x"}}"#, fake.host),
            "docker-credential-nor-this-one cannot be run",
        ),
        (format!(r#"{{"auths":{{"{}":{{"auth":"%%%"}}}}}}"#, fake.host), "decode"),
    ] {
        let (_dir, path) = config(&json);
        let e = with(Some(path)).resolve(&fake.image("web:index")).await.unwrap_err();
        assert!(e.kind() == Kind::Access && e.to_string().contains(words), "{e}");
        assert!(!e.to_string().contains("s3"), "{e}");
    }
}

#[tokio::test]
async fn a_registry_that_is_down_or_hangs() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging: ImageRef = format!("{}/web:1", listener.local_addr().unwrap()).parse().unwrap();
    let start = Instant::now();
    let e = registry().resolve(&hanging).await.unwrap_err();
    assert_eq!(e.kind(), Kind::Deadline, "{e}");
    assert!(start.elapsed() < Duration::from_secs(5));
    drop(listener);
    let e = registry().resolve(&hanging).await.unwrap_err();
    assert!(e.kind() == Kind::Failed && e.to_string().contains("cannot be reached"), "{e}");
    let garbage = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let image: ImageRef = format!("{}/web:1", garbage.local_addr().unwrap()).parse().unwrap();
    let talk = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = garbage.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
    });
    let e = registry().resolve(&image).await.unwrap_err();
    assert!(e.kind() == Kind::Failed && e.hints().len() == 2, "{e}");
    talk.join().unwrap();
}

/// Plain HTTP is for loopback and for what the settings name; elsewhere HTTPS is meant.
#[test]
fn who_is_asked_over_plain_http() {
    for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.9.1", "[::1]:5000"] {
        assert!(registry().is_plain(host), "{host}");
    }
    for host in ["localhost.example.org", "127.0.0.1.example.org", "10.0.0.1:5000", "docker.io", "[::2]", "registry"] {
        assert!(!registry().is_plain(host), "{host}");
    }
    let options = RegistryOptions { insecure: vec!["10.0.0.1:5000".into()], ..RegistryOptions::default() };
    let registry = Registry::connect(options, None);
    assert_eq!(registry.url("10.0.0.1:5000", "_catalog").unwrap().as_str(), "http://10.0.0.1:5000/v2/_catalog");
    assert_eq!(registry.url("10.0.0.1:5001", "").unwrap().scheme(), "https");
    assert_eq!(registry.url("docker.io", "x").unwrap().as_str(), "https://registry-1.docker.io/v2/x");
}
