//! Options of log drivers that Docker would reject.
use super::*;

fn read(driver: &str, options: &str) -> aws_core::Result<Manifest> {
    parse_new(&format!("{HEAD}logging:\n  driver: {driver}\n  options:\n{options}"), "myapp.yaml")
}

#[test]
fn options_that_docker_takes() {
    for (driver, options) in [
        ("awslogs", "    mode: blocking\n    tag: \"{{.Name}}\"\n    awslogs-create-group: true\n"),
        ("awslogs", "    max-buffer-size: 4m\n"),
        ("awslogs", "    awslogs-datetime-format: '%Y-%m-%d'\n    awslogs-max-buffered-events: 10\n"),
        ("awslogs", "    awslogs-multiline-pattern: '^\\(?=INFO'\n    awslogs-group: g\n    awslogs-stream: s\n"),
        ("awslogs", "    awslogs-format: json/emf\n    awslogs-force-flush-interval-seconds: 5\n"),
        ("awslogs", "    awslogs-multiline-pattern: ''\n    awslogs-endpoint: https://logs.example.org\n"),
        ("json-file", "    max-size: 10m\n    max-file: 3\n    compress: true\n    labels-regex: ^x\n"),
        ("json-file", "    mode: non-blocking\n    max-buffer-size: 1.5 MiB\n    env: A,B\n"),
        ("local", "    max-size: 20MB\n    max-file: 1\n    compress: false\n    cache-disabled: true\n"),
        ("journald", "    tag: '{{.ImageName}}/{{.ID}}'\n    env-regex: ^A\n    labels: a\n"),
        ("syslog", "    syslog-address: tcp+tls://logs.example.org:6514\n    syslog-facility: local0\n"),
        (
            "syslog",
            "    syslog-address: unixgram:///dev/log\n    syslog-facility: 23\n    syslog-format: rfc5424micro\n",
        ),
        ("fluentd", "    fluentd-address: '[::1]:24224'\n    fluentd-async: true\n    fluentd-retry-wait: 1m30s\n"),
        ("fluentd", "    fluentd-address: unix:///run/fluent.sock\n    fluentd-buffer-limit: 8MB\n"),
        ("fluentd", "    fluentd-async-reconnect-interval: 500ms\n    fluentd-max-retries: 4294967\n"),
        (
            "gelf",
            "    gelf-address: udp://10.0.0.1:12201\n    gelf-compression-type: gzip\n    gelf-compression-level: -1\n",
        ),
        ("gelf", "    gelf-address: tcp://logs.example.org:12201\n    gelf-tcp-max-reconnect: 0\n"),
        ("splunk", "    splunk-url: https://s.example.org:8088\n    splunk-token: abc\n    splunk-format: raw\n"),
        ("gcplogs", "    gcp-project: p\n    gcp-log-cmd: false\n    env: A\n"),
        ("none", "    whatever: x\n"),
    ] {
        read(driver, options).unwrap_or_else(|e| panic!("{driver}\n{options}{}", words(&e)));
    }
}

