//! `.dockerignore`.
use crate::input::parts;
use docker::ignore::Ignore;
use regex_lite::Regex;

/// Longest pattern and path that are compared with the model, in bytes.
const COMPARED: usize = 200;

/// Any text is read, or its line is told; any path is decided, and as Docker decides it.
pub fn fuzz(data: &[u8]) {
    let ([text], paths) = parts(data);
    let paths: Vec<String> = paths.map(|p| p.into_owned()).collect();
    let mut ignore = match Ignore::parse(&text) {
        Ok(ignore) => ignore,
        Err(why) => return assert!(why.starts_with("line ")),
    };
    let model = model(&text);
    for path in paths.iter().map(|p| p.trim_matches('/')).filter(|p| !p.contains("//")) {
        let excluded = ignore.excludes(path);
        if let Some(model) = model.as_ref().filter(|_| path.len() <= COMPARED) {
            assert_eq!(excluded, decide(model, path), "{path:?} by {text:?}");
        }
    }
    for path in paths.iter().map(|p| p.trim_matches('/')) {
        ignore.keep(path);
        assert!(!ignore.excludes(path), "{path:?} is kept");
    }
}

/// Whether it is an exception, and which paths it is about.
type Rule = (bool, Regex);

/// The rules as regular expressions, the way that Docker makes them (moby/patternmatcher). None for what Docker itself does
/// not say clearly: classes and escapes.
fn model(text: &str) -> Option<Vec<Rule>> {
    if text.len() > COMPARED || text.contains(['[', ']', '\\', '\u{feff}']) {
        return None;
    }
    let mut rules = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let line = line.trim();
        let (exception, path) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
        let parts: Vec<&str> = path.split('/').filter(|p| !matches!(*p, "" | ".")).collect();
        if parts.contains(&"..") {
            return None;
        }
        let path = parts.join("/");
        if !path.is_empty() {
            rules.push((exception, Regex::new(&expression(&path)).ok()?));
        }
    }
    Some(rules)
}

fn expression(pattern: &str) -> String {
    // Docker compares ends where only the beginning is special.
    if let Some(end) = pattern.strip_prefix("**").filter(|end| !end.is_empty() && !end.contains(['*', '?'])) {
        let inside = end.strip_prefix('/').map(|name| format!("|{}", regex_lite::escape(name))).unwrap_or_default();
        return format!("(?s)^(.*{}{inside})$", regex_lite::escape(end));
    }
    let mut regex = String::from("(?s)^");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            rest = after.strip_prefix('/').unwrap_or(after);
            regex.push_str(if rest.is_empty() { ".*" } else { "(.*/)?" });
            continue;
        }
        match c {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            c => regex.push_str(&regex_lite::escape(&c.to_string())),
        }
        rest = &rest[c.len_utf8()..];
    }
    regex.push('$');
    regex
}

/// The later rule wins; one that matches a directory matches all in it.
fn decide(rules: &[Rule], path: &str) -> bool {
    let mut excluded = false;
    let ends: Vec<usize> = path.match_indices('/').map(|(n, _)| n).chain([path.len()]).collect();
    for (exception, regex) in rules.iter().filter(|_| !path.is_empty()) {
        if *exception == excluded && ends.iter().any(|end| regex.is_match(&path[..*end])) {
            excluded = !exception;
        }
    }
    excluded
}
