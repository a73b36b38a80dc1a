//! Reading scores, weights and the score text inside files, with the rules of each server version.

use super::canonical_int;
use super::strtod::{Binary, Prefix, Rounded, scan};

/// What a server takes as a score or weight argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScoreRules {
    /// Redis 2.8 and 3.2: nothing is 0, and a NUL byte ends the text.
    UpToNul,
    /// Redis from 4.0, Valkey up to 8.1.
    #[default]
    Strict,
    /// Valkey from 9.0: no hexadecimal numbers.
    DecimalOnly,
}

/// What a server takes as a weight of a numeric `SORT`. A NUL byte ends the text everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightRules {
    /// Redis up to 7.4, Valkey up to 8.1: as `strtod`; nothing is 0, what 64 bits cannot hold exactly enough (also
    /// denormals) is refused.
    #[default]
    Strtod,
    /// Redis from 8.0: nothing is 0, no blanks, no hexadecimal numbers; too large is infinite, too small is 0.
    Saturating,
    /// Valkey from 9.0: no blanks, no hexadecimal numbers, no empty text, out of range is refused.
    DecimalOnly,
}

/// A score argument. `None` is the server's "not a valid float".
#[must_use]
#[inline]
pub fn parse_score(text: &[u8], rules: ScoreRules) -> Option<f64> {
    match small_integer(text) {
        Some(whole) => Some(whole),
        None => parse_any_score(text, rules),
    }
}

/// The integers that most scores are.
#[inline]
fn small_integer(text: &[u8]) -> Option<f64> {
    let whole = canonical_int(text).filter(|whole| whole.unsigned_abs() < 1 << 53)?;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let exact = whole as f64;
    Some(exact)
}

fn parse_any_score(text: &[u8], rules: ScoreRules) -> Option<f64> {
    let text = match rules {
        ScoreRules::UpToNul => up_to_nul(text),
        _ => text,
    };
    if text.is_empty() && rules == ScoreRules::UpToNul {
        return Some(0.0);
    }
    let scanned = scan(text, rules != ScoreRules::DecimalOnly).filter(|scanned| scanned.len == text.len())?;
    match double(scanned.number)? {
        Double { range: Range::Overflow | Range::Zero, .. } => None,
        Double { value, .. } => Some(signed(value, scanned.negative)),
    }
}

/// The weight of an element of a numeric `SORT`. `None` is the server's "can't be converted into double".
#[must_use]
pub fn parse_sort_weight(text: &[u8], rules: WeightRules) -> Option<f64> {
    let whole = up_to_nul(text);
    if whole.is_empty() {
        return (rules != WeightRules::DecimalOnly).then_some(0.0);
    }
    let loose = rules == WeightRules::Strtod;
    let text = if loose { without_blanks(whole) } else { whole };
    let scanned = scan(text, loose).filter(|scanned| scanned.len == text.len())?;
    let Double { value, range } = double(scanned.number)?;
    let accepted = match rules {
        WeightRules::Strtod => range == Range::Inside,
        WeightRules::Saturating => true,
        WeightRules::DecimalOnly => !matches!(range, Range::Overflow | Range::Zero),
    };
    accepted.then(|| signed(value, scanned.negative))
}

/// An end of a score range, without the `(` of an exclusive one. A NUL byte ends the text, nothing is 0, out of range
/// is infinite or 0. Redis up to 7.4 and Valkey up to 8.1 also take leading blanks and hexadecimal numbers.
#[must_use]
pub fn parse_score_bound(text: &[u8], decimal_only: bool) -> Option<f64> {
    let text = up_to_nul(text);
    if text.is_empty() {
        return Some(0.0);
    }
    let text = if decimal_only { text } else { without_blanks(text) };
    let scanned = scan(text, !decimal_only).filter(|scanned| scanned.len == text.len())?;
    double(scanned.number).map(|double| signed(double.value, scanned.negative))
}

/// What a text begins with, as `strtod` sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumericPrefix {
    /// No number at all.
    Nothing,
    /// Not a number, spelled out.
    Nan,
    /// A number and how many bytes of the text (blanks included) it took. Out of range is infinite or 0.
    Number(f64, usize),
}

