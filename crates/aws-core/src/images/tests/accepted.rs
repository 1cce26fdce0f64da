//! What Docker accepts of a registry or a stored login is accepted here.
use super::*;

/// A registry without a lock: path below `/v2/web/` to body.
fn holding(pages: Vec<(String, String)>) -> Fake {
    let pages: BTreeMap<String, String> = pages.into_iter().collect();
    serve(move |asked, _| match asked.path.strip_prefix("/v2/web/").and_then(|path| pages.get(path)) {
        Some(body) => json(200, body.clone()),
        None => fault(404, "MANIFEST_UNKNOWN"),
    })
}

const EMPTY_CONFIG: &str = r#"{"rootfs":{}}"#;
const WINDOWS: &str = r#"{"architecture":"amd64","os":"windows"}"#;

fn of(config: &str) -> String {
    format!(r#"{{"schemaVersion":2,"config":{{"digest":"{}"}},"layers":[]}}"#, digest(config.as_bytes()))
}
fn index(entries: &[String]) -> String {
    let kind = "application/vnd.oci.image.index.v1+json";
    format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{}]}}"#, entries.join(","))
}
fn entry(manifest: &str) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":246}}"#,
        digest(manifest.as_bytes())
    )
}

/// An index that names no platform, and what else Docker pulls: the architecture comes from the configuration, and the
/// index's digest is what is pinned.
#[tokio::test]
async fn an_index_without_platforms() {
    let arm = of(CONFIG);
    let amd = of(r#"{"architecture":"x86_64","os":"linux"}"#);
    let silent = of(EMPTY_CONFIG);
    let windows = of(WINDOWS);
    let chart =
        r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:x"}}"#;
    let nested = index(&[entry(&arm)]);
    let attestation = r#"{"digest":"sha256:0","platform":{"architecture":"unknown","os":"unknown"}}"#.to_owned();
    let known = r#"{"platform":{"architecture":"s390x","os":"linux"}}"#.to_owned();
    for (name, tag, wanted) in [
        ("one image", index(&[entry(&arm)]), &["arm64"][..]),
        ("two images", index(&[entry(&arm), entry(&amd)]), &["arm64", "amd64"]),
        ("the same twice", index(&[entry(&arm), entry(&arm)]), &["arm64"]),
        ("an attestation beside it", index(&[attestation.clone(), entry(&amd)]), &["amd64"]),
        ("an index in it", index(&[entry(&nested)]), &["arm64"]),
        ("a chart beside it", index(&[entry(chart), entry(&arm)]), &["arm64"]),
        ("one that is gone beside it", index(&[entry("gone"), entry(&arm)]), &["arm64"]),
        ("one with a platform beside it", index(&[known.clone(), entry(&arm)]), &["s390x", "arm64"]),
        ("Windows beside it", index(&[entry(&windows), entry(&arm)]), &["arm64"]),
        // It cannot be found out: whoever asks has to warn.
        ("no architecture at all", index(&[entry(&silent)]), &[]),
        ("one of two silent", index(&[entry(&silent), entry(&arm)]), &[]),
        ("an image without an index", silent.clone(), &[]),
    ] {
        let mut pages = vec![("manifests/1.0".to_owned(), tag.clone())];
        for manifest in [arm.as_str(), &amd, &silent, &windows, chart, &nested] {
            pages.push((format!("manifests/{}", digest(manifest.as_bytes())), manifest.to_owned()));
        }
        for config in [CONFIG, r#"{"architecture":"x86_64","os":"linux"}"#, EMPTY_CONFIG, WINDOWS] {
            pages.push((format!("blobs/{}", digest(config.as_bytes())), config.to_owned()));
        }
        let fake = holding(pages);
        let got = registry().resolve(&fake.image("web:1.0")).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(got.digest, digest(tag.as_bytes()), "{name}: the index is pinned");
        assert_eq!(got.architectures, wanted, "{name}");
    }
    for (name, tag, words) in [
        ("Windows alone", index(&[entry(&windows)]), "is for windows"),
        ("nothing", index(&[]), "names no image that can run"),
        ("attestations alone", index(&[attestation]), "names no image that can run"),
        ("a chart", index(&[entry(chart)]), "names no image that can run"),
        ("what is gone", index(&[entry("gone")]), "says 404"),
    ] {
        let mut pages = vec![("manifests/1.0".to_owned(), tag)];
        for body in [windows.as_str(), chart] {
            pages.push((format!("manifests/{}", digest(body.as_bytes())), body.to_owned()));
        }
        pages.push((format!("blobs/{}", digest(WINDOWS.as_bytes())), WINDOWS.to_owned()));
        let error = registry().resolve(&holding(pages).image("web:1.0")).await.expect_err(name);
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
}

/// An index that leads to itself, or to more than anybody needs, comes to an end.
#[tokio::test]
async fn an_index_without_end() {
    let many: Vec<String> = (0..200).map(|n| entry(&of(&format!("{n}")))).collect();
    let fake = serve(move |asked, _| match asked.path.as_str() {
        "/v2/web/manifests/1.0" => json(200, index(&many)),
        _ => fault(404, "MANIFEST_UNKNOWN"),
    });
    let _ = registry().resolve(&fake.image("web:1.0")).await;
    assert!(fake.paths().len() < 20, "{:?}", fake.paths());
}

/// Two challenges in one header, in either order, and in two headers: a token is asked for with the whole service.
#[tokio::test]
async fn challenges_beside_each_other() {
    let basic = r#"Basic realm="registry""#;
    let bearer = r#"Bearer realm="http://HOST/token",service="reg,one""#;
    for headers in [
        vec![format!("{basic}, {bearer}")],
        vec![format!("{bearer}, {basic}")],
        vec![basic.to_owned(), bearer.to_owned()],
        vec!["basic realm=registry,bearer realm=\"http://HOST/token\" , service=\"reg,one\"".to_owned()],
        vec![format!("Negotiate, NTLM, {basic}, {bearer}, Digest realm=\"x\"")],
        vec![format!("{basic}, Bearer scope=\"\",service=\"reg\\,one\",realm=\"http://HOST/token\"")],
    ] {
        let shown = headers.clone();
        let fake = serve(move |asked, host| {
            if asked.path.starts_with("/token?") {
                return json(200, r#"{"token":"","access_token":"T1"}"#);
            }
            match asked.authorization.as_deref() {
                Some("Bearer T1") => content(&asked.path),
                _ => {
                    let wants = headers.iter().map(|h| ("WWW-Authenticate", h.replace("HOST", host)));
                    (401, wants.collect(), Vec::new())
                }
            }
        });
        let registry = registry();
        let got = registry.resolve(&fake.image("web:oci")).await.unwrap_or_else(|e| panic!("{shown:?}: {e}"));
        assert_eq!(got.architectures, ["arm64"], "{shown:?}");
        let token = fake.asked().into_iter().find(|a| a.path.starts_with("/token")).unwrap();
        assert!(token.path.contains("service=reg%2Cone&scope=repository%3Aweb%3Apull"), "{}", token.path);
        assert_eq!((token.authorization, registry.login(&fake.host)), (None, None), "anonymous");
    }
}

/// What CI jobs write into Docker's configuration.
#[tokio::test]
async fn logins_that_docker_reads() {
    let fake = basic_only();
    let wrapped: String = basic().chars().flat_map(|c| [c, '\n']).collect();
    for entry in [
        serde_json::json!({ "auth": "", "username": "ann", "password": "s3:cret" }),
        serde_json::json!({ "auth": wrapped }),
        serde_json::json!({ "auth": basic(), "username": "ann", "password": "another" }),
    ] {
        for key in [fake.host.clone(), format!("http://{}/v2/", fake.host)] {
            let (_dir, path) = config(&serde_json::json!({ "auths": { key: entry } }).to_string());
            let registry = with(Some(path));
            assert!(registry.resolve(&fake.image("web:index")).await.is_ok(), "{entry}");
            assert_eq!(registry.login(&fake.host), Some(Login::Stored));
        }
    }
    for entry in [serde_json::json!({ "auth": "" }), serde_json::json!({}), serde_json::json!({ "username": "ann" })] {
        let (_dir, path) = config(&serde_json::json!({ "auths": { fake.host.clone(): entry } }).to_string());
        let error = with(Some(path)).resolve(&fake.image("web:index")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Access, "{error}");
        assert!(error.to_string().contains("requires a login"), "{error}");
        assert!(error.hints()[0].contains(&format!("docker login {}", fake.host)), "{:?}", error.hints());
    }
}

/// Credentials that were given come before those of the store; and whether anybody may pull is asked without either.
#[tokio::test]
async fn given_credentials_and_none() {
    let fake = basic_only();
    let auths = serde_json::json!({ "auths": { fake.host.clone(): { "username": "x", "password": "wrong" } } });
    let (_dir, path) = config(&auths.to_string());
    let given = |password: &str| {
        let credential = Credential::Password("ann".into(), password.into());
        let credentials = BTreeMap::from([(fake.host.clone(), credential)]);
        let options = RegistryOptions { docker_config: Some(path.clone()), credentials, ..RegistryOptions::default() };
        Registry::connect(options, None)
    };
    let registry = given("s3:cret");
    let image = fake.image("web:index");
    assert!(registry.resolve(&image).await.is_ok());
    assert_eq!(registry.login(&fake.host), Some(Login::Given));
    let before = fake.asked().len();
    assert!(!registry.is_public(&image, &digest(INDEX.as_bytes())).await.unwrap());
    assert!(fake.asked()[before..].iter().all(|a| a.authorization.is_none() && a.method == "HEAD"));
    let error = given("no").resolve(&image).await.unwrap_err();
    assert!(error.kind() == Kind::Access && error.hints()[0].contains("registry_credentials"), "{:?}", error.hints());
    let open = open();
    assert!(registry.is_public(&open.image("web:index"), &digest(INDEX.as_bytes())).await.unwrap());
    assert!(!registry.is_public(&open.image("web:1"), &digest(b"gone")).await.unwrap());
}
