//! What Docker's log drivers take as options. The engine looks at them when it makes the container, on the instance: an
//! option that a driver does not know, and no instance starts.
//!
//! The rules are moby's (`daemon/logger/factory.go` `ValidateLogOpts`, `ValidateLogOpt` and `New` of each driver), in the
//! version of the recommended machine image: Docker 25.0.18 (amazon-ecs-ami, release 20261030). What only newer
//! versions know is a warning, for there are other machine images.
use super::Logging;
use files::{
    Problem,
    Step::{Key, Nth},
};
use std::collections::BTreeMap;

/// `mode` and `max-buffer-size` are for all drivers; those that begin with `cache-` for the engine's own copy of the log.
const ANY: [&str; 6] =
    ["mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"];
/// What most drivers can add to a message.
const ATTRIBUTES: [&str; 5] = ["env", "env-regex", "labels", "labels-regex", "tag"];

/// A driver's own options, those of [`ATTRIBUTES`] that it has, and what it has in newer versions of Docker.
struct Driver {
    name: &'static str,
    own: &'static [&'static str],
    attributes: &'static [&'static str],
    newer: &'static [&'static str],
}

const DRIVERS: [Driver; 9] = [
    Driver {
        name: "awslogs",
        own: &[
            "awslogs-create-group",
            "awslogs-credentials-endpoint",
            "awslogs-datetime-format",
            "awslogs-endpoint",
            "awslogs-force-flush-interval-seconds",
            "awslogs-format",
            "awslogs-group",
            "awslogs-max-buffered-events",
            "awslogs-multiline-pattern",
            "awslogs-region",
            "awslogs-stream",
        ],
        attributes: &["tag"],
        newer: &["awslogs-create-stream"],
    },
    Driver {
        name: "fluentd",
        own: &[
            "fluentd-address",
            "fluentd-async",
            "fluentd-async-connect",
            "fluentd-async-reconnect-interval",
            "fluentd-buffer-limit",
            "fluentd-max-retries",
            "fluentd-request-ack",
            "fluentd-retry-wait",
            "fluentd-sub-second-precision",
        ],
        attributes: &ATTRIBUTES,
        newer: &["fluentd-read-timeout", "fluentd-write-timeout"],
    },
    Driver {
        name: "gcplogs",
        own: &["gcp-log-cmd", "gcp-meta-id", "gcp-meta-name", "gcp-meta-zone", "gcp-project"],
        attributes: &["env", "env-regex", "labels", "labels-regex"],
        newer: &[],
    },
    Driver {
        name: "gelf",
        own: &[
            "gelf-address",
            "gelf-compression-level",
            "gelf-compression-type",
            "gelf-tcp-max-reconnect",
            "gelf-tcp-reconnect-delay",
        ],
        attributes: &ATTRIBUTES,
        newer: &[],
    },
    Driver { name: "journald", own: &[], attributes: &ATTRIBUTES, newer: &[] },
    Driver { name: "json-file", own: &["compress", "max-file", "max-size"], attributes: &ATTRIBUTES, newer: &[] },
    Driver { name: "local", own: &["compress", "max-file", "max-size"], attributes: &[], newer: &ATTRIBUTES },
    Driver {
        name: "splunk",
        own: &[
            "splunk-caname",
            "splunk-capath",
            "splunk-format",
            "splunk-gzip",
            "splunk-gzip-level",
            "splunk-index",
            "splunk-index-acknowledgment",
            "splunk-insecureskipverify",
            "splunk-source",
            "splunk-sourcetype",
            "splunk-token",
            "splunk-url",
            "splunk-verify-connection",
        ],
        attributes: &ATTRIBUTES,
        newer: &[],
    },
    Driver {
        name: "syslog",
        own: &[
            "syslog-address",
            "syslog-facility",
            "syslog-format",
            "syslog-tls-ca-cert",
            "syslog-tls-cert",
            "syslog-tls-key",
            "syslog-tls-skip-verify",
        ],
        attributes: &ATTRIBUTES,
        newer: &[],
    },
];

impl Driver {
    fn knows(&self, option: &str) -> bool {
        ANY.contains(&option) || self.own.contains(&option) || self.attributes.contains(&option)
    }
}

/// What is wrong with one option, and what to do.
struct Wrong {
    option: Option<&'static str>,
    message: String,
    hint: Option<String>,
}

impl Wrong {
    fn at(option: &'static str, message: String) -> Self {
        Self { option: Some(option), message, hint: None }
    }
}

/// The options of a manifest, by name.
struct Options<'m>(BTreeMap<&'m str, &'m str>);