/// The longest numeric prefix of a text inside a file: the ASCII scores of value type 3, and score text in ziplists
/// and listpacks. Servers accept leading blanks, hexadecimal numbers and `infinity` there.
#[must_use]
pub fn parse_score_prefix(text: &[u8]) -> NumericPrefix {
    let body = without_blanks(text);
    let Some(scanned) = scan(body, true) else {
        return NumericPrefix::Nothing;
    };
    let taken = text.len().saturating_sub(body.len()).saturating_add(scanned.len);
    match double(scanned.number) {
        Some(Double { value, .. }) => NumericPrefix::Number(signed(value, scanned.negative), taken),
        None => NumericPrefix::Nan,
    }
}

fn up_to_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn without_blanks(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

fn signed(value: f64, negative: bool) -> f64 {
    if negative { -value } else { value }
}

/// What C would say in `errno`, in finer steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Inside,
    /// Too small for full precision, and rounded.
    Denormal,
    /// Rounded to 0.
    Zero,
    Overflow,
}

struct Double {
    value: f64,
    range: Range,
}

/// The size of a number; `None` for NaN.
fn double(number: Prefix<'_>) -> Option<Double> {
    Some(match number {
        Prefix::Nan => return None,
        Prefix::Infinity => Double { value: f64::INFINITY, range: Range::Inside },
        Prefix::Hex { whole, fraction, exponent } => from_hex(Binary::from_hex(whole, fraction, exponent)),
        Prefix::Decimal { text, whole, fraction, exponent } => {
            let value = std::str::from_utf8(text).ok()?.parse::<f64>().ok()?.abs();
            let nonzero = || whole.iter().chain(fraction).any(|&digit| digit != b'0');
            let range = match value {
                f64::INFINITY => Range::Overflow,
                0.0 if nonzero() => Range::Zero,
                f64::MIN_POSITIVE.. | 0.0 => Range::Inside,
                _ if is_exact(whole, fraction, exponent) => Range::Inside,
                _ => Range::Denormal,
            };
            Double { value, range }
        }
    })
}

/// Whether decimal digits name a denormal number exactly, which takes hundreds of them, 1074 at most.
fn is_exact(whole: &[u8], fraction: &[u8], exponent: i64) -> bool {
    let few = whole.len().saturating_add(fraction.len()) < 4000;
    let binary = || Binary::from_decimal(whole, fraction, exponent, 4000);
    few && binary().is_some_and(|binary| !binary.round(53, -1074).inexact)
}

fn from_hex(binary: Binary) -> Double {
    let Rounded { mantissa, exponent, inexact } = binary.round(53, -1074);
    let value = assemble(mantissa, exponent);
    let range = match value {
        f64::INFINITY => Range::Overflow,
        0.0 if inexact => Range::Zero,
        ..f64::MIN_POSITIVE if inexact => Range::Denormal,
        _ => Range::Inside,
    };
    Double { value, range }
}

