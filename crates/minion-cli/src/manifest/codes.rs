//! HTTP codes of a good answer, as ELBv2 takes them: codes and ranges of codes, with commas between them (API reference,
//! `Matcher`).
use std::ops::RangeInclusive;

/// The codes and ranges, when that is what the text has.
fn ranges(codes: &str) -> Option<Vec<RangeInclusive<u16>>> {
    let code = |s: &str| s.parse::<u16>().ok().filter(|_| s.len() == 3 && s.bytes().all(|b| b.is_ascii_digit()));
    codes
        .split(',')
        .map(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let range = code(low)?..=code(high)?;
            (!range.is_empty()).then_some(range)
        })
        .collect()
}

/// Whether one of the codes is `code`.
pub fn accepts(codes: &str, code: u16) -> bool {
    ranges(codes).is_some_and(|all| all.iter().any(|range| range.contains(&code)))
}

/// What is wrong with codes of which the largest may be `most`, and what to write instead where that is certain.
pub(super) fn problem(codes: &str, most: u16) -> Option<(String, Option<String>)> {
    let good = |codes: &str| {
        ranges(codes).is_some_and(|all| all.iter().all(|range| *range.start() >= 200 && *range.end() <= most))
    };
    if good(codes) {
        return None;
    }
    // As in a sentence, or copied from AWS's own page, whose ranges have dashes of print.
    let bare: String = codes.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.replace(['\u{2013}', '\u{2014}'], "-").replace(';', ",");
    let bare = bare.trim_matches(',');
    let hint = good(bare).then(|| format!("Write {bare}."));
    let shown = codes.escape_debug();
    let message =
        format!("invalid HTTP codes `{shown}`: codes and ranges within 200 to {most}, e.g. 200,204 or 200-299,401");
    Some((message, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges() {
        for (codes, code, wanted) in [
            ("200", 200, true),
            ("200", 204, false),
            ("200,204", 204, true),
            ("200-299", 250, true),
            ("200-299", 301, false),
            ("200-399,401", 401, true),
            ("200-399,401", 400, false),
            ("200-299,301-308", 308, true),
            ("200-299,301-308", 300, false),
            ("401,200-204,429", 203, true),
        ] {
            assert_eq!(problem(codes, 499), None, "{codes}");
            assert_eq!(accepts(codes, code), wanted, "{codes} {code}");
        }
        for (codes, meant) in [
            ("200, 204", Some("200,204")),
            ("200 - 299", Some("200-299")),
            ("200\u{2013}399", Some("200-399")),
            ("200,204,", Some("200,204")),
            ("200;204", Some("200,204")),
            ("200-600", None),
            ("200-500", None),
            ("199-299", None),
            ("299-200", None),
            ("0200", None),
            ("200,,204", None),
            ("200-", None),
            ("-200", None),
            ("2xx", None),
            ("200-299-301", None),
            ("+200", None),
            ("", None),
        ] {
            let (message, hint) = problem(codes, 499).unwrap_or_else(|| panic!("{codes}"));
            assert!(message.contains("within 200 to 499"), "{message}");
            assert_eq!(hint, meant.map(|m| format!("Write {m}.")), "{codes}");
        }
        assert_eq!(problem("200-399,503", 599), None, "a Network Load Balancer's");
    }
}
