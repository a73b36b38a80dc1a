//! Times: RFC 3339, or Unix seconds or milliseconds.

use careen::value::UnixMillis;
use std::str::FromStr;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) UnixMillis);

/// Numbers from here on are milliseconds: as seconds they would be in the year 5138.
const FIRST_MILLIS: i64 = 100_000_000_000;

impl Time {
    /// The present.
    pub(crate) fn now() -> Self {
        Self(UnixMillis(jiff::Timestamp::now().as_millisecond()))
    }
}

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected RFC 3339 (2026-11-24T06:00:00Z) or Unix seconds or milliseconds";
        if let Ok(number) = text.parse::<i64>() {
            let millis =
                if number.unsigned_abs() < FIRST_MILLIS.unsigned_abs() { number.saturating_mul(1000) } else { number };
            return Ok(Self(UnixMillis(millis)));
        }
        if text.eq_ignore_ascii_case("now") {
            return Ok(Self::now());
        }
        text.parse::<jiff::Timestamp>().map(|at| Self(UnixMillis(at.as_millisecond()))).map_err(|_| WRONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_three_forms() {
        let millis = |text: &str| text.parse::<Time>().map(|time| time.0.0);
        assert_eq!(millis("2001-09-09T01:46:40Z"), Ok(1_000_000_000_000));
        assert_eq!(millis("2001-09-09T03:46:40.5+02:00"), Ok(1_000_000_000_500));
        assert_eq!(millis("1000000000"), Ok(1_000_000_000_000));
        assert_eq!(millis("1000000000123"), Ok(1_000_000_000_123));
        assert_eq!(millis("-5"), Ok(-5000));
        assert!(millis("yesterday").is_err());
    }
}