/// The first option that the driver would refuse.
pub(super) fn problem(logging: &Logging) -> Option<Problem> {
    let driver = DRIVERS.iter().find(|d| d.name == logging.driver.as_str())?;
    let place = |n: usize| vec![Key("logging"), Key("options"), Nth(n)];
    for (n, option) in logging.options.keys().enumerate() {
        if !driver.knows(option) && !driver.newer.contains(&option.as_str()) {
            let message = format!("invalid option `{option}`: the log driver {} does not know it", driver.name);
            return Some(Problem { path: place(n), message, hint: Some(instead(driver, option)) });
        }
    }
    let mut options = Options(logging.options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect());
    if driver.name == "awslogs" {
        // As the boot script does: see `user_data::Arguments`.
        options.0.entry("mode").or_insert("non-blocking");
    }
    let wrong = options.any().and_then(|()| options.of(driver.name)).err()?;
    let index = wrong.option.and_then(|option| logging.options.keys().position(|k| k == option));
    let path = index.map_or_else(|| vec![Key("logging"), Key("options")], place);
    Some(Problem { path, message: wrong.message, hint: wrong.hint })
}

/// Options that only newer versions of Docker know: whole sentences.
pub(super) fn warnings(logging: &Logging) -> Vec<String> {
    let Some(driver) = DRIVERS.iter().find(|d| d.name == logging.driver.as_str()) else { return Vec::new() };
    let newer =
        logging.options.keys().filter(|option| driver.newer.contains(&option.as_str()) && !driver.knows(option));
    newer
        .map(|option| {
            format!(
                "logging.options has {option}, which the log driver {} of Docker 25 rejects, the version of the \
                 recommended machine image: with it, no instance starts the container.",
                driver.name
            )
        })
        .collect()
}

/// What to do about an option that a driver does not know.
fn instead(driver: &Driver, option: &str) -> String {
    if option == "awslogs-stream-prefix" {
        return "Remove it: the agent of Amazon ECS reads it, Docker does not. Without awslogs-stream, the stream is named \
                after the instance."
            .into();
    }
    let others: Vec<&str> = DRIVERS.iter().filter(|d| d.knows(option)).map(|d| d.name).collect();
    if !others.is_empty() {
        return format!("Remove it, or set logging.driver: {option} is an option of {}.", others.join(", "));
    }
    let known: Vec<&str> = driver.own.iter().chain(driver.attributes).chain(&ANY[..2]).copied().collect();
    let near = known.iter().map(|k| (strsim::damerau_levenshtein(option, k), *k)).min();
    match near {
        Some((distance, name)) if distance <= 1.max(name.len() / 4) => format!("Did you mean `{name}`?"),
        _ => format!("Remove it; the driver's options are {}.", known.join(", ")),
    }
}

type Checked = Result<(), Wrong>;

