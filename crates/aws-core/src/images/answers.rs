//! What registries answer: manifests, image configurations, lists, challenges. Pure.
use serde::Deserialize;
use std::collections::BTreeMap;
use url::Url;

/// What a manifest turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Manifest {
    /// An index: the architectures of its Linux images.
    Index {
        /// Of the images for Linux.
        architectures: Vec<String>,
        /// Systems of the other images.
        other_systems: Vec<String>,
        /// Digests of what has no platform, which an index need not name (OCI image index, `platform`: OPTIONAL).
        unnamed: Vec<String>,
    },
    /// One image: its configuration blob's digest tells the architecture.
    Image {
        /// The digest.
        config: String,
    },
    /// Docker's first format, which Docker itself no longer pulls.
    Schema1,
    /// Something else that registries hold (a chart, a signature): its type.
    Other(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: Option<i64>,
    media_type: Option<String>,
    manifests: Option<Vec<Entry>>,
    config: Option<Descriptor>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    digest: Option<String>,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, Option<String>>>,
    platform: Option<Platform>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
}
/// Also the part of an image's configuration that matters here.
#[derive(Deserialize)]
struct Platform {
    architecture: Option<String>,
    os: Option<String>,
}

impl Platform {
    /// Linux where none is named, as Docker takes it.
    fn system(&self) -> String {
        self.os.as_deref().filter(|os| !os.is_empty()).unwrap_or("linux").to_ascii_lowercase()
    }

    /// In Go's words; some tools write those of `uname` (containerd `platforms/database.go`, `normalizeArch`).
    fn architecture(&self) -> Option<String> {
        let written = self.architecture.as_deref().unwrap_or_default().to_ascii_lowercase();
        match written.as_str() {
            // Build attestations stand in the index as images of an unknown platform.
            "" | "unknown" => None,
            "x86_64" | "x86-64" => Some("amd64".into()),
            "aarch64" => Some("arm64".into()),
            _ => Some(written),
        }
    }
}

impl Entry {
    /// Whether it stands beside the images and is none: an attestation, a signature, a list of parts.
    fn is_attachment(&self) -> bool {
        let note = self.annotations.iter().flatten().find(|(key, _)| *key == "vnd.docker.reference.type");
        note.is_some() || self.artifact_type.as_deref().is_some_and(|t| !t.is_empty() && !IMAGE_CONFIGS.contains(&t))
    }
}

/// Configuration types of container images (OCI image specification; Docker schema 2).
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

fn index(entries: Vec<Entry>) -> Manifest {
    let (mut architectures, mut other_systems, mut unnamed) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries.into_iter().filter(|e| !e.is_attachment()) {
        let Some(platform) = &entry.platform else {
            unnamed.extend(entry.digest.filter(|d| !unnamed.contains(d)));
            continue;
        };
        let Some(architecture) = platform.architecture() else { continue };
        let system = platform.system();
        let linux = system == "linux";
        let (list, item) = if linux { (&mut architectures, architecture) } else { (&mut other_systems, system) };
        if !list.contains(&item) {
            list.push(item);
        }
    }
    Manifest::Index { architectures, other_systems, unnamed }
}

/// Reads a manifest.
///
/// # Errors
/// When it is not JSON, or lacks what every manifest has.
pub fn manifest(body: &[u8]) -> Result<Manifest, serde_json::Error> {
    let raw: Raw = serde_json::from_slice(body)?;
    if raw.schema_version == Some(1) {
        return Ok(Manifest::Schema1);
    }
    if let Some(entries) = raw.manifests {
        return Ok(index(entries));
    }
    let kind = raw.media_type.unwrap_or_else(|| "no image manifest".into());
    Ok(match raw.config {
        Some(c) if c.media_type.as_deref().is_none_or(|t| t.is_empty() || IMAGE_CONFIGS.contains(&t)) => {
            Manifest::Image { config: c.digest }
        }
        Some(c) => Manifest::Other(c.media_type.unwrap_or(kind)),
        None => Manifest::Other(kind),
    })
}

/// Operating system and architecture of an image's configuration.
///
/// # Errors
/// When it is not JSON.
pub fn platform(config: &[u8]) -> Result<(String, Option<String>), serde_json::Error> {
    let platform: Platform = serde_json::from_slice(config)?;
    Ok((platform.system(), platform.architecture()))
}

