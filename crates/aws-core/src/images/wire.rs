//! Requests to a registry: authentication, bounds, and errors in words.
use super::answers::{self, Challenge};
use super::credentials::{self, Credential, login_command};
use super::{
    ecr,
    registry::{Login, Registry},
};
use crate::{
    Error, Result,
    error::Kind,
    model::image::{DOCKER_HUB, EcrHost},
};
use base64::Engine as _;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, LINK, WWW_AUTHENTICATE},
    redirect::Policy,
};
use std::{net::IpAddr, time::Duration};
use url::Url;

/// A connection must stand within this.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest answer that is read: the size that registries accept for a manifest (OCI distribution
/// specification, "Pushing Manifests"); lists come in pages that are smaller.
const BODY: usize = 4 << 20;
/// Docker Hub's API is not at the name that its images carry.
const HUB_API: &str = "registry-1.docker.io";

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The next page's path, if there is one.
    pub(super) fn next(&self, url: &Url) -> Option<Url> {
        self.headers.get_all(LINK).iter().find_map(|h| answers::next_page(url, h.to_str().ok()?))
    }
}

/// `localhost`, `127.0.0.0/8` or `[::1]`, with or without a port.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

/// `direct` without the proxies of the environment, as for loopback hosts.
pub(super) fn client(direct: bool) -> Result<reqwest::Client> {
    let policy = Policy::custom(|attempt| {
        let secure = attempt.previous().last().is_some_and(|u| u.scheme() == "https");
        if attempt.previous().len() > 5 {
            attempt.error("too many redirections")
        } else if secure && attempt.url().scheme() != "https" {
            attempt.error("redirected from HTTPS to plain HTTP")
        } else {
            attempt.follow()
        }
    });
    let agent = concat!("overlord-minion/", env!("CARGO_PKG_VERSION"));
    let builder = reqwest::Client::builder().user_agent(agent).connect_timeout(CONNECT).redirect(policy);
    let builder = if direct { builder.no_proxy() } else { builder };
    builder.build().map_err(|e| Error::failed(format!("no HTTP client for the registry: {}", chain(&e))).caused_by(e))
}

