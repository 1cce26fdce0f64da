//! What is wrong with a number, and how it is written.

/// A value that is no number, or none of the wanted kind: why, and what to write instead where that is certain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The rule that it breaks.
    pub(crate) rule: String,
    /// The number that is surely meant.
    pub(crate) meant: Option<String>,
}

/// What is wrong with `text` as a number of the Rust type `ty`, as the YAML reader names it; `None` when it is nothing
/// like a number.
pub(crate) fn fault(text: &str, ty: &str) -> Option<Fault> {
    let fault = |rule: &str, meant: Option<String>| Some(Fault { rule: rule.to_owned(), meant });
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) if text.starts_with('-') => ("-", rest),
        Some(rest) => ("", rest),
        None => ("", text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let all = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let plain = |s: &str| {
        let s = s.trim_start_matches('0');
        format!("{sign}{}", if s.is_empty() { "0" } else { s })
    };
    let whole = range(ty);
    if all(digits) {
        if digits.len() > 1 && digits.starts_with('0') {
            return fault("a number has no leading zeros", Some(plain(digits)));
        }
        let (least, most) = whole?;
        return fault(&format!("it is out of range: {least} to {most}"), None);
    }
    if let Some((before, after)) = digits.split_once(['.', ','])
        && all(before)
        && all(after)
    {
        return match whole {
            None => fault("the decimal separator is a point", Some(format!("{}.{after}", plain(before)))),
            Some(_) if digits.contains('.') => {
                let zeros = after.bytes().all(|b| b == b'0');
                fault("a whole number has no fraction", zeros.then(|| plain(before)))
            }
            // A thousand or a fraction: who knows.
            Some(_) => fault("a whole number has digits only", None),
        };
    }
    if let Some((mantissa, power)) = digits.split_once(['e', 'E'])
        && all(mantissa)
        && all(power)
    {
        let zeros = power.parse().ok().filter(|n| *n <= 9_usize);
        return fault(
            "a whole number is written without an exponent",
            zeros.map(|n| plain(&format!("{mantissa}{}", "0".repeat(n)))),
        );
    }
    let end = digits.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if end.chars().all(|c| c.is_alphabetic() || c == '%' || c == ' ') {
        return fault("a number is written without a unit", None);
    }
    let bare: String = digits.chars().filter(|c| !['_', '\'', ' '].contains(c)).collect();
    fault("a number has digits only", Some(bare).filter(|bare| all(bare)).map(|bare| plain(&bare)))
}

/// A whole number from its text, as the YAML reader takes it.
///
/// # Errors
/// Why it is none, and what to write; `None` when it is nothing like a number.
pub fn whole_number(text: &str) -> Result<u32, Option<String>> {
    if let Ok(number) = serde_yaml::from_str(text) {
        return Ok(number);
    }
    let fault = fault(text, "u32").ok_or(None)?;
    let meant = fault.meant.map(|meant| format!("; write {meant}")).unwrap_or_default();
    Err(Some(format!("invalid whole number `{text}`: {}{meant}", fault.rule)))
}

/// Least and most of a whole number's type; `None` for others.
fn range(ty: &str) -> Option<(i128, i128)> {
    Some(match ty {
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" => (i64::MIN.into(), i64::MAX.into()),
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// An address or network whose numbers have zeros in front, without them.
pub(crate) fn without_zeros(address: &str) -> Option<String> {
    let mut changed = false;
    let parts: Vec<String> = address
        .split_inclusive(['.', '/'])
        .map(|part| {
            let (number, end) = part.split_at(part.trim_end_matches(['.', '/']).len());
            let bare = number.trim_start_matches('0');
            let bare = if bare.is_empty() { "0" } else { bare };
            changed |= number.len() > 1 && number.starts_with('0');
            format!("{}{end}", if number.is_empty() { number } else { bare })
        })
        .collect();
    let all = address.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'/');
    (changed && all).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_is_meant() {
        for (text, ty, rule, meant) in [
            ("08080", "i64", "leading zero", Some("8080")),
            ("+08", "i64", "leading zero", Some("8")),
            ("-007", "i32", "leading zero", Some("-7")),
            ("00", "u8", "leading zero", Some("0")),
            ("8080.0", "i64", "no fraction", Some("8080")),
            ("0.5", "u32", "no fraction", None),
            ("1e3", "i64", "exponent", Some("1000")),
            ("1E99", "i64", "exponent", None),
            ("512MB", "u32", "unit", None),
            ("50%", "floating point", "unit", None),
            ("30 s", "u32", "unit", None),
            ("1,000", "u32", "digits only", None),
            ("0,5", "floating point", "point", Some("0.5")),
            ("1__0", "u32", "digits only", Some("10")),
            ("1'000", "u32", "digits only", Some("1000")),
            ("300", "u8", "0 to 255", None),
            ("-1", "u32", "0 to 4294967295", None),
            ("99999999999999999999", "i64", "out of range", None),
        ] {
            let fault = fault(text, ty).unwrap_or_else(|| panic!("{text}"));
            assert!(fault.rule.contains(rule), "{text}: {fault:?}");
            assert_eq!(fault.meant.as_deref(), meant, "{text}");
        }
        for text in ["http", "", "-", "+", ".5x", "many"] {
            assert_eq!(fault(text, "i64"), None, "{text}");
        }
    }

    #[test]
    fn addresses_without_zeros() {
        for (text, meant) in [
            ("010.64.0.0/12", Some("10.64.0.0/12")),
            ("10.0.0.00/08", Some("10.0.0.0/8")),
            ("10.0.0.0/8", None),
            ("example.org/01", None),
            ("", None),
        ] {
            assert_eq!(without_zeros(text).as_deref(), meant, "{text}");
        }
    }
}
