//! What a Dockerfile asks for that only BuildKit has: the classic builder does not say so.

/// What of BuildKit the Dockerfile uses, in its own words; `None` where nothing was seen.
pub(crate) fn used(dockerfile: &str) -> Option<String> {
    let text = dockerfile.strip_prefix('\u{feff}').unwrap_or(dockerfile);
    if let Some(syntax) = syntax(text) {
        return Some(syntax);
    }
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default().to_uppercase();
        if !["RUN", "COPY", "ADD", "FROM"].contains(&instruction.as_str()) {
            continue;
        }
        let flags = words.clone().take_while(|word| word.starts_with("--"));
        for flag in flags {
            let name = flag.split('=').next().unwrap_or_default();
            // docs.docker.com, "Dockerfile reference". The classic builder has `--from`, `--chown` and `FROM --platform`.
            let of_buildkit = [
                "--mount",
                "--network",
                "--security",
                "--link",
                "--parents",
                "--exclude",
                "--chmod",
                "--checksum",
                "--keep-git-dir",
                "--unpack",
            ];
            if of_buildkit.contains(&name) {
                return Some(format!("{instruction} {name}"));
            }
            if name == "--platform" && flag.contains('$') {
                return Some(flag.to_owned());
            }
        }
        if instruction != "FROM" && words.any(is_heredoc) {
            return Some(format!("{instruction} <<"));
        }
    }
    None
}

/// `# syntax=..`, which is a directive only before everything but other directives.
fn syntax(text: &str) -> Option<String> {
    for line in text.lines() {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        if name.eq_ignore_ascii_case("syntax") {
            return Some(format!("# syntax={}", value.trim()));
        }
    }
    None
}

/// `<<EOF`, `<<-EOF`, `<<"EOF"`, `3<<EOF`; not a shell's `<<<`.
fn is_heredoc(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = rest.strip_prefix("<<") else { return false };
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches(['"', '\'']);
    rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_buildkit_has() {
        for (text, wanted) in [
            ("# syntax=docker/dockerfile:1\nFROM a", Some("# syntax=docker/dockerfile:1")),
            ("\u{feff}# escape=`\n#SYNTAX = x\nFROM a", Some("# syntax=x")),
            ("FROM a\n# syntax=x\n", None),
            ("# a comment\n# syntax=x\nFROM a", None),
            ("FROM alpine:3.20\nCOPY --link app /app\n", Some("COPY --link")),
            ("from a\n  run --mount=type=cache,target=/x make", Some("RUN --mount")),
            ("FROM a\nCOPY --from=b --parents x y", Some("COPY --parents")),
            ("FROM --platform=$BUILDPLATFORM a", Some("--platform=$BUILDPLATFORM")),
            ("FROM --platform=linux/arm64 a\nCOPY --chown=1 --from=b x y", None),
            ("FROM a\nRUN <<DONE\ncat /app\nDONE\n", Some("RUN <<")),
            ("FROM a\nCOPY <<-\"EOF\" /x\nhi\nEOF\n", Some("COPY <<")),
            ("FROM a\nRUN cat 3<<EOF\n", Some("RUN <<")),
            ("FROM a\nRUN cat <<< x && echo 1<<2\nRUN --help", None),
            ("FROM a\nADD --checksum=sha256:x https://y /z", Some("ADD --checksum")),
            ("FROM a\n# RUN --mount=x\nRUN echo --mount", None),
        ] {
            assert_eq!(used(text).as_deref(), wanted, "{text:?}");
        }
    }
}