/// A page of `_catalog` or `tags/list`.
#[derive(Deserialize)]
pub struct Page {
    repositories: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}
impl Page {
    /// What the page lists.
    pub fn names(self) -> Vec<String> {
        self.repositories.or(self.tags).unwrap_or_default()
    }
}

/// The first error of the registry's JSON: code and message. Else the body's beginning.
pub fn error(body: &[u8]) -> (Option<String>, String) {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: Option<String>,
        message: Option<String>,
    }
    let short = |s: &str| s.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    match serde_json::from_slice::<Errors>(body).ok().and_then(|e| e.errors.into_iter().next()) {
        Some(e) => {
            let message = e.message.filter(|m| !m.is_empty()).or_else(|| e.code.clone()).unwrap_or_default();
            (e.code, short(&message))
        }
        None => (None, short(String::from_utf8_lossy(body).trim())),
    }
}

/// The token or access token of an authorization server's answer.
pub fn token(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    [answer.token, answer.access_token].into_iter().flatten().find(|t| !t.is_empty())
}

/// What a registry wants to see (RFC 9110 §11.6.1).
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User and password.
    Basic,
    /// A token.
    Bearer {
        /// The URL of the server that gives tokens.
        realm: String,
        /// What the token is for.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

/// The challenge to answer, of the values of all `WWW-Authenticate` headers: a token wherever one is offered, since that is
/// also given to whoever has no password.
pub fn challenge<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for (scheme, parameters) in headers.flat_map(challenges) {
        if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            let of = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
            };
            if let Some(realm) = of("realm") {
                return Some(Challenge::Bearer { realm, service: of("service"), scope: of("scope") });
            }
        }
    }
    basic
}

/// A scheme with its parameters.
type Scheme<'a> = (&'a str, Vec<(&'a str, String)>);

/// The challenges of one header: `Basic realm="a", Bearer realm="b",service="c, d"`. A comma parts challenges as well as
/// parameters: a word is a parameter's name when `=` follows it. Written here because `http-auth` refuses what Docker lets
/// pass: two spaces behind a scheme, letters beyond ASCII, the single value of `Negotiate`.
fn challenges(header: &str) -> Vec<Scheme<'_>> {
    let mut all: Vec<Scheme<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        let end = rest.find(|c: char| matches!(c, ',' | '=' | '"') || c.is_whitespace()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let value = after.trim_start().strip_prefix('=').filter(|_| !word.is_empty());
        if let Some(value) = value {
            let (value, after) = parameter(value.trim_start());
            rest = after;
            if let Some((_, parameters)) = all.last_mut() {
                parameters.push((word, value));
            }
        } else if !word.is_empty() {
            all.push((word, Vec::new()));
            rest = after;
        } else {
            let mut left = after.chars();
            if left.next().is_none() {
                return all;
            }
            rest = left.as_str();
        }
    }
}

/// A parameter's value, and what follows it: `"a, \"b\""` is `a, "b"` (RFC 9110 §5.6.4).
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(text.len()));
        return (value.to_owned(), rest);
    };
    let (mut value, mut letters) = (String::new(), quoted.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => value.extend(letters.next()),
            _ => value.push(letter),
        }
    }
    (value.trim().to_owned(), letters.as_str())
}

/// The target of `<..>; rel="next"` in a `Link` header, which may hold several links (RFC 8288 §3), and a link several
/// relations.
pub fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, link)) = rest.split_once('<') {
        let (target, after) = link.split_once('>')?;
        let (parameters, others) = after.split_at(after.find(outside_quotes(',')).unwrap_or(after.len()));
        let next = parameters.split(outside_quotes(';')).filter_map(|p| p.split_once('=')).any(|(name, value)| {
            let mut relations = value.trim().trim_matches('"').split_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && relations.any(|r| r.eq_ignore_ascii_case("next"))
        });
        if next {
            return Some(target);
        }
        rest = others;
    }
    None
}

/// Finds this letter where it is not in quotes.
fn outside_quotes(letter: char) -> impl FnMut(char) -> bool {
    let mut quoted = false;
    move |c| {
        quoted ^= c == '"';
        c == letter && !quoted
    }
}