impl Options<'_> {
    /// An option that is set to something.
    fn get(&self, option: &str) -> Option<&str> {
        self.0.get(option).copied().filter(|v| !v.is_empty())
    }

    /// When an option is set and `good` does not take it: `must` says what it must be.
    fn when(&self, option: &'static str, must: &str, good: impl Fn(&str) -> bool) -> Checked {
        match self.get(option) {
            Some(value) if !good(value) => {
                Err(Wrong::at(option, format!("invalid {option} `{}`: it must be {must}", value.escape_debug())))
            }
            _ => Ok(()),
        }
    }

    fn bools(&self, options: &[&'static str]) -> Checked {
        options.iter().try_for_each(|&option| self.when(option, "true or false", |v| boolean(v).is_some()))
    }

    fn needs(&self, driver: &str, option: &'static str, example: &str) -> Checked {
        if self.get(option).is_some() {
            return Ok(());
        }
        let message = format!("the log driver {driver} needs the option {option}");
        let hint = Some(format!("Add it to logging.options, e.g. `{option}: {example}`."));
        Err(Wrong { option: self.0.contains_key(option).then_some(option), message, hint })
    }

    fn excludes(&self, one: &'static str, other: &'static str) -> Checked {
        if self.0.contains_key(one) && self.0.contains_key(other) {
            return Err(Wrong {
                option: Some(other),
                message: format!("{one} and {other} exclude each other"),
                hint: Some("Remove one of them.".into()),
            });
        }
        Ok(())
    }

    /// What holds for every driver.
    fn any(&self) -> Checked {
        self.when("mode", "blocking or non-blocking", |v| ["blocking", "non-blocking"].contains(&v))?;
        if self.0.contains_key("max-buffer-size") && self.get("mode") != Some("non-blocking") {
            let mut wrong = Wrong::at("max-buffer-size", "max-buffer-size needs `mode: non-blocking`".into());
            wrong.hint = Some("Add `mode: non-blocking` to logging.options.".into());
            return Err(wrong);
        }
        self.when("max-buffer-size", "a size, e.g. 4m", |v| size(v).is_some())?;
        self.bools(&["cache-disabled"])?;
        self.when("tag", "a template whose {{ and }} match", |v| v.matches("{{").count() == v.matches("}}").count())
    }

    fn of(&self, driver: &str) -> Checked {
        match driver {
            "awslogs" => self.awslogs(),
            "fluentd" => self.fluentd(),
            "gcplogs" => {
                self.bools(&["gcp-log-cmd"])?;
                // Outside of Google Compute Engine nobody else says which project.
                self.needs(driver, "gcp-project", "my-project")
            }
            "gelf" => self.gelf(),
            "json-file" | "local" => self.rotated(driver),
            "splunk" => self.splunk(),
            "syslog" => self.syslog(),
            _ => Ok(()),
        }
    }

    fn awslogs(&self) -> Checked {
        if self.0.get("awslogs-group").is_some_and(|v| v.is_empty()) {
            return Err(Wrong::at("awslogs-group", "invalid awslogs-group: it must have a name".into()));
        }
        self.bools(&["awslogs-create-group", "awslogs-create-stream"])?;
        let positive = |v: &str| integer(v).is_some_and(|n| n > 0);
        self.when("awslogs-force-flush-interval-seconds", "a whole number above 0", positive)?;
        self.when("awslogs-max-buffered-events", "a whole number above 0", positive)?;
        self.excludes("awslogs-datetime-format", "awslogs-multiline-pattern")?;
        self.when("awslogs-format", "json/emf", |v| v == "json/emf")?;
        if self.get("awslogs-format").is_some() {
            self.excludes("awslogs-format", "awslogs-datetime-format")?;
            self.excludes("awslogs-format", "awslogs-multiline-pattern")?;
        }
        let must = "a regular expression of Go, which has no (?=, (?!, (?<= and (?<!";
        self.when("awslogs-multiline-pattern", must, |v| !looks_around(v))
    }

    fn fluentd(&self) -> Checked {
        self.when("fluentd-address", "host:port, tcp://host:port, tls://host:port or unix:///path", fluentd_address)?;
        self.when("fluentd-buffer-limit", "a size, e.g. 8m", |v| size(v).is_some())?;
        let retries = |v: &str| v.parse::<u32>().is_ok_and(|n| n <= i32::MAX.unsigned_abs());
        self.when("fluentd-max-retries", "a whole number", retries)?;
        let time = |v: &str| duration(v).is_some();
        self.when("fluentd-retry-wait", "a time with its unit, e.g. 1s", time)?;
        self.when("fluentd-write-timeout", "a time with its unit, e.g. 1s", time)?;
        self.when("fluentd-read-timeout", "a time with its unit, e.g. 1s", time)?;
        let interval = |v: &str| duration(v).is_some_and(|s| s == 0.0 || (0.1..=10.0).contains(&s));
        self.when("fluentd-async-reconnect-interval", "between 100ms and 10s", interval)?;
        self.excludes("fluentd-async", "fluentd-async-connect")?;
        self.bools(&["fluentd-async", "fluentd-async-connect", "fluentd-request-ack", "fluentd-sub-second-precision"])
    }

    fn gelf(&self) -> Checked {
        self.needs("gelf", "gelf-address", "udp://127.0.0.1:12201")?;
        let has_port = |rest: &str| rest.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty());
        let scheme = self.get("gelf-address").and_then(|v| v.split_once("://"));
        self.when("gelf-address", "udp://host:port or tcp://host:port", |_| {
            scheme.is_some_and(|(scheme, rest)| ["udp", "tcp"].contains(&scheme) && has_port(rest))
        })?;
        let only = |scheme_needed: &str, options: &[&'static str]| {
            let other = options.iter().find(|o| self.0.contains_key(**o) && scheme.map(|s| s.0) != Some(scheme_needed));
            other.map_or(Ok(()), |&o| Err(Wrong::at(o, format!("{o} needs a gelf-address of {scheme_needed}://"))))
        };
        only("udp", &["gelf-compression-level", "gelf-compression-type"])?;
        only("tcp", &["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"])?;
        self.when("gelf-compression-level", "-1 to 9", |v| integer(v).is_some_and(|n| (-1..=9).contains(&n)))?;
        self.when("gelf-compression-type", "gzip, zlib or none", |v| ["gzip", "zlib", "none"].contains(&v))?;
        let count = |v: &str| integer(v).is_some_and(|n| n >= 0);
        self.when("gelf-tcp-max-reconnect", "a whole number", count)?;
        self.when("gelf-tcp-reconnect-delay", "a whole number of seconds", count)
    }

    fn rotated(&self, driver: &str) -> Checked {
        self.when("max-size", "a size, e.g. 10m", |v| size(v).is_some_and(|n| n > 0.0))?;
        self.when("max-file", "a whole number above 0", |v| integer(v).is_some_and(|n| n > 0))?;
        self.bools(&["compress"])?;
        let files = self.get("max-file").and_then(integer);
        let compress = self.get("compress").and_then(boolean);
        if driver == "json-file" && compress == Some(true) && (files.unwrap_or(1) < 2 || self.get("max-size").is_none())
        {
            let message = "`compress: true` needs max-size, and max-file of at least 2".into();
            return Err(Wrong::at("compress", message));
        }
        // It compresses, unless it is told not to.
        if driver == "local" && files == Some(1) && compress != Some(false) {
            return Err(Wrong {
                option: Some("max-file"),
                message: "`max-file: 1` needs `compress: false`: the log driver local compresses the older files"
                    .into(),
                hint: Some("Add `compress: false` to logging.options.".into()),
            });
        }
        Ok(())
    }

    fn splunk(&self) -> Checked {
        self.needs("splunk", "splunk-url", "https://splunk.example.org:8088")?;
        self.needs("splunk", "splunk-token", "the token of the HTTP event collector")?;
        self.when("splunk-url", "https://host:port, without a path", |v| {
            let rest = v.strip_prefix("https://").or_else(|| v.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.trim_end_matches('/').contains(['/', '?', '#']) && !rest.is_empty())
        })?;
        self.when("splunk-format", "inline, json or raw", |v| ["inline", "json", "raw"].contains(&v))?;
        self.when("splunk-gzip-level", "-1 to 9", |v| integer(v).is_some_and(|n| (-1..=9).contains(&n)))?;
        self.bools(&[
            "splunk-gzip",
            "splunk-index-acknowledgment",
            "splunk-insecureskipverify",
            "splunk-verify-connection",
        ])
    }

    fn syslog(&self) -> Checked {
        const FACILITIES: [&str; 20] = [
            "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
            "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
        ];
        self.when(
            "syslog-address",
            "udp://, tcp:// or tcp+tls:// with host:port, or unix:// or unixgram:// with a path",
            |v| {
                let known = ["udp", "tcp", "tcp+tls", "unix", "unixgram"];
                v.split_once("://").is_some_and(|(scheme, rest)| known.contains(&scheme) && !rest.is_empty())
            },
        )?;
        self.when("syslog-facility", "a name such as daemon or local0, or 0 to 23", |v| {
            FACILITIES.contains(&v) || integer(v).is_some_and(|n| (0..=23).contains(&n))
        })?;
        let formats = ["rfc3164", "rfc5424", "rfc5424micro"];
        self.when("syslog-format", "rfc3164, rfc5424 or rfc5424micro", |v| formats.contains(&v))
    }
}

