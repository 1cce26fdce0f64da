//! The quotes that a value lacks. Characters that YAML keeps for itself (`*`, `@`, `%`, `{{`, ..) stand in policies,
//! templates and formats that people copy; the YAML reader then speaks of aliases, directives and maps.

/// A value as the writer of a line meant it, and where: in characters, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    /// Where it begins.
    at: usize,
    /// From where on an error is about it: behind what looks like an end of it.
    from: usize,
    /// Whether it is inside of brackets.
    flow: bool,
}

/// The brackets that are open where a line begins: those of the lines before.
pub(crate) fn open_brackets<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<char> {
    let mut open = Vec::new();
    for line in lines {
        let chars: Vec<char> = line.chars().collect();
        starts(&chars, &mut open);
    }
    open
}

/// How many brackets are open where each line begins.
pub(crate) fn depths<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<usize> {
    let mut open = Vec::new();
    lines
        .map(|line| {
            let depth = open.len();
            starts(&line.chars().collect::<Vec<_>>(), &mut open);
            depth
        })
        .collect()
}

/// The value that stands in a line at, or last before, a column (both from 0), as it is written.
pub(crate) fn value_at(line: &str, open: &[char], column: usize) -> Option<String> {
    let chars: Vec<char> = line.chars().collect();
    let all = starts(&chars, &mut open.to_vec());
    let start = all.iter().rev().find(|s| s.from <= column).or_else(|| all.iter().find(|s| s.at >= column))?;
    let end = end_of(&chars, start.at, start.flow)?;
    let value: String = chars[start.at..end].iter().collect();
    Some(value.trim_end().to_owned()).filter(|v| !v.is_empty())
}

/// A value in the quotes that it needs; `None` when it needs none, or cannot be written on one line.
pub(crate) fn quoted(value: &str) -> Option<String> {
    if !needs_quotes(value) || value.contains(char::is_control) || value.chars().count() > 80 {
        return None;
    }
    // Somebody tried: the quotes were meant as quotes.
    let inner = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(value);
    if inner.contains(['"', '\\']) {
        return Some(format!("'{}'", inner.replace('\'', "''")));
    }
    Some(format!("\"{inner}\""))
}

/// The character, or the two, that YAML keeps for itself and that the value begins with or has in it.
pub(crate) fn reserved(value: &str) -> Option<&str> {
    const FIRST: &str = "*&!|>@`%#{}[],?\"'";
    let first = value.chars().next()?;
    if value.starts_with("{{") {
        return Some("{{");
    }
    if FIRST.contains(first) {
        return value.get(..1);
    }
    if first == '-' && value.chars().nth(1).is_none_or(char::is_whitespace) {
        return Some("-");
    }
    let inside = [": ", "{", "[", "}", "]"].into_iter().find(|s| value.contains(*s));
    inside.map(str::trim_end).or_else(|| value.ends_with(':').then_some(":"))
}

fn needs_quotes(value: &str) -> bool {
    reserved(value).is_some()
}

/// The values that begin in a line, and the brackets that are open at its end.
fn starts(chars: &[char], open: &mut Vec<char>) -> Vec<Start> {
    let mut all = Vec::new();
    // Where the brackets that were opened in this line stand.
    let mut opened = vec![None; open.len()];
    let mut at = skip_spaces(chars, 0);
    while open.is_empty() && chars.get(at) == Some(&'-') && chars.get(at + 1).is_none_or(|c| *c == ' ') {
        at = skip_spaces(chars, at + 1);
        all.push(Start { at, from: at, flow: false });
    }
    // Whether a key may stand here: outside of brackets a line has one key.
    let mut key = true;
    while at < chars.len() {
        let flow = !open.is_empty();
        match chars[at] {
            '#' if at == 0 || chars[at - 1] == ' ' => break,
            bracket @ ('[' | '{') if starts_structure(chars, at) => {
                open.push(bracket);
                opened.push(Some((at, flow)));
                at = skip_spaces(chars, at + 1);
                all.push(Start { at, from: at, flow: true });
            }
            ']' | '}' if flow => {
                open.pop();
                let begin = opened.pop().flatten();
                at += 1;
                // Text behind a bracket: the brackets are part of the text.
                if let Some((begin, flow)) = begin
                    && chars.get(at).is_some_and(|c| !c.is_whitespace() && !",]}:".contains(*c))
                {
                    all.push(Start { at: begin, from: at, flow });
                    at = end_of(chars, begin, flow).unwrap_or(chars.len());
                }
            }
            ',' if flow => {
                at = skip_spaces(chars, at + 1);
                all.push(Start { at, from: at, flow });
            }
            c if c.is_whitespace() => at += 1,
            _ => {
                let word = word_end(chars, at);
                if (flow || key) && is_colon(chars, word) {
                    key = flow;
                    at = skip_spaces(chars, word + 1);
                    all.push(Start { at, from: at, flow });
                    if starts_structure(chars, at) {
                        continue;
                    }
                }
                at = end_of(chars, at, flow).unwrap_or(chars.len()).max(at + 1);
            }
        }
    }
    all
}

