//! Where an engine may listen.
use crate::configuration::{self, home};
use aws_core::{Error, Result};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{fmt, fmt::Write as _, path::Path};

/// A place where an engine may listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A socket in the file system (or a named pipe, on Windows).
    Socket(String),
    /// `tcp://host:port`, without TLS.
    Http(String),
}

impl Place {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Socket(path) if !Path::new(path).exists())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) if path.starts_with("//") => write!(f, "npipe://{path}"),
            Self::Socket(path) => write!(f, "unix://{path}"),
            Self::Http(host) => f.write_str(host),
        }
    }
}

/// The places to try, in order, and whether they were chosen (by environment or context) instead of being the usual ones.
/// `variable` reads the environment.
pub(crate) fn places(variable: &dyn Fn(&str) -> Option<String>) -> Result<(bool, Vec<Place>)> {
    if let Some(host) = variable("DOCKER_HOST") {
        return Ok((true, vec![parse(&host, "DOCKER_HOST", variable)?]));
    }
    if let Some((name, host)) = context(variable)? {
        return Ok((true, vec![parse(&host, &format!("Docker's context {name}"), variable)?]));
    }
    Ok((false, usual(variable)))
}

fn parse(host: &str, origin: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Place> {
    let refused = |why: &str| {
        Err(Error::usage(format!("{origin} names the engine {host}: {why}")).hint(
            "Name a local one, e.g. DOCKER_HOST=unix:///var/run/docker.sock; for an engine elsewhere, forward its \
             socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST",
        ))
    };
    if let Some(path) = host.strip_prefix("unix://").or_else(|| host.strip_prefix("npipe://")) {
        return Ok(Place::Socket(path.to_owned()));
    }
    if host.starts_with("tcp://") || host.starts_with("http://") {
        return match variable("DOCKER_TLS_VERIFY") {
            Some(_) => refused("engines over TLS are not supported"),
            None => Ok(Place::Http(host.to_owned())),
        };
    }
    if host.starts_with("ssh://") {
        return refused("engines over ssh are not supported");
    }
    refused("this is neither unix:// nor tcp://")
}

/// The context's name and its engine, unless it is the default one: `docker context use` writes it to Docker's
/// configuration, `DOCKER_CONTEXT` beats that.
fn context(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<(String, String)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Meta {
        endpoints: Endpoints,
    }
    #[derive(Deserialize)]
    struct Endpoints {
        docker: Endpoint,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Endpoint {
        host: String,
    }
    let named = variable("DOCKER_CONTEXT");
    let asked = named.is_some();
    let current = named.or_else(|| configuration::read(variable).current_context);
    let Some(name) = current.filter(|name| !name.is_empty() && name != "default") else { return Ok(None) };
    // docker/cli, cli/context/store/metadatastore.go: a context's directory is the digest of its name.
    let directory = Sha256::digest(name.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let meta = configuration::directory(variable)
        .and_then(|c| std::fs::read(format!("{c}/contexts/meta/{directory}/meta.json")).ok());
    match meta.and_then(|text| serde_json::from_slice::<Meta>(&text).ok()) {
        Some(meta) => Ok(Some((name, meta.endpoints.docker.host))),
        None if asked => {
            Err(Error::usage(format!("DOCKER_CONTEXT names the context {name}, which Docker does not have"))
                .hint("`docker context ls` lists them."))
        }
        None => Ok(None),
    }
}

/// Docker's own, then its desktop variants, then Podman's.
fn usual(variable: &dyn Fn(&str) -> Option<String>) -> Vec<Place> {
    if cfg!(windows) {
        return vec![Place::Socket("//./pipe/docker_engine".to_owned())];
    }
    let mut sockets = vec!["/var/run/docker.sock".to_owned()];
    if let Some(home) = home(variable) {
        let below = [
            ".docker/run/docker.sock",
            ".docker/desktop/docker.sock",
            ".colima/default/docker.sock",
            ".orbstack/run/docker.sock",
            ".rd/docker.sock",
        ];
        sockets.extend(below.iter().map(|path| format!("{home}/{path}")));
    }
    let runtime = variable("XDG_RUNTIME_DIR");
    if let Some(runtime) = &runtime {
        sockets.push(format!("{runtime}/docker.sock"));
        sockets.push(format!("{runtime}/podman/podman.sock"));
    }
    sockets.push("/run/podman/podman.sock".to_owned());
    if let Some(home) = home(variable) {
        // podman machine, on macOS.
        sockets.push(format!("{home}/.local/share/containers/podman/machine/podman.sock"));
    }
    sockets.into_iter().map(Place::Socket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_one() {
        let named = |host: &'static str| places(&move |n| (n == "DOCKER_HOST").then(|| host.to_owned())).unwrap();
        let (chosen, places) = named("unix:///run/x.sock");
        assert!(chosen);
        assert_eq!((places.len(), places[0].to_string().as_str()), (1, "unix:///run/x.sock"));
        assert_eq!(named("tcp://127.0.0.1:2375").1, [Place::Http("tcp://127.0.0.1:2375".to_owned())]);
    }

    #[test]
    fn the_usual_places() {
        let (chosen, places) = places(&|name| match name {
            "HOME" => Some("/no-such-home".to_owned()),
            "XDG_RUNTIME_DIR" => Some("/run/user/7".to_owned()),
            _ => None,
        })
        .unwrap();
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        assert!(!chosen);
        assert_eq!(places[0], "unix:///var/run/docker.sock");
        for wanted in ["unix:///no-such-home/.docker/run/docker.sock", "unix:///run/user/7/podman/podman.sock"] {
            assert!(places.iter().any(|p| p == wanted), "{places:?}");
        }
    }

    #[test]
    fn contexts() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        // SHA-256 of `far`.
        let far = Sha256::digest(b"far").iter().map(|b| format!("{b:02x}")).collect::<String>();
        let meta = at.join("contexts/meta").join(far);
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(meta.join("meta.json"), r#"{"Name":"far","Endpoints":{"docker":{"Host":"unix:///far.sock"}}}"#)
            .unwrap();
        std::fs::write(at.join("config.json"), r#"{"auths":{},"currentContext":"far"}"#).unwrap();
        let with = |context: Option<&'static str>| {
            let at = at.display().to_string();
            places(&move |name| match name {
                "DOCKER_CONFIG" => Some(at.clone()),
                "DOCKER_CONTEXT" => context.map(str::to_owned),
                _ => None,
            })
        };
        assert_eq!(with(None).unwrap().1, [Place::Socket("/far.sock".to_owned())]);
        assert!(!with(Some("default")).unwrap().0);
        let e = with(Some("nowhere")).unwrap_err();
        assert!(e.to_string().contains("nowhere"), "{e}");
        std::fs::write(at.join("config.json"), "broken").unwrap();
        assert!(!with(None).unwrap().0);
    }
}