/// Go's `strconv.ParseBool`.
fn boolean(s: &str) -> Option<bool> {
    match s {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Go's `strconv.Atoi`.
fn integer(s: &str) -> Option<i64> {
    s.parse().ok()
}

/// A size as `docker/go-units` reads it (`FromHumanSize`, `RAMInBytes`), in its unit: only its sign matters here.
fn size(s: &str) -> Option<f64> {
    let end = s.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(s.len());
    let (number, unit) = s.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let good = match unit.as_str() {
        "" | "b" => true,
        unit => {
            let rest = unit.strip_prefix(['k', 'm', 'g', 't', 'p']);
            rest.is_some_and(|rest| ["", "b", "ib"].contains(&rest))
        }
    };
    number.parse().ok().filter(|_| good)
}

/// A time as Go's `time.ParseDuration` reads it, in seconds; none that is negative.
fn duration(s: &str) -> Option<f64> {
    let s = s.strip_prefix('+').unwrap_or(s);
    if s == "0" {
        return Some(0.0);
    }
    let (mut rest, mut sum) = (s, None);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let units = [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let (unit, seconds) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        sum = Some(sum.unwrap_or(0.0) + number * seconds);
    }
    sum
}

/// Whether a regular expression looks ahead or behind, which Go's cannot.
fn looks_around(pattern: &str) -> bool {
    ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|group| {
        pattern.match_indices(group).any(|(at, _)| {
            // A bracket behind a backslash is no group, but one behind two is.
            pattern[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 0
        })
    })
}

fn fluentd_address(address: &str) -> bool {
    let (scheme, rest) = address.split_once("://").unwrap_or(("tcp", address));
    match scheme {
        "unix" => !rest.trim_start_matches('/').is_empty(),
        "tcp" | "tls" => {
            let port = match rest.rsplit_once(':') {
                // An IPv6 address has colons of its own.
                Some((_, port)) if !port.ends_with(']') => port,
                _ => "",
            };
            !rest.contains('/') && (port.is_empty() || port.parse::<u16>().is_ok())
        }
        _ => false,
    }
}
