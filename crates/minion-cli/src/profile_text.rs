//! One profile of the configuration file's text, changed so that all else in it stays as somebody wrote it.

/// The text with the profile `name` replaced by `block` (its YAML, the name included), added, or, without a block,
/// removed. Whether it then means what it should is for the caller to see: YAML can be written in more ways.
pub(crate) fn with_profile(text: &str, name: &str, block: Option<&str>) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let keys = [format!("{name}:"), format!("\"{name}\":"), format!("'{name}':")];
    let begin = lines.iter().position(|line| keys.iter().any(|key| line.starts_with(key.as_str())));
    let Some(begin) = begin else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{gap}{}", block.unwrap_or_default());
    };
    let own = |line: &str| line.trim().is_empty() || line.starts_with([' ', '\t', '#']);
    let mut end = begin + 1;
    while lines.get(end).is_some_and(|line| own(line)) {
        end += 1;
    }
    // What is said in front of the next profile is said of that one.
    while end > begin + 1 && (lines[end - 1].trim().is_empty() || lines[end - 1].starts_with('#')) {
        end -= 1;
    }
    format!("{}{}{}", lines[..begin].concat(), block.unwrap_or_default(), lines[end..].concat())
}

#[cfg(test)]
mod tests {
    use super::with_profile;

    const FILE: &str = "# mine\ndefault:\n  vpc: vpc-1 # the old one\n\nsandbox:\n  vpc: vpc-2\n  # of it\n  region: a\n\n# next\nstaging: {vpc: vpc-3}\n";

    #[test]
    fn only_one_profile_changes() {
        let block = "sandbox:\n  vpc: vpc-9\n";
        assert_eq!(
            with_profile(FILE, "sandbox", Some(block)),
            FILE.replace("sandbox:\n  vpc: vpc-2\n  # of it\n  region: a\n", block)
        );
        let without = with_profile(FILE, "sandbox", None);
        assert_eq!(without, "# mine\ndefault:\n  vpc: vpc-1 # the old one\n\n\n# next\nstaging: {vpc: vpc-3}\n");
        assert_eq!(with_profile(&without, "sandbox", Some(block)), format!("{without}{block}"));
        assert_eq!(with_profile("a: {}", "sandbox", Some(block)), format!("a: {{}}\n{block}"));
        assert_eq!(with_profile("'sandbox':\n  x: 1", "sandbox", None), "");
        assert_eq!(with_profile("sandbox2:\n  x: 1\n", "sandbox", None), "sandbox2:\n  x: 1\n");
    }
}