impl Registry<'_> {
    /// The URL of `path` (below `/v2/`) at this registry.
    pub(super) fn url(&self, registry: &str, path: &str) -> Result<Url> {
        let scheme = if self.is_plain(registry) { "http" } else { "https" };
        let host = if registry == DOCKER_HUB { HUB_API } else { registry };
        Url::parse(&format!("{scheme}://{host}/v2/{path}"))
            .map_err(|e| Error::usage(format!("`{registry}` is not a registry's host: {e}")))
    }

    /// Gets `url`, and shows credentials when the registry asks for them. `scope` is what a token must allow.
    pub(super) async fn get(&self, registry: &str, url: &Url, scope: &str, accept: &str) -> Result<Answer> {
        self.ask_for(Method::GET, registry, url, scope, accept).await
    }

    /// As [`Registry::get`], by this method.
    pub(super) async fn ask_for(
        &self,
        method: Method,
        registry: &str,
        url: &Url,
        scope: &str,
        accept: &str,
    ) -> Result<Answer> {
        let key = format!("{registry} {scope}");
        let remembered = self.tokens.lock().expect("no code panics while it holds this lock").get(&key).cloned();
        let request = |authorization: Option<&String>| {
            let request = self.client(registry)?.request(method.clone(), url.clone()).header(ACCEPT, accept);
            Ok::<_, Error>(match authorization {
                Some(a) => request.header(AUTHORIZATION, a),
                None => request,
            })
        };
        let first = send(registry, request(remembered.as_ref())?).await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return read(registry, first).await;
        }
        let wants = first.headers().get_all(WWW_AUTHENTICATE).iter();
        let wants: Vec<_> = wants.map(|h| String::from_utf8_lossy(h.as_bytes()).into_owned()).collect();
        let challenge = answers::challenge(wants.iter().map(String::as_str));
        let Some(challenge) = challenge else { return read(registry, first).await };
        let Some(authorization) = self.authorize(registry, challenge, scope).await? else {
            return read(registry, first).await;
        };
        drop(first);
        let second = send(registry, request(Some(&authorization))?).await?;
        if second.status().is_success() {
            self.tokens.lock().expect("no code panics while it holds this lock").insert(key, authorization);
        }
        read(registry, second).await
    }

    /// The `Authorization` header for this challenge; none without credentials where they are needed.
    async fn authorize(&self, registry: &str, challenge: Challenge, wanted: &str) -> Result<Option<String>> {
        let credential = self.sign_in(registry).await?;
        let (realm, service, scope) = match challenge {
            Challenge::Basic => return Ok(credential.as_ref().and_then(basic)),
            Challenge::Bearer { realm, service, scope } => (realm, service, scope),
        };
        let bad = |why: String| {
            Error::new(Kind::Access, format!("registry {registry}: {why}")).hint(self.login_hint(registry))
        };
        let mut realm = Url::parse(&realm).map_err(|e| bad(format!("its token server `{realm}` is no URL: {e}")))?;
        if realm.scheme() != "https" && !self.is_plain(registry) {
            return Err(bad(format!("its token server {realm} is not on HTTPS, and is shown no credentials")));
        }
        let scope = scope.unwrap_or_else(|| wanted.to_owned());
        let mut fields = vec![("client_id", "overlord-minion")];
        fields.extend(service.iter().map(|s| ("service", s.as_str())));
        fields.extend(scope.split(' ').filter(|s| !s.is_empty()).map(|s| ("scope", s)));
        let host = realm.host_str().unwrap_or_default().to_owned();
        let request = if let Some(Credential::Identity(token)) = &credential {
            fields.extend([("grant_type", "refresh_token"), ("refresh_token", token)]);
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let form_type = "application/x-www-form-urlencoded";
            self.client(&host)?.post(realm.clone()).header(CONTENT_TYPE, form_type).body(form)
        } else {
            realm.query_pairs_mut().extend_pairs(&fields);
            let request = self.client(&host)?.get(realm.clone());
            match credential.as_ref().and_then(basic) {
                Some(basic) => request.header(AUTHORIZATION, basic),
                None => request,
            }
        };
        let answer = read(registry, send(registry, request).await?).await?;
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let who = match (&credential, self.login(registry)) {
                (None, _) => "requires a login",
                (_, Some(Login::Given)) => "does not accept the registry credentials",
                _ => "does not accept the stored credentials",
            };
            return Err(bad(format!("its token server {host} {who}: {}", answers::error(&answer.body).1)));
        }
        if !answer.status.is_success() {
            return Err(self.refusal(registry, "a token", &answer));
        }
        let token = answers::token(&answer.body).ok_or_else(|| bad(format!("{host} answered without a token")))?;
        Ok(Some(format!("Bearer {token}")))
    }

    /// What to show this registry: what was given for it; else, what Docker's store has; else, for Amazon's registries,
    /// what AWS gives.
    ///
    /// # Errors
    /// When the store is damaged, its helper fails, or AWS refuses.
    pub async fn credential(&self, registry: &str) -> Result<Option<Credential>> {
        if let Some(given) = self.options.credentials.get(registry) {
            return Ok(Some(given.clone()));
        }
        match (self.stored(registry).await?, EcrHost::parse(registry), self.cloud) {
            (None, Some(host), Some(cloud)) => ecr::login(cloud, &host).await.map(Some),
            (stored, _, _) => Ok(stored),
        }
    }

    /// As [`Registry::credential`]; notes whose login it is.
    async fn sign_in(&self, registry: &str) -> Result<Option<Credential>> {
        let credential = self.credential(registry).await?;
        let login = match (&credential, self.options.credentials.contains_key(registry), EcrHost::parse(registry)) {
            (None, ..) => return Ok(None),
            (_, true, _) => Login::Given,
            (_, _, Some(_)) => Login::Aws,
            _ => Login::Stored,
        };
        self.logins.lock().expect("no code panics while it holds this lock").insert(registry.to_owned(), login);
        Ok(credential)
    }

    /// Whose login this registry was shown; `None` while it wanted none, or there was none.
    pub fn login(&self, registry: &str) -> Option<Login> {
        self.logins.lock().expect("no code panics while it holds this lock").get(registry).copied()
    }

    async fn stored(&self, registry: &str) -> Result<Option<Credential>> {
        let (path, variable) = (self.options.docker_config.clone(), self.options.docker_auth.clone());
        if path.is_none() && variable.is_none() {
            return Ok(None);
        }
        let name = registry.to_owned();
        let (tell, told) = tokio::sync::oneshot::channel();
        // A thread of its own, which a hanging helper cannot make the program's end wait for.
        std::thread::spawn(move || tell.send(credentials::stored(path.as_deref(), variable.as_deref(), &name)));
        told.await.map_err(|_| Error::failed(format!("no credentials for registry {registry}")))?
    }

    fn login_hint(&self, registry: &str) -> String {
        if self.options.credentials.contains_key(registry) {
            return "Check the username and password in the secret that registry_credentials names for it.".to_owned();
        }
        format!("Run `{}` with a user who may pull.", login_command(registry))
    }

    /// An answer that is an error, and not "not found".
    pub(super) fn refusal(&self, registry: &str, what: &str, answer: &Answer) -> Error {
        let (code, message) = answers::error(&answer.body);
        let status = answer.status;
        let about = format!("registry {registry}, asked for {what}, says {status}: {message}");
        match status {
            StatusCode::UNAUTHORIZED if self.login(registry).is_none() => {
                let about = format!("registry {registry} requires a login for {what}: {status} {message}");
                Error::new(Kind::Access, about.trim_end().to_owned()).hint(self.login_hint(registry))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::new(Kind::Access, about).hint(format!(
                "{} Many registries say this of a repository that is not there, too.",
                self.login_hint(registry)
            )),
            StatusCode::TOO_MANY_REQUESTS => {
                Error::failed(about).hint(match answer.headers.get("retry-after").and_then(|h| h.to_str().ok()) {
                    Some(after) => format!(
                        "The registry limits the rate of requests; try again after {after} (seconds, or date), or log in."
                    ),
                    None => "The registry limits the rate of requests; try again later, or log in.".to_owned(),
                })
            }
            s if s.is_server_error() => {
                Error::failed(about).hint("The registry has a problem of its own; try again later.")
            }
            _ if code.is_none() => Error::failed(about).hint("Check that the host is a container registry."),
            _ => Error::failed(about),
        }
    }
}

