//! Numbers as the servers read and write them, to the last digit.
//!
//! | text                          | written by                                        | here            |
//! |-------------------------------|---------------------------------------------------|-----------------|
//! | integers                      | everyone                                          | [`canonical_int`] |
//! | `%.17g`                       | Redis up to 7.0: scores in digests, logs, replies | [`g17_text`]    |
//! | Grisu2 digits                 | Redis from 7.2, Valkey: scores                    | [`fpconv_text`] |
//! | `%.17Lf` without its zeros    | `INCRBYFLOAT`, `HINCRBYFLOAT`                     | [`LongDouble`]  |
//! | shortest that reads back      | our own JSON                                      | [`shortest_text`] |

mod fpconv;
mod long_double;
mod natural;
mod printf;
mod score;
mod strtod;

pub use fpconv::fpconv_text;
pub use long_double::LongDouble;
pub use printf::{ScoreText, g17_text, shortest_text};
pub use score::{
    NumericPrefix, ScoreRules, WeightRules, parse_score, parse_score_bound, parse_score_prefix, parse_sort_weight,
};

/// The integer whose canonical decimal text this is (`string2ll`): no sign but a minus, no leading zero, no `-0`, within
/// 64 bits. The one spelling that servers take for counts, offsets and times, and the one of which they store the integer
/// instead of the text.
#[must_use]
#[inline]
pub fn canonical_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut size = 0u64;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        // 19 digits stay below 10^19, which 64 bits hold.
        size = size.wrapping_mul(10).wrapping_add(u64::from(value));
    }
    if negative { 0i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_have_one_spelling() {
        for value in [0, 1, -1, 10, i64::MAX, i64::MIN, i64::MIN + 1] {
            assert_eq!(canonical_int(value.to_string().as_bytes()), Some(value));
        }
        let wrong: [&[u8]; 16] = [
            b"",
            b"-",
            b"-0",
            b"00",
            b"01",
            b"+1",
            b" 1",
            b"1 ",
            b"1\0",
            b"1.0",
            b"9223372036854775808",
            b"-9223372036854775809",
            b"99999999999999999999",
            b"0x1",
            b"1e3",
            b"--1",
        ];
        for text in wrong {
            assert_eq!(canonical_int(text), None, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn canonical_text_is_exactly_what_formatting_gives_back(text in "[-+ ]?[0-9]{0,21}") {
            let expected = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
            prop_assert_eq!(canonical_int(text.as_bytes()), expected);
        }
    }
}
