//! A share of the traffic, in steps of half a percent.
use aws_core::Error;
use serde::Serialize;
use std::{fmt, str::FromStr};

/// A share of the traffic: 0 to [`Share::WHOLE`] units of 0.5%.
///
/// A unit is also the Route 53 weight that is written, so that the weights of an application add up to 200.
/// (Route 53 takes whole numbers from 0 to 255.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// All of the traffic, in units.
    pub const WHOLE: u16 = 200;
    /// No traffic.
    pub const NONE: Self = Self(0);
    /// All of the traffic.
    pub const ALL: Self = Self(Self::WHOLE);

    /// From units of 0.5%; `None` beyond [`Share::WHOLE`].
    pub fn from_units(units: u16) -> Option<Self> {
        (units <= Self::WHOLE).then_some(Self(units))
    }
    /// In units of 0.5%.
    pub fn units(self) -> u16 {
        self.0
    }
    /// In percent.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 2.0
    }
    /// What remains of the whole.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(Self::WHOLE - self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.percent()))
    }
}
impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.percent())
    }
}

impl FromStr for Share {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let number = s.strip_suffix('%').unwrap_or(s).trim();
        let percent: f64 = number
            .parse()
            .ok()
            .filter(|p: &f64| p.is_finite())
            .ok_or_else(|| Error::usage(format!("`{s}` is not a percentage: give a number from 0 to 100")))?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(Error::usage(format!("{number}% is not between 0 and 100")));
        }
        let units = percent * 2.0;
        if units.fract() != 0.0 {
            return Err(Error::usage(format!(
                "{number}% is too fine: traffic moves in steps of 0.5% (e.g. {} or {})",
                units.floor() / 2.0,
                units.ceil() / 2.0
            )));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 200")]
        Ok(Self(units as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_half_a_percent() {
        for (text, units) in [("0", 0), ("0.5", 1), ("100", 200), ("33.5%", 67), ("70", 140)] {
            assert_eq!(text.parse::<Share>().unwrap().units(), units);
        }
        for (bad, words) in [
            ("-1", "between 0 and 100"),
            ("101", "between"),
            ("abc", "not a percentage"),
            ("NaN", "not a percentage"),
            ("", "not a percentage"),
        ] {
            assert!(bad.parse::<Share>().unwrap_err().to_string().contains(words), "{bad}");
        }
        assert_eq!(
            "0.3".parse::<Share>().unwrap_err().to_string(),
            "0.3% is too fine: traffic moves in steps of 0.5% (e.g. 0 or 0.5)"
        );
        assert_eq!(Share(67).to_string(), "33.5%");
    }
}
