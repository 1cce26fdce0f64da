//! Files of `NAME=VALUE` lines, read as `docker run --env-file` reads them.
//!
//! Such files hold secrets. So an error names the file, the line and the rule, and never quotes the line: what
//! does not parse may be the middle of a private key.
use crate::manifest::EnvName;
use aws_core::{Error, Result};
use std::{fs, path::Path};

/// A line that says something.
#[derive(Debug)]
pub(crate) struct Line {
    /// Where it is, for errors: `app.env:3`.
    pub(crate) place: String,
    /// The variable.
    pub(crate) name: EnvName,
    /// What follows the `=`; `None` for a name alone.
    pub(crate) value: Option<String>,
}

/// What to do with a value of several lines.
const ONE_LINE: &str = "A value in this format cannot span lines. Store it in SSM Parameter Store or Secrets Manager, and \
                        reference it under `secrets` in the manifest.";

/// Reads a file; `option` is the option that names it.
///
/// # Errors
/// A usage error when the file cannot be read, is not UTF-8, or has a line that is neither a name nor `NAME=VALUE`.
pub(crate) fn read(path: &Path, option: &str) -> Result<Vec<Line>> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|e| Error::usage(format!("could not read {option} {shown}: {e}")))?;
    let text = decoded(&bytes).map_err(|(line, e)| match line {
        Some(line) => e.context(format!("{shown}:{line}")),
        None => e.context(shown.to_string()),
    })?;
    let mut lines = Vec::new();
    // Whether the line before this one begins a PEM block, which the format cannot hold.
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{shown}:{}", number + 1);
        if open || is_inside_a_value(line) {
            return Err(
                Error::usage(format!("{place}: this line continues the value of the line before it")).hint(ONE_LINE)
            );
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (line, None),
        };
        let name = name.parse::<EnvName>().map_err(|_| invalid_name(&place, name, value.is_some()))?;
        open = value.is_some_and(|v| v.contains("-----BEGIN ") && !v.contains("-----END "));
        lines.push(Line { place, name, value: value.map(str::to_owned) });
    }
    Ok(lines)
}

/// The text, without a byte order mark; else the line that is wrong, where that is known.
fn decoded(bytes: &[u8]) -> std::result::Result<&str, (Option<usize>, Error)> {
    let wide = |wide: &str| {
        let error = Error::usage(format!("the file is {wide}; expected UTF-8"));
        error.hint(
            "Convert it with `iconv -f UTF-16 -t UTF-8 FILE`; in PowerShell, write it with `Out-File -Encoding utf8`.",
        )
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((None, wide("UTF-16")));
    }
    // Without a byte order mark, every other byte of ASCII text in UTF-16 is zero.
    if bytes.iter().take(64).filter(|b| **b == 0).count() >= 2 {
        return Err((None, wide("UTF-16 or binary")));
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        (Some(line), Error::usage("this line is not UTF-8").hint("Convert the file to UTF-8, e.g. with `iconv`."))
    })
}

/// Whether a line is one of those that a private key or certificate consists of. `DEBUG=` is none: only signs that names of
/// variables do not have tell them apart.
fn is_inside_a_value(line: &str) -> bool {
    let name = line.trim_end_matches('=');
    let base64 = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    line.starts_with("-----") || (base64 && name.contains(['+', '/']))
}

