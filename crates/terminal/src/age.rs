//! Ages, as people say them.
use crate::look::{self, Style};
use jiff::Timestamp;

/// Younger than this is young, in seconds.
const YOUNG: i64 = 3600;

/// `just now`, `9m ago`, `3h ago`, `2d ago`. A time that lies ahead (clocks differ) is `just now`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    match now.as_second() - then.as_second() {
        ..60 => "just now".into(),
        s @ 60..3600 => format!("{}m ago", s / 60),
        s @ 3600..86_400 => format!("{}h ago", s / 3600),
        s => format!("{}d ago", s / 86_400),
    }
}

/// Green when young (less than an hour).
pub fn style(then: Timestamp, now: Timestamp) -> Option<Style> {
    (now.as_second() - then.as_second() < YOUNG).then_some(look::GOOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let of = |s: i64| ago(Timestamp::from_second(1_000_000_000 - s).unwrap(), now);
        let table = [(-5, "just now"), (0, "just now"), (59, "just now"), (60, "1m ago"), (599, "9m ago")];
        let more = [(3599, "59m ago"), (3600, "1h ago"), (86_399, "23h ago"), (86_400, "1d ago"), (864_000, "10d ago")];
        for (seconds, text) in table.into_iter().chain(more) {
            assert_eq!(of(seconds), text, "{seconds} s");
        }
        assert!(style(now, now).is_some());
        assert!(style(Timestamp::from_second(1_000_000_000 - YOUNG).unwrap(), now).is_none());
    }
}
