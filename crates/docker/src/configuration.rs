//! Docker's own configuration: `config.json` and what lies beside it.
use serde::Deserialize;
use std::collections::BTreeMap;

/// Of `config.json`, what is used here. Registries' credentials are read where registries are asked.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Configuration {
    /// The context that `docker context use` chose.
    pub(crate) current_context: Option<String>,
    /// Proxies for builds and containers, by the engine's address, or `default`.
    pub(crate) proxies: BTreeMap<String, Proxies>,
}

/// Proxies for what runs on an engine (Docker manual, "Use a proxy server with the Docker CLI").
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Proxies {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
    all_proxy: String,
}

/// The directory: `DOCKER_CONFIG`, else `.docker` in the home directory.
pub(crate) fn directory(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    variable("DOCKER_CONFIG").or_else(|| home(variable).map(|home| format!("{home}/.docker")))
}

pub(crate) fn home(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    variable("HOME").or_else(|| variable("USERPROFILE"))
}

/// What `config.json` says; nothing where it is missing or cannot be read, as for Docker's client, which warns.
pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Configuration {
    let text = directory(variable).and_then(|directory| std::fs::read(format!("{directory}/config.json")).ok());
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// The build arguments that Docker's client adds for the engine at `host`: both spellings of each proxy (docker/cli,
/// `ConfigFile.ParseProxyConfig`).
pub fn build_arguments(host: &str, variable: &dyn Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let all = read(variable).proxies;
    let Some(proxies) = all.get(host).or_else(|| all.get("default")) else { return BTreeMap::new() };
    let named = [
        ("HTTP_PROXY", &proxies.http_proxy),
        ("HTTPS_PROXY", &proxies.https_proxy),
        ("NO_PROXY", &proxies.no_proxy),
        ("FTP_PROXY", &proxies.ftp_proxy),
        ("ALL_PROXY", &proxies.all_proxy),
    ];
    let set = named.into_iter().filter(|(_, value)| !value.is_empty());
    set.flat_map(|(name, value)| [(name.to_owned(), value.clone()), (name.to_lowercase(), value.clone())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: &str = "unix:///var/run/docker.sock";

    fn arguments(config: &str, host: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        let at = dir.path().display().to_string();
        let found = build_arguments(host, &move |name| (name == "DOCKER_CONFIG").then(|| at.clone()));
        found.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn both_spellings_of_each_proxy() {
        let got = arguments(
            r#"{"proxies": {"default": {"httpProxy": "http://proxy.example.org:3128", "noProxy": "*.example.org"}}}"#,
            SOCKET,
        );
        assert_eq!(
            got,
            [
                "HTTP_PROXY=http://proxy.example.org:3128",
                "NO_PROXY=*.example.org",
                "http_proxy=http://proxy.example.org:3128",
                "no_proxy=*.example.org"
            ]
        );
        let got =
            arguments(r#"{"proxies": {"default": {"httpsProxy": "h", "ftpProxy": "f", "allProxy": "a"}}}"#, SOCKET);
        assert_eq!(got, ["ALL_PROXY=a", "FTP_PROXY=f", "HTTPS_PROXY=h", "all_proxy=a", "ftp_proxy=f", "https_proxy=h"]);
    }

    #[test]
    fn the_entry_of_the_engine_comes_first() {
        let config = format!(
            r#"{{"proxies": {{"{SOCKET}": {{"httpProxy": "own"}}, "default": {{"httpProxy": "d", "noProxy": "n"}}}}}}"#
        );
        assert_eq!(
            arguments(&config, SOCKET),
            ["HTTP_PROXY=own", "http_proxy=own"],
            "nothing of `default` is mixed in"
        );
        assert_eq!(arguments(&config, "tcp://127.0.0.1:2375").len(), 4);
    }

    #[test]
    fn nothing_where_nothing_is_said() {
        for config in [
            "",
            "broken",
            "{}",
            r#"{"proxies": {}}"#,
            r#"{"proxies": {"default": {}}}"#,
            r#"{"proxies": {"tcp://x": {"httpProxy": "h"}}}"#,
            r#"{"proxies": {"default": {"httpProxy": ""}}}"#,
        ] {
            assert_eq!(arguments(config, SOCKET), Vec::<String>::new(), "{config}");
        }
        assert!(build_arguments(SOCKET, &|_| None).is_empty());
    }
}