fn invalid_name(place: &str, name: &str, has_value: bool) -> Error {
    if !has_value {
        return Error::usage(format!("{place}: expected NAME=VALUE")).hint(ONE_LINE);
    }
    let error = Error::usage(format!("{place}: invalid variable name: a name is not empty and has no white space"));
    match name.starts_with("export ") {
        true => error.hint("Remove `export`: the file is not a shell script."),
        false => error.hint(ONE_LINE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Vec<(String, Option<String>)>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.env");
        fs::write(&path, text).unwrap();
        let lines = super::read(&path, "--env-file")?;
        Ok(lines.into_iter().map(|l| (l.name.to_string(), l.value)).collect())
    }

    fn one(text: impl AsRef<[u8]>) -> (String, String) {
        let mut lines = read(text).unwrap();
        assert_eq!(lines.len(), 1);
        let (name, value) = lines.remove(0);
        (name, value.unwrap())
    }

    #[test]
    fn names_are_dockers() {
        for name in [
            "discovery.type",
            "app.datasource.url",
            "log-level",
            "A",
            "_",
            "1X",
            "Logging:LogLevel:Default",
            "list[0].name",
            "ümlaut",
            "a,b",
            "x@y",
        ] {
            assert_eq!(one(format!("{name}=v")), (name.to_owned(), "v".to_owned()));
        }
        assert_eq!(one("  A=\"x\" # y "), ("A".into(), "\"x\" # y ".into()), "a value is what it is");
        assert_eq!(one("DEBUG="), ("DEBUG".into(), String::new()));
        assert_eq!(one("URL=a=b//+c=="), ("URL".into(), "a=b//+c==".into()));
        for bad in [
            "export FOO=hunter2",
            "A B=hunter2",
            "A =hunter2",
            "=hunter2",
            "A\tB=hunter2",
            "A\u{a0}B=hunter2",
            "A\u{7}=hunter2",
        ] {
            let e = read(bad).unwrap_err();
            assert!(e.to_string().contains("a.env:1: invalid variable name"), "{e}");
            assert!(!e.to_string().contains("hunter2") && e.hints().len() == 1, "{e}");
        }
        assert!(read("export FOO=x").unwrap_err().hints()[0].contains("Remove `export`"));
    }

    #[test]
    fn marks_and_line_ends() {
        let bom = read("\u{feff}A=1\r\nB=two words\r\n").unwrap();
        assert_eq!(bom, [("A".into(), Some("1".into())), ("B".into(), Some("two words".into()))]);
        assert_eq!(read("\u{feff}# x\n\u{feff}A=1").unwrap_err().to_string().matches('\u{feff}').count(), 0);
        assert_eq!(one("\u{feff}A=1").0, "A");
        let utf16 = |bom: bool| {
            let units: Vec<u8> = "A=hunter2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
            if bom { [&[0xff, 0xfe], units.as_slice()].concat() } else { units }
        };
        let big: Vec<u8> = "\u{feff}A=1\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [utf16(true), utf16(false), big] {
            let e = read(bytes).unwrap_err();
            assert!(e.to_string().contains("UTF-16") && e.hints()[0].contains("iconv"), "{e}");
        }
        let e = read(b"A=1\nB=\xe9\n").unwrap_err().to_string();
        assert!(e.ends_with("a.env:2: this line is not UTF-8"), "{e}");
    }

    #[test]
    fn a_value_that_spans_lines_is_told_and_never_shown() {
        let key = "-----BEGIN PRIVATE KEY-----";
        for (text, line) in [
            (format!("L=info\nK={key}\nHunter2Letters\n+Hunter2/x==\n"), 3),
            (format!("K=\"{key}\n\nHunter2\n"), 3),
            ("A=1\n+Hunter2/x+y==\n".to_owned(), 2),
            ("A=x\nHunter2/abc\n".to_owned(), 2),
            (format!("{key}\nHunter2\n"), 1),
            ("C={\n  \"hunter2\": 1,\n}\n".to_owned(), 2),
            ("C=[\n'Hunter2 x'\n]".to_owned(), 2),
        ] {
            let e = read(&text).unwrap_err();
            assert!(e.to_string().contains(&format!("a.env:{line}: ")), "{text:?}: {e}");
            assert!(!e.to_string().to_lowercase().contains("hunter2"), "{e}");
            assert!(e.hints()[0].contains("cannot span lines"), "{:?}", e.hints());
        }
        assert!(read(format!("K={key}\\nabc\\n-----END PRIVATE KEY-----\nA=1\n")).is_ok());
        assert!(read(format!("K={key}\n# nothing more\n")).is_ok());
    }
}
