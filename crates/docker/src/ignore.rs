//! `.dockerignore`, by Docker's rules: the later pattern wins, `!` makes an exception, a directory that is excluded
//! excludes what is in it.
//!
//! Docker's patterns differ from those of shells and of git (`**` within a part of a path, `\` escapes, no basenames), so
//! no glob library fits.

/// The patterns of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ignore(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    exception: bool,
    text: Vec<char>,
}

impl Ignore {
    /// Reads the file's text.
    ///
    /// # Errors
    /// A pattern that is not one, with its line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let (exception, path) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            if line.is_empty() {
                continue;
            }
            if path.is_empty() {
                return Err(format!("line {}: `!` without a pattern", number + 1));
            }
            let text: Vec<char> = clean(path).chars().collect();
            if !valid(&text) {
                return Err(format!("line {}: `{line}` is no pattern", number + 1));
            }
            // `.` alone excludes nothing in Docker either.
            if text != ['.'] {
                patterns.push(Pattern { exception, text });
            }
        }
        Ok(Self(patterns))
    }

    /// Adds an exception for one path, whatever was said before.
    pub(crate) fn keep(&mut self, path: &str) {
        let escaped = path.chars().flat_map(|c| if "*?[]\\".contains(c) { vec!['\\', c] } else { vec![c] });
        self.0.push(Pattern { exception: true, text: escaped.collect() });
    }

    /// Whether the path (with `/`, relative) stays out.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        let ends = path.iter().enumerate().filter(|(_, c)| **c == '/').map(|(n, _)| n).chain([path.len()]);
        let ends: Vec<usize> = ends.collect();
        let mut excluded = false;
        for pattern in self.0.iter().filter(|_| !path.is_empty()) {
            if pattern.exception == excluded && ends.iter().any(|end| matches(&pattern.text, &path[..*end])) {
                excluded = !pattern.exception;
            }
        }
        excluded
    }

    /// Whether nothing below an excluded directory can come back in.
    pub(crate) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|p| p.exception)
    }
}

/// Without `.`, `..`, double slashes, and slashes at either end, as Go's `filepath.Clean` does.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Whether every `[` has its end and no escape stands last.
fn valid(pattern: &[char]) -> bool {
    let mut rest = pattern;
    while let Some(c) = rest.first() {
        rest = match c {
            '\\' if rest.len() < 2 => return false,
            '\\' => &rest[2..],
            '[' => match class(rest, 'x') {
                Some((_, after)) => after,
                None => return false,
            },
            _ => &rest[1..],
        };
    }
    true
}

/// `[a-z]`, `[^a]` at the beginning of `pattern`: whether `c` is in it, and what follows it.
fn class(pattern: &[char], c: char) -> Option<(bool, &[char])> {
    let mut rest = pattern.strip_prefix(&['['])?;
    let negated = rest.first() == Some(&'^');
    if negated {
        rest = &rest[1..];
    }
    let one = |rest: &mut &[char]| -> Option<char> {
        if rest.first() == Some(&'\\') {
            *rest = &rest[1..];
        }
        let (c, after) = rest.split_first()?;
        *rest = after;
        Some(*c)
    };
    let (mut found, mut any) = (false, false);
    loop {
        if any && rest.first() == Some(&']') {
            return Some(((found != negated) && c != '/', &rest[1..]));
        }
        any = true;
        let low = one(&mut rest)?;
        let high = match rest {
            ['-', next, ..] if *next != ']' => {
                rest = &rest[1..];
                one(&mut rest)?
            }
            _ => low,
        };
        found |= (low..=high).contains(&c);
    }
}

/// Whether the pattern is the whole path. `*` and `?` stay within a part, `**` does not: with a slash behind it, it is
/// any number of directories, none included.
fn matches(pattern: &[char], path: &[char]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ['*', '*'] => true,
        ['*', '*', rest @ ..] => {
            let rest = rest.strip_prefix(&['/']).unwrap_or(rest);
            matches(rest, path) || path.iter().enumerate().any(|(n, c)| *c == '/' && matches(rest, &path[n + 1..]))
        }
        ['*', rest @ ..] => {
            let part = path.iter().position(|c| *c == '/').unwrap_or(path.len());
            (0..=part).any(|n| matches(rest, &path[n..]))
        }
        ['?', rest @ ..] => path.first().is_some_and(|c| *c != '/') && matches(rest, &path[1..]),
        ['[', ..] => path
            .first()
            .and_then(|c| class(pattern, *c))
            .is_some_and(|(inside, rest)| inside && matches(rest, &path[1..])),
        ['\\', c, rest @ ..] | [c, rest @ ..] => path.first() == Some(c) && matches(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_dockers() {
        for (pattern, inside, outside) in [
            ("a", &["a", "a/b", "a/b/c"][..], &["b/a", "ab", "A"][..]),
            ("/a/", &["a", "a/b"], &["b/a"]),
            ("./a/../b//c", &["b/c"], &["a", "c"]),
            ("*", &["a", "a/b", ".git"], &[]),
            ("*.md", &["README.md"], &["docs/README.md", "README.mdx"]),
            ("*/temp*", &["a/temporary.txt", "a/temp"], &["temp", "a/b/temp"]),
            ("*/*/temp*", &["a/b/temporary.txt"], &["a/temp"]),
            ("temp?", &["tempa", "tempb/x"], &["temp", "temp/", "tempab"]),
            ("**", &["a", "a/b"], &[]),
            ("**/*.go", &["a.go", "a/b/c.go"], &["a.gox"]),
            ("**/node_modules", &["node_modules/x", "a/node_modules", "a/b/node_modules/c"], &["my_node_modules"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "b"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
            ("a**b", &["ab", "a/b", "ax/b"], &["axb"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[^a-c]x", &["dx"], &["ax", "/x"]),
            ("\\*x", &["*x"], &["ax"]),
            ("a.b", &["a.b"], &["axb"]),
            ("ä*", &["äö"], &["a"]),
            ("../x", &["x"], &["../x"]),
        ] {
            let ignore = Ignore::parse(pattern).unwrap();
            for path in inside {
                assert!(ignore.excludes(path), "{pattern} {path}");
            }
            for path in outside {
                assert!(!ignore.excludes(path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn the_later_one_wins() {
        let text = "\u{feff}# all but the sources\n*\n\n!src\n!README*.md\n  src/secret  \nREADME-secret.md\n#x\n";
        let ignore = Ignore::parse(text).unwrap();
        for (path, excluded) in [
            ("a", true),
            ("a/b", true),
            ("src", false),
            ("src/main.rs", false),
            ("src/secret", true),
            ("src/secret/key", true),
            ("README.md", false),
            ("README-secret.md", true),
        ] {
            assert_eq!(ignore.excludes(path), excluded, "{path}");
        }
        assert!(ignore.has_exceptions());
        let mut ignore = Ignore::parse("*").unwrap();
        assert!(!ignore.has_exceptions());
        ignore.keep("Docker[file]");
        assert!(!ignore.excludes("Docker[file]") && ignore.excludes("Dockerf"));
        assert!(!Ignore::parse(".\n").unwrap().excludes("a"));
    }

    #[test]
    fn what_is_no_pattern() {
        for (text, wanted) in
            [("ok\n[a", "line 2: `[a` is no pattern"), ("!", "line 1: `!`"), ("a\\", "line 1"), ("[]", "line 1")]
        {
            let e = Ignore::parse(text).unwrap_err();
            assert!(e.contains(wanted), "{e}");
        }
    }
}
