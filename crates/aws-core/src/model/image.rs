//! References to container images, by Docker's rules.
//!
//! The grammar is that of `distribution/reference`: a first part with a dot, a colon, a capital letter, or
//! `localhost` is the registry's host; without one it is `docker.io`, and there a name of one part is under
//! `library/`.
use super::tag_rules::VALUE_LIMIT;
use crate::{Error, Result};
use std::{fmt, str::FromStr};

/// The registry of images that name none.
pub const DOCKER_HUB: &str = "docker.io";
/// Longest name (host and repository), in bytes (`distribution/reference`).
const NAME: usize = 255;
/// Longest tag, in bytes.
const TAG: usize = 128;

/// A parsed reference. Displayed as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef {
    text: String,
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageRef {
    /// The registry's host, with its port if one was given; [`DOCKER_HUB`] when none was.
    pub fn registry(&self) -> &str {
        &self.registry
    }
    /// The private registry of Amazon ECR that the image is in, if it is in one.
    pub fn ecr(&self) -> Option<EcrHost> {
        EcrHost::parse(&self.registry)
    }
    /// The repository in the registry, e.g. `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }
    /// The tag, if one was given; there is no default.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }
    /// The digest, if one was given: `sha256:..`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
    /// The reference as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// Refuses a reference without tag and digest.
    ///
    /// # Errors
    /// The refusal.
    pub fn require_version(&self) -> Result<(), Error> {
        if self.tag.is_some() || self.digest.is_some() {
            return Ok(());
        }
        Err(Error::usage(format!("image {self} has no tag"))
            .hint(format!("Name one, e.g. {self}:1.0; `latest` is not assumed, because it changes.")))
    }
    /// Refuses a reference that does not fit into a tag: a version keeps it in one.
    ///
    /// # Errors
    /// The refusal.
    pub fn require_tag(&self) -> Result<(), Error> {
        let length = self.text.chars().count();
        if length <= VALUE_LIMIT {
            return Ok(());
        }
        Err(Error::usage(format!(
            "invalid image `{self}`: the reference has {length} characters; it is kept in a tag of the version, and AWS allows \
             {VALUE_LIMIT}"
        ))
        .hint("Use a shorter repository name or tag; leave out the tag where there is a digest."))
    }
    /// The reference by digest alone, which names the same bytes for ever: `host/repository@sha256:..`.
    pub fn pinned(&self, digest: &str) -> String {
        format!("{}/{}@{digest}", self.registry, self.repository)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for ImageRef {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::usage(format!("invalid image `{}`: {why}", text.escape_debug()))
                .hint("Write it as [HOST[:PORT]/]REPOSITORY:TAG, e.g. registry.example.org/web/hello:1.0.")
        };
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        if let Some(c) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            // Files with CRLF line ends leave a carriage return in a variable.
            return Err(bad(&format!("it contains the character `{}`", c.escape_debug())));
        }
        if text.contains("://") {
            return Err(bad("a reference has no scheme such as https://"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the host's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') && !name.is_empty() => (name, Some(tag)),
            _ => (rest, None),
        };
        let (host, path) = match name.split_once('/') {
            Some((first, path)) if is_host(first) => (first, path),
            _ => (DOCKER_HUB, name),
        };
        // Docker's old name of the same registry.
        let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
        if !valid_host(host) {
            return Err(bad(&format!("`{host}` is not a registry's host")));
        }
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            let lower = rest.replacen(path, &path.to_lowercase(), 1);
            return Err(bad(&format!("a repository's name must be lowercase; write `{lower}`")));
        }
        if !path.split('/').all(valid_part) {
            return Err(bad(
                "a repository's name has small letters and digits, with `.`, `_`, `__` or dashes between them",
            ));
        }
        let repository =
            if host == DOCKER_HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        if host.len() + 1 + repository.len() > NAME {
            return Err(bad(&format!("its name has more than {NAME} characters")));
        }
        if path.len() == 64 && path.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad("this is an image's id, which registries do not know"));
        }
        if tag.is_some_and(|t| !valid_tag(t)) {
            return Err(bad(&format!(
                "a tag has up to {TAG} letters, digits, `_`, `.` and dashes, and begins with none of the last two"
            )));
        }
        if digest.is_some_and(|d| !valid_digest(d)) {
            return Err(bad("a digest is `sha256:` and 64 hexadecimal digits"));
        }
        Ok(Self {
            text: text.to_owned(),
            registry: host.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

/// The host of a private registry of Amazon ECR, taken apart. This is the only place that knows the spellings:
///
/// - `<account>.dkr.ecr.<region>.<suffix>`, with the suffix of the region's partition: `amazonaws.com`,
///   `amazonaws.com.cn`, `amazonaws.eu`, ..
/// - `<account>.dkr-ecr.<region>.on.aws`, for IPv4 and IPv6; in China `.on.amazonwebservices.com.cn`
/// - both of them with `ecr-fips` in the place of `ecr`
///
/// (Amazon ECR "Making requests to Amazon ECR registries"; AWS General Reference "Amazon ECR endpoints"; the pattern of
/// `amazon-ecr-credential-helper`, which knows the other partitions.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrHost {
    /// The number of the account whose registry it is.
    pub account: String,
    /// The region that it is in.
    pub region: String,
}

impl EcrHost {
    /// What the hosts' names end in, for IPv4 alone and for both protocols.
    const SUFFIXES: [&str; 10] = [
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
        "on.aws",
        "on.amazonwebservices.com.cn",
        "on.amazonwebservices.eu",
    ];

    /// Reads a registry's host; `None` when it is not a private registry of Amazon ECR.
    pub fn parse(host: &str) -> Option<Self> {
        // DNS knows no case.
        let host = host.to_ascii_lowercase();
        let (account, rest) = host.split_once(".dkr")?;
        let rest = rest.strip_prefix(['.', '-'])?.strip_prefix("ecr")?;
        let rest = rest.strip_prefix("-fips").unwrap_or(rest).strip_prefix('.')?;
        let (region, suffix) = rest.split_once('.')?;
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let word = !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (digits && word && Self::SUFFIXES.contains(&suffix))
            .then(|| Self { account: account.into(), region: region.into() })
    }
}

/// Whether the host is Amazon ECR Public, by either of its names (Amazon ECR Public "Making requests to Amazon ECR Public
/// registries").
pub fn is_public_ecr(host: &str) -> bool {
    ["public.ecr.aws", "ecr-public.aws.com"].iter().any(|name| host.eq_ignore_ascii_case(name))
}

fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn valid_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let label = |l: &str| {
        let edges = !l.starts_with('-') && !l.ends_with('-');
        !l.is_empty() && edges && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0));
    name.split('.').all(label) && port
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn valid_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let between = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    let edges = part.bytes().next().is_some_and(word) && part.bytes().last().is_some_and(word);
    edges
        && part.bytes().all(|b| word(b) || matches!(b, b'.' | b'_' | b'-'))
        && part.split(|c: char| c.is_ascii_alphanumeric()).all(between)
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG && tag.bytes().next().is_some_and(word) && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// SHA-256 and SHA-512: what the OCI image specification registers.
pub(crate) fn valid_digest(digest: &str) -> bool {
    let hex = |h: &str, len| h.len() == len && h.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.split_once(':') {
        Some(("sha256", h)) => hex(h, 64),
        Some(("sha512", h)) => hex(h, 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_reference_is_kept_in_a_tag() {
        let of =
            |length: usize| format!("registry.example.org/{}:1", "a".repeat(length - 23)).parse::<ImageRef>().unwrap();
        of(256).require_tag().unwrap();
        assert!(of(257).require_tag().unwrap_err().to_string().contains("257"));
        let digest = format!("r.example.org/{}:{}@sha256:{}", "a".repeat(100), "t".repeat(100), "0".repeat(64));
        assert!(digest.parse::<ImageRef>().unwrap().require_tag().is_err());
    }

    #[test]
    fn dockers_rules() {
        let sha = format!("sha256:{HEX}");
        let pinned = format!("host.example:5000/a/b:1@{sha}");
        for (text, registry, repository, tag, digest) in [
            ("nginx", "docker.io", "library/nginx", None, None),
            ("nginx:1.25", "docker.io", "library/nginx", Some("1.25"), None),
            ("pingles/web:1.0", "docker.io", "pingles/web", Some("1.0"), None),
            ("index.docker.io/nginx:1", "docker.io", "library/nginx", Some("1"), None),
            ("docker.io/nginx:1", "docker.io", "library/nginx", Some("1"), None),
            ("localhost/web:1", "localhost", "web", Some("1"), None),
            ("localhost:5000/web", "localhost:5000", "web", None, None),
            ("127.0.0.1:5000/web:a_B-c.d", "127.0.0.1:5000", "web", Some("a_B-c.d"), None),
            ("[::1]:5000/web:1", "[::1]:5000", "web", Some("1"), None),
            ("Host/web:1", "Host", "web", Some("1"), None),
            ("team/web/api:1", "docker.io", "team/web/api", Some("1"), None),
            ("a.b-c/x__y/z--w.v:1", "a.b-c", "x__y/z--w.v", Some("1"), None),
            ("web:5000", "docker.io", "library/web", Some("5000"), None),
            (&pinned, "host.example:5000", "a/b", Some("1"), Some(sha.as_str())),
        ] {
            let r: ImageRef = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            let got = (r.registry(), r.repository(), r.tag(), r.digest());
            assert_eq!(got, (registry, repository, tag, digest), "{text}");
            assert_eq!(r.to_string(), text);
        }
        let nginx: ImageRef = "nginx:1".parse().unwrap();
        assert_eq!(nginx.pinned(&sha), format!("docker.io/library/nginx@{sha}"));
    }

    #[test]
    fn registries_of_amazon_ecr() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("123456789012.dkr-ecr.eu-west-1.on.aws", Some("eu-west-1")),
            ("123456789012.dkr-ecr-fips.us-east-2.on.aws", Some("us-east-2")),
            ("123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn", Some("cn-northwest-1")),
            ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", Some("eusc-de-east-1")),
            ("123456789012.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu", Some("eusc-de-east-1")),
            ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", Some("us-iso-east-1")),
            ("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", Some("us-isob-east-1")),
            ("123456789012.DKR.ECR.eu-west-1.Amazonaws.com", Some("eu-west-1")),
            ("12345678901.dkr.ecr.eu-central-1.amazonaws.com", None),
            ("12345678901x.dkr-ecr.eu-central-1.on.aws", None),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example", None),
            ("123456789012.dkr-ecr.eu-west-1.on.aws.evil.example", None),
            ("123456789012.dkr-ecr.eu-west-1.on.awsx", None),
            ("123456789012.dkr.ecr.a.b.amazonaws.com", None),
            ("123456789012.dkr-ecr..on.aws", None),
            ("123456789012.dkr_ecr.eu-west-1.on.aws", None),
            ("123456789012.dkr.ecr-x.eu-west-1.amazonaws.com", None),
            ("dkr-ecr.eu-west-1.on.aws", None),
            ("public.ecr.aws", None),
            ("docker.io", None),
        ] {
            assert_eq!(EcrHost::parse(host).map(|h| h.region).as_deref(), region, "{host}");
            let image: ImageRef =
                format!("{host}/web:1.0").parse().unwrap_or_else(|_| "other/web:1.0".parse().unwrap());
            assert_eq!(image.ecr().map(|h| h.region).as_deref(), region, "{host}");
        }
        for (host, public) in
            [("public.ecr.aws", true), ("ecr-public.aws.com", true), ("public.ecr.aws.example", false)]
        {
            assert_eq!(is_public_ecr(host), public, "{host}");
        }
    }

    #[test]
    fn what_is_no_image() {
        let long_tag = format!("a:{}", "t".repeat(129));
        let long_name = "a/".repeat(200) + "b";
        let short_digest = format!("a@sha256:{}", &HEX[1..]);
        for bad in [
            "",
            ":",
            ":1",
            "a:",
            "/a",
            "a/",
            "a//b",
            "A",
            "a:b:c",
            "a b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "a@",
            "a@sha256:",
            "a@md5:abc",
            "https://a/b:1",
            "a.b:99999/c",
            "a.b:0/c",
            "a.b:x/c",
            "-a.b/c",
            "a..b.c/d",
            "[::1/x",
            "[zz]/x",
            "ä",
            "a:ä",
            "a:.b",
            "a:-b",
            "a\n",
            "a@sha256:x@y",
            HEX,
            &long_tag,
            &long_name,
            &short_digest,
        ] {
            let e = bad.parse::<ImageRef>().expect_err(bad);
            assert_eq!((e.kind(), e.hints().len()), (crate::error::Kind::Usage, 1), "{bad}");
        }
    }

    #[test]
    fn names_from_variables() {
        let said = |text: &str| text.parse::<ImageRef>().unwrap_err().to_string();
        for (text, wanted) in [
            ("registry.example.org/TeamA/web:1.0", "write `registry.example.org/teama/web:1.0`"),
            ("registry.example.org/a/Web", "write `registry.example.org/a/web`"),
            ("localhost:5000/Web:V1", "write `localhost:5000/web:V1`"),
            ("Web:1", "write `web:1`"),
            ("web:1.0\r", "invalid image `web:1.0\\r`: it contains the character `\\r`"),
            ("web:1.0\n", "the character `\\n`"),
            (" web:1.0", "the character ` `"),
            ("web\u{1b}[31m:1", "the character `\\u{1b}`"),
            ("\u{feff}web:1", "`\\u{feff}web:1`"),
        ] {
            let said = said(text);
            assert!(said.contains(wanted), "{said}");
            assert!(!said.contains(|c: char| c.is_control() || c == '\u{feff}'), "{said:?}");
        }
        let digest = format!("Web@sha256:{HEX}");
        assert!(said(&digest).contains("write `web`"), "the digest is not that of another name");
    }

    proptest! {
        #[test]
        fn what_is_written_is_shown_and_taken_apart(
            host in prop::option::of("(localhost|[a-z]{1,5}\\.[a-z]{2,5})(:[1-9][0-9]{0,3})?"),
            path in prop::collection::vec("[a-z0-9]{1,6}(([.]|_|__|-{1,3})[a-z0-9]{1,4}){0,2}", 1..4),
            tag in prop::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
            digest in prop::option::of("sha256:[0-9a-f]{64}"),
        ) {
            let path = path.join("/");
            let host_part = host.as_ref().map(|h| format!("{h}/")).unwrap_or_default();
            let tag_part = tag.as_ref().map(|t| format!(":{t}")).unwrap_or_default();
            let digest_part = digest.as_ref().map(|d| format!("@{d}")).unwrap_or_default();
            // Without a host, a first part with a dot and more parts behind it is a host by Docker's rules.
            let first = path.split('/').next().unwrap_or_default();
            prop_assume!(host.is_some() || !(path.contains('/') && (first.contains('.') || first == "localhost")));
            let text = format!("{host_part}{path}{tag_part}{digest_part}");
            let r: ImageRef = text.parse().unwrap();
            prop_assert_eq!(r.to_string(), &*text);
            prop_assert_eq!(r.registry(), host.as_deref().unwrap_or(DOCKER_HUB));
            prop_assert_eq!(r.tag(), tag.as_deref());
            prop_assert_eq!(r.digest(), digest.as_deref());
            prop_assert!(r.repository().ends_with(&path));
            let canonical: ImageRef = r.pinned(&format!("sha256:{HEX}")).parse().unwrap();
            prop_assert_eq!((canonical.registry(), canonical.repository()), (r.registry(), r.repository()));
        }
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<ImageRef>();
        }
    }
}
