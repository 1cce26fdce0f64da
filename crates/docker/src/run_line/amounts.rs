//! Amounts as the `docker` command line writes them.

/// Bytes of `512m`, `1.5g`, `1024`: units of 1024, in either case, `b` and `ib` after them allowed.
pub(super) fn bytes(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let end = lower.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(lower.len());
    let (number, unit) = (lower[..end].trim(), &lower[end..]);
    let power = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit) {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    scaled(number, 1024_i64.pow(power))
}

/// Billionths of a processor of `0.5`.
pub(super) fn nano_cpus(text: &str) -> Option<i64> {
    scaled(text, 1_000_000_000)
}

/// `number * unit`, exactly, rounded down; none below zero.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) || fraction.len() > 18 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let unit = i128::from(unit);
    let below = part * unit / 10_i128.pow(fraction.len().try_into().ok()?);
    whole.checked_mul(unit)?.checked_add(below)?.try_into().ok()
}
