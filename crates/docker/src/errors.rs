//! The engine's errors in our words.
use crate::sockets::Place;
use aws_core::{Error, Result, error::Kind};
use bollard::errors::Error as Fault;
use std::error::Error as _;

/// What a call to the engine gave, told with what it was about.
pub(crate) trait Told<T> {
    /// `what` says what was tried: `building the image`.
    fn told(self, what: &str) -> Result<T>;
    /// As [`Told::told`]; `None` when the engine does not know the thing.
    fn told_unless_absent(self, what: &str) -> Result<Option<T>>;
}

impl<T> Told<T> for Result<T, Fault> {
    fn told(self, what: &str) -> Result<T> {
        self.map_err(|fault| words(what, fault))
    }
    fn told_unless_absent(self, what: &str) -> Result<Option<T>> {
        match self {
            Err(Fault::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            other => other.told(what).map(Some),
        }
    }
}

/// An error of the engine while doing `what`.
fn words(what: &str, fault: Fault) -> Error {
    let (kind, said) = match &fault {
        Fault::DockerResponseServerError { status_code, message } => {
            let kind = match status_code {
                401 | 403 => Kind::Access,
                404 => Kind::NotFound,
                409 => Kind::Refused,
                _ => Kind::Failed,
            };
            (kind, message.trim().to_owned())
        }
        Fault::DockerStreamError { error } => (Kind::Failed, error.trim().to_owned()),
        Fault::RequestTimeoutError => (Kind::Deadline, "the container engine does not answer".to_owned()),
        other => (Kind::Failed, deepest(other)),
    };
    let error = Error::new(kind, format!("{what}: {said}"));
    match hint(&said) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What to do next, by the engine's words: it has no codes.
fn hint(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| said.contains(w));
    if any(&["no space left on device"]) {
        Some(
            "The engine's disk is full: `docker system df` says with what, `docker system prune` frees what is unused.",
        )
    } else if any(&["exec format error"]) {
        Some(
            "The image is for another processor than this computer's; build it with --platform, or install QEMU's user emulation.",
        )
    } else if any(&["executable file not found", "unable to start container process"]) {
        Some("The image has no such program, or it cannot be run: see ENTRYPOINT and CMD of its Dockerfile.")
    } else if any(&["port is already allocated", "address already in use"]) {
        Some("Another program listens on that port; stop it.")
    } else if any(&["name unknown", "does not exist in the registry"]) {
        Some("Make the repository first; on Amazon's registry: `aws ecr create-repository --repository-name NAME`.")
    } else if any(&["denied", "unauthorized", "authentication required", "no basic auth credentials"]) {
        Some("Check the repository's name, and that you may use it; `docker login REGISTRY` stores credentials.")
    } else if any(&["connection refused", "no such host", "i/o timeout", "tls handshake", "x509:"]) {
        Some(
            "The engine talks to the registry, not this program: see that it is reachable from there, and trusted by it.",
        )
    } else if any(&["server gave http response to https client"]) {
        Some("The registry has no TLS: add it to `insecure-registries` in the engine's daemon.json.")
    } else {
        None
    }
}

/// The innermost cause says most.
fn deepest(fault: &Fault) -> String {
    let mut text = fault.to_string();
    let mut next = fault.source();
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    text
}

/// The system's error below this one.
fn io_error(fault: &Fault) -> Option<&std::io::Error> {
    if let Fault::IOError { err } = fault {
        return Some(err);
    }
    let mut next = fault.source();
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref() {
            return Some(io);
        }
        next = cause.source();
    }
    None
}