/// Whether a list or a map begins, and no template: `{{name}}`.
fn starts_structure(chars: &[char], at: usize) -> bool {
    match chars.get(at) {
        Some('[') => true,
        Some('{') => chars.get(at + 1) != Some(&'{'),
        _ => false,
    }
}

fn skip_spaces(chars: &[char], from: usize) -> usize {
    (from..chars.len()).find(|n| !chars[*n].is_whitespace()).unwrap_or(chars.len())
}

fn is_colon(chars: &[char], at: usize) -> bool {
    chars.get(at) == Some(&':') && chars.get(at + 1).is_none_or(|c| c.is_whitespace())
}

/// Where what may be a key ends: at a colon with a space behind it, or at what ends every value in brackets.
fn word_end(chars: &[char], from: usize) -> usize {
    if let Some(quote @ ('"' | '\'')) = chars.get(from) {
        return (from + 1..chars.len()).find(|n| chars[*n] == *quote).map_or(chars.len(), |n| n + 1);
    }
    (from..chars.len()).find(|n| is_colon(chars, *n) || ",[]{}".contains(chars[*n])).unwrap_or(chars.len())
}

/// Where a value ends, brackets in it closed: in brackets at a comma or a bracket, else at a comment or the line's end.
/// `None`: not in this line.
fn end_of(chars: &[char], from: usize, flow: bool) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, from);
    if let Some(quote @ ('"' | '\'')) = chars.get(from) {
        // The last quote that can be meant as the end.
        let ends = |n: &usize| {
            chars[*n] == *quote && chars.get(n + 1).is_none_or(|c| c.is_whitespace() || (flow && ",]}".contains(*c)))
        };
        at = (from + 1..chars.len()).find(ends)? + 1;
    }
    let hash = chars.get(from) == Some(&'#');
    while let Some(c) = chars.get(at) {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' if depth > 0 => depth -= 1,
            ',' | ']' | '}' if flow && depth == 0 => break,
            '#' if !hash && at > from && chars[at - 1] == ' ' => break,
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(line: &str, mark: &str) -> Option<String> {
        let column = line[..line.find(mark).unwrap()].chars().count();
        quoted(&value_at(line, &[], column)?)
    }

    #[test]
    fn the_value_with_the_quotes_that_it_needs() {
        for (line, mark, wanted) in [
            ("policies: [{actions: s3:ListAllMyBuckets, resources: *}]", "*", r#""*""#),
            ("policies: [{actions: s3:ListAllMyBuckets, resources: *}]", "}", r#""*""#),
            ("environment: {OWNER: @team}", "@", r#""@team""#),
            ("environment: {FORMAT: %h %l}", "%", r#""%h %l""#),
            ("environment: {CMD: `id`}", "`", r#""`id`""#),
            ("logging: {options: {tag: {{.Name}}/{{.ID}}}}", "{{", r#""{{.Name}}/{{.ID}}""#),
            ("  OWNER: @team # of us", "@", r#""@team""#),
            ("  - *.example.org", "*", r#""*.example.org""#),
            ("  - > 5", ">", r#""> 5""#),
            ("  A: a: b", ": b", r#""a: b""#),
            ("  A: {team}@example.org", "@", r#""{team}@example.org""#),
            ("x: {A: {team}-alias, B: c}", "-alias", r#""{team}-alias""#),
            ("x: {A: ${HOME}/bin}", "{HOME", r#""${HOME}/bin""#),
            ("x: {A: 'it's'}", "s'}", r#""it's""#),
            ("  A: 'it's'", "s'", r#""it's""#),
            (r#"  A: "\d+""#, "d", r#"'\d+'"#),
            (r#"  A: "a" b"#, "b", r#"'"a" b'"#),
            (r#"  A: {"a": [1]}"#, "{", r#"'{"a": [1]}'"#),
            ("  A: !Ref Table", "!", r#""!Ref Table""#),
            ("  A: #fff", "#", r##""#fff""##),
            ("  A: &x", "&", r#""&x""#),
            ("  A: - b", "-", r#""- b""#),
            ("  A: ]", "]", r#""]""#),
        ] {
            assert_eq!(advice(line, mark).as_deref(), Some(wanted), "{line}");
        }
        for (line, mark) in [("  A: b", "b"), ("  A: 12:30", "12"), ("  A: [1,", "1"), ("", "")] {
            assert_eq!(advice(line, mark), None, "{line}");
        }
    }

    #[test]
    fn brackets_of_lines_before() {
        let open = open_brackets("environment: {\n  A: b, # {\n  B: [\n".lines());
        assert_eq!(open, ['{', '[']);
        let open = open_brackets("environment: {\n  A: '{',\n".lines());
        assert_eq!(value_at("  OWNER: @team,", &open, 9).as_deref(), Some("@team"));
    }
}