/// `mantissa * 2^exponent` of at most 53 bits, which are known to fit or to be too large.
fn assemble(mantissa: u64, exponent: i64) -> f64 {
    let Some(width) = mantissa.checked_ilog2() else {
        return 0.0;
    };
    let highest = exponent.saturating_add(i64::from(width));
    if highest > 1023 {
        return f64::INFINITY;
    }
    let bits = match u64::try_from(highest.saturating_add(1023)) {
        Ok(biased @ 1..) => {
            let fraction = mantissa << 52u32.saturating_sub(width) & ((1 << 52) - 1);
            biased << 52 | fraction
        }
        // A denormal: its unit is 2^-1074.
        _ => mantissa.checked_shl(u32::try_from(exponent.saturating_add(1074)).unwrap_or(0)).unwrap_or(0),
    };
    f64::from_bits(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text, then what Redis 7.0 and Valkey 9.1 made of it as a score (observed).
    const SCORES: &[(&[u8], Option<f64>, Option<f64>)] = &[
        (b"+1.5", Some(1.5), Some(1.5)),
        (b"1.", Some(1.0), Some(1.0)),
        (b".5", Some(0.5), Some(0.5)),
        (b"1E+5", Some(1e5), Some(1e5)),
        (b"1e0005", Some(1e5), Some(1e5)),
        (b"-INF", Some(f64::NEG_INFINITY), Some(f64::NEG_INFINITY)),
        (b"+infinity", Some(f64::INFINITY), Some(f64::INFINITY)),
        (b"0x10", Some(16.0), None),
        (b"0X1p-3", Some(0.125), None),
        (b"0x1.8", Some(1.5), None),
        (b"0x.8p1", Some(1.0), None),
        (b"0x1p-1074", Some(5e-324), None),
        (b"4.9e-324", Some(5e-324), Some(5e-324)),
        (b"0e99999999999999999999", Some(0.0), Some(0.0)),
    ];

    const NO_SCORES: &[&[u8]] = &[
        b"",
        b"5e",
        b"1e+",
        b"infinit",
        b"inf1",
        b"nan",
        b"-nan",
        b"nan(1)",
        b"0x",
        b"0x.p1",
        b" 1",
        b"1 ",
        b"1\0",
        b"\0",
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"2.4e-324",
        b"+",
        b"-",
        b".",
        b"e5",
        b"1_0",
        b"0x1p-1080",
        b"0x1p1024",
        b"+-1",
        b"1d5",
        b"1,5",
        b"1e99999999999999999999",
        b"0x1p99999999999999999999",
        b"1e-99999999999999999999",
    ];

    #[test]
    fn scores_are_taken_and_refused_as_the_servers_do() {
        for (text, strict, decimal) in SCORES {
            assert_eq!(parse_score(text, ScoreRules::Strict), *strict, "{}", text.escape_ascii());
            assert_eq!(parse_score(text, ScoreRules::DecimalOnly), *decimal, "{}", text.escape_ascii());
        }
        for text in NO_SCORES {
            assert_eq!(parse_score(text, ScoreRules::Strict), None, "{}", text.escape_ascii());
        }
        assert!(parse_score(b"-0", ScoreRules::Strict).unwrap().is_sign_negative());
    }

    #[test]
    fn old_servers_stop_at_a_nul_byte_and_take_nothing_as_zero() {
        assert_eq!(parse_score(b"1\0x", ScoreRules::UpToNul), Some(1.0));
        assert_eq!(parse_score(b"", ScoreRules::UpToNul), Some(0.0));
        assert_eq!(parse_score(b"\0", ScoreRules::UpToNul), Some(0.0));
        assert_eq!(parse_score(b" 1", ScoreRules::UpToNul), None);
    }

    /// Text, then the weight in Redis 7.0, Redis 8.6 and Valkey 9.1 (observed).
    #[test]
    fn sort_weights_have_three_sets_of_rules() {
        const INF: f64 = f64::INFINITY;
        type Weight = Option<f64>;
        let cases: [(&[u8], Weight, Weight, Weight); 14] = [
            (b"", Some(0.0), Some(0.0), None),
            (b"\0", Some(0.0), Some(0.0), None),
            (b"1\0x", Some(1.0), Some(1.0), Some(1.0)),
            (b"+1.5", Some(1.5), Some(1.5), Some(1.5)),
            (b" 1", Some(1.0), None, None),
            (b"1 ", None, None, None),
            (b"\t", None, None, None),
            (b"0x10", Some(16.0), None, None),
            (b"nan", None, None, None),
            (b"inf", Some(INF), Some(INF), Some(INF)),
            (b"-1e400", None, Some(-INF), None),
            (b"1e-400", None, Some(0.0), None),
            (b"1e-310", None, Some(1e-310), Some(1e-310)),
            (b"0x1p-1074", Some(5e-324), None, None),
        ];
        for (text, strtod, saturating, decimal) in cases {
            assert_eq!(parse_sort_weight(text, WeightRules::Strtod), strtod, "{}", text.escape_ascii());
            assert_eq!(parse_sort_weight(text, WeightRules::Saturating), saturating, "{}", text.escape_ascii());
            assert_eq!(parse_sort_weight(text, WeightRules::DecimalOnly), decimal, "{}", text.escape_ascii());
        }
    }

    /// From Redis 7.0 and 8.6.
    #[test]
    fn ends_of_score_ranges_are_taken_loosely() {
        let both: [(&[u8], f64); 6] = [
            (b"", 0.0),
            (b"1.", 1.0),
            (b"-1e999", f64::NEG_INFINITY),
            (b"1e-999", 0.0),
            (b"1\0x", 1.0),
            (b"+inf", f64::INFINITY),
        ];
        for (text, value) in both {
            assert_eq!(parse_score_bound(text, false), Some(value), "{}", text.escape_ascii());
            assert_eq!(parse_score_bound(text, true), Some(value), "{}", text.escape_ascii());
        }
        assert_eq!(parse_score_bound(b" 0x10", false), Some(16.0));
        for text in [&b" 1"[..], b"0x10", b"1 ", b"nan", b"abc", b"-"] {
            assert_eq!(parse_score_bound(text, true), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_denormal_weight_that_is_exact_is_taken() {
        let exact = format!("{:.1074}", f64::from_bits(3));
        assert_eq!(parse_sort_weight(exact.as_bytes(), WeightRules::Strtod), Some(f64::from_bits(3)));
        let near = exact.replace("e-", "1e-") + "1";
        assert_eq!(parse_sort_weight(near.as_bytes(), WeightRules::Strtod), None);
    }

    #[test]
    fn prefixes_are_the_longest_number_there_is() {
        let number = NumericPrefix::Number;
        let cases: [(&[u8], NumericPrefix); 12] = [
            (b"1.5x", number(1.5, 3)),
            (b" \t-2e", number(-2.0, 4)),
            (b"0x10", number(16.0, 4)),
            (b"0xg", number(0.0, 1)),
            (b"infinity", number(f64::INFINITY, 8)),
            (b"infinit", number(f64::INFINITY, 3)),
            (b"1e999", number(f64::INFINITY, 5)),
            (b"-nan(12)", NumericPrefix::Nan),
            (b"", NumericPrefix::Nothing),
            (b"  ", NumericPrefix::Nothing),
            (b"abc", NumericPrefix::Nothing),
            (b"+.e5", NumericPrefix::Nothing),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_score_prefix(text), expected, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_double_survives_a_hexadecimal_spelling(bits in any::<u64>()) {
            let value = f64::from_bits(bits & !(1 << 63));
            prop_assume!(value.is_finite());
            let exponent = i64::try_from((bits >> 52) & 0x7ff).unwrap();
            let fraction = bits & ((1 << 52) - 1);
            let text = match exponent {
                0 => format!("0x0.{fraction:013x}p-1022"),
                _ => format!("0x1.{fraction:013x}p{}", exponent - 1023),
            };
            prop_assert_eq!(parse_score(text.as_bytes(), ScoreRules::Strict), Some(value));
        }

        #[test]
        fn decimal_text_beyond_64_bits_rounds_as_the_standard_library_does(text in "[0-9]{1,30}\\.[0-9]{1,30}e-?[0-9]{1,2}") {
            let parts = scan(text.as_bytes(), true).unwrap();
            let Prefix::Decimal { whole, fraction, exponent, .. } = parts.number else { panic!("{parts:?}") };
            let Rounded { mantissa, exponent, .. } =
                Binary::from_decimal(whole, fraction, exponent, 400).unwrap().round(53, -1074);
            prop_assert_eq!(assemble(mantissa, exponent), text.parse::<f64>().unwrap());
        }

        #[test]
        fn no_text_makes_the_parsers_fail_badly(text in "[-+ 0-9a-fxpinty.()\\x00]{0,12}") {
            let scan = parse_score_prefix(text.as_bytes());
            if let Some(value) = parse_score(text.as_bytes(), ScoreRules::Strict) {
                prop_assert_eq!(scan, NumericPrefix::Number(value, text.len()));
            }
        }
    }
}