fn basic(credential: &Credential) -> Option<String> {
    let Credential::Password(user, password) = credential else { return None };
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))))
}

/// Once more when the connection broke off before an answer came: one that was kept open may have been closed meanwhile.
/// All that a registry is asked here is reading.
async fn send(registry: &str, request: RequestBuilder) -> Result<Response> {
    let again = request.try_clone();
    let sent = match (request.send().await, again) {
        (Err(e), Some(again)) if e.is_request() && !e.is_connect() && !e.is_timeout() => again.send().await,
        (sent, _) => sent,
    };
    sent.map_err(|e| unreachable(registry, e))
}

async fn read(registry: &str, mut response: Response) -> Result<Answer> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(registry, e))? {
        if body.len() + chunk.len() > BODY {
            return Err(Error::failed(format!("registry {registry}: its answer is larger than {} MiB", BODY >> 20))
                .hint("Check that the host is a container registry."));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// The registry could not be asked at all.
fn unreachable(registry: &str, e: reqwest::Error) -> Error {
    let why = chain(&e);
    let lower = why.to_lowercase();
    let (what, hint) = if e.is_timeout() {
        ("does not answer in time", "Check the network, a proxy, and the registry's name.")
    } else if lower.contains("certificate") || lower.contains("unknownissuer") {
        ("its certificate is not trusted", "Add the registry's certificate authority to this computer's trust store.")
    } else if lower.contains("corrupt message") || lower.contains("invalidcontenttype") || lower.contains("tls") {
        ("does not speak HTTPS", "If it has plain HTTP only, set registry_insecure in the VPC's settings.")
    } else if e.is_connect() {
        ("cannot be reached", "Check the network, a proxy, and the registry's name and port.")
    } else {
        ("broke off the answer", "Check that the host is a container registry, and try again.")
    };
    Error::failed(format!("registry {registry} {what}: {why}")).hint(hint).caused_by(e.without_url())
}

/// An error's words and its causes', once each. Never the URL, whose query may hold a secret.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(e) = next {
        let text = e.to_string();
        let text = text.split(" for url (").next().unwrap_or_default().to_owned();
        if !parts.iter().any(|p| p.contains(&text)) {
            parts.push(text);
        }
        next = e.source();
    }
    parts.join(": ")
}
