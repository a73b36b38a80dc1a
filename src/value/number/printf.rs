//! Writing doubles: `%.17g`, reply text, and the shortest text for our own output.

use std::io::Write;

use super::fpconv::fpconv_text;

/// How a server writes the scores of sorted sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScoreText {
    /// C's `%.17g`: Redis up to 7.0, `KeyDB`.
    Printf17,
    /// Grisu2 digits: Redis from 7.2, Valkey.
    #[default]
    Fpconv,
}

impl ScoreText {
    /// The text that `DEBUG DIGEST` hashes, and that rewritten logs and packed encodings hold.
    pub fn write(self, value: f64, out: &mut Vec<u8>) {
        match self {
            Self::Printf17 => g17_text(value, out),
            Self::Fpconv => fpconv_text(value, out),
        }
    }
}

/// C's `%.17g`: 17 correct digits without trailing zeros.
pub fn g17_text(value: f64, out: &mut Vec<u8>) {
    if let Some(whole) = small_whole(value) {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else if value.is_finite() {
        let mut text = Vec::with_capacity(24);
        // Writing to memory cannot fail.
        let _ = write!(text, "{value:.16e}");
        scientific_to_g(&text, out);
    } else {
        non_finite(value, out);
    }
}

/// The shortest text that reads back as the same double; whole numbers below 2^53 as integers.
pub fn shortest_text(value: f64, out: &mut Vec<u8>) {
    if let Some(whole) = small_whole(value) {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else if value.is_finite() {
        let _ = write!(out, "{value:?}");
    } else {
        non_finite(value, out);
    }
}

/// A whole number below 2^53 other than `-0`.
pub(super) fn small_whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    let whole = value.abs() < LIMIT && value.fract() == 0.0 && !is_negative_zero(value);
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    whole.then_some(value as i64)
}

fn is_negative_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

pub(super) fn non_finite(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(match value {
        f64::INFINITY => b"inf",
        f64::NEG_INFINITY => b"-inf",
        _ => b"nan",
    });
}

/// Turn `d.dddde-7` into what `%g` prints for the same digits.
fn scientific_to_g(text: &[u8], out: &mut Vec<u8>) {
    let mark = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
    let (head, tail) = text.split_at_checked(mark).unwrap_or((text, b""));
    let exponent: i32 = std::str::from_utf8(tail).ok().and_then(|t| t.get(1..)?.parse().ok()).unwrap_or(0);
    if head.first() == Some(&b'-') {
        out.push(b'-');
    }
    let digits: Vec<u8> = head.iter().copied().filter(u8::is_ascii_digit).collect();
    let significant = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last.saturating_add(1));
    let digits = digits.get(..significant).unwrap_or_default();
    let zeros = |count: i32| std::iter::repeat_n(b'0', usize::try_from(count).unwrap_or(0));
    match exponent {
        -4..0 => {
            out.extend_from_slice(b"0.");
            out.extend(zeros(exponent.saturating_neg().saturating_sub(1)));
            out.extend_from_slice(digits);
        }
        0..17 => {
            let whole = usize::try_from(exponent).unwrap_or(0).saturating_add(1);
            with_point(digits, whole, out);
            out.extend(std::iter::repeat_n(b'0', whole.saturating_sub(digits.len())));
        }
        _ => {
            with_point(digits, 1, out);
            let _ = write!(out, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
        }
    }
}

fn with_point(digits: &[u8], whole: usize, out: &mut Vec<u8>) {
    match digits.split_at_checked(whole) {
        Some((before, after @ [_, ..])) => {
            out.extend_from_slice(before);
            out.push(b'.');
            out.extend_from_slice(after);
        }
        _ => out.extend_from_slice(digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: f64, write: impl Fn(f64, &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// From C's `printf("%.17g")`.
    #[test]
    fn seventeen_digits_are_those_of_printf() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.10000000000000001"),
            (1e17, "1e+17"),
            (1e16, "10000000000000000"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (-1.5e300, "-1.5000000000000001e+300"),
            (1e100, "1e+100"),
            (5e-324, "4.9406564584124654e-324"),
            (1_125_899_906_842_624.0 + 0.25, "1125899906842624.2"),
            (1_125_899_906_842_624.0 + 0.75, "1125899906842624.8"),
            (99999999999999990.0, "99999999999999984"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (2.5, "2.5"),
            (-12345.678, "-12345.678"),
        ];
        for (value, text) in cases {
            assert_eq!(written(value, g17_text), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_reads_back_as_the_same_double(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(written(value, g17_text).parse::<f64>().unwrap().to_bits(), value.to_bits());
            prop_assert_eq!(written(value, shortest_text).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
