//! Numbers and times for a person, and a little colour.

use anstyle::{AnsiColor, Style};
use careen::value::UnixMillis;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Paints, or does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// A text in a style.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.into() }
    }
}

/// A size in the unit that suits it: `8.1 KB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["bytes", "KB", "MB", "GB", "TB", "PB"];
    let (mut whole, mut tenths, mut unit) = (bytes, 0u64, 0usize);
    while whole >= 1000 && unit.saturating_add(1) < UNITS.len() {
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit = unit.saturating_add(1);
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{whole} {name}") } else { format!("{whole}.{tenths} {name}") }
}

/// A number with its thousands apart: `1 234 567`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len().saturating_mul(2));
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && digits.len().saturating_sub(i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// `1 key`, `2 keys`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

/// RFC 3339 in UTC, to the millisecond: the shortest text that tells all. Beyond the year 9999, the number itself.
pub(crate) fn push_time(at: UnixMillis, out: &mut Vec<u8>) {
    let (days, millis) = (at.0.div_euclid(86_400_000), at.0.rem_euclid(86_400_000));
    let Some((year, month, day)) = civil(days) else {
        return out.extend_from_slice(itoa::Buffer::new().format(at.0).as_bytes());
    };
    let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
    let (second, milli) = (millis / 1000 % 60, millis % 1000);
    let digit = |n: i64| b'0'.wrapping_add(u8::try_from(n % 10).unwrap_or(0));
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let [y1, y2, y3, y4, _, mo1, mo2, _, d1, d2, _, h1, h2, _, mi1, mi2, _, s1, s2, _, ms1, ms2, ms3, _] = &mut text;
    for (place, value) in [
        (y1, year / 1000),
        (y2, year / 100),
        (y3, year / 10),
        (y4, year),
        (mo1, month / 10),
        (mo2, month),
        (d1, day / 10),
        (d2, day),
        (h1, hour / 10),
        (h2, hour),
        (mi1, minute / 10),
        (mi2, minute),
        (s1, second / 10),
        (s2, second),
        (ms1, milli / 100),
        (ms2, milli / 10),
        (ms3, milli),
    ] {
        *place = digit(value);
    }
    out.extend_from_slice(&text);
}

/// The same as a string.
pub(crate) fn time(at: UnixMillis) -> String {
    let mut out = Vec::new();
    push_time(at, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Year, month and day of a number of days since 1970-01-01, for the years 0 to 9999.
///
/// Counts from 0000-03-01 in eras of 400 years, so that a leap day is the last of its year.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    const TO_MARCH_0000: i64 = 719_468;
    let shifted = days.checked_add(TO_MARCH_0000).filter(|days| (-60..=3_652_364).contains(days))?;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    Some((year, month, day)).filter(|(year, ..)| (0..=9999).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_and_numbers_are_readable() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(8_149), "8.1 KB");
        assert_eq!(size(1_044_885_691), "1.0 GB");
        assert_eq!(size(u64::MAX), "18446.7 PB");
        assert_eq!(number(1_234_567), "1 234 567");
        assert_eq!(number(123), "123");
        assert_eq!(counted(1, "key"), "1 key");
        assert_eq!(counted(0, "key"), "0 keys");
    }

    #[test]
    fn times_at_the_edges() {
        assert_eq!(time(UnixMillis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(UnixMillis(-1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(time(UnixMillis(951_782_400_000)), "2000-02-29T00:00:00.000Z");
        assert_eq!(time(UnixMillis(253_402_300_799_999)), "9999-12-31T23:59:59.999Z");
        assert_eq!(time(UnixMillis(253_402_300_800_000)), "253402300800000");
        assert_eq!(time(UnixMillis(i64::MIN)), i64::MIN.to_string());
    }

    proptest! {
        #[test]
        fn times_are_those_of_a_calendar(millis in -62_135_596_800_000i64..253_402_300_800_000) {
            let expected = jiff::Timestamp::from_millisecond(millis).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            prop_assert_eq!(time(UnixMillis(millis)), expected);
        }
    }
}
