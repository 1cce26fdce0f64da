//! `.dockerignore`, by Docker's rules: the later pattern wins, `!` makes an exception, a directory that is excluded
//! excludes what is in it.
//!
//! Docker's patterns differ from those of shells and of git (`**` within a part of a path, `\` escapes, no basenames), so
//! no glob library fits.

/// The patterns of one file.
#[derive(Debug, Clone, Default)]
pub struct Ignore(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    exception: bool,
    pieces: Vec<Piece>,
}

/// What a pattern is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// This character.
    One(char),
    /// `?`: any but the slash.
    Any,
    /// `[a-z]`, as it was written.
    Class(Vec<char>),
    /// `*`: any number of characters but slashes.
    Within,
    /// `**` with something behind it: any number of directories, none included, with the slash after each.
    Directories,
    /// `**` at the end, or in front of a mere ending: anything.
    Anything,
}

impl Ignore {
    /// Reads the file's text.
    ///
    /// # Errors
    /// A pattern that is not one, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
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
                patterns.push(Pattern { exception, pieces: pieces(&text) });
            }
        }
        Ok(Self(patterns))
    }

    /// Adds an exception for one path, whatever was said before.
    pub fn keep(&mut self, path: &str) {
        self.0.push(Pattern { exception: true, pieces: path.chars().map(Piece::One).collect() });
    }

    /// Whether the path (with `/`, relative) stays out.
    pub fn excludes(&self, path: &str) -> bool {
        let mut excluded = false;
        for pattern in self.0.iter().filter(|_| !path.is_empty()) {
            if pattern.exception == excluded && pattern.matches(path) {
                excluded = !pattern.exception;
            }
        }
        excluded
    }

    /// Whether nothing below an excluded directory can come back in.
    pub fn has_exceptions(&self) -> bool {
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

/// The pieces of a valid pattern.
fn pieces(pattern: &[char]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        let (piece, left) = match rest {
            ['*', '*'] => (Piece::Anything, &[][..]),
            ['*', '*', '/', left @ ..] => (Piece::Directories, left),
            // Docker compares ends when nothing else in the pattern is special.
            ['*', '*', left @ ..] if pieces.is_empty() && !left.iter().any(|c| "*?[]\\".contains(*c)) => {
                (Piece::Anything, left)
            }
            ['*', '*', left @ ..] => (Piece::Directories, left),
            ['*', left @ ..] => (Piece::Within, left),
            ['?', left @ ..] => (Piece::Any, left),
            ['\\', c, left @ ..] => (Piece::One(*c), left),
            _ => match class(rest, 'x') {
                Some((_, left)) => (Piece::Class(rest[..rest.len() - left.len()].to_vec()), left),
                None => (Piece::One(*first), after),
            },
        };
        // `**/` at the end is `**`.
        let last = left.is_empty() && piece == Piece::Directories;
        pieces.push(if last { Piece::Anything } else { piece });
        rest = left;
    }
    pieces
}

impl Pattern {
    /// Whether the pattern is the path, or a directory on the way to it. All ways through the pattern are followed at
    /// the same time, so that no pattern takes long.
    fn matches(&self, path: &str) -> bool {
        // Where in the pattern one may be; and where inside directories of which the slash is still to come.
        let mut at = vec![false; self.pieces.len() + 1];
        let mut inside = vec![false; self.pieces.len() + 1];
        at[0] = true;
        for c in path.chars() {
            self.skip(&mut at);
            if c == '/' && at[self.pieces.len()] {
                return true;
            }
            let mut next = vec![false; at.len()];
            for (n, piece) in self.pieces.iter().enumerate() {
                if *piece == Piece::Directories {
                    inside[n] |= at[n];
                    next[n + 1] |= inside[n] && c == '/';
                    continue;
                }
                if !at[n] {
                    continue;
                }
                match piece {
                    Piece::One(one) => next[n + 1] |= c == *one,
                    Piece::Any => next[n + 1] |= c != '/',
                    Piece::Class(text) => next[n + 1] |= class(text, c).is_some_and(|(found, _)| found),
                    Piece::Within => next[n] |= c != '/',
                    Piece::Anything | Piece::Directories => next[n] = true,
                }
            }
            at = next;
        }
        self.skip(&mut at);
        at[self.pieces.len()]
    }

    /// What may stand for nothing.
    fn skip(&self, at: &mut [bool]) {
        for (n, piece) in self.pieces.iter().enumerate() {
            at[n + 1] |= at[n] && matches!(piece, Piece::Within | Piece::Directories | Piece::Anything);
        }
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
            // Found by fuzzing: two stars in front of a mere ending.
            ("**.log", &["x.log", "a/x.log", ".log", "a.log/b"], &["x.logs"]),
            ("**a*.log", &["a1.log", "x/a.log"], &["xa.log"]),
            ("***", &["a", "a/b"], &[]),
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

    /// Found by fuzzing: following one way after the other, these took ages.
    #[test]
    fn no_pattern_takes_long() {
        let began = std::time::Instant::now();
        for (pattern, path) in [
            ("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b".to_owned(), "a".repeat(200)),
            ("**/".repeat(40) + "x", "a/".repeat(200) + "y"),
            ("**a".repeat(30) + "?", "a/".repeat(200)),
        ] {
            assert!(!Ignore::parse(&pattern).unwrap().excludes(&path), "{pattern}");
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
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