#[test]
fn options_that_docker_rejects() {
    // The line of the option, and what is said of it.
    for (driver, options, line, said) in [
        ("awslogs", "    awslogs-stream-prefix: ecs\n", 6, "agent of Amazon ECS"),
        (
            "awslogs",
            "    awslogs-datetime-format: '%Y-%m-%d'\n    awslogs-multiline-pattern: ^INFO\n",
            7,
            "exclude each other",
        ),
        ("awslogs", "    tag: x\n    max-size: 10m\n", 7, "json-file, local"),
        ("awslogs", "    awslogs-grup: g\n", 6, "did you mean `awslogs-group`"),
        ("awslogs", "    awslogs-group: ''\n", 6, "must have a name"),
        ("awslogs", "    awslogs-create-group: yes\n", 6, "must be true or false"),
        ("awslogs", "    awslogs-format: json\n", 6, "json/emf"),
        ("awslogs", "    awslogs-format: json/emf\n    awslogs-multiline-pattern: x\n", 7, "exclude each other"),
        ("awslogs", "    awslogs-max-buffered-events: 0\n", 6, "above 0"),
        ("awslogs", "    awslogs-force-flush-interval-seconds: 5s\n", 6, "above 0"),
        ("awslogs", "    awslogs-multiline-pattern: '^(?!\\s)'\n", 6, "regular expression of Go"),
        ("awslogs", "    labels: a\n", 6, "does not know it"),
        ("awslogs", "    mode: nonblocking\n", 6, "blocking or non-blocking"),
        ("awslogs", "    mode: blocking\n    max-buffer-size: 4m\n", 7, "mode: non-blocking"),
        ("awslogs", "    max-buffer-size: 4 megabytes\n", 6, "a size"),
        ("awslogs", "    tag: '{{.Name}'\n", 6, "a template"),
        ("json-file", "    max-buffer-size: 4m\n", 6, "mode: non-blocking"),
        ("json-file", "    max-size: -1\n", 6, "a size"),
        ("json-file", "    max-size: 0\n", 6, "a size"),
        ("json-file", "    max-file: 0\n", 6, "above 0"),
        ("json-file", "    compress: true\n    max-size: 10m\n", 6, "max-file of at least 2"),
        ("json-file", "    awslogs-group: g\n", 6, "is an option of awslogs"),
        ("local", "    max-file: 1\n", 6, "compress: false"),
        ("journald", "    journald-tag: x\n", 6, "does not know it"),
        ("syslog", "    syslog-address: 192.0.2.1:514\n", 6, "udp://"),
        ("syslog", "    syslog-address: http://192.0.2.1\n", 6, "udp://"),
        ("syslog", "    syslog-facility: local8\n", 6, "0 to 23"),
        ("syslog", "    syslog-format: rfc5425\n", 6, "rfc3164"),
        ("fluentd", "    fluentd-address: http://x:1\n", 6, "unix:///path"),
        ("fluentd", "    fluentd-address: x:99999\n", 6, "unix:///path"),
        ("fluentd", "    fluentd-async: sometimes\n", 6, "true or false"),
        ("fluentd", "    fluentd-retry-wait: 5\n", 6, "a time with its unit"),
        ("fluentd", "    fluentd-async-reconnect-interval: 1m\n", 6, "between 100ms and 10s"),
        ("fluentd", "    fluentd-async: true\n    fluentd-async-connect: true\n", 7, "exclude each other"),
        ("gelf", "    tag: x\n", 6, "needs the option gelf-address"),
        ("gelf", "    gelf-address: udp://10.0.0.1\n", 6, "host:port"),
        ("gelf", "    gelf-address: tcp://h:1\n    gelf-compression-type: gzip\n", 7, "udp://"),
        ("gelf", "    gelf-address: udp://h:1\n    gelf-compression-level: 10\n", 7, "-1 to 9"),
        ("splunk", "    splunk-token: abc\n", 6, "needs the option splunk-url"),
        ("splunk", "    splunk-token: abc\n    splunk-url: https://s/services\n", 7, "without a path"),
        ("splunk", "    splunk-token: abc\n    splunk-url: https://s\n    splunk-format: text\n", 8, "inline"),
        ("gcplogs", "    gcp-project: p\n    tag: x\n", 7, "does not know it"),
        ("gcplogs", "    env: A\n", 6, "needs the option gcp-project"),
    ] {
        let error = words(&read(driver, options).expect_err(options));
        assert!(error.contains(&format!("myapp.yaml, line {line}, ")), "{driver}\n{options}{error}");
        assert!(error.to_lowercase().contains(&said.to_lowercase()), "{driver}\n{options}{error}");
        // Not even a part of one.
        assert!(!error.contains("abc"), "the token of Splunk is a secret: {error}");
    }
}

#[test]
fn options_of_newer_versions_are_warnings() {
    for (driver, options, known) in [
        ("awslogs", "    awslogs-create-stream: false\n", false),
        ("local", "    tag: x\n", false),
        ("fluentd", "    fluentd-write-timeout: 1s\n", false),
        ("fluentd", "    fluentd-async-connect: true\n", true),
        ("json-file", "    tag: x\n", true),
    ] {
        let warnings = check::warnings(&read(driver, options).unwrap()).join("\n");
        assert_eq!(warnings.contains("Docker 25 rejects") || warnings.contains("of Docker 25"), !known, "{warnings}");
    }
}