/// Why this place gave no connection.
pub(crate) fn connecting(place: &Place, fault: Fault) -> Error {
    if let Some(io) = io_error(&fault) {
        return match io.kind() {
            std::io::ErrorKind::PermissionDenied => {
                Error::new(Kind::Access, format!("permission denied on {place}")).hint(
                    "Add yourself to the group of the socket (`sudo usermod -aG docker $USER`, then log in again), or use a \
                     rootless engine.",
                )
            }
            std::io::ErrorKind::ConnectionRefused => Error::failed(format!("nothing listens on {place}")),
            std::io::ErrorKind::NotFound => Error::failed(format!("{place} does not exist")),
            _ => Error::failed(format!("{place}: {io}")),
        };
    }
    match fault {
        Fault::SocketNotFoundError(_) => Error::failed(format!("{place} does not exist")),
        other => Error::failed(format!("{place} does not answer as a container engine: {}", deepest(&other))),
    }
}

/// No engine answered.
pub(crate) fn no_engine(chosen: bool, mut tried: Vec<(Place, Error)>) -> Error {
    // An engine that is there, but closed to this user, is what must be told.
    if let Some(n) = tried.iter().position(|(_, e)| e.kind() == Kind::Access) {
        let (_, error) = tried.swap_remove(n);
        return error.context("the container engine cannot be used");
    }
    let why: Vec<String> = tried.iter().map(|(_, e)| e.to_string()).collect();
    let error = match why.as_slice() {
        [] => Error::failed("no container engine answers on this computer: there is no socket of Docker or Podman"),
        why => Error::failed(format!("no container engine answers: {}", why.join("; "))),
    };
    if chosen {
        return error.hint("DOCKER_HOST, or Docker's context, names this engine: start it, or choose another.");
    }
    error
        .hint("Start Docker: `sudo systemctl start docker` on Linux, Docker Desktop elsewhere; for Podman, `systemctl --user start podman.socket`.")
        .hint("An engine that listens elsewhere is named by DOCKER_HOST, e.g. unix:///run/user/1000/docker.sock.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(status_code: u16, message: &str) -> Fault {
        Fault::DockerResponseServerError { status_code, message: message.to_owned() }
    }

    #[test]
    fn what_the_engine_said_is_told_with_a_hint() {
        for (fault, kind, hint) in [
            (server(404, "No such image: a:1"), Kind::NotFound, None),
            (server(409, "conflict"), Kind::Refused, None),
            (server(500, "write /x: no space left on device"), Kind::Failed, Some("disk is full")),
            (Fault::DockerStreamError { error: "denied: requested access".into() }, Kind::Failed, Some("docker login")),
            (server(500, "driver failed: port is already allocated"), Kind::Failed, Some("Another program")),
            (server(500, "http: server gave HTTP response to HTTPS client"), Kind::Failed, Some("insecure-registries")),
        ] {
            let said = fault.to_string();
            let e = words("doing", fault);
            assert_eq!(e.kind(), kind, "{said}");
            assert!(e.to_string().starts_with("doing: "), "{e}");
            assert_eq!(e.hints().len(), usize::from(hint.is_some()), "{said}");
            assert!(hint.is_none_or(|h| e.hints()[0].contains(h)), "{:?}", e.hints());
        }
        assert!(Err::<(), _>(server(404, "x")).told_unless_absent("doing").unwrap().is_none());
    }

    #[test]
    fn a_closed_socket_is_told_first() {
        let place = Place::Socket("/run/docker.sock".into());
        let closed = connecting(&place, Fault::from(std::io::Error::from(std::io::ErrorKind::PermissionDenied)));
        let none = Error::failed("nothing listens on unix:///x");
        let e = no_engine(false, vec![(place.clone(), none), (place.clone(), closed)]);
        assert!(e.to_string().ends_with("permission denied on unix:///run/docker.sock"), "{e}");
        assert!(e.hints()[0].contains("usermod"));
        let refused = connecting(&place, Fault::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)));
        let e = no_engine(false, vec![(place, refused)]);
        assert!(e.to_string().ends_with("nothing listens on unix:///run/docker.sock"), "{e}");
        assert_eq!(e.hints().len(), 2);
        assert!(no_engine(false, Vec::new()).to_string().contains("no socket"));
    }
}
