//! What registries answer: manifests, image configurations, lists, challenges. Pure.
use serde::Deserialize;
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
    schema_version: i64,
    media_type: Option<String>,
    manifests: Option<Vec<Entry>>,
    config: Option<Descriptor>,
}
#[derive(Deserialize)]
struct Entry {
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

/// Configuration types of container images (OCI image specification; Docker schema 2).
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Reads a manifest.
///
/// # Errors
/// When it is not JSON, or lacks what every manifest has.
pub fn manifest(body: &[u8]) -> Result<Manifest, serde_json::Error> {
    let raw: Raw = serde_json::from_slice(body)?;
    if raw.schema_version == 1 {
        return Ok(Manifest::Schema1);
    }
    if let Some(entries) = raw.manifests {
        let (mut architectures, mut other_systems) = (Vec::new(), Vec::new());
        for platform in entries.into_iter().filter_map(|e| e.platform) {
            let architecture = platform.architecture.unwrap_or_default();
            let os = platform.os.unwrap_or_else(|| "linux".into());
            // Build attestations stand in the index as images of an unknown platform.
            if matches!(architecture.as_str(), "" | "unknown") {
                continue;
            }
            let list = if os == "linux" { &mut architectures } else { &mut other_systems };
            let item = if os == "linux" { architecture } else { os };
            if !list.contains(&item) {
                list.push(item);
            }
        }
        return Ok(Manifest::Index { architectures, other_systems });
    }
    let kind = raw.media_type.unwrap_or_else(|| "no image manifest".into());
    Ok(match raw.config {
        Some(c) if c.media_type.as_deref().is_none_or(|t| IMAGE_CONFIGS.contains(&t)) => {
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
    Ok((platform.os.unwrap_or_else(|| "linux".into()), platform.architecture.filter(|a| !a.is_empty())))
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
    answer.token.or(answer.access_token).filter(|t| !t.is_empty())
}

/// What a registry wants to see (RFC 9110 §11.6.1, one challenge a header).
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

/// What these headers `WWW-Authenticate` ask for: a token, where one of them does.
pub fn challenge<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            let of = |name: &str| parameters(rest).find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v);
            if let Some(realm) = of("realm") {
                return Some(Challenge::Bearer { realm, service: of("service"), scope: of("scope") });
            }
        }
    }
    basic
}

/// `key="value", key=value`: commas inside quotes belong to the value.
fn parameters(mut rest: &str) -> impl Iterator<Item = (&str, String)> {
    std::iter::from_fn(move || {
        let (key, after) = rest.trim_start_matches([' ', ',']).split_once('=')?;
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        Some((key.trim(), value.trim().to_owned()))
    })
}

/// The target of a `Link: <..>; rel="next"` header.
pub fn next_link(header: &str) -> Option<&str> {
    let (target, parameters) = header.trim().strip_prefix('<')?.split_once('>')?;
    let rel = parameters.split(';').map(|p| p.trim().replace('"', "")).any(|p| p.eq_ignore_ascii_case("rel=next"));
    rel.then_some(target)
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
        for bad in ["", "Bearer", "Bearer service=\"x\"", "Negotiate", "Bearer realm"] {
            assert_eq!(challenge([bad].into_iter()), None, "{bad}");
        }
    }

    #[test]
    fn links_and_neighbours() {
        assert_eq!(next_link(r#"</v2/_catalog?last=b&n=2>; rel="next""#), Some("/v2/_catalog?last=b&n=2"));
        assert_eq!(next_link("</x>; rel=prev"), None);
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