/// Where the next page of the list at `url` is, by its `Link` header: never at another host.
pub fn next_page(url: &Url, header: &str) -> Option<Url> {
    // Pages of another host are not this registry's list.
    url.join(next_link(header)?).ok().filter(|next| next.origin() == url.origin() && next != url)
}

/// Up to `count` of `names`, those most like `wanted` first.
pub fn nearest<'a>(wanted: &str, names: &'a [String], count: usize) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> =
        names.iter().map(|n| (strsim::normalized_damerau_levenshtein(wanted, n), n.as_str())).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| natural(b.1).cmp(&natural(a.1))));
    scored.into_iter().take(count).map(|(_, n)| n).collect()
}

/// A part of a name, in the order in which people sort: numbers by their value, before words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// How many digits, without zeros in front, and these: of any length.
    Number(usize, String),
    /// All else.
    Word(String),
}

/// A key that sorts 1.10 after 1.9; the name itself comes last, so that different names are never equal.
pub fn natural(name: &str) -> (Vec<Part>, String) {
    let digit = |c: char| c.is_ascii_digit();
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let number = digit(first);
        let (part, after) = rest.split_at(rest.find(|c| digit(c) != number).unwrap_or(rest.len()));
        let value = part.trim_start_matches('0');
        parts.push(if number { Part::Number(value.len(), value.to_owned()) } else { Part::Word(part.to_owned()) });
        rest = after;
    }
    (parts, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let bearer = r#"Bearer realm="https://auth.example/token",service="a, b",scope="repository:x/y:pull,push""#;
        let parsed = challenge([bearer].into_iter()).unwrap();
        let Challenge::Bearer { realm, service, scope } = parsed else { panic!("{parsed:?}") };
        assert_eq!(realm, "https://auth.example/token");
        assert_eq!((service.as_deref(), scope.as_deref()), (Some("a, b"), Some("repository:x/y:pull,push")));
        assert_eq!(challenge(["Basic realm=x"].into_iter()), Some(Challenge::Basic));
        assert!(matches!(challenge(["BASIC", "bearer realm=r"].into_iter()), Some(Challenge::Bearer { .. })));
        for bad in
            ["", "Bearer", "Bearer service=\"x\"", "Negotiate", "Bearer realm", "Bearer realm=\"\"", ",,= ,\"", "=a"]
        {
            assert_eq!(challenge([bad].into_iter()), None, "{bad}");
        }
    }

    #[test]
    fn challenges_beside_each_other() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
            realm: realm.into(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        };
        for (headers, wanted) in [
            (
                &[r#"Basic realm="registry", Bearer realm="http://r/token",service="reg,one""#][..],
                bearer("http://r/token", Some("reg,one"), None),
            ),
            (
                &[r#"Bearer realm="http://r/token", service="one", Basic realm="registry""#],
                bearer("http://r/token", Some("one"), None),
            ),
            (
                &[r#"basic realm=a,bearer realm=http://r/token,scope="repository:x:pull""#],
                bearer("http://r/token", None, Some("repository:x:pull")),
            ),
            (&["Basic realm=\"a\"", "BEARER Realm=\"r\" , Service = \"s\""], bearer("r", Some("s"), None)),
            (&["Bearer   realm=\"r\",service=\"s\""], bearer("r", Some("s"), None)),
            (&[r#"Negotiate oRQwEqADCgEBoQsGCSqGSIL3EgECAg==, Bearer realm="r""#], bearer("r", None, None)),
            (
                &[r#"NTLM, Negotiate, Digest realm="x, Bearer realm=y", nonce="a=b", Bearer realm="r""#],
                bearer("r", None, None),
            ),
            (
                &[r#"Bearer realm="https://r/\"quoted\"",service="a\\b",scope="""#],
                bearer("https://r/\"quoted\"", Some("a\\b"), None),
            ),
            (&[r#"Bearer error="invalid_token", realm="r""#], bearer("r", None, None)),
            (&[r#", ,Basic realm="ä", ,Bearer realm="r","#], bearer("r", None, None)),
            (&[r#"Basic realm="Bearer realm=no""#], Challenge::Basic),
            (&[r#"Basic realm="unended, Bearer realm=no"#], Challenge::Basic),
        ] {
            assert_eq!(challenge(headers.iter().copied()), Some(wanted), "{headers:?}");
        }
    }

    #[test]
    fn platforms_that_an_index_need_not_name() {
        let read = |text: &str| match manifest(text.as_bytes()).unwrap() {
            Manifest::Index { architectures, other_systems, unnamed } => {
                [architectures.join(" "), other_systems.join(" "), unnamed.join(" ")]
            }
            other => panic!("{other:?}"),
        };
        for (entries, wanted) in [
            (r#"{"digest":"a","size":1}"#, ["", "", "a"]),
            (r#"{"digest":"a"},{"digest":"a"},{"digest":"b","platform":null}"#, ["", "", "a b"]),
            (r#"{"digest":"a","platform":{"architecture":"amd64","os":"linux"}},{"digest":"b"}"#, ["amd64", "", "b"]),
            (r#"{"digest":"a","platform":{"architecture":"unknown","os":"unknown"}}"#, ["", "", ""]),
            (r#"{"digest":"a","annotations":{"vnd.docker.reference.type":"attestation-manifest"}}"#, ["", "", ""]),
            (r#"{"digest":"a","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#, ["", "", ""]),
            (r#"{"digest":"a","artifactType":"application/vnd.oci.image.config.v1+json"}"#, ["", "", "a"]),
            (
                r#"{"platform":{"architecture":"x86_64"}},{"platform":{"architecture":"aarch64","os":""}}"#,
                ["amd64 arm64", "", ""],
            ),
            (
                r#"{"platform":{"architecture":"AMD64","os":"Linux"}},{"platform":{"architecture":"amd64","os":"Windows"}}"#,
                ["amd64", "windows", ""],
            ),
            ("", ["", "", ""]),
        ] {
            assert_eq!(read(&format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#)), wanted, "{entries}");
        }
        // A field that may be absent may be absent.
        for text in [
            r#"{"schemaVersion":2,"config":{"digest":"c"}}"#,
            r#"{"config":{"digest":"c","mediaType":""},"manifests":null,"mediaType":null}"#,
        ] {
            assert_eq!(manifest(text.as_bytes()).unwrap(), Manifest::Image { config: "c".into() }, "{text}");
        }
        assert_eq!(platform(br#"{"architecture":"aarch64"}"#).unwrap(), ("linux".into(), Some("arm64".into())));
        assert_eq!(platform(b"{}").unwrap(), ("linux".into(), None));
    }

    #[test]
    fn links_and_neighbours() {
        assert_eq!(next_link(r#"</v2/_catalog?last=b&n=2>; rel="next""#), Some("/v2/_catalog?last=b&n=2"));
        for (header, target) in [
            ("</x>; rel=prev", None),
            (r#"</a>; rel="prev", </b?n=1,2>; rel="next""#, Some("/b?n=1,2")),
            (r#"</a>; title="x, <y>; rel=next"; rel=first, </b>; rel=next"#, Some("/b")),
            (r#"</b>; Rel = "last Next""#, Some("/b")),
            (r#"</b>;rel=next;title="t""#, Some("/b")),
            (r#"</b>; title="rel=next""#, None),
            (r#"<b>; rel="next"; rel="x""#, Some("b")),
        ] {
            assert_eq!(next_link(header), target, "{header}");
        }
        assert_eq!(next_link("garbage"), None);
        let tags: Vec<String> = ["1.0", "1.1", "2.0", "latest", "v1.2", "zzz"].map(String::from).to_vec();
        assert_eq!(nearest("1.2", &tags, 3), ["v1.2", "1.1", "1.0"]);
    }
    #[test]
    fn tags_sort_as_people_count() {
        let mut tags = vec!["latest", "1.10", "v2", "1.9", "v10", "1.9-rc1", "1.09", "20240101123456789012345", "2"];
        tags.sort_by_cached_key(|t| natural(t));
        assert_eq!(tags, ["1.09", "1.9", "1.9-rc1", "1.10", "2", "20240101123456789012345", "latest", "v2", "v10"]);
    }
}
